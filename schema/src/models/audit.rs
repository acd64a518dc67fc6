//! Rows that make changes evident: seals, the audit log, the chain of states.

use crate::enums::{AuditAction, Chain, Role};
use crate::sql_types::{JsonValue, Timestamp};
use crate::tables;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(seals Seal {
    chain: Chain,
    number: i64,
    /// The positions covered: above `after`, up to `until`.
    after: i64,
    until: i64,
    rows: i64,
    marks: Vec<u8>,
    previous: Vec<u8>,
    hash: Vec<u8>,
    key_version: i32,
    signature: Vec<u8>,
    sealed_at: Timestamp,
});

model!(audit_log AuditEntry {
    number: i64,
    at: Timestamp,
    /// `token:NAME` or `cli`.
    actor: String,
    role: Option<Role>,
    action: AuditAction,
    /// The name of the operation.
    operation: Option<String>,
    /// Ids by kind.
    objects: JsonValue,
});

model!(
    /// A state of a row of a table without events: hashes only, never its contents.
    state_events StateEvent {
        number: i64,
        table_name: String,
        row_key: String,
        recorded_at: Timestamp,
        actor: String,
        /// None if the row was deleted.
        hash: Option<Vec<u8>>,
        /// A short hash of each column, to name the one that differs.
        column_hashes: JsonValue,
        salt: Vec<u8>,
    }
);
