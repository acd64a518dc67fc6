//! The value of a parameter (`$1`, `$2`, …).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// First whole number from which floating-point numbers no longer hold each one: 2^53.
const ROUNDED: f64 = 9_007_199_254_740_992.0;

/// A value of a parameter. The engine casts it to the type that the place of the parameter asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Parameter {
    Null,
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    /// A decimal number as text.
    Decimal(String),
}

impl Parameter {
    /// A value of JSON: null, true, a number or a text. A text takes the type of its place, such as a date.
    ///
    /// # Errors
    /// For a list or an object, and for a whole number that JSON's reader rounds.
    pub fn of_json(value: &Value) -> Result<Self, String> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(whole), ..) => Self::Whole(whole),
                (None, None, Some(float)) if float.abs() < ROUNDED => Self::Float(float),
                (None, None, Some(_)) => return Err("write a number of that size as a text: digits are lost".into()),
                (None, ..) => Self::Decimal(number.to_string()),
            },
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => {
                return Err("a parameter is null, true, false, a number or a text: no list and no object".into());
            }
        })
    }

    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => json!(flag),
            Self::Whole(number) => json!(number),
            Self::Float(number) => json!(number),
            Self::Text(text) | Self::Decimal(text) => json!(text),
            Self::Day(day) => json!(day),
            Self::Instant(at) => json!(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_keep_their_digits_or_are_refused() {
        let of = |text: &str| Parameter::of_json(&serde_json::from_str(text).unwrap());
        assert_eq!(of("9223372036854775807"), Ok(Parameter::Whole(i64::MAX)));
        assert_eq!(of("18446744073709551615"), Ok(Parameter::Decimal("18446744073709551615".into())));
        assert_eq!(of("0.5"), Ok(Parameter::Float(0.5)));
        for text in ["18446744073709551616", "-9223372036854775809", "1e300", "[1]", "{}"] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
