//! Indexes and foreign keys that are dropped before very many rows are stored and made at the end: to sort a million
//! keys once is cheaper than to put each in its place, and one join over a table is cheaper than a look-up for each key
//! of each row.

use super::dialect::{CACHE, keep_pages, sort_in_files};
use super::{Conn, StoreError, search_index};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// An index, a trigger or a foreign key, with the statements that drop and make it.
#[derive(QueryableByName)]
pub(super) struct Droppable {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub dropped_by: String,
    #[diesel(sql_type = Text)]
    pub made_by: String,
}

/// The indexes of a table, except those of constraints; on SQLite also its triggers.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn indexes_of(conn: &mut Conn, table: &str) -> Result<Vec<Droppable>, StoreError> {
    Ok(match conn {
        Conn::Pg(c) => diesel::sql_query(
            "SELECT indexname::text AS name, format('DROP INDEX %I', indexname) AS dropped_by, indexdef AS made_by \
             FROM pg_indexes WHERE schemaname = current_schema() AND tablename = $1 \
             AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY 1",
        )
        .bind::<Text, _>(table)
        .load(c)?,
        Conn::Sqlite(c) => diesel::sql_query(
            "SELECT name, 'DROP ' || type || ' ' || name AS dropped_by, sql AS made_by FROM sqlite_master \
             WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name = ? ORDER BY 1",
        )
        .bind::<Text, _>(table)
        .load(c)?,
    })
}

/// The constraints of a table that can be dropped for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Its foreign keys.
    Foreign,
    /// The foreign keys of other tables that refer to it, too, its primary key and its unique constraints.
    All,
}

/// Constraints of a table, in an order in which they can be dropped. None on SQLite, which cannot add one to a table.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn keys_of(conn: &mut Conn, table: &str, keys: Keys) -> Result<Vec<Droppable>, StoreError> {
    let Conn::Pg(c) = conn else { return Ok(Vec::new()) };
    Ok(diesel::sql_query(
        "SELECT format('%s.%s', conrelid::regclass, conname) AS name, \
         format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS dropped_by, \
         format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I, ADD CONSTRAINT %I %s', conrelid::regclass, conname, \
         conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', '')) AS made_by \
         FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'f' \
         OR $2 AND (conrelid = $1::regclass AND contype IN ('p', 'u') OR confrelid = $1::regclass AND contype = 'f') \
         ORDER BY contype, 1",
    )
    .bind::<Text, _>(table)
    .bind::<Bool, _>(keys == Keys::All)
    .load(c)?)
}

/// Drops the indexes and triggers of tables of SQLite that are about to be filled, except the indexes of constraints, and
/// returns the statements that recreate them. Both belong in one transaction. The triggers note texts for the index of
/// searches.
///
/// # Errors
/// If the database cannot be written.
pub fn drop_indexes(conn: &mut Conn, tables: &[&str]) -> Result<Vec<String>, StoreError> {
    let mut made_by = Vec::new();
    for table in tables {
        for index in indexes_of(conn, table)? {
            conn.batch_execute(&index.dropped_by)?;
            made_by.push(index.made_by);
        }
    }
    Ok(made_by)
}

/// Recreates dropped indexes and triggers, and makes the index of searches.
///
/// # Errors
/// If a row violates an index, or the disk is full.
pub fn make_indexes(conn: &mut Conn, made_by: &[String]) -> Result<(), StoreError> {
    keep_pages(conn, CACHE_OF_SORTS)?;
    let done: Result<(), StoreError> = made_by.iter().try_for_each(|statement| Ok(conn.batch_execute(statement)?));
    keep_pages(conn, CACHE)?;
    done?;
    search_index::fill(conn)
}

/// SQLite's page cache in KiB while indexes are made: it reads each table once, and sorts as many keys at a time as its
/// page cache may hold.
const CACHE_OF_SORTS: u32 = 65_536;

/// Does work that makes indexes, outside of a transaction. SQLite sorts in a second thread and in files, so that memory
/// does not grow with the register. PostgreSQL gets the memory for a large sort. `beside_longest`: whether an index that
/// takes longer than all others is made meanwhile.
///
/// # Errors
/// The error of `work`, or of the database where its settings cannot be changed.
pub(super) fn sorting<T>(
    conn: &mut Conn,
    beside_longest: bool,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    match &mut *conn {
        Conn::Pg(c) => {
            // PostgreSQL's default of 64 MB makes it sort a large index on disk. An index of trigrams is not made
            // sooner with 1 GB. A larger setting of the server stays.
            c.batch_execute(
                "SELECT set_config('maintenance_work_mem', '256MB', false) \
                 WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < 268435456",
            )?;
            // Its workers would take the processors from the index that everything waits for, which has none.
            if beside_longest {
                c.batch_execute("SET max_parallel_maintenance_workers = 0")?;
            }
        }
        Conn::Sqlite(_) => {
            sort_in_files(conn, true)?;
            keep_pages(conn, CACHE_OF_SORTS)?;
        }
    }
    let done = work(conn);
    sort_in_files(conn, false)?;
    keep_pages(conn, CACHE)?;
    done
}
