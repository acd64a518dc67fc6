//! Parses an operation, looks for its answer in the cache of answers, and checks it against the access table and the
//! limits.

use super::Service;
use super::answer_cache::{AnswerKey, Found, ReadAt};
use super::authenticate::trusted;
use super::document_size::Size;
use super::escapes::with_plain_escapes;
use super::operation::give_again;
use super::persisted::{Parsed, validity};
use super::post_operation::audit_refusal;
use super::prepared::Prepared;
use super::protocol::{Body, OperationResult, coded};
use super::receipts::{is_for_receipts, mentions_receipt, no_token};
use crate::access::Viewer;
use crate::access::{Checked, Expansion, Refusal, Weight, chosen};
use crate::budget::Budget;
use crate::graphql::COMPLAINT_LISTS;
use crate::graphql::error::Code;
use crate::graphql::execute::selection::{selects_at_root, selects_each_field_once, selects_only};
use actix_web::http::StatusCode;
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection};
use async_graphql::{ServerError, Variables};
use schema::enums::{Locale, Role};
use std::sync::Arc;
use tokio::time::Instant;

/// A request that was not refused.
pub enum Ready {
    /// The cache held the answer.
    Answered(OperationResult),
    /// The operation was checked and may run.
    Checked(Box<Prepared>),
}

/// Parses and checks an operation, or answers it from the cache: the same words were checked before, for a viewer with
/// the same rights.
///
/// # Errors
/// The refusal of the operation.
pub async fn prepare(
    service: &Service,
    viewer: Option<&Viewer>,
    body: Body,
    locale: Locale,
    budget: &Budget,
) -> Result<Ready, OperationResult> {
    let wrong = |code, message: String| {
        let mut outcome = OperationResult::refused(StatusCode::BAD_REQUEST, code, message);
        outcome.is_graphql = code != Code::BadUserInput;
        outcome
    };
    let limits = Arc::clone(service.limits_of(viewer));
    // Check this first: a client without a token must neither fill the document cache nor learn what it holds.
    let is_known = viewer.is_some() || service.dev;
    if !is_known && !body.query.as_deref().is_some_and(mentions_receipt) {
        return Err(no_token());
    }
    let is_of_this_program = body.is_of_this_program;
    let persisted = body.extensions.and_then(|extensions| extensions.persisted_query);
    let text = match is_known {
        true => {
            service.persisted.text(body.query, persisted.as_ref()).map_err(|(code, message)| wrong(code, message))?
        }
        false => body.query.unwrap_or_default(),
    };
    let cached = if is_known { service.persisted.cached(&text) } else { None };
    let size = cached.as_ref().map_or_else(|| Size::measure(&text, &limits), |parsed| parsed.size);
    size.within(&limits).map_err(|message| wrong(Code::ValidationFailed, message))?;
    let document = match cached {
        Some(parsed) => parsed,
        None => {
            let document = async_graphql::parser::parse_query(with_plain_escapes(&text)).map_err(|e| {
                let mut error = coded(Code::ParseFailed, e.to_string());
                error.locations = e.positions().collect();
                OperationResult::request_error(vec![error])
            })?;
            let expansion = Expansion::of(&document);
            let is_small = expansion.as_ref().is_ok_and(|expansion| expansion.fields <= MOST_FIELDS_CACHED);
            let selects_each_field_once = is_small && selects_each_field_once(&document);
            let selects_lists_only = is_small && selects_only(&document, &COMPLAINT_LISTS);
            let selects_a_list = selects_at_root(&document, "complaints");
            let parsed = Arc::new(Parsed {
                document,
                size,
                expansion,
                selects_each_field_once,
                selects_lists_only,
                selects_a_list,
            });
            if is_known {
                service.persisted.remember(&text, &parsed);
            }
            parsed
        }
    };
    // The executor validates all operations of a document, including those that do not run.
    let expansion = document.expansion.as_ref().map_err(|e| wrong(Code::ValidationFailed, e.to_string()))?;
    if expansion.fields > u64::from(limits.fields) {
        let message = format!(
            "the operations of the document select {} fields together: at most {} are allowed",
            expansion.fields, limits.fields
        );
        return Err(wrong(Code::ValidationFailed, message));
    }
    let operation = body.operation_name.filter(|name| !name.is_empty());
    let variables = body.variables.unwrap_or_default();
    let valid_by = validity(&text, operation.as_deref(), &variables);
    let mut keep_as = None;
    if let Some(viewer) = viewer {
        if viewer.role == Role::DataTeam && service.app.keys.is_none() {
            let message = "a DATA_TEAM sees pseudonyms, but the server runs without a key file (--key-file)";
            return Err(OperationResult::refused(StatusCode::FORBIDDEN, Code::Forbidden, message));
        }
        if !is_of_this_program {
            trusted(service, viewer, &document.document, operation.as_deref()).await?;
        }
        if document.selects_lists_only {
            let (began, key) = (Instant::now(), AnswerKey::new(valid_by, viewer, locale));
            let now = ReadAt::from_snapshot(&service.app.snapshots.current());
            match service.answer_cache.find(&key, now).await {
                Found::Answer(answer) if budget.count_again(answer.counted, answer.json.len() as u64) => {
                    return Ok(Ready::Answered(give_again(service, viewer, &answer, budget, began).await));
                }
                // The operation reports that it exceeds the limit.
                Found::Answer(_) => {}
                Found::Nothing { keeps } => keep_as = keeps.then_some(key),
            }
        }
    }
    let mut variables = Variables::from_json(serde_json::Value::Object(variables));
    complete(&mut variables, &document.document, operation.as_deref());
    let (weight, audited_access) = Default::default();
    let parsed = document;
    let at_least = i64::MIN;
    let mut prepared = Prepared {
        text,
        operation,
        variables,
        weight,
        audited_access,
        valid_by,
        keep_as,
        parsed,
        limits,
        locale,
        at_least,
    };
    let document = prepared.document();
    if viewer.is_none() && !is_for_receipts(document) && !(service.dev && is_introspection(document)) {
        return Err(no_token());
    }
    match checked(service, viewer, &mut prepared) {
        Ok(weight) => prepared.weight = weight,
        Err(outcome) => {
            if let Some(viewer) = viewer {
                audit_refusal(service, viewer, &mut prepared).await;
            }
            return Err(outcome);
        }
    }
    Ok(Ready::Checked(Box::new(prepared)))
}

