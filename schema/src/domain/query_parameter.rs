//! The named parameters of a saved question: their types and values.

use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The type of the values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParameterType {
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number.
    Number,
    /// A decimal number with up to nine decimal places.
    Decimal,
    Boolean,
    Date,
    /// A point in time as RFC 3339.
    Timestamp,
}

/// A named parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryParameter {
    /// Parameter name, without the `$`.
    pub name: String,
    #[serde(rename = "type")]
    pub of: ParameterType,
    /// Its value where a run gives none. None if each run has to give one; JSON null is a value.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// Reads JSON null as a value; serde would read it as no value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl ParameterType {
    /// The type in SQL.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Integer => "BIGINT",
            Self::Number => "DOUBLE PRECISION",
            Self::Decimal => "DECIMAL(38, 9)",
            Self::Boolean => "BOOLEAN",
            Self::Date => "DATE",
            Self::Timestamp => "TIMESTAMP WITH TIME ZONE",
        }
    }

    /// The form of a value of the type, for messages.
    const fn example(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Decimal => "a decimal number such as 12.50",
            Self::Boolean => "true or false",
            Self::Date => "a day such as 2024-03-31",
            Self::Timestamp => "a time such as 2024-03-31T08:00:00+07:00",
        }
    }

    /// Reads a value, JSON of the type or a text that says it, and writes it as JSON. Decimal numbers, days and times
    /// are texts. Null is a value of each type.
    ///
    /// # Errors
    /// What a value looks like, if this is none.
    pub fn read(self, value: &Value) -> Result<Value, String> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let said = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        };
        let read = match self {
            Self::Text => value.as_str().map(Value::from),
            Self::Integer => said.parse::<i64>().ok().map(Value::from),
            Self::Number => said.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
            Self::Decimal => Some(said).filter(|said| is_decimal(said)).map(Value::from),
            Self::Boolean => said.parse::<bool>().ok().map(Value::from),
            Self::Date => said.parse::<NaiveDate>().ok().map(|day| Value::from(day.to_string())),
            Self::Timestamp => {
                let time = DateTime::parse_from_rfc3339(&said).ok();
                time.map(|time| Value::from(time.to_utc().to_rfc3339()))
            }
        };
        read.ok_or_else(|| format!("{value} is not {}", self.example()))
    }
}

impl QueryParameter {
    /// The value of a run: the given one, else the default.
    ///
    /// # Errors
    /// If there is none, or it is not of the type.
    pub fn value(&self, given: Option<&Value>) -> Result<Value, String> {
        let Some(value) = given.or(self.default.as_ref()) else {
            return Err(format!("the parameter {} has no default: give it a value", self.name));
        };
        self.of.read(value).map_err(|wrong| format!("the parameter {}: {wrong}", self.name))
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number(whole) && whole.len() <= 29 && is_number(fraction) && fraction.len() <= 9
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_json_of_its_type_or_a_text_that_says_it() {
        use ParameterType as Of;
        for (of, value, read) in [
            (Of::Text, json!("31"), json!("31")),
            (Of::Integer, json!(31), json!(31)),
            (Of::Integer, json!("-31"), json!(-31)),
            (Of::Number, json!(0.5), json!(0.5)),
            (Of::Decimal, json!("12.50"), json!("12.50")),
            (Of::Decimal, json!(12), json!("12")),
            (Of::Boolean, json!(true), json!(true)),
            (Of::Boolean, json!("false"), json!(false)),
            (Of::Date, json!("2024-03-31"), json!("2024-03-31")),
            (Of::Timestamp, json!("2024-03-31T08:00:00+07:00"), json!("2024-03-31T01:00:00+00:00")),
            (Of::Date, Value::Null, Value::Null),
        ] {
            assert_eq!(of.read(&value), Ok(read), "{of:?} {value}");
        }
        for (of, value) in [
            (Of::Text, json!(31)),
            (Of::Integer, json!(0.5)),
            (Of::Integer, json!("")),
            (Of::Number, json!("NaN")),
            (Of::Decimal, json!("1e9")),
            (Of::Decimal, json!("1.")),
            (Of::Boolean, json!(1)),
            (Of::Date, json!("31/3/2024")),
            (Of::Timestamp, json!("2024-03-31")),
            (Of::Date, json!(["2024-03-31"])),
        ] {
            assert!(of.read(&value).is_err(), "{of:?} {value}");
        }
    }

    #[test]
    fn a_default_of_null_is_not_a_missing_default() {
        let read = |text: &str| serde_json::from_str::<QueryParameter>(text).unwrap();
        let needed = read(r#"{"name": "a", "type": "DATE"}"#);
        let null = read(r#"{"name": "a", "type": "DATE", "default": null}"#);
        assert_eq!((needed.default.clone(), null.default.clone()), (None, Some(Value::Null)));
        assert!(needed.value(None).unwrap_err().contains("give it a value"));
        assert_eq!(null.value(None), Ok(Value::Null));
        for one in [needed, null] {
            assert_eq!(serde_json::from_value::<QueryParameter>(json!(one)).unwrap(), one);
        }
    }
}
