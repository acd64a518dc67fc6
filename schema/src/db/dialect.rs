//! The differences between SQLite and PostgreSQL: transactions, locks, the register's position.

use super::{Conn, StoreError};
use crate::sql_types::{Timestamp, UtcMicros};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use std::time::Duration;

/// Rows of a multi-row insert: PostgreSQL allows 65,535 bind parameters, SQLite 32,766.
pub const fn rows_per_insert(columns: usize) -> usize {
    let rows = 32_000 / columns;
    if rows > 1_000 { 1_000 } else { rows }
}

/// Number of rows from which PostgreSQL gets them by COPY, which takes a few round trips whatever their number. Fewer
/// rows stay within its limit of bind parameters.
pub const ROWS_TO_COPY: usize = 100;

/// The most keys of one `IN (…)`: SQLite binds each of them.
pub const KEYS_PER_QUERY: usize = 10_000;

/// SQLite waits this long for a lock of its file.
pub(super) const BUSY: Duration = Duration::from_secs(30);

const MIGRATION_LOCK: i64 = 0x7068_616e_0001;
const TREE_LOCK: i64 = 0x7068_616e_0002;
const LINKS_LOCK: i64 = 0x7068_616e_0003;
/// Imports that defer indexes hold it shared; the process that makes the indexes holds it alone.
pub(super) const IMPORT_LOCK: i64 = 0x7068_616e_0004;

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
pub fn scanning<T, E: From<StoreError>>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    keep_pages(conn, CACHE_OF_SCANS)?;
    let found = work(conn);
    let restored = forget_pages(conn).and_then(|()| keep_pages(conn, CACHE));
    let found = found?;
    restored?;
    Ok(found)
}

/// Frees SQLite's page cache: what a scan read last is seldom what the connection reads next.
fn forget_pages(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Sqlite(c) = conn {
        c.batch_execute("PRAGMA shrink_memory")?;
    }
    Ok(())
}

/// The memory of SQLite's page cache.
///
/// # Errors
/// If the database fails.
pub(super) fn keep_pages(conn: &mut Conn, kilobytes: u32) -> Result<(), StoreError> {
    if let Conn::Sqlite(c) = conn {
        c.batch_execute(&format!("PRAGMA cache_size = -{kilobytes}"))?;
    }
    Ok(())
}

/// Lets SQLite sort keys in files with a second thread, so that memory does not grow with the register, or again in
/// memory. It refuses to change this within a transaction.
///
/// # Errors
/// If the database fails.
pub(super) fn sort_in_files(conn: &mut Conn, in_files: bool) -> Result<(), StoreError> {
    if let Conn::Sqlite(c) = conn {
        let (store, threads) = if in_files { ("FILE", 1) } else { ("MEMORY", 0) };
        c.batch_execute(&format!("PRAGMA temp_store = {store}; PRAGMA threads = {threads}"))?;
    }
    Ok(())
}

/// Prepares SQLite for one large transaction of rows that refer to one another as they should: see
/// [`super::Db::write_filling`].
///
/// # Errors
/// If the database fails; a write-ahead log that stays is no error.
pub(super) fn begin_filling(conn: &mut Conn) -> Result<(), StoreError> {
    sort_in_files(conn, true)?;
    let Conn::Sqlite(c) = conn else { return Ok(()) };
    c.batch_execute("PRAGMA foreign_keys = OFF; PRAGMA busy_timeout = 0")?;
    // Refused while another connection is open: then the rows go through the write-ahead log.
    if let Err(error) = c.batch_execute("PRAGMA journal_mode = DELETE") {
        tracing::debug!(%error, "the write-ahead log stays");
    }
    Ok(c.batch_execute(&format!("PRAGMA busy_timeout = {}", BUSY.as_millis()))?)
}

/// Ends what [`begin_filling`] began.
///
/// # Errors
/// If the database fails; a write-ahead log that is not back yet is no error.
pub(super) fn end_filling(conn: &mut Conn) -> Result<(), StoreError> {
    sort_in_files(conn, false)?;
    let Conn::Sqlite(c) = conn else { return Ok(()) };
    c.batch_execute("PRAGMA foreign_keys = ON")?;
    // Refused while another connection is open, and tried again by the next one that is opened.
    if let Err(error) = c.batch_execute("PRAGMA journal_mode = WAL") {
        tracing::debug!(%error, "the write-ahead log is not back yet");
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
///
/// # Errors
/// The error of `work`, or of the database where the transaction cannot begin, commit or roll back.
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
///
/// # Errors
/// If the database cannot be written.
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

#[derive(QueryableByName)]
struct AboutRows {
    #[diesel(sql_type = BigInt)]
    about: i64,
}

/// About how many rows a table has, by PostgreSQL's statistics: counting them would read the table or an index. None if
/// there are no statistics; SQLite has none.
///
/// # Errors
/// If the database cannot be read.
pub fn about_rows(conn: &mut Conn, table: &str) -> Result<Option<usize>, StoreError> {
    let Conn::Pg(c) = conn else { return Ok(None) };
    let known = "SELECT coalesce(max(reltuples), 0)::bigint AS about FROM pg_class WHERE oid = to_regclass($1)";
    let found: AboutRows = diesel::sql_query(known).bind::<Text, _>(table).get_result(c)?;
    Ok(usize::try_from(found.about).ok().filter(|rows| *rows > 0))
}

/// The id of the PostgreSQL process of a connection.
///
/// # Errors
/// If the database cannot be read.
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

/// Waits for the lock of migrations and takes it. SQLite needs none.
///
/// # Errors
/// If the database fails.
pub(super) fn hold_migration_lock(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
    }
    Ok(())
}

/// Releases what [`hold_migration_lock`] took.
///
/// # Errors
/// If the database fails.
pub(super) fn release_migration_lock(conn: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        c.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})"))?;
    }
    Ok(())
}
