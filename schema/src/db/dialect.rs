//! What SQLite and PostgreSQL do not share: how a transaction begins, locks, and the register's
//! position.

use super::{Conn, StoreError};
use crate::sql_types::{Timestamp, UtcMicros};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

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

/// Pages that SQLite keeps in memory for a connection, in KiB: as [`super::connection`] sets it, and for a scan.
pub(super) const CACHE: u32 = 65_536;
const CACHE_OF_SCANS: u32 = 8_192;

/// Reads very much, each page about once: several connections that do so at once need not each keep many pages.
pub fn scanning<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, StoreError>) -> Result<T, StoreError> {
    keep_pages(conn, CACHE_OF_SCANS)?;
    let found = work(conn);
    let restored = keep_pages(conn, CACHE);
    let found = found?;
    restored.map(|()| found)
}

fn keep_pages(conn: &mut Conn, kilobytes: u32) -> Result<(), StoreError> {
    if let Conn::Sqlite(c) = conn {
        c.batch_execute(&format!("PRAGMA cache_size = -{kilobytes}"))?;
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

/// Runs a transaction that writes: all of it happens or nothing.
pub(crate) fn at_once<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    begin_write(conn)?;
    match work(conn) {
        Ok(done) => commit(conn).map(|()| done),
        Err(error) => {
            rollback(conn)?;
            Err(error)
        }
    }
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

/// Writes the position as it is: a write that changes nothing.
pub(super) fn touch_position(conn: &mut Conn) -> Result<(), StoreError> {
    crate::each!(conn, c => diesel::sql_query("UPDATE register_position SET value = value WHERE id = 1").execute(c)?);
    Ok(())
}

/// Lets those who listen know, once this transaction is committed.
pub fn tell_of_commit(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("NOTIFY {}", super::listen::CHANNEL))?;
    }
    Ok(())
}

/// The position of the last commit that this transaction sees.
pub fn current_position(conn: &mut Conn) -> Result<i64, StoreError> {
    use crate::tables::register_position::dsl::{register_position, value};
    Ok(register_position.select(value).first(conn)?)
}

/// The process of PostgreSQL behind a connection.
pub(super) fn process(conn: &mut Conn) -> Result<i32, StoreError> {
    Ok(diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()")).get_result(conn)?)
}

/// The time of the database: what several nodes agree on, whatever their own clocks say.
pub fn database_time(conn: &mut Conn) -> Result<Timestamp, StoreError> {
    match conn {
        Conn::Pg(c) => Ok(diesel::select(diesel::dsl::sql::<UtcMicros>("clock_timestamp()")).get_result(c)?),
        // One machine has one clock.
        Conn::Sqlite(_) => Ok(Timestamp::now()),
    }
}

/// Drops the indexes of tables that are about to be filled, those of keys excepted, and gives the
/// statements that make them again: an index made at once of a million rows is cheaper than a
/// million changes of it. Both happen in the transaction under way.
pub fn drop_indexes(conn: &mut Conn, tables: &[&str]) -> Result<Vec<String>, StoreError> {
    let mut made_by = Vec::new();
    for table in tables {
        let found: Vec<Index> = match conn {
            Conn::Pg(c) => diesel::sql_query(
                "SELECT indexname::text AS name, indexdef AS made_by FROM pg_indexes \
                 WHERE schemaname = current_schema() AND tablename = $1 \
                 AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY 1",
            )
            .bind::<Text, _>(table)
            .load(c)?,
            Conn::Sqlite(c) => diesel::sql_query(
                "SELECT name, sql AS made_by FROM sqlite_master \
                 WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ? ORDER BY 1",
            )
            .bind::<Text, _>(table)
            .load(c)?,
        };
        for index in found {
            conn.batch_execute(&format!("DROP INDEX {}", index.name))?;
            made_by.push(index.made_by);
        }
    }
    Ok(made_by)
}

/// Makes indexes again.
pub fn make_indexes(conn: &mut Conn, made_by: &[String]) -> Result<(), StoreError> {
    made_by.iter().try_for_each(|statement| Ok(conn.batch_execute(statement)?))
}

#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    made_by: String,
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
