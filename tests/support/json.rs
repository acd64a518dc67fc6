//! Typed reads of JSON answers, which say what they found instead.

use serde_json::{Map, Value};

/// Reads a value as what a test expects it to be.
pub trait Json {
    fn text(&self) -> &str;
    fn integer(&self) -> i64;
    fn number(&self) -> f64;
    fn truth(&self) -> bool;
    fn list(&self) -> &[Value];
    fn object(&self) -> &Map<String, Value>;
}

impl Json for Value {
    #[track_caller]
    fn text(&self) -> &str {
        self.as_str().unwrap_or_else(|| panic!("no text: {self}"))
    }

    #[track_caller]
    fn integer(&self) -> i64 {
        self.as_i64().unwrap_or_else(|| panic!("no integer: {self}"))
    }

    #[track_caller]
    fn number(&self) -> f64 {
        self.as_f64().unwrap_or_else(|| panic!("no number: {self}"))
    }

    #[track_caller]
    fn truth(&self) -> bool {
        self.as_bool().unwrap_or_else(|| panic!("neither true nor false: {self}"))
    }

    #[track_caller]
    fn list(&self) -> &[Value] {
        self.as_array().unwrap_or_else(|| panic!("no list: {self}"))
    }

    #[track_caller]
    fn object(&self) -> &Map<String, Value> {
        self.as_object().unwrap_or_else(|| panic!("no object: {self}"))
    }
}

/// An object with the fields of another one. Where both have a field, it has the value of the other one.
#[track_caller]
pub fn merged(base: &Value, more: &Value) -> Value {
    let mut fields = base.object().clone();
    fields.extend(more.object().clone());
    Value::Object(fields)
}
