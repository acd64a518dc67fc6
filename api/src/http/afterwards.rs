//! What remains to be done when an operation has run, or its client has left: the audit log, and others who wait for what
//! it wrote.

use super::Service;
use super::operation::Prepared;
use crate::auth::Viewer;
use crate::graphql::context::Seen;
use schema::Timestamp;
use schema::enums::AuditAction;
use schema::register::audit::Audited;
use std::sync::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The next aggregates are to see a write soon, and not only when others' writes are looked for.
pub fn after_a_write(service: &Service) {
    let app = service.app.clone();
    app.bus.wake();
    drop(tokio::task::spawn_blocking(move || app.snapshots.refresh(&app.unhurried)));
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
        let entries = audited(self.viewer, self.prepared, self.seen);
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

/// Hands to the audit log who was shown.
pub async fn audit(service: &Service, viewer: Option<&Viewer>, prepared: &Prepared, seen: &Mutex<Seen>) {
    let Some(log) = service.audit.get() else { return };
    for entry in audited(viewer, prepared, seen) {
        log.add(entry).await;
    }
}

/// What the audit log is to hold of an operation: what was asked in SQL, and who was shown.
fn audited(viewer: Option<&Viewer>, prepared: &Prepared, seen: &Mutex<Seen>) -> Vec<Audited> {
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
    if !seen.is_empty() {
        entries.push(entry(AuditAction::Look, serde_json::to_value(&seen).unwrap_or_default()));
    }
    entries
}
