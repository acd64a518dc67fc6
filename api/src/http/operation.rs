//! Runs one GraphQL operation: parses it, checks it against the access table and the limits, executes it until its
//! deadline and writes the audit log.

use super::Service;
use super::authenticate::trusted;
use super::document_size::Size;
use super::escapes::with_plain_escapes;
use super::persisted::{Parsed, validity};
use super::post_operation::{DisconnectAudit, Outcome, after_a_write, audit, audit_refusal};
use super::prepared::Prepared;
use super::protocol::{Body, OperationResult, coded};
use crate::access::Viewer;
use crate::access::{Checked, Expansion, Refusal, Weight, chosen};
use crate::admission::Owner;
use crate::budget::Budget;
use crate::graphql::context::RequestContext;
use crate::graphql::error::Code;
use crate::graphql::execute::field_order::in_document_order;
use crate::graphql::execute::operation_thread::{DeferredLoads, Interrupted, run_operation};
use crate::graphql::execute::selection::selects_each_field_once;
use crate::graphql::{AuditSubjects, Loaders};
use actix_web::http::StatusCode;
use async_graphql::dataloader::{DataLoader, HashMapCache};
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection};
use async_graphql::{ErrorExtensionValues, Request, Response, ServerError, Variables};
use schema::enums::{Locale, Role};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// Parses and checks an operation.
///
/// # Errors
/// Why the operation is refused.
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
    // Check this first: a client without a token must neither fill the document cache nor learn what it holds.
    if viewer.is_none() && !service.dev {
        return Err(no_token());
    }
    let persisted = body.extensions.and_then(|extensions| extensions.persisted_query);
    let text =
        service.persisted.text(body.query, persisted.as_ref()).map_err(|(code, message)| wrong(code, message))?;
    let cached = service.persisted.cached(&text);
    let size = cached.as_ref().map_or_else(|| Size::of(&text, &limits), |parsed| parsed.size);
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
            let parsed = Arc::new(Parsed { document, size, expansion, selects_each_field_once });
            service.persisted.remember(&text, &parsed);
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
    let mut variables = Variables::from_json(serde_json::Value::Object(variables));
    complete(&mut variables, &document.document, operation.as_deref());
    let (weight, audited_access) = Default::default();
    let mut prepared =
        Prepared { text, operation, variables, weight, audited_access, valid_by, parsed: document, limits, locale };
    let Some(viewer) = viewer else {
        if !is_introspection(prepared.document()) {
            return Err(no_token());
        }
        prepared.weight = checked(service, None, &mut prepared)?;
        return Ok(prepared);
    };
    if viewer.role == Role::DataTeam && service.app.keys.is_none() {
        let message = "a DATA_TEAM sees pseudonyms, but the server runs without a key file (--key-file)";
        return Err(OperationResult::refused(StatusCode::FORBIDDEN, Code::Forbidden, message));
    }
    trusted(service, viewer, &prepared).await?;
    match checked(service, Some(viewer), &mut prepared) {
        Ok(weight) => prepared.weight = weight,
        Err(outcome) => {
            audit_refusal(service, viewer, &mut prepared).await;
            return Err(outcome);
        }
    }
    Ok(prepared)
}

/// Fields of a document, each use of a fragment counted, up to which it is examined for the cache of objects. The
/// examination visits each of them, and it comes before the limits of a role.
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
    let operation = prepared.operation.as_deref();
    let Checked { weight, refusals, audited_access } =
        service.guard.check(role, &prepared.limits, prepared.document(), operation, &prepared.variables);
    prepared.audited_access = audited_access;
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
        "send a token: Authorization: Bearer … (create one with `phananh token create`)",
    )
}

/// Builds the executor's request for an operation. Loaders push their work to `later`, which runs on the operation's
/// own thread.
pub fn request(
    service: &Service,
    viewer: Option<&Viewer>,
    prepared: &Prepared,
    later: Option<DeferredLoads>,
    seen: &Arc<Mutex<AuditSubjects>>,
    budget: &Budget,
    catches_panics: bool,
) -> (Request, Arc<AtomicU64>) {
    let context = RequestContext {
        app: service.app.clone(),
        viewer: viewer.cloned(),
        audience_view: viewer.map_or_else(Arc::default, |viewer| service.app.audiences.view_for(viewer.audience())),
        statements: Arc::new(AtomicU64::new(0)),
        limits: Arc::clone(&prepared.limits),
        locale: prepared.locale,
        is_query: prepared.is_query(),
        computes: Arc::default(),
        selects_each_field_once: prepared.parsed.selects_each_field_once,
        budget: budget.clone(),
        catches_panics,
        shows_complaints: prepared.audited_access.complaints,
        seen: Arc::clone(seen),
    };
    let statements = Arc::clone(&context.statements);
    let mut request = Request::new(prepared.text.clone()).variables(prepared.variables.clone()).data(context.clone());
    // No batching delay: the executor polls all loads of a level in one turn.
    let loaders = match later {
        // A query may cache what it loaded; a mutation must read again after it has written.
        Some(later) => DataLoader::with_cache(Loaders(context), move |work| later.push(work), HashMapCache::default()),
        None => DataLoader::with_cache(Loaders(context), |work| drop(tokio::spawn(work)), HashMapCache::default()),
    };
    loaders.enable_all_cache(prepared.is_query());
    request = request.data(loaders.delay(Duration::ZERO));
    request.set_parsed_query(prepared.document().clone());
    request.operation_name.clone_from(&prepared.operation);
    (request, statements)
}

