//! Typed reads of JSON answers, which say what they found instead.

use serde_json::Value;

/// Reads a value as what a test expects it to be.
pub trait Json {
    fn text(&self) -> &str;
    fn integer(&self) -> i64;
    fn number(&self) -> f64;
    fn truth(&self) -> bool;
    fn list(&self) -> &[Value];
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
}
