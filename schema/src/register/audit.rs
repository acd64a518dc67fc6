//! The audit log: who looked at whom, and who was given what.

use crate::db::{Conn, StoreError, WriteTx};
use crate::each;
use crate::enums::{AuditAction, Role};
use crate::models::AuditEntry;
use crate::sql_types::{JsonValue, Timestamp};
use crate::tables::audit_log;
use diesel::prelude::*;
use serde_json::Value;

/// Something for the audit log.
#[derive(Debug, Clone)]
pub struct Audited {
    pub at: Timestamp,
    pub actor: String,
    pub role: Option<Role>,
    pub action: AuditAction,
    pub operation: Option<String>,
    pub objects: Value,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    value: i64,
}

/// Writes entries down, in order; numbers are dense and in the order of commits.
pub fn write(conn: &mut Conn, entries: &[Audited]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let number = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let take = format!("UPDATE audit_position SET value = value + {number} WHERE id = 1 RETURNING value");
    let taken: Taken = each!(conn, c => diesel::sql_query(&take).get_result(c)?);
    let first = taken.value - number + 1;
    let rows: Vec<AuditEntry> = (first..)
        .zip(entries)
        .map(|(number, entry)| AuditEntry {
            number,
            at: entry.at,
            actor: entry.actor.clone(),
            role: entry.role,
            action: entry.action,
            operation: entry.operation.clone(),
            objects: JsonValue(entry.objects.clone()),
        })
        .collect();
    crate::insert_all!(&mut *conn, audit_log::table, 7, rows.iter());
    Ok(())
}

/// The same within a transaction that does something else, too.
pub fn note(tx: &mut WriteTx<'_>, action: AuditAction, objects: Value) -> Result<(), StoreError> {
    let (at, actor) = (tx.now, tx.actor.to_owned());
    write(tx.conn, &[Audited { at, actor, role: None, action, operation: None, objects }])
}