/// One attempt at an operation. `catches_panics`: guard every field against panics, because one panicked.
async fn execute(
    service: &Service,
    viewer: Option<&Viewer>,
    prepared: &Arc<Prepared>,
    seen: &Arc<Mutex<AuditSubjects>>,
    budget: &Budget,
    catches_panics: bool,
) -> Result<OperationResult, Interrupted> {
    // Operations on the snapshot have separate permits.
    let owner = Owner::of(viewer);
    let permit = match prepared.is_of_the_snapshot() {
        true => service.snapshot_operations.acquire(owner).await,
        false => service.operations.acquire(owner).await,
    };
    let later = DeferredLoads::default();
    let (request, statements) = request(service, viewer, prepared, Some(later.clone()), seen, budget, catches_panics);
    let is_valid = service.persisted.is_valid(&prepared.valid_by);
    let schema = match (catches_panics, is_valid) {
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
        // If no field ran, the request was invalid; otherwise the response is an answer.
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

/// How long after its deadline an operation may wait for the audit log.
const NOTED_WITHIN: Duration = Duration::from_millis(500);

/// Runs a query or a mutation. The operations of a request share a budget, see [`budget`].
pub async fn run(service: &Service, viewer: Option<&Viewer>, prepared: Prepared, budget: &Budget) -> OperationResult {
    let began = Instant::now();
    if prepared.is_subscription() {
        let message = "send subscriptions over a WebSocket: /graphql/ws";
        return OperationResult::refused(StatusCode::BAD_REQUEST, Code::BadUserInput, message);
    }
    if budget.is_spent() {
        let message = "earlier operations of the batch used up the bytes of the answer: send this operation separately";
        return OperationResult::refused(StatusCode::BAD_REQUEST, Code::BadUserInput, message);
    }
    let prepared = Arc::new(prepared);
    let role = viewer.map_or("NONE", |viewer| viewer.role.as_str());
    let span = tracing::info_span!("operation", name = prepared.name(), role, cost = prepared.weight.cost);
    let seen = Arc::default();
    let executed = async {
        // A query changes nothing, so after a panic it runs again with a guard around every field: then only the
        // field that panics is lost. A mutation must not run twice.
        match execute(service, viewer, &prepared, &seen, budget, !prepared.is_query()).await {
            Err(Interrupted::Panicked) if prepared.is_query() => {
                execute(service, viewer, &prepared, &seen, budget, true).await
            }
            executed => executed,
        }
    };
    let mut disconnect_audit =
        DisconnectAudit { service, viewer, prepared: &prepared, seen: &seen, began, is_answered: false };
    let executed = tokio::time::timeout_at(budget.deadline, executed.instrument(span)).await;
    disconnect_audit.is_answered = true;
    // Failed operations are audited too: a refusal or a long run time may reveal something.
    let audit_outcome = match &executed {
        Ok(Ok(outcome)) if outcome.errors.is_empty() => Outcome::Answered,
        Ok(_) => Outcome::Failed,
        Err(_) => Outcome::TimedOut,
    };
    let noted = tokio::time::timeout_at(
        budget.deadline + NOTED_WITHIN,
        audit(service, viewer, &prepared, &seen, audit_outcome),
    );
    // An answer that cannot be audited is not shown.
    if noted.await.is_err() {
        tracing::error!("the audit log accepts no more entries");
        let written = if prepared.is_query() { "" } else { "; the operation's changes are stored" };
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
            tracing::error!("an operation was interrupted");
            let message = "the request was interrupted; the server's log says why";
            return OperationResult::refused(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message);
        }
        Err(_) => {
            service.metrics.operation(&prepared, viewer, began.elapsed(), "TIMEOUT");
            let message =
                format!("the operation took longer than {} ms and was cancelled", prepared.limits.deadline_ms);
            return OperationResult::refused(StatusCode::GATEWAY_TIMEOUT, Code::Timeout, message);
        }
    };
    // After errors too: other fields of the mutation may have written.
    if !prepared.is_query() {
        after_a_write(service);
    }
    let word = if outcome.errors.is_empty() { "OK" } else { "ERROR" };
    service.metrics.operation(&prepared, viewer, began.elapsed(), word);
    outcome
}

/// The budget of a request that arrives now, shared by all its operations.
pub fn budget(service: &Service, viewer: Option<&Viewer>) -> Budget {
    Budget::new(service.settings.limits(viewer.map(|viewer| viewer.role)))
}

/// Puts the fields in document order and gives every error a code.
pub fn finish(prepared: &Prepared, response: &mut Response) {
    if let Some(chosen) = prepared.chosen() {
        in_document_order(&mut response.data, &[&chosen.selection_set.node], &prepared.document().fragments);
    }
    for error in &mut response.errors {
        let has_code = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
        if !has_code {
            // Errors of the resolvers have a code; errors without one come from validation.
            let code = if error.path.is_empty() { Code::ValidationFailed } else { Code::BadUserInput };
            error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
        }
    }
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
