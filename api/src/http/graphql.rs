//! GraphQL over HTTP: POST with a JSON body; GET for queries only.

use super::Service;
use crate::access::{DEEPEST_VALUE, MOST_VALUES, Refusal};
use crate::auth::{Viewer, bearer, viewer};
use crate::graphql::Loaders;
use crate::graphql::context::{RequestContext, blocking};
use crate::graphql::error::{Code, from_store};
use crate::graphql::order::in_document_order;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::dataloader::DataLoader;
use async_graphql::{ErrorExtensionValues, Request, Response, ServerError, Variables};
use async_graphql_parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

/// The members of a request, whether they come in a body or in the query of a URL.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<serde_json::Value>,
}

/// The same in a URL, where variables are text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlBody {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
}

pub async fn post(service: Data<Service>, http: HttpRequest, body: Bytes) -> HttpResponse {
    let content_type = http.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    // Forms can be sent from any page; JSON cannot without the browser asking first.
    if !media.eq_ignore_ascii_case(JSON) {
        let message = "send the request as JSON: Content-Type: application/json";
        return refusal(&http, StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadUserInput, message);
    }
    match serde_json::from_slice::<Body>(&body) {
        Ok(body) => answer(&service, &http, body, false).await,
        Err(e) => {
            let message = format!("the body is no GraphQL request: {e}");
            refusal(&http, StatusCode::BAD_REQUEST, Code::BadUserInput, message)
        }
    }
}

pub async fn get(service: Data<Service>, http: HttpRequest, url: Query<UrlBody>) -> HttpResponse {
    let UrlBody { query, operation_name, variables } = url.into_inner();
    let variables = match variables.filter(|text| !text.is_empty()).map(|text| serde_json::from_str(&text)).transpose()
    {
        Ok(variables) => variables,
        Err(e) => {
            let message = format!("variables: {e}");
            return refusal(&http, StatusCode::BAD_REQUEST, Code::BadUserInput, message);
        }
    };
    answer(&service, &http, Body { query, operation_name, variables }, true).await
}

