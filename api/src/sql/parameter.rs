//! The value of a parameter (`$1`, `$2`, …).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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
    pub fn of_json(value: &Value) -> Result<Self, String> {
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
