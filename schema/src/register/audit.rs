//! Appends to the audit log: who looked at which person or file, exported data, ran SQL, or was given a token.

use crate::db::{Conn, StoreError, WriteTx};
use crate::each;
use crate::enums::{AuditAction, Role};
use crate::sql_types::{JsonText, JsonValue, Timestamp};
use crate::tables::audit_log;
use diesel::prelude::*;
use serde_json::Value;

/// An entry for the audit log.
#[derive(Debug, Clone)]
pub struct Audited {
    pub at: Timestamp,
    pub actor: String,
    pub role: Option<Role>,
    pub action: AuditAction,
    pub operation: Option<String>,
    pub objects: JsonText,
}

/// The row to insert. It borrows its strings, because an operation may be long.
#[derive(Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
struct Row<'e> {
    number: i64,
    at: Timestamp,
    actor: &'e str,
    role: Option<Role>,
    action: AuditAction,
    operation: Option<&'e str>,
    objects: JsonText,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    value: i64,
}

/// Appends entries in order. Their numbers have no gaps and follow the order of commits, because the counter's row
/// stays locked until the commit.
///
/// # Errors
/// If the database cannot be written.
pub fn write(conn: &mut Conn, entries: &[Audited]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let number = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let take = format!("UPDATE audit_position SET value = value + {number} WHERE id = 1 RETURNING value");
    let taken: Taken = each!(conn, c => diesel::sql_query(&take).get_result(c)?);
    let first = taken.value - number + 1;
    let rows: Vec<Row<'_>> = (first..)
        .zip(entries)
        .map(|(number, entry)| Row {
            number,
            at: entry.at,
            actor: &entry.actor,
            role: entry.role,
            action: entry.action,
            operation: entry.operation.as_deref(),
            objects: entry.objects.clone(),
        })
        .collect();
    crate::insert_all!(&mut *conn, audit_log::table, rows.iter());
    Ok(())
}

/// Appends one entry in the transaction that performs the audited action.
///
/// # Errors
/// If the database cannot be written.
pub fn note(tx: &mut WriteTx<'_>, action: AuditAction, objects: Value) -> Result<(), StoreError> {
    let (at, actor, objects) = (tx.now, tx.actor.to_owned(), JsonText::from(JsonValue(objects)));
    write(tx.conn, &[Audited { at, actor, role: None, action, operation: None, objects }])
}
