//! Compares the rows of tables without events with the chain of states.

use super::broken;
use super::names::{self, code_of};
use super::problem::{Findings, Problem, RowName};
use super::stored::key_of;
use crate::db::readable::{Readable, columns_of};
use crate::db::{Conn, StoreError};
use crate::domain::ids::human_reference;
use crate::enums::Chain;
use crate::events::{Entity, Fields};
use crate::models::StateEvent;
use crate::sql_types::Id;
use crate::states::{Row, StateTable, column_hashes, earlier_form, row_hash, rows_after};
use crate::tables::state_events;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Rows read per query: some hold whole documents.
const AT_ONCE: i64 = 300;

/// Sorts after every key.
const END: &str = "\u{10FFFF}";

/// Compares every row of a table with its last state in the chain.
///
/// # Errors
/// If the database fails.
pub fn verify(conn: &mut Conn, table: StateTable, findings: &mut Findings) -> Result<(), StoreError> {
    let mut after = String::new();
    let mut at_once = AT_ONCE;
    loop {
        let rows = rows_after(conn, table, Some(after.as_str()).filter(|key| !key.is_empty()), at_once)?;
        let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < at_once;
        findings.count(table.name(), rows.len());
        let keys = key_of(table.name());
        // Sorted here, because SQLite sorts values of other types apart from the rest.
        let mut by_key: BTreeMap<String, Option<Row>> = BTreeMap::new();
        for row in rows {
            match row {
                Ok(row) => drop(by_key.insert(row.key.clone(), Some(row))),
                Err(row) => {
                    broken::report(table.name(), &row, findings);
                    by_key.extend(row.key(keys).map(|key| (key, None)));
                }
            }
        }
        let until = match by_key.last_key_value().filter(|_| !is_last) {
            None if is_last => END.to_owned(),
            Some((key, _)) if *key > after => key.clone(),
            // No key to continue after: reads the same rows again, with more of the following ones.
            _ => {
                at_once *= 2;
                continue;
            }
        };
        let mut states = last_states(conn, table, &after, &until, findings)?.into_iter().peekable();
        for (key, row) in by_key {
            while let Some(gone) = states.next_if(|state| state.row_key < key) {
                removed(conn, table, &gone, findings)?;
            }
            let state = states.next_if(|state| state.row_key == key);
            if let Some(row) = row {
                compare(conn, table, &row, state.as_ref(), findings)?;
            }
        }
        for gone in states {
            removed(conn, table, &gone, findings)?;
        }
        if is_last {
            return Ok(());
        }
        after = until;
        at_once = AT_ONCE;
    }
}

/// The last state of each row with a key above `after` and up to `until`.
fn last_states(
    conn: &mut Conn,
    table: StateTable,
    after: &str,
    until: &str,
    findings: &mut Findings,
) -> Result<Vec<StateEvent>, StoreError> {
    let numbers: Vec<Option<i64>> = state_events::table
        .filter(state_events::table_name.eq(table.name()))
        .filter(state_events::row_key.gt(after))
        .filter(state_events::row_key.le(until))
        .group_by(state_events::row_key)
        .select(diesel::dsl::max(state_events::number))
        .load(conn)?;
    let numbers: Vec<i64> = numbers.into_iter().flatten().collect();
    let mut states: Vec<StateEvent> = Vec::with_capacity(numbers.len());
    for chunk in numbers.chunks(crate::db::dialect::KEYS_PER_QUERY) {
        let part: Vec<Readable<StateEvent>> = state_events::table
            .filter(state_events::number.eq_any(chunk))
            .select(columns_of!(StateEvent))
            .load(conn)?;
        states.extend(broken::readable("state_events", part, findings));
    }
    states.sort_by(|a, b| a.row_key.cmp(&b.row_key));
    Ok(states)
}

fn removed(conn: &mut Conn, table: StateTable, state: &StateEvent, findings: &mut Findings) -> Result<(), StoreError> {
    if state.hash.is_none() {
        return Ok(());
    }
    report_row(conn, table, &state.row_key, &Fields::new(), "removed", None, findings)
}

