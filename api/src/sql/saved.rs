//! Saved questions: the text and the values of a run.

use schema::domain::query_parameter::QueryParameter;
use schema::domain::query_text::numbered;
use serde_json::{Map, Value};

/// A run of a saved question.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedRun {
    /// The text with `$1`, `$2`, … in place of names.
    pub text: String,
    /// The values of `$1`, `$2`, …
    pub values: Vec<Value>,
}

impl SavedRun {
    /// The run of a text with the given values, and defaults for others.
    ///
    /// # Errors
    /// For a value of an unknown parameter, a value of another type, and a missing value without a default.
    pub fn new(text: &str, parameters: &[QueryParameter], given: &Map<String, Value>) -> Result<Self, String> {
        if let Some(unknown) = given.keys().find(|name| parameters.iter().all(|one| one.name != **name)) {
            let names: Vec<&str> = parameters.iter().map(|one| one.name.as_str()).collect();
            return Err(match names.is_empty() {
                true => format!("the question has no parameter {unknown:?}: it has none"),
                false => format!("the question has no parameter {unknown:?}: it has {}", names.join(", ")),
            });
        }
        let numbered = numbered(text, parameters)?;
        let value = |index: &usize| parameters[*index].value(given.get(&parameters[*index].name));
        let values = numbered.order.iter().map(value).collect::<Result<_, _>>()?;
        Ok(Self { text: numbered.text, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(given: &Value) -> Result<SavedRun, String> {
        let parameters: Vec<QueryParameter> = serde_json::from_value(json!([
            { "name": "from", "type": "DATE" },
            { "name": "least", "type": "INTEGER", "default": 5 },
        ]))
        .unwrap();
        SavedRun::new("SELECT 1 WHERE n > $least AND d >= $from", &parameters, given.as_object().unwrap())
    }

    #[test]
    fn values_stand_in_the_order_of_the_text() {
        let text = "SELECT 1 WHERE n > CAST($1 AS BIGINT) AND d >= CAST($2 AS DATE)";
        let given = run(&json!({ "from": "2024-01-01" })).unwrap();
        assert_eq!(given, SavedRun { text: text.into(), values: vec![json!(5), json!("2024-01-01")] });
        assert_eq!(run(&json!({ "from": null, "least": "7" })).unwrap().values, [json!(7), Value::Null]);
    }

    #[test]
    fn wrong_values_are_named() {
        for (given, wrong) in [
            (json!({}), "from"),
            (json!({ "from": "x" }), "from"),
            (json!({ "from": "2024-01-01", "least": 0.5 }), "least"),
            (json!({ "from": "2024-01-01", "most": 9 }), "most"),
        ] {
            assert!(run(&given).unwrap_err().contains(wrong), "{given}");
        }
    }
}
