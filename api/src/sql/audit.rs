//! The audit entry of a question.

use crate::access::Viewer;
use schema::enums::AuditAction;
use schema::register::audit::Audited;
use schema::{JsonText, Timestamp};
use serde::Serialize;

/// What the entry of a question holds.
#[derive(Serialize)]
struct Asked<'a> {
    sql: &'a str,
    /// Rows of the answer; None without a complete answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    milliseconds: u64,
    /// Why there is no complete answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

/// The audit entry of a question that came by a `way` in, such as `POST /sql`.
pub fn asked(
    viewer: &Viewer,
    way: &'static str,
    text: &str,
    rows: Option<u64>,
    milliseconds: u64,
    failure: Option<&str>,
) -> Audited {
    let objects = serde_json::to_value(Asked { sql: text, rows, milliseconds, failure }).unwrap_or_default();
    Audited {
        at: Timestamp::now(),
        actor: viewer.actor(),
        role: Some(viewer.role),
        action: AuditAction::Sql,
        operation: Some(way.to_owned()),
        objects: JsonText::from(&objects),
    }
}
