//! The binary format of `numeric`: groups of four decimal digits.

use bytes::{Buf, BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITE: [u16; 2] = [0xD000, 0xF000];

/// Writes a decimal number such as `-123.45`.
pub fn put_decimal(out: &mut BytesMut, number: &str) {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (0, number),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = u16::try_from(fraction.len()).unwrap_or(u16::MAX);
    // Both sides in whole groups: zeros before the first digit and after the last.
    let whole = format!("{}{whole}", "0".repeat((4 - whole.len() % 4) % 4));
    let fraction = format!("{fraction}{}", "0".repeat((4 - fraction.len() % 4) % 4));
    let mut weight = i16::try_from(whole.len() / 4).unwrap_or(i16::MAX) - 1;
    let all = whole + &fraction;
    let mut groups: Vec<u16> = all
        .as_bytes()
        .chunks(4)
        .map(|four| four.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
        .collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= i16::try_from(leading).unwrap_or(0);
    while groups.last() == Some(&0) {
        groups.pop();
    }
    if groups.is_empty() {
        weight = 0;
    }
    out.put_u16(u16::try_from(groups.len()).unwrap_or(u16::MAX));
    out.put_i16(weight);
    out.put_u16(if groups.is_empty() { 0 } else { sign });
    out.put_u16(scale);
    groups.into_iter().for_each(|group| out.put_u16(group));
}

/// The decimal number of a binary `numeric`; None if the bytes are malformed or the number is not finite.
pub fn decimal_of_binary(mut bytes: &[u8]) -> Option<String> {
    if bytes.len() < 8 {
        return None;
    }
    let (groups, weight) = (usize::from(bytes.get_u16()), i64::from(bytes.get_i16()));
    let (sign, scale) = (bytes.get_u16(), usize::from(bytes.get_u16()));
    if sign == NOT_A_NUMBER || INFINITE.contains(&sign) || bytes.len() != groups * 2 || scale > MOST_DIGITS {
        return None;
    }
    let values: Vec<u16> = (0..groups).map(|_| bytes.get_u16()).collect();
    if weight.unsigned_abs() > MOST_DIGITS as u64 || values.iter().any(|group| *group > 9_999) {
        return None;
    }
    // The group of 10000^power.
    let group =
        |power: i64| usize::try_from(weight - power).ok().and_then(|place| values.get(place)).copied().unwrap_or(0);
    let whole: String = (0..=weight.max(0)).rev().map(|power| format!("{:04}", group(power))).collect();
    let groups_of_fraction = i64::try_from(scale.div_ceil(4)).unwrap_or(0);
    let fraction: String = (1..=groups_of_fraction).map(|place| format!("{:04}", group(-place))).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if sign == NEGATIVE { "-" } else { "" };
    Some(match scale {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{}", &fraction[..scale]),
    })
}

/// More digits than any decimal of the engine has.
const MOST_DIGITS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_binary_format() {
        for number in
            ["0", "1", "-1", "10000", "9999", "0.5", "-123.45", "0.00001", "123456789012345678901234567890.1200"]
        {
            let mut out = BytesMut::new();
            put_decimal(&mut out, number);
            assert_eq!(decimal_of_binary(&out).as_deref(), Some(number));
        }
    }

    #[test]
    fn the_bytes_are_those_of_postgresql() {
        // SELECT numeric_send(12345.678)
        let mut out = BytesMut::new();
        put_decimal(&mut out, "12345.678");
        assert_eq!(data_encoding::HEXLOWER.encode(&out), "0003000100000003000109291a7c");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bytes in [&[][..], &[0; 7], &[0, 1, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0xC0, 0, 0, 0]] {
            assert_eq!(decimal_of_binary(bytes), None);
        }
    }
}
