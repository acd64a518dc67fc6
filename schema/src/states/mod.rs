//! The chain of states: for tables without events, a hash of each state in which a transaction leaves a row.
//!
//! A transaction that writes such a row registers it ([`WriteTx::record_state`](crate::db::WriteTx::record_state)).
//! Before the commit the rows are read back and their hashes appended to `state_events`, in the same transaction. The
//! hashes are salted, so that they reveal nothing of a row once its salt is erased. Seals cover the chain, and
//! verification compares the last hash of each row with the stored row.

mod hash;
mod load;
mod tables;

pub use hash::{column_hashes, row_hash};
pub use load::{Loaded, Row, earlier_form, rows_after};
pub use tables::{StateTable, pair};

use crate::db::{Conn, StoreError, dialect};
use crate::enums::RunState;
use crate::models::StateEvent;
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables::{job_runs, state_events, state_position};
use crate::{each, insert_all};
use diesel::prelude::*;
use load::{require_readable, rows_of};
use std::collections::{BTreeMap, BTreeSet};

/// The actor of the first states of rows that are older than the chain.
const BACKFILL_ACTOR: &str = "migrate";

/// Rows per query of this backfill.
const AT_ONCE: i64 = 1_000;

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    value: i64,
}

/// Appends the states in which the transaction leaves rows.
///
/// # Errors
/// If the database fails, or a row that was written cannot be read.
pub(crate) fn store(
    conn: &mut Conn,
    now: Timestamp,
    actor: &str,
    written: BTreeSet<(StateTable, String)>,
) -> Result<(), StoreError> {
    let mut by_table: BTreeMap<StateTable, Vec<String>> = BTreeMap::new();
    for (table, key) in written {
        by_table.entry(table).or_default().push(key);
    }
    let mut states = Vec::new();
    for (table, keys) in by_table {
        for keys in keys.chunks(dialect::KEYS_PER_QUERY) {
            let mut rows: BTreeMap<String, Row> =
                rows_of(conn, table, keys)?.into_iter().map(|row| (row.key.clone(), row)).collect();
            for key in keys {
                states.push(state(table, key, rows.remove(key).as_ref(), now, actor)?);
            }
        }
    }
    append(conn, states)
}

fn state(
    table: StateTable,
    key: &str,
    row: Option<&Row>,
    recorded_at: Timestamp,
    actor: &str,
) -> Result<StateEvent, StoreError> {
    let salt: [u8; 16] = rand::random();
    let hash = row.map(|row| row_hash(&salt, &row.fields)).transpose()?;
    let columns = row.map(|row| column_hashes(&salt, &row.fields)).transpose()?.unwrap_or_default();
    Ok(StateEvent {
        number: 0,
        table_name: table.name().to_owned(),
        row_key: key.to_owned(),
        recorded_at,
        actor: actor.to_owned(),
        hash: hash.map(|hash| hash.to_vec()),
        column_hashes: JsonValue(columns.into()),
        salt: salt.to_vec(),
    })
}

/// Numbers are dense and in the order of commits: the row of the counter stays locked until the commit.
fn append(conn: &mut Conn, mut states: Vec<StateEvent>) -> Result<(), StoreError> {
    if states.is_empty() {
        return Ok(());
    }
    let number = i64::try_from(states.len()).unwrap_or(i64::MAX);
    let take =
        format!("UPDATE state_position SET value = value + {number} WHERE id = 1 AND value >= 0 RETURNING value");
    let taken: Option<Taken> = each!(&mut *conn, c => diesel::sql_query(&take).get_result(c).optional()?);
    let Some(taken) = taken else {
        return Err(StoreError::Migration(
            "state_position has no valid row: run `phananh migrate` if the database is from an older version, and \
             `phananh audit verify` otherwise"
                .into(),
        ));
    };
    for (place, state) in (taken.value - number + 1..).zip(&mut states) {
        state.number = place;
    }
    insert_all!(&mut *conn, state_events::table, states.iter());
    Ok(())
}

/// Adds the rows from before the chain to it, once, when the database is migrated.
///
/// # Errors
/// If the database fails.
pub(crate) fn backfill(conn: &mut Conn) -> Result<(), StoreError> {
    if lacks_rows(conn)? { backfill_all(conn) } else { Ok(()) }
}

/// Whether a migrated database has rows from before the chain that are not in it yet.
///
/// # Errors
/// If the database cannot be read.
pub(crate) fn lacks_rows(conn: &mut Conn) -> Result<bool, StoreError> {
    let value: Option<i64> = state_position::table.select(state_position::value).first(conn).optional()?;
    // If the row is missing, nothing can be appended; verification reports it.
    Ok(value.is_some_and(|value| value < 0))
}

/// Adds running job runs to the chain that are not in it yet: earlier versions left them out.
///
/// # Errors
/// If the database fails.
pub(crate) fn backfill_runs(conn: &mut Conn) -> Result<(), StoreError> {
    let running: Vec<Id> =
        job_runs::table.filter(job_runs::state.eq(RunState::Running)).select(job_runs::id).load(conn)?;
    let running: Vec<String> = running.iter().map(ToString::to_string).collect();
    let recorded: Vec<String> = state_events::table
        .filter(state_events::table_name.eq(StateTable::JobRuns.name()))
        .filter(state_events::row_key.eq_any(&running))
        .select(state_events::row_key)
        .load(conn)?;
    let new: Vec<String> = running.into_iter().filter(|key| !recorded.contains(key)).collect();
    let now = Timestamp::now();
    let states = rows_of(conn, StateTable::JobRuns, &new)?
        .iter()
        .map(|row| state(StateTable::JobRuns, &row.key, Some(row), now, BACKFILL_ACTOR))
        .collect::<Result<Vec<_>, _>>()?;
    append(conn, states)
}

fn backfill_all(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::update(state_position::table.find(1)).set(state_position::value.eq(0)).execute(conn)?;
    let now = Timestamp::now();
    for table in StateTable::ALL.iter().copied() {
        let mut after: Option<String> = None;
        loop {
            let rows = rows_after(conn, table, after.as_deref(), AT_ONCE)?;
            let rows = rows.into_iter().map(|row| require_readable(table, row)).collect::<Result<Vec<Row>, _>>()?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
            let states = rows
                .iter()
                .map(|row| state(table, &row.key, Some(row), now, BACKFILL_ACTOR))
                .collect::<Result<Vec<_>, _>>()?;
            append(conn, states)?;
        }
    }
    Ok(())
}