async fn answer(service: &Service, http: &HttpRequest, body: Body, is_get: bool) -> HttpResponse {
    let Some(query) = body.query else {
        return refusal(http, StatusCode::BAD_REQUEST, Code::BadUserInput, "the request has no `query`");
    };
    if body.variables.as_ref().is_some_and(|variables| !variables.is_object() && !variables.is_null()) {
        return refusal(http, StatusCode::BAD_REQUEST, Code::BadUserInput, "`variables` is no object");
    }
    let viewer = match authenticated(service, http).await {
        Ok(viewer) => viewer,
        Err(response) => return response,
    };
    let document = match async_graphql_parser::parse_query(&query) {
        Ok(document) => document,
        Err(e) => return refusal(http, StatusCode::BAD_REQUEST, Code::ParseFailed, e.to_string()),
    };
    let operation = body.operation_name.filter(|name| !name.is_empty());
    if is_get && !is_query(&document, operation.as_deref()) {
        let mut response =
            refusal(http, StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, "GET is for queries: send it by POST");
        response
            .headers_mut()
            .insert(actix_web::http::header::ALLOW, actix_web::http::header::HeaderValue::from_static("POST"));
        return response;
    }
    let variables = Variables::from_json(body.variables.unwrap_or_default());
    match &viewer {
        None if !(service.dev && is_introspection(&document)) => {
            return refusal(
                http,
                StatusCode::UNAUTHORIZED,
                Code::Unauthenticated,
                "send a token: Authorization: Bearer … (`phananh token create` makes one)",
            );
        }
        None => {}
        Some(viewer) => {
            let refusals = service.guard.check(viewer.role, &document, operation.as_deref(), &variables);
            if !refusals.is_empty() {
                let denied = refusals.iter().any(|refusal| matches!(refusal, Refusal::Denied { .. }));
                let status = if denied { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
                let errors = refusals.into_iter().map(|refusal| refused(viewer, refusal));
                return respond(http, status, &Response::from_errors(errors.collect()));
            }
        }
    }
    execute(service, http, viewer, query, document, operation, variables).await
}

#[allow(clippy::too_many_arguments, reason = "the parts of one request, each used once")]
async fn execute(
    service: &Service,
    http: &HttpRequest,
    viewer: Option<Viewer>,
    query: String,
    document: ExecutableDocument,
    operation: Option<String>,
    variables: Variables,
) -> HttpResponse {
    let context = RequestContext { app: service.app.clone(), viewer, statements: Arc::new(AtomicU64::new(0)) };
    let statements = Arc::clone(&context.statements);
    let is_write = !is_query(&document, operation.as_deref());
    let mut request = Request::new(query).variables(variables).data(context.clone());
    request = request.data(DataLoader::new(Loaders(context), tokio::spawn));
    let asked = document.clone();
    request.set_parsed_query(document);
    request.operation_name.clone_from(&operation);
    let mut response = service.schema.execute(request).await;
    if let Some(chosen) = chosen(&asked, operation.as_deref()) {
        in_document_order(&mut response.data, &[&chosen.selection_set.node], &asked.fragments);
    }
    for error in &mut response.errors {
        let known = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
        if !known {
            // Ours all have a code: what has none comes from the validation of the document.
            let code = if error.path.is_empty() { Code::ValidationFailed } else { Code::BadUserInput };
            error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
        }
    }
    if is_write && response.is_ok() {
        let app = service.app.clone();
        // The next aggregates are to see it soon, and not only when others' writes are looked for.
        drop(tokio::task::spawn_blocking(move || app.snapshots.refresh(&app.db)));
    }
    // A request that never began to run is the client's mistake; one that ran has an answer.
    let refused = response.data == async_graphql::Value::Null && response.errors.iter().any(|e| e.path.is_empty());
    let status = if refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    if service.app.snapshots.current().demonstration {
        response.extensions.insert("demonstration".into(), async_graphql::Value::Boolean(true));
    }
    if service.dev {
        let count = statements.load(Ordering::Relaxed);
        response.extensions.insert("statements".into(), async_graphql::Value::Number(count.into()));
    }
    respond(http, status, &response)
}

async fn authenticated(service: &Service, http: &HttpRequest) -> Result<Option<Viewer>, HttpResponse> {
    let Some(token) = bearer(http.headers()).map(str::to_owned) else { return Ok(None) };
    let db = service.app.db.clone();
    match blocking(move || viewer(&db, &token).map_err(from_store)).await {
        Ok(Some(viewer)) => Ok(Some(viewer)),
        Ok(None) => Err(refusal(
            http,
            StatusCode::UNAUTHORIZED,
            Code::Unauthenticated,
            "the token is not known, has expired or was revoked",
        )),
        Err(_) => Err(refusal(
            http,
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal,
            "the register cannot be reached at the moment: try again",
        )),
    }
}

fn chosen<'d>(document: &'d ExecutableDocument, operation: Option<&str>) -> Option<&'d OperationDefinition> {
    match &document.operations {
        DocumentOperations::Single(single) => Some(&single.node),
        DocumentOperations::Multiple(all) => match operation {
            Some(name) => all.get(name).map(|one| &one.node),
            None if all.len() == 1 => all.values().next().map(|one| &one.node),
            None => None,
        },
    }
}

fn is_query(document: &ExecutableDocument, operation: Option<&str>) -> bool {
    // Without a choice nothing runs.
    chosen(document, operation).is_none_or(|operation| operation.ty == OperationType::Query)
}

/// Whether a document asks for nothing but the schema.
fn is_introspection(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| {
        operation.node.ty == OperationType::Query
            && operation.node.selection_set.node.items.iter().all(|selection| {
                matches!(&selection.node, Selection::Field(field) if field.node.name.node.starts_with("__"))
            })
    })
}

fn coded(code: Code, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
    error
}

fn refused(viewer: &Viewer, refusal: Refusal) -> ServerError {
    let (mut error, at) = match refusal {
        Refusal::Denied { what, at } => (coded(Code::Forbidden, format!("a {} may not use {what}", viewer.role)), at),
        Refusal::NullOperator { what, at } => {
            let message = format!("{what} is null: leave the operator out, or ask with isNull");
            (coded(Code::BadUserInput, message), at)
        }
        Refusal::TooManyValues { at } => {
            let message = format!(
                "arguments and variables hold more than {MOST_VALUES} values, or are nested deeper than {DEEPEST_VALUE}: \
                 ask for less at once"
            );
            (coded(Code::BadUserInput, message), at)
        }
    };
    error.locations = vec![at];
    error
}

/// An answer that says why there is none.
pub fn refusal(http: &HttpRequest, status: StatusCode, code: Code, message: impl Into<String>) -> HttpResponse {
    respond(http, status, &Response::from_errors(vec![coded(code, message)]))
}

/// Clients that know only JSON expect 200 wherever there is a well-formed answer.
fn respond(http: &HttpRequest, status: StatusCode, response: &Response) -> HttpResponse {
    let accept = http.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = if accept.contains(GRAPHQL_RESPONSE) { GRAPHQL_RESPONSE } else { JSON };
    match serde_json::to_vec(response) {
        Ok(body) => HttpResponse::build(status).content_type(format!("{media}; charset=utf-8")).body(body),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
