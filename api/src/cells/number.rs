//! Numbers as text.

use super::stack::Stack;
use serde_json::Number;
use std::fmt::{self, Write};

/// Most significant digits of a decimal number that is written as a JSON number: clients read it as a 64-bit float.
const EXACT_DIGITS: usize = 15;
/// 39 digits of an integer of 128 bits, 38 zeros or a point, and the sign.
const DECIMAL: usize = 96;

/// Writes a decimal number with all digits that its scale has.
///
/// # Errors
/// If the scale makes the text too long, or `out` fails.
pub fn write_decimal(out: &mut dyn Write, value: i128, scale: i8) -> fmt::Result {
    out.write_str(decimal(value, scale)?.as_str())
}

/// Writes a decimal number as JSON has it: one with few digits as a float, so that zeros at its end are left out.
///
/// # Errors
/// If the scale makes the text too long, or `out` fails.
pub fn write_json_decimal(out: &mut dyn Write, value: i128, scale: i8) -> fmt::Result {
    let text = decimal(value, scale)?;
    let text = text.as_str();
    let number = if is_exact(text) && scale > 0 { text.parse().ok().and_then(Number::from_f64) } else { None };
    match number {
        Some(number) => write!(out, "{number}"),
        None => out.write_str(text),
    }
}

/// Whether a 64-bit float holds all digits of a decimal number.
pub fn is_exact(text: &str) -> bool {
    text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count() <= EXACT_DIGITS
}

/// Writes a float as JSON has it; NaN and infinity, which JSON has not, by their names.
///
/// # Errors
/// If `out` fails.
pub fn write_json_float(out: &mut dyn Write, number: f64) -> fmt::Result {
    match Number::from_f64(number) {
        Some(number) => write!(out, "{number}"),
        None => out.write_str(not_finite(number)),
    }
}

/// The name that PostgreSQL has for a number that is not finite.
pub fn not_finite(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

fn decimal(value: i128, scale: i8) -> Result<Stack<DECIMAL>, fmt::Error> {
    let mut digits = Stack::<40>::new();
    write!(digits, "{}", value.unsigned_abs())?;
    let digits = digits.as_str();
    let mut text = Stack::new();
    if value < 0 {
        text.byte(b'-')?;
    }
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        text.write_str(digits)?;
        zeros(&mut text, places)?;
    } else if digits.len() > places {
        let (whole, fraction) = digits.split_at(digits.len() - places);
        write!(text, "{whole}.{fraction}")?;
    } else {
        text.write_str("0.")?;
        zeros(&mut text, places - digits.len())?;
        text.write_str(digits)?;
    }
    Ok(text)
}

fn zeros(text: &mut Stack<DECIMAL>, many: usize) -> fmt::Result {
    (0..many).try_for_each(|_| text.byte(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Decimal128Array;

    #[test]
    fn decimals_are_written_as_arrow_does() {
        let values = [0, 1, -1, 7, -12, 100, 12_345, -99_999, 123_456_789_012_345_678, i128::pow(10, 37)];
        for scale in [0, 1, 2, 5, 18, 37] {
            let array = Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, scale).unwrap();
            for (row, value) in values.into_iter().enumerate() {
                let mut text = String::new();
                write_decimal(&mut text, value, scale).unwrap();
                assert_eq!(text, array.value_as_string(row), "{value} {scale}");
            }
        }
    }

    #[test]
    fn a_decimal_of_json_is_a_float_if_one_holds_it() {
        let cases: [(i128, i8, &str); 6] = [
            (12, 0, "12"),
            (1_050, 2, "10.5"),
            (-5, 2, "-0.05"),
            (1_200, 2, "12.0"),
            (1_234_567_890_123_456, 0, "1234567890123456"),
            (12_345_678_901_234_560, 2, "123456789012345.60"),
        ];
        for (value, scale, expected) in cases {
            let mut text = String::new();
            write_json_decimal(&mut text, value, scale).unwrap();
            assert_eq!(text, expected);
        }
    }
}
