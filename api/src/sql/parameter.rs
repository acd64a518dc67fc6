//! The value of a parameter (`$1`, `$2`, …).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

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
    /// For a list or an object.
    pub fn of_json(value: &serde_json::Value) -> Result<Self, String> {
        use serde_json::Value;
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Whole(whole),
                (None, Some(float)) => Self::Float(float),
                (None, None) => Self::Decimal(number.to_string()),
            },
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => {
                return Err("a parameter is null, true, false, a number or a text: no list and no object".into());
            }
        })
    }
}
