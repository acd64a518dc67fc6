//! The named parameters of a saved question: their types and values.

use chrono::{DateTime, NaiveDate, Utc};
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
    /// As it stands in the text after `$`.
    pub name: String,
    #[serde(rename = "type")]
    pub of: ParameterType,
    /// Its value where a run gives none. None if each run has to give one; JSON null is a value.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// Without it serde would read JSON null as no value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterValue {
    Null,
    Text(String),
    Integer(i64),
    Number(f64),
    /// Digits with a sign and a decimal point.
    Decimal(String),
    Boolean(bool),
    Date(NaiveDate),
    Timestamp(DateTime<Utc>),
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

    /// What a value of the type looks like, for messages.
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

    /// Reads a value: JSON of the type, or a text that says it. Null is a value of each type.
    ///
    /// # Errors
    /// What a value looks like, if this is none.
    pub fn read(self, value: &Value) -> Result<ParameterValue, String> {
        if value.is_null() {
            return Ok(ParameterValue::Null);
        }
        let said = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        };
        let read = match self {
            Self::Text => value.as_str().map(|text| ParameterValue::Text(text.to_owned())),
            Self::Integer => said.parse().ok().map(ParameterValue::Integer),
            Self::Number => said.parse().ok().filter(|number: &f64| number.is_finite()).map(ParameterValue::Number),
            Self::Decimal => Some(said).filter(|said| is_decimal(said)).map(ParameterValue::Decimal),
            Self::Boolean => said.parse().ok().map(ParameterValue::Boolean),
            Self::Date => said.parse().ok().map(ParameterValue::Date),
            Self::Timestamp => {
                let time = DateTime::parse_from_rfc3339(&said).ok();
                time.map(|time| ParameterValue::Timestamp(time.with_timezone(&Utc)))
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
    pub fn value(&self, given: Option<&Value>) -> Result<ParameterValue, String> {
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
        let day = NaiveDate::from_ymd_opt(2024, 3, 31).unwrap();
        for (of, value, read) in [
            (Of::Text, json!("31"), ParameterValue::Text("31".into())),
            (Of::Integer, json!(31), ParameterValue::Integer(31)),
            (Of::Integer, json!("-31"), ParameterValue::Integer(-31)),
            (Of::Number, json!(0.5), ParameterValue::Number(0.5)),
            (Of::Decimal, json!("12.50"), ParameterValue::Decimal("12.50".into())),
            (Of::Boolean, json!(true), ParameterValue::Boolean(true)),
            (Of::Boolean, json!("false"), ParameterValue::Boolean(false)),
            (Of::Date, json!("2024-03-31"), ParameterValue::Date(day)),
            (Of::Date, Value::Null, ParameterValue::Null),
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
        let (needed, null) =
            (read(r#"{"name": "a", "type": "DATE"}"#), read(r#"{"name": "a", "type": "DATE", "default": null}"#));
        assert_eq!((needed.default.clone(), null.default.clone()), (None, Some(Value::Null)));
        assert!(needed.value(None).unwrap_err().contains("give it a value"));
        assert_eq!(null.value(None), Ok(ParameterValue::Null));
        for one in [needed, null] {
            assert_eq!(serde_json::from_value::<QueryParameter>(json!(one)).unwrap(), one);
        }
    }
}