fn compare(
    conn: &mut Conn,
    table: StateTable,
    row: &Row,
    state: Option<&StateEvent>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let Some(state) = state else {
        return report_row(conn, table, &row.key, &row.fields, "inserted", None, findings);
    };
    let Some(hash) = &state.hash else {
        return report_row(conn, table, &row.key, &row.fields, "inserted", None, findings);
    };
    let is_hashed = |fields: &Fields| Ok::<_, StoreError>(row_hash(&state.salt, fields)?.as_slice() == hash.as_slice());
    if is_hashed(&row.fields)? {
        return Ok(());
    }
    // Earlier versions hashed fewer columns. The sealed hash decides whether a state has that form.
    let earlier = earlier_form(table, &row.fields);
    if earlier.as_ref().map(is_hashed).transpose()? == Some(true) {
        return Ok(());
    }
    let empty = Fields::new();
    let was = state.column_hashes.0.as_object().unwrap_or(&empty);
    let earlier =
        earlier.filter(|earlier| row.fields.keys().all(|key| earlier.contains_key(key) || !was.contains_key(key)));
    let is = column_hashes(&state.salt, earlier.as_ref().unwrap_or(&row.fields))?;
    let columns: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let differing: Vec<&String> = columns.into_iter().filter(|column| was.get(*column) != is.get(*column)).collect();
    if differing.is_empty() {
        return report_row(conn, table, &row.key, &row.fields, "changed", None, findings);
    }
    differing
        .into_iter()
        .try_for_each(|column| report_row(conn, table, &row.key, &row.fields, "changed", Some(column), findings))
}

fn report_row(
    conn: &mut Conn,
    table: StateTable,
    key: &str,
    fields: &Fields,
    kind: &'static str,
    column: Option<&str>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    if findings.is_full(Chain::State, table.name()) {
        findings.more += 1;
        return Ok(());
    }
    let name = RowName { table: table.name(), name: name(conn, table, key, fields)?, id: key.to_owned() };
    findings.report(Problem::of_row(Chain::State, &name, kind, column));
    Ok(())
}

fn name(conn: &mut Conn, table: StateTable, key: &str, fields: &Fields) -> Result<String, StoreError> {
    let first = key.split_once(' ').map_or(key, |(first, _)| first);
    let found = match table {
        StateTable::RegisterInfo | StateTable::Jobs => key.to_owned(),
        StateTable::Principals => names::text(fields, "name"),
        StateTable::ApiTokens => match fields.get("principal_id") {
            Some(id) => format!("{} {key}", names::principal(conn, Some(id))?),
            None => String::new(),
        },
        StateTable::TrustedOperations => {
            let operation = names::text(fields, "name");
            format!("{} {operation}", names::principal(conn, Some(&first.into()))?)
        }
        StateTable::JobRuns => names::joined(fields, &["job", "scheduled_at"]),
        StateTable::JobResults => names::joined(fields, &["name", "as_of"]),
        StateTable::Escalations | StateTable::Receipts | StateTable::Attachments => {
            let reference = first.parse::<Id>().map_or_else(|_| first.to_owned(), human_reference);
            format!("{reference}{}", &key[first.len()..])
        }
        StateTable::Flags => {
            let officer = code_of(conn, Entity::Officer, fields.get("officer_id"))?;
            if officer.is_empty() { code_of(conn, Entity::Unit, fields.get("unit_id"))? } else { officer }
        }
        StateTable::FlagAssessments => names::flagged(conn, first)?,
        StateTable::FlagReviews => match fields.get("flag_id").and_then(|id| id.as_str()) {
            Some(flag) => format!("{} {}", names::flagged(conn, flag)?, names::text(fields, "reviewed_at")),
            None => String::new(),
        },
        StateTable::Digests => names::joined(fields, &["as_of", "locale"]),
        StateTable::DigestSubscriptions => names::text(fields, "address"),
        StateTable::ReaderDigests => names::joined(fields, &["as_of", "subject"]),
        StateTable::Deliveries => names::text(fields, "message_id"),
        StateTable::ClassifierModels => names::joined(fields, &["version", "trained_at"]),
        StateTable::SavedQueries => names::text(fields, "name"),
        StateTable::SavedQueryVersions => names::joined(fields, &["query_id", "version"]),
        StateTable::NotificationEndpoints => names::text(fields, "address"),
        StateTable::Notifications => names::joined(fields, &["event", "created_at"]),
        StateTable::Alerts => names::joined(fields, &["kind", "subject", "day"]),
    };
    let found = found.trim();
    Ok(if found.is_empty() { key.to_owned() } else { found.to_owned() })
}
