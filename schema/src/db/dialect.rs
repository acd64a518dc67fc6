//! What differs between SQLite and PostgreSQL: transactions, locks, the register's position, indexes.

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

/// From so many rows on, PostgreSQL gets them by COPY, which takes a few round trips whatever their number. Fewer rows
/// stay within its limit of bind parameters.
pub const ROWS_TO_COPY: usize = 100;

/// The most keys of one `IN (…)`: SQLite binds each of them.
pub const KEYS_PER_QUERY: usize = 10_000;

const MIGRATION_LOCK: i64 = 0x7068_616e_0001;
const TREE_LOCK: i64 = 0x7068_616e_0002;
const LINKS_LOCK: i64 = 0x7068_616e_0003;

/// Begins a write transaction. SQLite has one writer: the transaction waits for the write lock here, and not at its
/// first write, where SQLite does not let it wait.
///
/// # Errors
/// If the write lock is not granted in time, or the connection is lost.
pub fn begin_write(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        Conn::Pg(c) => AnsiTransactionManager::begin_transaction(c)?,
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
    }
    Ok(())
}

/// Begins a transaction that reads one snapshot.
///
/// # Errors
/// If the connection is lost, or a transaction is open.
pub fn begin_snapshot(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        Conn::Pg(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        }
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN DEFERRED")?,
    }
    Ok(())
}

/// SQLite's page cache of a connection in KiB: as [`super::target`] sets it, and during a scan.
pub(super) const CACHE: u32 = 65_536;
const CACHE_OF_SCANS: u32 = 8_192;

/// Runs a scan that reads each page about once, with a small SQLite page cache, because several connections scan at the
/// same time.
///
/// # Errors
/// The error of `work`; else if the page cache cannot be set.
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

/// Commits the transaction.
///
/// # Errors
/// If the database refuses the transaction, or the connection is lost.
pub fn commit(conn: &mut Conn) -> Result<(), StoreError> {
    crate::each!(conn, c => AnsiTransactionManager::commit_transaction(c)?);
    Ok(())
}

/// Rolls the transaction back.
///
/// # Errors
/// If no transaction is open, or the connection is lost.
pub fn rollback(conn: &mut Conn) -> Result<(), StoreError> {
    crate::each!(conn, c => AnsiTransactionManager::rollback_transaction(c)?);
    Ok(())
}

/// Runs a write transaction: commits if `work` succeeds, otherwise rolls back.
pub(crate) fn in_write_transaction<T>(
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

/// Takes the next position. Its row stays locked until the commit, so positions are dense and in the order of commits;
/// take it as late as possible.
///
/// # Errors
/// If the row of the position cannot be written, or its lock is not granted in time.
pub fn take_position(conn: &mut Conn) -> Result<i64, StoreError> {
    let next = "UPDATE register_position SET value = value + 1 WHERE id = 1 RETURNING value";
    let row: Position = crate::each!(conn, c => diesel::sql_query(next).get_result(c)?);
    Ok(row.value)
}

/// Rewrites the position unchanged, as a trial write.
pub(super) fn touch_position(conn: &mut Conn) -> Result<(), StoreError> {
    crate::each!(conn, c => diesel::sql_query("UPDATE register_position SET value = value WHERE id = 1").execute(c)?);
    Ok(())
}

/// The channel on which PostgreSQL notifies listeners of commits.
pub(super) const CHANNEL: &str = "phananh";

/// Notifies listeners when this transaction commits (PostgreSQL only).
///
/// # Errors
/// If the connection is lost.
pub fn tell_of_commit(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("NOTIFY {CHANNEL}"))?;
    }
    Ok(())
}

/// The position of the last commit that this transaction sees.
///
/// # Errors
/// If the database cannot be read.
pub fn current_position(conn: &mut Conn) -> Result<i64, StoreError> {
    use crate::tables::register_position::dsl::{register_position, value};
    Ok(register_position.select(value).first(conn)?)
}

