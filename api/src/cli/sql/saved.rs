//! Saved questions: `phananh sql @NAME --param from=2024-01-01`.

use super::Args;
use super::way::Way;
use crate::sql::SavedRun;
use anyhow::Context;
use schema::domain::query_parameter::QueryParameter;
use serde_json::{Map, Value};

/// Reads `name=value`.
pub fn given(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("write name=value, not {text:?}"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Refuses options that are for another kind of question.
pub fn check(name: Option<&str>, args: &Args) -> anyhow::Result<()> {
    match name {
        Some(_) if !args.parameters.is_empty() => {
            anyhow::bail!("--parameter is for SQL: a saved question takes --param NAME=VALUE")
        }
        None if !args.given.is_empty() || args.query_version.is_some() => {
            anyhow::bail!("--param and --query-version are for a saved question: write @NAME")
        }
        _ => Ok(()),
    }
}

/// What to ask for a saved question.
pub fn run(way: &Way, name: &str, version: Option<i32>, given: &[(String, String)]) -> anyhow::Result<SavedRun> {
    let (text, parameters) = way.saved(name, version)?.with_context(|| {
        let which = version.map(|version| format!(" with a version {version}")).unwrap_or_default();
        format!("there is no saved question {name:?}{which}: `phananh queries list` lists them")
    })?;
    let mut values = Map::new();
    for (name, value) in given {
        anyhow::ensure!(
            values.insert(name.clone(), Value::from(value.as_str())).is_none(),
            "--param {name} stands twice"
        );
    }
    SavedRun::new(&text, &parameters, &values).map_err(anyhow::Error::msg)
}

/// What to ask for a statement of the prompt: SQL, or `@NAME` with values such as `since=2025-01-01`, without spaces.
pub fn typed(way: &Way, statement: &str) -> anyhow::Result<SavedRun> {
    let Some(named) = statement.strip_prefix('@') else {
        return Ok(SavedRun { text: statement.to_owned(), values: Vec::new() });
    };
    let mut words = named.split_whitespace();
    let name = words.next().context("write the name of a saved question behind @")?;
    let values = words.map(given).collect::<Result<Vec<_>, _>>().map_err(anyhow::Error::msg)?;
    run(way, name, None, &values)
}

/// The text and the parameters of a question that a server describes.
pub fn described(document: &Value) -> anyhow::Result<(String, Vec<QueryParameter>)> {
    let text = document["text"].as_str().context("the server describes no text of the question")?;
    let parameter = |one: &Value| -> anyhow::Result<QueryParameter> {
        let default = Some(one["default"].clone()).filter(|_| one["required"] == false);
        Ok(QueryParameter {
            name: one["name"].as_str().context("the server describes a parameter without a name")?.to_owned(),
            of: serde_json::from_value(one["type"].clone())
                .context("the server describes a type that is unknown here")?,
            default,
        })
    };
    let parameters = document["parameters"].as_array().into_iter().flatten().map(parameter);
    Ok((text.to_owned(), parameters.collect::<anyhow::Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(given("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(given("a").is_err());
    }

    #[test]
    fn a_default_of_null_is_no_missing_default() {
        let document = json!({ "text": "SELECT $a, $b", "parameters": [
            { "name": "a", "type": "DATE", "required": true, "default": null },
            { "name": "b", "type": "TEXT", "required": false, "default": null },
        ] });
        let (text, parameters) = described(&document).unwrap();
        let defaults: Vec<_> = parameters.iter().map(|one| one.default.clone()).collect();
        assert_eq!((text.as_str(), defaults), ("SELECT $a, $b", vec![None, Some(Value::Null)]));
    }
}
