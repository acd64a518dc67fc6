//! What SQLite and PostgreSQL do not share: how a transaction begins, locks, and the register's
//! position.

use super::{Conn, StoreError};
use crate::sql_types::{Timestamp, UtcMicros};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// Rows of a multi-row insert: PostgreSQL allows 65,535 bind parameters, SQLite 32,766.
pub const fn rows_per_insert(columns: usize) -> usize {
    let rows = 32_000 / columns;
    if rows > 1_000 { 1_000 } else { rows }
}

/// Keys of one `IN (…)`: SQLite binds each of them.
pub const KEYS_PER_QUERY: usize = 10_000;

const MIGRATION_LOCK: i64 = 0x7068_616e_0001;
const TREE_LOCK: i64 = 0x7068_616e_0002;

/// Begins a transaction that writes. SQLite has one writer: it takes its turn here, where waiting
/// is possible, and not at its first write, where it is not.
pub fn begin_write(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        Conn::Pg(c) => AnsiTransactionManager::begin_transaction(c)?,
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
    }
    Ok(())
}

/// Begins a transaction that reads one state of the database.
pub fn begin_snapshot(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        Conn::Pg(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        }
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN DEFERRED")?,
    }
    Ok(())
}

pub fn commit(conn: &mut Conn) -> Result<(), StoreError> {
    crate::each!(conn, c => AnsiTransactionManager::commit_transaction(c)?);
    Ok(())
}

pub fn rollback(conn: &mut Conn) -> Result<(), StoreError> {
    crate::each!(conn, c => AnsiTransactionManager::rollback_transaction(c)?);
    Ok(())
}

#[derive(QueryableByName)]
struct Position {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// Takes the next position. The row stays locked until the commit, so positions are dense and in
/// the order of commits; take it as late as possible.
pub fn take_position(conn: &mut Conn) -> Result<i64, StoreError> {
    let next = "UPDATE register_position SET value = value + 1 WHERE id = 1 RETURNING value";
    let row: Position = crate::each!(conn, c => diesel::sql_query(next).get_result(c)?);
    Ok(row.value)
}

/// The position of the last commit that this transaction sees.
pub fn current_position(conn: &mut Conn) -> Result<i64, StoreError> {
    use crate::tables::register_position::dsl::{register_position, value};
    Ok(register_position.select(value).first(conn)?)
}

/// The time of the database: what several nodes agree on, whatever their own clocks say.
pub fn database_time(conn: &mut Conn) -> Result<Timestamp, StoreError> {
    match conn {
        Conn::Pg(c) => Ok(diesel::select(diesel::dsl::sql::<UtcMicros>("clock_timestamp()")).get_result(c)?),
        // One machine has one clock.
        Conn::Sqlite(_) => Ok(Timestamp::now()),
    }
}

/// Keeps the tree of units as it is until the transaction ends: complaints store their ancestors.
pub fn hold_tree(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_xact_lock_shared({TREE_LOCK})"))?;
    }
    Ok(())
}

/// Waits for every writer of complaints and keeps others out while the tree changes.
pub fn change_tree(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_xact_lock({TREE_LOCK})"))?;
    }
    Ok(())
}

pub(super) fn hold_migration_lock(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
    }
    Ok(())
}

pub(super) fn release_migration_lock(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})"))?;
    }
    Ok(())
}
