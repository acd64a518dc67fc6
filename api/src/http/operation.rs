//! Runs one GraphQL operation that passed all checks: executes it until its deadline, or answers it from memory, and
//! writes the audit log; or gives an answer again that was kept.

use super::Service;
use super::answer_cache::{KeptAnswer, ReadAt};
use super::post_operation::{DisconnectAudit, OperationOutcome, after_a_write, audit, audit_again};
use super::prepared::Prepared;
use super::protocol::{OperationResult, coded};
use crate::access::Viewer;
use crate::admission::Owner;
use crate::budget::{Budget, Counted};
use crate::graphql::context::RequestContext;
use crate::graphql::error::Code;
use crate::graphql::execute::field_order::in_document_order;
use crate::graphql::execute::operation_thread::{DeferredLoads, Interrupted, read_here, run_operation};
use crate::graphql::execute::selection::Referenced;
use crate::graphql::reads::Reads;
use crate::graphql::{
    AuditSubjects, ListsWithoutExecutor, Loaders, answer_without_executor, panic_catching_schema, prevalidated_schema,
};
use actix_web::http::StatusCode;
use async_graphql::dataloader::{DataLoader, HashMapCache};
use async_graphql::{ErrorExtensionValues, Request, Response};
use bytes::Bytes;
use jobs::snapshot::Snapshot;
use schema::Timestamp;
use schema::db::StatementCount;
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::enums::Role;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// Way in which an operation runs.
#[derive(Clone, Default)]
pub struct Attempt {
    /// The snapshot, if it is at the register's position and may answer.
    exact: Option<Arc<Snapshot>>,
    /// Whether every field is guarded against panics, because one panicked.
    catches_panics: bool,
    /// The database that it reads; None: the primary.
    reads: Option<Reads>,
}

