//! Rounding to significant digits.

/// The powers of ten that an `f64` holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A product below a million with six digits before the point is off by less than 6e-11: [`by_scaling`] leaves
/// everything that is as near as this to the middle of two digits to [`by_text`].
const NEAR_THE_MIDDLE: f64 = 1e-9;

/// Rounds to 6 significant digits, the precision in which numbers are stored and hashed.
pub fn round_6_digits(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    by_scaling(value).unwrap_or_else(|| by_text(value))
}

/// Rounds by way of a text, which is exact for every number and takes ten times as long as [`by_scaling`].
fn by_text(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The same as [`by_text`] where a product with an exact power of ten tells which digits are the nearest; else None.
/// The result is one division or product of two exact numbers, and so the `f64` nearest to these digits.
fn by_scaling(value: f64) -> Option<f64> {
    let size = value.abs();
    let power = |places: i32| POWERS_OF_TEN.get(places.unsigned_abs() as usize).copied();
    let scale = |places: i32| power(places).map(|power| if places < 0 { size / power } else { size * power });
    let mut places = 5 - size.log10().floor() as i32;
    let mut scaled = scale(places)?;
    // A logarithm next to that of a power of ten may be on its other side.
    if scaled < 1e5 {
        places += 1;
        scaled = scale(places)?;
    } else if scaled >= 1e6 {
        places -= 1;
        scaled = scale(places)?;
    }
    let below = scaled.floor();
    let rest = scaled - below;
    if !(1e5..1e6).contains(&scaled) || (rest - 0.5).abs() < NEAR_THE_MIDDLE {
        return None;
    }
    let digits = if rest > 0.5 { below + 1.0 } else { below };
    let rounded = if places < 0 { digits * power(places)? } else { digits / power(places)? };
    Some(rounded.copysign(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn both_ways_give_the_same_bits() {
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let mut scaled = 0;
        for n in 0..200_000 {
            // Numbers of all sizes, and more of those that statistics have.
            let most = if n % 2 == 0 { 300 } else { 12 };
            let power: i32 = random.random_range(-most..=most);
            let value = random.random_range(-10.0..10.0) * 10f64.powi(power);
            assert_eq!(round_6_digits(value).to_bits(), by_text(value).to_bits(), "{value:e}");
            scaled += usize::from(by_scaling(value).is_some());
        }
        assert!(scaled > 90_000, "{scaled} without a text");
    }

    #[test]
    fn numbers_in_the_middle_and_at_powers_of_ten_are_rounded_as_texts() {
        let steps = (-30..=30).flat_map(|power| {
            let ten = 10f64.powi(power);
            [1.0, 9.999_995, 9.999_994_999_999_998, 1.000_005, 1.234_565, 1.234_575].map(|digits| digits * ten)
        });
        // Halves and eighths are exact: these are ties.
        let ties = (100_000..100_050i32).flat_map(|n| [f64::from(n) + 0.5, f64::from(n) / 8.0, f64::from(n) * 5.0]);
        for value in steps.chain(ties) {
            for near in [value.next_down(), value, value.next_up()] {
                assert_eq!(round_6_digits(near).to_bits(), by_text(near).to_bits(), "{near:e}");
                assert_eq!(round_6_digits(-near).to_bits(), by_text(-near).to_bits(), "{near:e}");
            }
        }
        assert_eq!(by_scaling(100_000.5), None);
        assert_eq!((round_6_digits(100_000.5), round_6_digits(100_001.5)), (100_000.0, 100_002.0));
    }

    #[test]
    fn what_has_no_digits_stays() {
        for value in [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 8.0, f64::MAX] {
            let same = if value == 0.0 || value.is_infinite() { value } else { by_text(value) };
            assert_eq!(round_6_digits(value).to_bits(), same.to_bits(), "{value:e}");
        }
        assert!(round_6_digits(f64::NAN).is_nan());
    }
}
