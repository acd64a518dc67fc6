//! One operation: read, checked against the access table and the limits, run until its deadline.

use super::Service;
use super::authenticate::trusted;
use super::document_size::Size;
use super::escapes::with_plain_escapes;
use super::persisted::{Parsed, validity};
use super::post_operation::{Came, Left, after_a_write, audit, denied};
use super::prepared::Prepared;
use super::protocol::{Body, OperationResult, coded};
use crate::access::{Checked, Expansion, Refusal, Weight, chosen};
use crate::admission::Owner;
use crate::auth::Viewer;
use crate::budget::Budget;
use crate::graphql::Loaders;
use crate::graphql::context::{RequestContext, Seen};
use crate::graphql::error::Code;
use crate::graphql::field_order::in_document_order;
use crate::graphql::operation_thread::{DeferredLoads, Interrupted, run_operation};
use actix_web::http::StatusCode;
use async_graphql::dataloader::{DataLoader, HashMapCache};
use async_graphql::{ErrorExtensionValues, Request, Response, ServerError, Variables};
use async_graphql_parser::types::{ExecutableDocument, OperationType, Selection};
use schema::enums::{Locale, Role};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// Reads an operation and checks it.
///
/// # Errors
/// Why it does not run.
pub async fn prepare(
    service: &Service,
    viewer: Option<&Viewer>,
    body: Body,
    locale: Locale,
) -> Result<Prepared, OperationResult> {
    let wrong = |code, message: String| {
        let mut outcome = OperationResult::refused(StatusCode::BAD_REQUEST, code, message);
        outcome.is_graphql = code != Code::BadUserInput;
        outcome
    };
    let limits = Arc::clone(service.settings.limits(viewer.map(|viewer| viewer.role)));
    // First of all: whoever has no token neither fills what the node remembers, nor learns what it knows.
    if viewer.is_none() && !service.dev {
        return Err(no_token());
    }
    let persisted = body.extensions.and_then(|extensions| extensions.persisted_query);
    let text =
        service.persisted.text(body.query, persisted.as_ref()).map_err(|(code, message)| wrong(code, message))?;
    let known = service.persisted.known(&text);
    let size = known.as_ref().map_or_else(|| Size::of(&text, &limits), |known| known.size);
    size.within(&limits).map_err(|message| wrong(Code::ValidationFailed, message))?;
    let document = match known {
        Some(known) => known,
        None => {
            let document = async_graphql_parser::parse_query(with_plain_escapes(&text)).map_err(|e| {
                let mut error = coded(Code::ParseFailed, e.to_string());
                error.locations = e.positions().collect();
                OperationResult::request_error(vec![error])
            })?;
            let expansion = Expansion::of(&document);
            let parsed = Arc::new(Parsed { document, size, expansion });
            service.persisted.remember(&text, &parsed);
            parsed
        }
    };
    // The executor validates all operations, also those that do not run.
    let expansion = document.expansion.as_ref().map_err(|e| wrong(Code::ValidationFailed, e.to_string()))?;
    if expansion.fields > u64::from(limits.fields) {
        let message = format!(
            "the operations of the document select {} fields together: at most {} may be",
            expansion.fields, limits.fields
        );
        return Err(wrong(Code::ValidationFailed, message));
    }
    let operation = body.operation_name.filter(|name| !name.is_empty());
    let variables = body.variables.unwrap_or_default();
    let valid_by = validity(&text, operation.as_deref(), &variables);
    let mut variables = Variables::from_json(serde_json::Value::Object(variables));
    complete(&mut variables, &document.document, operation.as_deref());
    let (weight, looks) = Default::default();
    let mut prepared =
        Prepared { text, operation, variables, weight, looks, valid_by, parsed: document, limits, locale };
    let Some(viewer) = viewer else {
        if !is_introspection(prepared.document()) {
            return Err(no_token());
        }
        prepared.weight = checked(service, None, &mut prepared)?;
        return Ok(prepared);
    };
    if viewer.role == Role::DataTeam && service.app.keys.is_none() {
        let message = "a DATA_TEAM sees pseudonyms, and the server was started without a key file (--key-file)";
        return Err(OperationResult::refused(StatusCode::FORBIDDEN, Code::Forbidden, message));
    }
    trusted(service, viewer, &prepared).await?;
    match checked(service, Some(viewer), &mut prepared) {
        Ok(weight) => prepared.weight = weight,
        Err(outcome) => {
            denied(service, viewer, &mut prepared).await;
            return Err(outcome);
        }
    }
    Ok(prepared)
}

