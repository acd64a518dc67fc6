//! GraphQL within the process: the documents of the web page run as its reader, like those that a client sends.

use super::Service;
use super::operation::{budget, run};
use super::prepare::{Ready, prepare};
use super::protocol::{Body, OperationResult, coded};
use crate::access::Viewer;
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use schema::enums::Locale;
use serde_json::{Map, Value};

/// Executes a document of this program. It counts against the rate of the viewer's token, and needs no entry in the
/// allow-list of its name.
pub async fn in_process(
    service: &Service,
    viewer: &Viewer,
    document: &'static str,
    variables: Map<String, Value>,
    locale: Locale,
) -> OperationResult {
    if service.rates.count(viewer, 1).is_err() {
        let message = "too many operations per minute: try again in a minute";
        return OperationResult::refused_for(StatusCode::TOO_MANY_REQUESTS, vec![coded(Code::RateLimited, message)]);
    }
    let budget = budget(service, Some(viewer));
    let body = Body {
        query: Some(document.to_owned()),
        variables: Some(variables),
        is_of_this_program: true,
        ..Body::default()
    };
    match prepare(service, Some(viewer), body, locale, &budget).await {
        Ok(Ready::Checked(prepared)) => run(service, Some(viewer), *prepared, &budget).await,
        Ok(Ready::Answered(outcome)) | Err(outcome) => outcome,
    }
}
