//! Work after an operation ended or its client disconnected: writes the audit log and wakes subscribers and the
//! snapshot.

use super::Service;
use super::answer_cache::KeptAnswer;
use super::prepared::Prepared;
use crate::access::Condition;
use crate::access::Viewer;
use crate::graphql::{AskedSql, AuditSubjects, EndedSql};
use crate::sql::audit::asked;
use schema::enums::AuditAction;
use schema::register::RECEIPT_ACTOR;
use schema::register::audit::Audited;
use schema::{JsonText, Timestamp};
use serde::Serialize;
use std::sync::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Wakes the change feed and the snapshot refresher, so that they see this write before their next poll.
pub fn after_a_write(service: &Service) {
    service.app.change_feed.wake();
    service.app.refresher.wake();
}

/// Audits an operation when dropped, if its client disconnected before the answer.
pub struct DisconnectAudit<'a> {
    pub service: &'a Service,
    pub viewer: Option<&'a Viewer>,
    pub prepared: &'a Prepared,
    pub seen: &'a Mutex<AuditSubjects>,
    pub began: Instant,
    pub is_answered: bool,
}

impl Drop for DisconnectAudit<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        if !self.prepared.is_query() {
            self.service.app.reads.note_write(self.viewer);
        }
        let (name, weight) = (self.prepared.name_for(self.viewer), self.prepared.weight);
        self.service.metrics.operation(name, weight, self.viewer, self.began.elapsed(), "LEFT");
        let entries = audit_entries(self.viewer, self.prepared, self.seen, OperationOutcome::Disconnected);
        // Without a runtime the process is being killed.
        if let (Some(log), Ok(runtime)) = (self.service.audit.get().cloned(), Handle::try_current()) {
            runtime.spawn(async move {
                for entry in entries {
                    log.add(entry).await;
                }
            });
        }
        if !self.prepared.is_query() && Handle::try_current().is_ok() {
            after_a_write(self.service);
        }
    }
}

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationOutcome {
    Answered,
    /// Some or all fields failed.
    Failed,
    TimedOut,
    /// The client disconnected first.
    Disconnected,
    /// Refused before any part of it ran.
    Refused,
}

impl OperationOutcome {
    /// The outcome in an audit entry; None for success.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Answered => None,
            Self::Failed => Some("ERROR"),
            Self::TimedOut => Some("TIMEOUT"),
            Self::Disconnected => Some("LEFT"),
            Self::Refused => Some("DENIED"),
        }
    }
}

/// Writes to the audit log which people an operation asked for and which it showed, and returns what the entry about
/// them holds.
pub async fn audit(
    service: &Service,
    viewer: Option<&Viewer>,
    prepared: &Prepared,
    seen: &Mutex<AuditSubjects>,
    outcome: OperationOutcome,
) -> Option<JsonText> {
    let log = service.audit.get()?;
    let mut look = None;
    for entry in audit_entries(viewer, prepared, seen, outcome) {
        if entry.action == AuditAction::Look {
            look = Some(entry.objects.clone());
        }
        log.add(entry).await;
    }
    look
}

/// Writes to the audit log whom an answer shows that is given again.
pub async fn audit_again(service: &Service, viewer: &Viewer, answer: &KeptAnswer) {
    if let (Some(log), Some(look)) = (service.audit.get(), &answer.look) {
        log.add(entry(Some(viewer), &answer.name, AuditAction::Look, look.clone())).await;
    }
}

/// Audits a refused operation with the people it asked for. The conditions are cut, because nothing was disclosed.
pub async fn audit_refusal(service: &Service, viewer: &Viewer, prepared: &mut Prepared) {
    prepared.audited_access.conditions.truncate(CONDITIONS_OF_DENIED);
    for condition in &mut prepared.audited_access.conditions {
        let text = condition.value.to_string();
        if text.len() > BYTES_OF_DENIED {
            condition.value = text.chars().take(BYTES_OF_DENIED).collect::<String>().into();
        }
    }
    if !prepared.audited_access.conditions.is_empty() {
        audit(service, Some(viewer), prepared, &Mutex::default(), OperationOutcome::Refused).await;
    }
}

/// Audited conditions of a refused operation, and bytes of each.
const CONDITIONS_OF_DENIED: usize = 20;
const BYTES_OF_DENIED: usize = 200;

/// The audit entries of an operation: its SQL, the people it asked for, and the people it showed.
fn audit_entries(
    viewer: Option<&Viewer>,
    prepared: &Prepared,
    seen: &Mutex<AuditSubjects>,
    outcome: OperationOutcome,
) -> Vec<Audited> {
    let mut seen = std::mem::take(&mut *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    // Without a token nothing identifies who asks, but the log says whose complaint a receipt showed.
    if viewer.is_none() && seen.is_empty() {
        return Vec::new();
    }
    let name = prepared.name_for(viewer);
    let entry = |action, objects: serde_json::Value| entry(viewer, name, action, JsonText::from(&objects));
    let sql_queries = std::mem::take(&mut seen.sql);
    let mut entries: Vec<Audited> = viewer
        .into_iter()
        .flat_map(|viewer| sql_queries.iter().map(move |one| sql_entry(viewer, name, one, outcome)))
        .collect();
    let audited_access = &prepared.audited_access;
    if !seen.is_empty() || !audited_access.is_empty() {
        let look = Look {
            asked: &audited_access.conditions,
            fields: audited_access.fields.iter().map(|name| &**name).collect(),
            seen,
            outcome: outcome.word(),
        };
        entries.push(entry(AuditAction::Look, serde_json::to_value(&look).unwrap_or_default()));
    }
    entries
}

/// The entry of a SQL query; of one that still runs, with the outcome of its operation.
fn sql_entry(viewer: &Viewer, operation: &str, query: &AskedSql, outcome: OperationOutcome) -> Audited {
    let (took, rows, failure) = match &query.end {
        Some(EndedSql { took, rows: Ok(rows) }) => (*took, Some(*rows), None),
        Some(EndedSql { took, rows: Err(failure) }) => (*took, None, Some(failure.as_str())),
        None => (query.began.elapsed(), None, outcome.word()),
    };
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let entry = asked(viewer, "GraphQL", &query.text, rows, milliseconds, failure);
    Audited { operation: Some(operation.to_owned()), ..entry }
}

fn entry(viewer: Option<&Viewer>, operation: &str, action: AuditAction, objects: JsonText) -> Audited {
    Audited {
        at: Timestamp::now(),
        actor: viewer.map_or_else(|| RECEIPT_ACTOR.to_owned(), Viewer::actor),
        role: viewer.map(|viewer| viewer.role),
        action,
        operation: Some(operation.to_owned()),
        objects,
    }
}

/// An audit entry about people that an operation asked for or showed.
#[derive(Serialize)]
struct Look<'l> {
    /// The conditions that name a person or enterprise.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    asked: &'l [Condition],
    /// The fields of the document that show people, whether or not there were any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<&'l str>,
    /// The people shown, by id.
    #[serde(flatten)]
    seen: AuditSubjects,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}