/// Gives variables without a value their defaults: the executor looks for these in arguments, and not in directives, where
/// `@skip(if: $rehearsal)` would run what the default says to skip.
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
    let operation = prepared.operation.as_deref();
    let Checked { weight, refusals, looks } =
        service.guard.check(role, &prepared.limits, prepared.document(), operation, &prepared.variables);
    prepared.looks = looks;
    if refusals.is_empty() {
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

fn no_token() -> OperationResult {
    OperationResult::refused(
        StatusCode::UNAUTHORIZED,
        Code::Unauthenticated,
        "send a token: Authorization: Bearer … (`phananh token create` makes one)",
    )
}

/// The request of an operation, for the executor. `later`: where loaders leave their work, on a thread of the
/// operation's own.
pub fn request(
    service: &Service,
    viewer: Option<&Viewer>,
    prepared: &Prepared,
    later: Option<DeferredLoads>,
    seen: &Arc<Mutex<Seen>>,
    budget: &Budget,
    watched: bool,
) -> (Request, Arc<AtomicU64>) {
    let context = RequestContext {
        app: service.app.clone(),
        viewer: viewer.cloned(),
        shown: viewer.map_or_else(Arc::default, |viewer| service.app.audiences.shown_to(viewer.audience())),
        statements: Arc::new(AtomicU64::new(0)),
        limits: Arc::clone(&prepared.limits),
        locale: prepared.locale,
        is_query: prepared.is_query(),
        computes: Arc::default(),
        budget: budget.clone(),
        watched,
        shows_complaints: prepared.looks.complaints,
        seen: Arc::clone(seen),
    };
    let statements = Arc::clone(&context.statements);
    let mut request = Request::new(prepared.text.clone()).variables(prepared.variables.clone()).data(context.clone());
    // What is asked for together is asked for in one turn of the executor: there is nothing to wait for.
    let loaders = match later {
        // What was read once stays true for a query; a mutation reads after it has written.
        Some(later) => DataLoader::with_cache(Loaders(context), move |work| later.push(work), HashMapCache::default()),
        None => DataLoader::with_cache(Loaders(context), |work| drop(tokio::spawn(work)), HashMapCache::default()),
    };
    loaders.enable_all_cache(prepared.is_query());
    request = request.data(loaders.delay(Duration::ZERO));
    request.set_parsed_query(prepared.document().clone());
    request.operation_name.clone_from(&prepared.operation);
    (request, statements)
}

/// One attempt at an operation. `watched`: every field is watched over, because one of them panicked.
async fn execute(
    service: &Service,
    viewer: Option<&Viewer>,
    prepared: &Arc<Prepared>,
    seen: &Arc<Mutex<Seen>>,
    budget: &Budget,
    watched: bool,
) -> Result<OperationResult, Interrupted> {
    // What comes from the snapshot has turns of its own.
    let owner = Owner::of(viewer);
    let permit = match prepared.is_of_the_snapshot() {
        true => service.snapshot_operations.acquire(owner).await,
        false => service.operations.acquire(owner).await,
    };
    let later = DeferredLoads::default();
    let (request, statements) = request(service, viewer, prepared, Some(later.clone()), seen, budget, watched);
    let is_valid = service.persisted.is_valid(&prepared.valid_by);
    let schema = match (watched, is_valid) {
        (true, _) => &service.careful,
        (false, true) => &service.trusting,
        (false, false) => &service.schema,
    };
    let schema = schema.clone();
    let (prepared, snapshots, dev) = (Arc::clone(prepared), Arc::clone(&service.app.snapshots), service.dev);
    let (persisted, budget) = (service.persisted.clone(), budget.clone());
    let operation = async move {
        let mut response = schema.execute(request).await;
        drop(permit);
        finish(&prepared, &mut response);
        if snapshots.current().demonstration {
            response.extensions.insert("demonstration".into(), async_graphql::Value::Boolean(true));
        }
        if dev {
            let count = statements.load(Ordering::Relaxed);
            response.extensions.insert("statements".into(), async_graphql::Value::Number(count.into()));
        }
        // A request that never began to run is the client's mistake; one that ran has an answer.
        let never_ran =
            response.data == async_graphql::Value::Null && response.errors.iter().any(|error| error.path.is_empty());
        if !never_ran && !is_valid {
            persisted.found_valid(prepared.valid_by);
        }
        match never_ran {
            true => OperationResult::of(response, Some(StatusCode::BAD_REQUEST)),
            false => OperationResult::of_answer(response, &budget, prepared.is_query()),
        }
    };
    run_operation(&service.app.db, operation, later).await
}

/// How long after the deadline an operation may still wait for the audit log.
const NOTED_WITHIN: Duration = Duration::from_millis(500);

/// Runs an operation, a query or a mutation. The operations of one request share a budget, see [`budget`].
pub async fn run(service: &Service, viewer: Option<&Viewer>, prepared: Prepared, budget: &Budget) -> OperationResult {
    let began = Instant::now();
    if prepared.is_subscription() {
        let message = "subscriptions go over a WebSocket: /graphql/ws";
        return OperationResult::refused(StatusCode::BAD_REQUEST, Code::BadUserInput, message);
    }
    if budget.is_spent() {
        let message = "the operations before it in the list have all bytes of the answer: send it by itself";
        return OperationResult::refused(StatusCode::BAD_REQUEST, Code::BadUserInput, message);
    }
    let prepared = Arc::new(prepared);
    let role = viewer.map_or("NONE", |viewer| viewer.role.as_str());
    let span = tracing::info_span!("operation", name = prepared.name(), role, cost = prepared.weight.cost);
    let seen = Arc::default();
    let executed = async {
        // Of a query that panics nothing is changed: it runs once more with every field watched over, and one is lost and
        // not all. A mutation cannot run twice.
        match execute(service, viewer, &prepared, &seen, budget, !prepared.is_query()).await {
            Err(Interrupted::Panicked) if prepared.is_query() => {
                execute(service, viewer, &prepared, &seen, budget, true).await
            }
            executed => executed,
        }
    };
    let mut left = Left { service, viewer, prepared: &prepared, seen: &seen, began, is_answered: false };
    let executed = tokio::time::timeout_at(budget.deadline, executed.instrument(span)).await;
    left.is_answered = true;
    // Also of what came to no answer: that it was refused, or took long, may tell something.
    let came = match &executed {
        Ok(Ok(outcome)) if outcome.errors.is_empty() => Came::ToAnAnswer,
        Ok(_) => Came::ToErrors,
        Err(_) => Came::TooLate,
    };
    let noted = tokio::time::timeout_at(budget.deadline + NOTED_WITHIN, audit(service, viewer, &prepared, &seen, came));
    // Nothing is shown that could not be noted.
    if noted.await.is_err() {
        tracing::error!("the audit log takes no more entries");
        let written = if prepared.is_query() { "" } else { "; what the operation was to write is written" };
        let message = format!("the audit log cannot be written at the moment{written}");
        let errors = vec![coded(Code::Unavailable, message)];
        if prepared.is_query() {
            return OperationResult::refused_for(StatusCode::SERVICE_UNAVAILABLE, errors);
        }
        let mut outcome = OperationResult::of(Response::from_errors(errors), None);
        outcome.wrote = true;
        return outcome;
    }
    let outcome = match executed {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => {
            tracing::error!("an operation broke off");
            let message = "the request broke off; the server's log says why";
            return OperationResult::refused(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message);
        }
        Err(_) => {
            service.watch.operation(&prepared, viewer, began.elapsed(), "TIMEOUT");
            let message =
                format!("the operation took longer than {} ms and was broken off", prepared.limits.deadline_ms);
            return OperationResult::refused(StatusCode::GATEWAY_TIMEOUT, Code::Timeout, message);
        }
    };
    // Also where some of it failed: the rest is written.
    if !prepared.is_query() {
        after_a_write(service);
    }
    let word = if outcome.errors.is_empty() { "OK" } else { "ERROR" };
    service.watch.operation(&prepared, viewer, began.elapsed(), word);
    outcome
}

/// What a request that arrives now may take, however many operations it has.
pub fn budget(service: &Service, viewer: Option<&Viewer>) -> Budget {
    Budget::new(service.settings.limits(viewer.map(|viewer| viewer.role)))
}

/// Puts the fields in order and gives every error a code.
pub fn finish(prepared: &Prepared, response: &mut Response) {
    if let Some(chosen) = prepared.chosen() {
        in_document_order(&mut response.data, &[&chosen.selection_set.node], &prepared.document().fragments);
    }
    for error in &mut response.errors {
        let known = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
        if !known {
            // Ours all have a code: what has none comes from the validation of the document.
            let code = if error.path.is_empty() { Code::ValidationFailed } else { Code::BadUserInput };
            error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
        }
    }
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

fn refused(role: Option<Role>, refusal: Refusal) -> ServerError {
    let (mut error, at) = match refusal {
        Refusal::Denied { what, at } => {
            let who = role.map_or("somebody without a token", Role::as_str);
            (coded(Code::Forbidden, format!("a {who} may not use {what}")), at)
        }
        Refusal::NullCondition { what, at } => {
            let message = format!(
                "{what} is null, or a variable without a value: a condition that is null would be none at all; leave it \
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
