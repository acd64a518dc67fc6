//! Parses numbers in the notation of other registers. They are read and multiplied as decimals: with binary floating
//! point, 8.2 times a million can be slightly less than 8,200,000.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The notation of a numeric field: separators, factor and limit.
#[derive(Debug)]
pub struct NumberRules {
    thousands: Option<char>,
    decimal: char,
    multiply: Decimal,
    /// The largest number accepted.
    most: Option<Decimal>,
}

impl Default for NumberRules {
    /// The notation of numbers in the mapping itself.
    fn default() -> Self {
        Self { thousands: None, decimal: '.', multiply: Decimal::ONE, most: None }
    }
}

impl NumberRules {
    /// Reads the rules from a mapping.
    ///
    /// # Errors
    /// If a separator is not one character, the separators are equal, or `multiply` is not a number.
    pub fn new(thousands: Option<&str>, decimal: Option<&str>, multiply: Option<&toml::Value>) -> Result<Self, String> {
        let sign = |name: &str, text: &str| {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(sign), None) => Ok(sign),
                _ => Err(format!("{name} {text:?} is not one character")),
            }
        };
        let multiply = match multiply {
            None => Decimal::ONE,
            Some(toml::Value::Integer(number)) => Decimal::from(*number),
            Some(other) => read(&other.to_string()).ok_or_else(|| format!("multiply {other} is not a number"))?,
        };
        let rules = Self {
            thousands: thousands.map(|text| sign("thousands", text)).transpose()?,
            // Where a point separates thousands, a comma is the decimal separator.
            decimal: match decimal {
                Some(text) => sign("decimal", text)?,
                None if thousands == Some(".") => ',',
                None => '.',
            },
            multiply,
            most: None,
        };
        if rules.thousands == Some(rules.decimal) {
            return Err(format!("{:?} cannot be both the thousands and the decimal separator", rules.decimal));
        }
        Ok(rules)
    }

    /// Adds the limit of the mapping (`most`), or the `usual` one of the field. `ceiling` is the largest limit that a
    /// mapping may set.
    ///
    /// # Errors
    /// If the limit is not a number from 0 to the ceiling.
    pub fn limited(self, most: Option<&toml::Value>, usual: i64, ceiling: i64) -> Result<Self, String> {
        let most = match most {
            None => Decimal::from(usual),
            Some(toml::Value::Integer(number)) => Decimal::from(*number),
            Some(other) => read(&other.to_string()).ok_or_else(|| format!("most {other} is not a number"))?,
        };
        if most.is_sign_negative() || most > Decimal::from(ceiling) {
            return Err(format!("most {most} is not a valid limit for this field: write a number from 0 to {ceiling}"));
        }
        Ok(Self { most: Some(most), ..self })
    }

    /// The notation of the mapping itself, with the limit of this field.
    pub fn own(&self) -> Self {
        Self { most: self.most, ..Self::default() }
    }

    fn checked(&self, text: &str) -> Result<Decimal, String> {
        let number = self.number(text).ok_or_else(|| format!("{text:?} is not a number"))?;
        match self.most {
            Some(most) if number > most => Err(format!(
                "{number} is more than {most}, which is the most that is taken: correct it, or set `most` of this field in the mapping"
            )),
            _ => Ok(number),
        }
    }

    fn number(&self, text: &str) -> Option<Decimal> {
        if let Some(sign) = self.thousands {
            // 1250.5 with `thousands = "."` uses another notation: dropping its point would change the value.
            let whole = text.split(self.decimal).next().unwrap_or_default();
            let mut groups = whole.split(sign).skip(1);
            if groups.any(|group| group.len() != 3) {
                return None;
            }
        }
        let plain: String = text
            .chars()
            .filter(|c| Some(*c) != self.thousands && *c != ' ' && *c != '\u{a0}')
            .map(|c| {
                if c == self.decimal {
                    '.'
                } else if c == '.' {
                    ','
                } else {
                    c
                }
            })
            .collect();
        read(&plain)?.checked_mul(self.multiply)
    }

    /// Parses a number.
    ///
    /// # Errors
    /// If the text is not a number by these rules.
    pub fn decimal(&self, text: &str) -> Result<f64, String> {
        self.checked(text)?.to_f64().ok_or_else(|| format!("{text:?} is not a number"))
    }

    /// Parses a whole number.
    ///
    /// # Errors
    /// If the text is not a whole number by these rules, or exceeds 64 bits.
    pub fn integer(&self, text: &str) -> Result<i64, String> {
        let number = self.checked(text)?;
        let whole = number.is_integer().then(|| number.to_i64()).flatten();
        whole.ok_or_else(|| format!("{text:?} is not a whole number"))
    }
}

fn read(plain: &str) -> Option<Decimal> {
    let readable = plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    readable.then(|| plain.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(thousands: &str, decimal: &str, multiply: f64) -> NumberRules {
        let thousands = Some(thousands).filter(|sign| !sign.is_empty());
        NumberRules::new(thousands, Some(decimal), Some(&toml::Value::Float(multiply))).expect("signs")
    }

    #[test]
    fn vietnamese_numbers_are_read() {
        let vietnamese = rules(".", ",", 1.0);
        assert_eq!(vietnamese.integer("1.250.000"), Ok(1_250_000));
        assert_eq!(vietnamese.decimal("1.250,5"), Ok(1250.5));
        assert!(vietnamese.integer("1,5").is_err());
        assert!(vietnamese.integer("nan").is_err());
        assert!(vietnamese.decimal("inf").is_err());
        assert!(NumberRules::default().decimal("1,5").is_err());
        assert!(rules("", ",", 1.0).decimal("1.250").is_err(), "a point is neither sign of this file");
        assert!(vietnamese.decimal("1250.5").is_err() && vietnamese.integer("1.25").is_err());
        assert!(NumberRules::new(Some("."), Some("."), None).is_err(), "a point cannot be both");
        assert_eq!(NumberRules::new(Some("."), None, None).expect("signs").decimal("1.250,5"), Ok(1250.5));
    }

    #[test]
    fn millions_of_a_decimal_number_are_whole() {
        let millions = rules("", ",", 1e6);
        for (text, expected) in [("2,5", 2_500_000), ("8,2", 8_200_000), ("1,001", 1_001_000), ("0,57", 570_000)] {
            assert_eq!(millions.integer(text), Ok(expected));
        }
    }

    #[test]
    fn what_is_beyond_the_limit_is_told() {
        let limited = |most: Option<i64>| {
            NumberRules::default().limited(most.map(toml::Value::Integer).as_ref(), 1_000, 1_000_000)
        };
        let usual = limited(None).expect("a limit");
        assert_eq!((usual.integer("1000"), usual.decimal("999.5")), (Ok(1_000), Ok(999.5)));
        for text in ["1001", "9223372036854775807", "99999999999999999999"] {
            let error = usual.integer(text).unwrap_err();
            assert!(error.contains(text) && error.contains("`most`"), "{error}");
        }
        assert_eq!(limited(Some(2_000)).expect("a limit").integer("1500"), Ok(1_500));
        assert!(limited(Some(1_000_001)).is_err() && limited(Some(-1)).is_err());
    }
}