/// Fields of a document, each use of a fragment counted, up to which it is examined for the caches. The examination
/// visits each of them, and it comes before the limits of a role.
const MOST_FIELDS_CACHED: u64 = 2_000;

/// Sets the defaults of missing variables: the executor applies defaults to arguments but not to directives, so
/// `@skip(if: $rehearsal)` would run a field that the default skips.
fn complete(variables: &mut Variables, document: &ExecutableDocument, operation: Option<&str>) {
    let Some(chosen) = chosen(document, operation) else { return };
    for definition in &chosen.node.variable_definitions {
        if let Some(default) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
}

/// Checks an operation against the access table and the limits.
fn checked(service: &Service, viewer: Option<&Viewer>, prepared: &mut Prepared) -> Result<Weight, OperationResult> {
    let role = viewer.map(|viewer| viewer.role);
    if let Some(allowed) = role.and_then(|role| service.persisted.allowed(prepared.valid_by, role)) {
        prepared.audited_access = allowed.audited_access.clone();
        return Ok(allowed.weight);
    }
    let operation = prepared.operation.as_deref();
    let Checked { weight, refusals, audited_access } =
        service.guard.check(role, &prepared.limits, prepared.document(), operation, &prepared.variables);
    prepared.audited_access = audited_access;
    if refusals.is_empty() {
        if let Some(role) = role {
            service.persisted.found_allowed(prepared.valid_by, role, weight, &prepared.audited_access);
        }
        return Ok(weight);
    }
    let denied = refusals.iter().any(|refusal| matches!(refusal, Refusal::Denied { .. }));
    let errors = refusals.into_iter().map(|refusal| refused(role, refusal)).collect();
    Err(if denied {
        OperationResult::refused_for(StatusCode::FORBIDDEN, errors)
    } else {
        OperationResult::request_error(errors)
    })
}

/// Whether a document queries only the schema.
fn is_introspection(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| {
        operation.node.ty == OperationType::Query
            && operation.node.selection_set.node.items.iter().all(|selection| {
                matches!(&selection.node, Selection::Field(field) if field.node.name.node.starts_with("__"))
            })
    })
}

fn refused(role: Option<Role>, refusal: Refusal) -> ServerError {
    let (mut error, at) = match refusal {
        Refusal::Denied { what, at } => {
            let who = role.map_or("client without a token", Role::as_str);
            (coded(Code::Forbidden, format!("a {who} may not use {what}")), at)
        }
        Refusal::NullCondition { what, at } => {
            let message = format!(
                "{what} is null or a variable without a value: a null condition would be ignored; leave it \
                 out, or ask with isNull"
            );
            (coded(Code::BadUserInput, message), at)
        }
        Refusal::Limit { message, at } => (coded(Code::ValidationFailed, message), at),
        Refusal::Arguments { message, at } => (coded(Code::BadUserInput, message), at),
    };
    error.locations = vec![at];
    error
}
