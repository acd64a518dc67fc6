//! Saved questions: `phananh sql @NAME --param from=2024-01-01`.

use super::Args;
use crate::sql::SavedRun;
use anyhow::Context;
use schema::domain::query_parameter::QueryParameter;
use serde_json::{Map, Value};

/// Reads `name=value`.
///
/// # Errors
/// If the text has no `=`.
pub fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("write name=value, not {text:?}"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Refuses options that are for another kind of question.
///
/// # Errors
/// If such an option is given.
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

/// A saved question.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// Its name and version as a comment in SQL; empty where a server describes it.
    pub title: String,
    pub text: String,
    pub parameters: Vec<QueryParameter>,
}

/// A question to send.
#[derive(Debug)]
pub struct Asked {
    /// The words that the audit log has before the text.
    pub title: String,
    pub text: String,
    /// The values of `$1`, `$2`, …
    pub values: Vec<Value>,
}

/// A saved question that is asked, of one version or of the newest.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    pub name: &'a str,
    pub version: Option<i32>,
    pub given: Vec<(String, String)>,
}

/// Builds the question from a saved question, as it was found.
///
/// # Errors
/// If there is no such question, or a value is missing, given twice or of another type.
pub fn run(wanted: &Wanted<'_>, found: Option<Found>) -> anyhow::Result<Asked> {
    let Wanted { name, version, given } = wanted;
    let Found { title, text, parameters } = found.with_context(|| {
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
    let SavedRun { text, values } = SavedRun::new(&text, &parameters, &values).map_err(anyhow::Error::msg)?;
    Ok(Asked { title, text, values })
}

/// The saved question that a statement of the prompt names: `@NAME` with values such as `since=2025-01-01`, without
/// spaces. None for SQL.
///
/// # Errors
/// If the name is missing, or a value is not written as `name=value`.
pub fn named_query(statement: &str) -> anyhow::Result<Option<Wanted<'_>>> {
    let Some(named) = statement.strip_prefix('@') else { return Ok(None) };
    let mut words = named.split_whitespace();
    let name = words.next().context("write the name of a saved question behind @")?;
    let given = words.map(name_and_value).collect::<Result<Vec<_>, _>>().map_err(anyhow::Error::msg)?;
    Ok(Some(Wanted { name, version: None, given }))
}

/// A question as a server describes it.
///
/// # Errors
/// If a part is missing, or this version of the program lacks the type of a parameter.
pub fn from_description(document: &Value) -> anyhow::Result<Found> {
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
    let parameters = parameters.collect::<anyhow::Result<_>>()?;
    Ok(Found { title: String::new(), text: text.to_owned(), parameters })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(name_and_value("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(name_and_value("a").is_err());
    }

    #[test]
    fn a_statement_of_the_prompt_names_a_saved_question_with_its_values() {
        assert_eq!(named_query("SELECT '@a'").unwrap(), None);
        let given = vec![("since".to_owned(), "2025-01-01".to_owned())];
        assert_eq!(named_query("@of since=2025-01-01").unwrap(), Some(Wanted { name: "of", version: None, given }));
        assert!(named_query("@of since").is_err() && named_query("@ ").is_err());
    }

    #[test]
    fn a_default_of_null_is_no_missing_default() {
        let document = json!({ "text": "SELECT $a, $b", "parameters": [
            { "name": "a", "type": "DATE", "required": true, "default": null },
            { "name": "b", "type": "TEXT", "required": false, "default": null },
        ] });
        let Found { text, parameters, .. } = from_description(&document).unwrap();
        let defaults: Vec<_> = parameters.iter().map(|one| one.default.clone()).collect();
        assert_eq!((text.as_str(), defaults), ("SELECT $a, $b", vec![None, Some(Value::Null)]));
    }
}
