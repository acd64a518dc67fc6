//! The data of a page: GraphQL documents of this program, executed in the process as the reader.

use super::error::{PageError, Problem, Said};
use crate::access::Viewer;
use crate::http::{Service, in_process};
use schema::enums::Locale;
use serde_json::Value;

/// Executes a document and returns its `data`.
///
/// # Errors
/// By the code of the first error of the answer. Parts of an answer are not shown. `NoKeyFile` if the role sees
/// pseudonyms, and the server cannot make them.
pub async fn query(
    service: &Service,
    viewer: &Viewer,
    locale: Locale,
    document: &'static str,
    variables: Value,
) -> Result<Value, PageError> {
    let Value::Object(variables) = variables else {
        tracing::error!("the variables of a page are not an object");
        return Err(PageError::Internal);
    };
    if viewer.sees_pseudonyms_alone() && service.app.keys.is_none() {
        return Err(PageError::NoKeyFile);
    }
    let outcome = in_process(service, viewer, document, variables, locale).await;
    let mut answer: Value = serde_json::from_slice(outcome.json()).map_err(|error| {
        tracing::error!(%error, "the answer for a page cannot be parsed");
        PageError::Internal
    })?;
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    if !errors.is_empty() {
        return Err(refused(&errors));
    }
    Ok(answer["data"].take())
}

fn refused(errors: &[Value]) -> PageError {
    let codes = || errors.iter().filter_map(|error| error["extensions"]["code"].as_str());
    // FORBIDDEN comes first: a reader without the right cannot correct the input.
    let code = codes().find(|code| *code == "FORBIDDEN").or_else(|| codes().next()).unwrap_or_default();
    let problems = || errors.iter().map(problem).collect();
    match code {
        "BAD_USER_INPUT" => PageError::Refused(problems()),
        "CONFLICT" => PageError::Conflict(problems()),
        "NOT_FOUND" => PageError::NotFound,
        "FORBIDDEN" | "UNAUTHENTICATED" => PageError::Forbidden,
        "RATE_LIMITED" => PageError::TooMany,
        "TIMEOUT" => PageError::TookTooLong,
        "UNAVAILABLE" => PageError::Away,
        _ => {
            tracing::error!(code, message = %errors[0]["message"], "a document of the page was refused");
            PageError::Internal
        }
    }
}

fn problem(error: &Value) -> Problem {
    let parameters = error["extensions"]["parameters"].as_object().into_iter().flatten();
    let parameters = parameters.map(|(name, value)| (name.clone(), text(value).to_owned())).collect();
    let reason = text(&error["extensions"]["reason"]).to_owned();
    Problem::of_api(text(&error["message"]), Said { reason, parameters })
}

/// The nodes of a connection, or of its JSON.
pub fn nodes(connection: &Value) -> impl Iterator<Item = &Value> {
    connection["nodes"].as_array().into_iter().flatten()
}

/// A text of an answer; empty if it is null.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_may_not_ask_is_not_told_what_to_correct() {
        let error = |code: &str| json!({ "message": "m", "extensions": { "code": code } });
        let (input, rights) = (error("BAD_USER_INPUT"), error("FORBIDDEN"));
        assert!(matches!(refused(&[input.clone(), rights]), PageError::Forbidden));
        assert!(matches!(refused(&[input]), PageError::Refused(_)));
        let parameters = json!({ "day": "2026-01-01" });
        let extensions = json!({ "code": "CONFLICT", "reason": "ACCEPTED_ALREADY", "parameters": parameters });
        let PageError::Conflict(problems) = refused(&[json!({ "message": "m", "extensions": extensions })]) else {
            panic!("no conflict");
        };
        let said = problems[0].said.as_ref().unwrap();
        assert_eq!(said.reason, "ACCEPTED_ALREADY");
        assert_eq!(said.parameters, [("day".to_owned(), "2026-01-01".to_owned())]);
        assert!(matches!(refused(&[json!({ "message": "m" })]), PageError::Internal));
    }
}