/// The id of the PostgreSQL process of a connection.
pub(super) fn process(conn: &mut Conn) -> Result<i32, StoreError> {
    Ok(diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()")).get_result(conn)?)
}

/// The time of the database, which all nodes share whatever their own clocks say.
///
/// # Errors
/// If PostgreSQL cannot be asked.
pub fn database_time(conn: &mut Conn) -> Result<Timestamp, StoreError> {
    match conn {
        Conn::Pg(c) => Ok(diesel::select(diesel::dsl::sql::<UtcMicros>("clock_timestamp()")).get_result(c)?),
        // All processes of a SQLite register share one machine and its clock.
        Conn::Sqlite(_) => Ok(Timestamp::now()),
    }
}

/// Drops the indexes of tables that are about to be filled, except those of constraints, and returns the statements
/// that recreate them: building an index over a million rows is cheaper than updating it a million times. Both belong
/// in one transaction. On SQLite also drops the triggers, which note rows for the index of searches.
///
/// # Errors
/// If a table does not exist, or its lock is not granted in time.
pub fn drop_indexes(conn: &mut Conn, tables: &[&str]) -> Result<Vec<String>, StoreError> {
    let mut made_by = Vec::new();
    for table in tables {
        let found: Vec<Index> = match conn {
            Conn::Pg(c) => diesel::sql_query(
                "SELECT 'INDEX'::text AS kind, indexname::text AS name, indexdef AS made_by FROM pg_indexes \
                 WHERE schemaname = current_schema() AND tablename = $1 \
                 AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY 2",
            )
            .bind::<Text, _>(table)
            .load(c)?,
            Conn::Sqlite(c) => diesel::sql_query(
                "SELECT type AS kind, name, sql AS made_by FROM sqlite_master \
                 WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name = ? ORDER BY 2",
            )
            .bind::<Text, _>(table)
            .load(c)?,
        };
        for index in found {
            conn.batch_execute(&format!("DROP {} {}", index.kind, index.name))?;
            made_by.push(index.made_by);
        }
    }
    Ok(made_by)
}

/// Recreates dropped indexes and triggers.
///
/// # Errors
/// If a row violates an index, or the disk is full.
pub fn make_indexes(conn: &mut Conn, made_by: &[String]) -> Result<(), StoreError> {
    if let Conn::Pg(c) = &mut *conn {
        // PostgreSQL's default of 64 MB makes it sort a large index on disk, and write a trigram index in many parts. A
        // larger setting of the server stays.
        c.batch_execute(
            "SELECT set_config('maintenance_work_mem', '256MB', true) \
             WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < 268435456",
        )?;
    }
    made_by.iter().try_for_each(|statement| -> Result<(), StoreError> { Ok(conn.batch_execute(statement)?) })?;
    super::search_index::note_missing(conn)
}

/// Drops the foreign keys of tables that are about to be filled, and returns the statements that recreate them: one
/// join over a table is cheaper than a look-up for each key of each row. Both belong in one transaction. SQLite cannot
/// add a foreign key to a table, so there all of them stay.
///
/// PostgreSQL locks the tables of both ends exclusively until the transaction ends: other connections cannot even read
/// them.
///
/// # Errors
/// If a table does not exist, or its lock is not granted in time.
pub fn drop_foreign_keys(conn: &mut Conn, tables: &[&str]) -> Result<Vec<String>, StoreError> {
    let Conn::Pg(c) = conn else { return Ok(Vec::new()) };
    let mut made_by = Vec::new();
    for table in tables {
        let found: Vec<ForeignKey> = diesel::sql_query(
            "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS dropped_by, \
             format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
             AS made_by \
             FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::regclass ORDER BY conname",
        )
        .bind::<Text, _>(table)
        .load(c)?;
        for key in found {
            c.batch_execute(&key.dropped_by)?;
            made_by.push(key.made_by);
        }
    }
    Ok(made_by)
}

/// Recreates dropped foreign keys, which checks every row.
///
/// # Errors
/// If a row refers to nothing.
pub fn make_foreign_keys(conn: &mut Conn, made_by: &[String]) -> Result<(), StoreError> {
    made_by.iter().try_for_each(|statement| Ok(conn.batch_execute(statement)?))
}

#[derive(QueryableByName)]
struct ForeignKey {
    #[diesel(sql_type = Text)]
    dropped_by: String,
    #[diesel(sql_type = Text)]
    made_by: String,
}

#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    made_by: String,
}

/// Takes a shared lock on the tree of units until the transaction ends: complaints store ancestors of their unit.
///
/// # Errors
/// If the lock is not granted in time.
pub fn lock_tree_shared(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_xact_lock_shared({TREE_LOCK})"))?;
    }
    Ok(())
}

/// Takes the exclusive lock on the tree of units: waits for writers of complaints and blocks new ones.
///
/// # Errors
/// If the lock is not granted in time.
pub fn lock_tree_exclusive(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_xact_lock({TREE_LOCK})"))?;
    }
    Ok(())
}

/// Takes the lock on the links between complaints until the transaction ends: after the lock on the tree of units, and
/// before any complaint is locked.
///
/// # Errors
/// If the lock is not granted in time.
pub fn lock_links(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_xact_lock({LINKS_LOCK})"))?;
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
