//! What remains to be done when an operation has run, or its client has left: the audit log, and others who wait for what
//! it wrote.

use super::Service;
use super::prepared::Prepared;
use crate::access::Condition;
use crate::auth::Viewer;
use crate::graphql::context::Seen;
use schema::Timestamp;
use schema::enums::AuditAction;
use schema::register::audit::Audited;
use serde::Serialize;
use std::sync::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The next aggregates are to see a write soon, and not only when others' writes are looked for.
pub fn after_a_write(service: &Service) {
    service.app.change_feed.wake();
    service.app.refresher.wake();
}

/// What remains to be done for an operation whose client left before there was an answer: it goes then.
pub struct Left<'a> {
    pub service: &'a Service,
    pub viewer: Option<&'a Viewer>,
    pub prepared: &'a Prepared,
    pub seen: &'a Mutex<Seen>,
    pub began: Instant,
    pub is_answered: bool,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        self.service.watch.operation(self.prepared, self.viewer, self.began.elapsed(), "LEFT");
        let entries = audited(self.viewer, self.prepared, self.seen, Came::ToNobody);
        // Without a runtime the server is being ended by force.
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

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    ToAnAnswer,
    /// Some of it failed, or all.
    ToErrors,
    TooLate,
    /// The client left before.
    ToNobody,
    /// It was refused before anything of it ran.
    ToNothing,
}

impl Came {
    /// The word of it in an entry; None for what is usual.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::ToAnAnswer => None,
            Self::ToErrors => Some("ERROR"),
            Self::TooLate => Some("TIMEOUT"),
            Self::ToNobody => Some("LEFT"),
            Self::ToNothing => Some("DENIED"),
        }
    }
}

/// Hands to the audit log who was asked for, and who was shown.
pub async fn audit(service: &Service, viewer: Option<&Viewer>, prepared: &Prepared, seen: &Mutex<Seen>, came: Came) {
    let Some(log) = service.audit.get() else { return };
    for entry in audited(viewer, prepared, seen, came) {
        log.add(entry).await;
    }
}

/// The same of an operation that is refused: whom it asks for, cut short, since nothing was told.
pub async fn denied(service: &Service, viewer: &Viewer, prepared: &mut Prepared) {
    prepared.looks.asked.truncate(CONDITIONS_OF_DENIED);
    for condition in &mut prepared.looks.asked {
        let text = condition.value.to_string();
        if text.len() > BYTES_OF_DENIED {
            condition.value = text.chars().take(BYTES_OF_DENIED).collect::<String>().into();
        }
    }
    if !prepared.looks.asked.is_empty() {
        audit(service, Some(viewer), prepared, &Mutex::default(), Came::ToNothing).await;
    }
}

/// Conditions of a refused operation that are noted, and how much of each.
const CONDITIONS_OF_DENIED: usize = 20;
const BYTES_OF_DENIED: usize = 200;

/// What the audit log is to hold of an operation: what was asked in SQL, who was asked for, and who was shown.
fn audited(viewer: Option<&Viewer>, prepared: &Prepared, seen: &Mutex<Seen>, came: Came) -> Vec<Audited> {
    let mut seen = std::mem::take(&mut *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    let Some(viewer) = viewer else { return Vec::new() };
    let entry = |action, objects| Audited {
        at: Timestamp::now(),
        actor: viewer.actor(),
        role: Some(viewer.role),
        action,
        operation: Some(prepared.name().to_owned()),
        objects,
    };
    let asked = std::mem::take(&mut seen.sql).into_iter();
    let mut entries: Vec<Audited> =
        asked.map(|sql| entry(AuditAction::Sql, serde_json::json!({ "sql": sql }))).collect();
    let looks = &prepared.looks;
    if !seen.is_empty() || !looks.is_empty() {
        let look = Look {
            asked: &looks.asked,
            fields: looks.fields.iter().map(|name| &**name).collect(),
            seen,
            outcome: came.word(),
        };
        entries.push(entry(AuditAction::Look, serde_json::to_value(&look).unwrap_or_default()));
    }
    entries
}

/// An entry about a look.
#[derive(Serialize)]
struct Look<'l> {
    /// The conditions that name somebody.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    asked: &'l [Condition],
    /// The fields of the document that show somebody, whether there was anybody or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<&'l str>,
    /// Who was shown, by id.
    #[serde(flatten)]
    seen: Seen,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}