impl Attempt {
    fn reads(&self, service: &Service) -> Reads {
        self.reads.clone().unwrap_or_else(|| service.app.reads.primary())
    }
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
    attempt: &Attempt,
) -> (Request, Arc<AtomicU64>) {
    let context = RequestContext {
        app: service.app.clone(),
        viewer: viewer.cloned(),
        reads: attempt.reads(service),
        audience_view: viewer.map_or_else(Arc::default, |viewer| service.app.audiences.view_for(viewer.audience())),
        statements: Arc::new(AtomicU64::new(0)),
        limits: Arc::clone(&prepared.limits),
        locale: prepared.locale,
        at_least: prepared.at_least,
        is_query: prepared.is_query(),
        computes: Arc::default(),
        selects_each_field_once: prepared.parsed.selects_each_field_once,
        selects_lists_only: prepared.parsed.selects_lists_only,
        budget: budget.clone(),
        catches_panics: attempt.catches_panics,
        shows_complaints: prepared.audited_access.complaints,
        seen: Arc::clone(seen),
        exact: attempt.exact.clone(),
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

/// An answer, and the state of the register that all of it was read in, if it is to be kept and this is known.
struct Executed {
    outcome: OperationResult,
    read_at: Option<ReadAt>,
}

/// The snapshot, if it is at the register's position and the operation has lists of complaints, which it may answer.
async fn exact_snapshot(service: &Service, viewer: Option<&Viewer>, prepared: &Prepared) -> Option<Arc<Snapshot>> {
    let has_lists = prepared.parsed.selects_lists_only || prepared.parsed.selects_a_list;
    if viewer.is_none() || !prepared.is_query() || !has_lists || !service.app.objects.is_enabled() {
        return None;
    }
    service.app.exact_snapshots.now(&service.app.snapshots).await
}

/// The database that an operation reads. It must have what the snapshot says about the rows of a page, and an answer
/// whose tag names the position of the snapshot must not be made of something older.
fn reads(service: &Service, viewer: Option<&Viewer>, prepared: &Prepared, exact: Option<&Snapshot>) -> Reads {
    let router = &service.app.reads;
    // The holder of a receipt has no token by which its writes could be remembered, and intakes ask, on any node,
    // whether what they submitted was stored.
    let viewer = viewer.filter(|viewer| viewer.role != Role::Intake && prepared.is_query());
    let Some(viewer) = viewer.filter(|_| !prepared.text.contains("minPosition")) else { return router.current() };
    let of_rows = exact.map_or(i64::MIN, |snapshot| snapshot.position);
    let of_tag = if prepared.is_of_the_snapshot() { service.app.snapshots.current().position } else { i64::MIN };
    router.for_query(viewer, prepared.at_least.max(of_rows).max(of_tag))
}

/// Answers lists whose rows are all in memory. It takes neither a thread nor a permit: it is hardly more than a look
/// into a cache.
fn without_executor(
    service: &Service,
    viewer: &Viewer,
    prepared: &Prepared,
    snapshot: &Arc<Snapshot>,
    seen: &Mutex<AuditSubjects>,
    budget: &Budget,
) -> Option<Executed> {
    let parsed = &prepared.parsed;
    if !parsed.selects_lists_only || !parsed.selects_each_field_once || !service.persisted.is_valid(&prepared.valid_by)
    {
        return None;
    }
    // Read before the names themselves, as in `execute`.
    let names_version = service.app.snapshots.current().names_version;
    let document = prepared.document();
    let lists = ListsWithoutExecutor {
        app: &service.app,
        viewer,
        locale: prepared.locale,
        limits: prepared.limits(),
        selection: &prepared.chosen()?.selection_set.node,
        referenced: Referenced { fragments: &document.fragments, variables: &prepared.variables },
        shows_complaints: prepared.audited_access.complaints,
        snapshot,
    };
    // After a panic the executor answers.
    let answer = catch_unwind(AssertUnwindSafe(|| answer_without_executor(&lists))).ok().flatten()?;
    // The executor also answers if the answer is too large.
    if !budget.count_again(Counted::of_values(answer.resolved), answer.json.len() as u64) {
        return None;
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).extend(&answer.seen);
    let read_at = ReadAt { position: snapshot.position, names_version };
    Some(Executed { outcome: OperationResult::again(answer.json.into()), read_at: Some(read_at) })
}

/// Tries an operation once.
async fn execute(
    service: &Service,
    viewer: Option<&Viewer>,
    prepared: &Arc<Prepared>,
    seen: &Arc<Mutex<AuditSubjects>>,
    budget: &Budget,
    attempt: &Attempt,
) -> Result<Executed, Interrupted> {
    // Operations on the snapshot have separate permits.
    let owner = Owner::of(viewer);
    let permit = match prepared.is_of_the_snapshot() {
        true => service.snapshot_operations.acquire(owner).await,
        false => service.operations.acquire(owner).await,
    };
    let later = DeferredLoads::default();
    let (request, statements) = request(service, viewer, prepared, Some(later.clone()), seen, budget, attempt);
    let is_valid = service.persisted.is_valid(&prepared.valid_by);
    // A client without a token fills no cache.
    let remembers = viewer.is_some();
    let schema = match (attempt.catches_panics, is_valid) {
        (true, _) => service.careful.get_or_init(|| panic_catching_schema(service.dev)),
        (false, true) => service.trusting.get_or_init(|| prevalidated_schema(service.dev)),
        (false, false) => &service.schema,
    };
    let schema = schema.clone();
    let (prepared, snapshots, dev) = (Arc::clone(prepared), Arc::clone(&service.app.snapshots), service.dev);
    let (persisted, budget, reads) = (service.persisted.clone(), budget.clone(), attempt.reads(service));
    let also_reads = reads.clone();
    let keeps = prepared.keep_as.is_some() && !attempt.catches_panics;
    let exact_position = attempt.exact.as_ref().map(|snapshot| snapshot.position);
    let operation = async move {
        // Read before the names themselves, which may be newer: no answer is kept with old names under a new version.
        let names_version = snapshots.current().names_version;
        let before = if keeps { exact_position.or_else(|| position_here(&also_reads, &statements)) } else { None };
        let mut response = schema.execute(request).await;
        let after = match before {
            None => None,
            // All of it comes from the snapshot.
            Some(_) if exact_position.is_some() && statements.load(Ordering::Relaxed) == 0 => before,
            Some(_) => position_here(&also_reads, &statements),
        };
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
        if !never_ran && !is_valid && remembers {
            persisted.found_valid(prepared.valid_by);
        }
        let outcome = match never_ran {
            true => OperationResult::from_response(response, Some(StatusCode::BAD_REQUEST)),
            false => OperationResult::of_answer(response, &budget, prepared.is_query()),
        };
        let position = before.filter(|before| Some(*before) == after && outcome.errors.is_empty());
        Executed { outcome, read_at: position.map(|position| ReadAt { position, names_version }) }
    };
    run_operation(&reads, operation, later).await
}

/// The register's position, read on the thread and over the connection of an operation.
fn position_here(reads: &Reads, statements: &StatementCount) -> Option<i64> {
    read_here(reads, statements, current_position).ok()?.ok()
}

/// An operation may wait this long after its deadline for the audit log.
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
    let on_one_day = viewer.map(|viewer| viewer.on(local_date(Timestamp::now())));
    let viewer = on_one_day.as_ref();
    let role = viewer.map_or("NONE", |viewer| viewer.role.as_str());
    let span = tracing::info_span!("operation", name = prepared.name_for(viewer), role, cost = prepared.weight.cost);
    let seen: Arc<Mutex<AuditSubjects>> = Arc::default();
    let counted_before = budget.counted();
    let executed = async {
        let exact = exact_snapshot(service, viewer, &prepared).await;
        if let (Some(viewer), Some(snapshot)) = (viewer, &exact)
            && let Some(executed) = without_executor(service, viewer, &prepared, snapshot, &seen, budget)
        {
            return Ok(executed);
        }
        // A query changes nothing, so after a panic it runs again with a guard around every field: then only the
        // field that panics is lost. A mutation must not run twice.
        let reads = reads(service, viewer, &prepared, exact.as_deref());
        let first = Attempt { exact, catches_panics: !prepared.is_query(), reads: Some(reads.clone()) };
        match execute(service, viewer, &prepared, &seen, budget, &first).await {
            // Only a query reads from the replica.
            Ok(_) if reads.has_failed() => {
                budget.take_back(counted_before);
                drop(std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner)));
                let second = Attempt { reads: Some(service.app.reads.after_failure()), ..first };
                execute(service, viewer, &prepared, &seen, budget, &second).await
            }
            Err(Interrupted::Panicked) if prepared.is_query() => {
                let second = Attempt { catches_panics: true, ..Attempt::default() };
                execute(service, viewer, &prepared, &seen, budget, &second).await
            }
            executed => executed,
        }
    };
    let mut disconnect_audit =
        DisconnectAudit { service, viewer, prepared: &prepared, seen: &seen, began, is_answered: false };
    let executed = tokio::time::timeout_at(budget.deadline, executed.instrument(span)).await;
    disconnect_audit.is_answered = true;
    // After a timeout, too: the commit may have been under way.
    if !prepared.is_query() {
        service.app.reads.note_write(viewer);
    }
    // Failed operations are audited too: a refusal or a long run time may reveal something.
    let audit_outcome = match &executed {
        Ok(Ok(Executed { outcome, .. })) if outcome.errors.is_empty() => OperationOutcome::Answered,
        Ok(_) => OperationOutcome::Failed,
        Err(_) => OperationOutcome::TimedOut,
    };
    let noted = tokio::time::timeout_at(
        budget.deadline + NOTED_WITHIN,
        audit(service, viewer, &prepared, &seen, audit_outcome),
    );
    let Ok(look) = noted.await else { return not_audited(prepared.is_query()) };
    let Executed { outcome, read_at } = match executed {
        Ok(Ok(executed)) => executed,
        Ok(Err(_)) => {
            tracing::error!("an operation was interrupted");
            let message = "the request was interrupted; the server's log says why";
            return OperationResult::refused(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message);
        }
        Err(_) => {
            service.metrics.operation(prepared.name_for(viewer), prepared.weight, viewer, began.elapsed(), "TIMEOUT");
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
    service.metrics.operation(prepared.name_for(viewer), prepared.weight, viewer, began.elapsed(), word);
    if let (Some(key), Some(read_at)) = (prepared.keep_as, read_at) {
        let answer = KeptAnswer {
            read_at,
            // A copy has no more capacity than bytes.
            json: Bytes::copy_from_slice(outcome.json()),
            look,
            name: prepared.name().to_owned(),
            weight: prepared.weight,
            counted: budget.counted().since(counted_before),
        };
        service.answer_cache.keep(key, answer);
    }
    outcome
}

/// Gives an answer that was kept. It leaves what the operation left when it ran: an entry in the audit log, and numbers
/// in the metrics.
pub async fn give_again(
    service: &Service,
    viewer: &Viewer,
    answer: &KeptAnswer,
    budget: &Budget,
    began: Instant,
) -> OperationResult {
    let (name, role) = (answer.name.as_str(), viewer.role.as_str());
    let span = tracing::info_span!("operation", name, role, cost = answer.weight.cost);
    let noting = audit_again(service, viewer, answer).instrument(span);
    if tokio::time::timeout_at(budget.deadline + NOTED_WITHIN, noting).await.is_err() {
        return not_audited(true);
    }
    service.metrics.operation(name, answer.weight, Some(viewer), began.elapsed(), "OK");
    OperationResult::again(answer.json.clone())
}

/// An answer that cannot be audited is not shown.
fn not_audited(is_query: bool) -> OperationResult {
    tracing::error!("the audit log accepts no more entries");
    let written = if is_query { "" } else { "; the operation's changes are stored" };
    let message = format!("the audit log cannot be written at the moment{written}");
    let errors = vec![coded(Code::Unavailable, message)];
    if is_query {
        return OperationResult::refused_for(StatusCode::SERVICE_UNAVAILABLE, errors);
    }
    let mut outcome = OperationResult::from_response(Response::from_errors(errors), None);
    outcome.wrote = true;
    outcome
}

/// The budget of a request that arrives now, shared by all its operations.
pub fn budget(service: &Service, viewer: Option<&Viewer>) -> Budget {
    Budget::new(service.limits_of(viewer))
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
