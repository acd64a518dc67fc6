//! Indexes that an import into an empty register makes at its end.
//!
//! Each complaint is in a dozen indexes, in a place of its own in each. With a million complaints they do not fit into
//! memory, and to keep them up to date takes more than half of an import's time. An import that finds no complaints
//! therefore drops them when it has stored its first batch, and makes them at the end ([`super::indexes`]). Indexes that
//! make rows unique stay, and so does the one by which a server that runs at the same time reads events.
//!
//! The table `deferred_indexes` holds what is to be made, so that a register whose import was killed gets it from the
//! next command: an index and its row there change in one transaction. Until then every query answers the same, only
//! more slowly. PostgreSQL's foreign keys are deferred in the same way; meanwhile the program's own checks hold, because
//! it refers to rows that it has read or stored in the same transaction, and deletes none of them. A generated register
//! gets its primary keys on PostgreSQL in the same way.
//!
//! A foreign key is made in two steps: first for new rows, which takes a moment, and then it is checked for all others,
//! which keeps neither writers nor the indexes of the other table waiting.

mod order;

use super::indexes::{Droppable, Keys, indexes_of, keys_of, sorting};
use super::{Backend, Conn, Db, ImportLock, StoreError, dialect};
use crate::each;
use crate::sql_types::Id;
use crate::tables::{complaints, deferred_indexes};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use order::Queue;
use std::panic::resume_unwind;
use std::time::Duration;

/// The migration that made the table.
const MIGRATION: &str = "20261204000049";

/// The tables that an import of complaints fills.
const FILLED: [&str; 7] = [
    "complaints",
    "complaint_sources",
    "complaint_officers",
    "complaint_matters",
    "complaint_clocks",
    "complaint_events",
    "complaint_event_values",
];

/// Seals and snapshots read events in the order of their positions, in which an import stores them.
const KEPT: &str = "complaint_events_by_position";

impl Db {
    /// Begins an import that may defer indexes: until the lock is dropped, no other process makes those that it
    /// deferred. Waits while another process makes them. None if the file system has no locks.
    ///
    /// # Errors
    /// If the database cannot be asked for the lock.
    pub fn begin_import(&self) -> Result<Option<ImportLock>, StoreError> {
        ImportLock::shared(self)
    }

    /// Makes the indexes and foreign keys that imports have deferred, unless an import runs. Each is a transaction: other
    /// writers wait for one at most, and what was made stays made.
    ///
    /// # Errors
    /// If the disk is full, or a row refers to nothing.
    pub fn make_deferred_indexes(&self) -> Result<(), StoreError> {
        let all = self.with_connection(recorded)?;
        if all.is_empty() {
            return Ok(());
        }
        let Some(_alone) = ImportLock::alone(self)? else { return Ok(()) };
        tracing::info!("making the indexes that were left out");
        let queue = Queue::new(all);
        std::thread::scope(|scope| {
            let helps = self.backend() == Backend::Postgres;
            let other = helps.then(|| scope.spawn(|| self.make_all(&queue)));
            let made = self.make_all(&queue);
            let other = other.map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            made.and(other.unwrap_or(Ok(())))
        })
    }

    /// Makes one after another until there are no more, which another thread may take, too.
    fn make_all(&self, queue: &Queue) -> Result<(), StoreError> {
        self.with_connection(|conn| {
            sorting(conn, queue.has_longest(), |conn| {
                while let Some(taken) = queue.take() {
                    let rest = make_patiently(conn, taken.one())?;
                    taken.made(rest);
                }
                Ok(())
            })
        })
    }

    /// Whether an import may defer indexes: the register holds no complaints.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(crate) fn can_defer_indexes(&self) -> Result<bool, StoreError> {
        self.read(|conn| Ok(complaints::table.select(complaints::id).first::<Id>(conn).optional()?.is_none()))
    }

    /// Drops the indexes and foreign keys of the tables that an import fills, for [`Db::make_deferred_indexes`].
    ///
    /// # Errors
    /// If PostgreSQL does not grant the locks of the tables within two seconds: the import goes on with all indexes.
    pub(crate) fn defer_indexes(&self) -> Result<(), StoreError> {
        self.with_connection(|conn| {
            dialect::in_write_transaction(conn, |conn| {
                if let Conn::Pg(c) = &mut *conn {
                    // Others wait for this as long as this waits for a reader.
                    let tables = FILLED.join(", ");
                    let lock = format!("SET LOCAL lock_timeout = '2s'; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE");
                    c.batch_execute(&lock)?;
                }
                defer(conn, &FILLED, Keys::Foreign, &[KEPT])
            })
        })
    }
}

/// Drops constraints of some tables, and their indexes except those that make rows unique and those that are kept. Within
/// a transaction, after which [`Db::make_deferred_indexes`] makes them.
///
/// PostgreSQL locks the tables of both ends exclusively until the transaction ends: other connections cannot even read
/// them.
///
/// # Errors
/// If a table does not exist, or its lock is not granted in time.
pub(crate) fn defer(conn: &mut Conn, tables: &[&str], keys: Keys, kept: &[&str]) -> Result<(), StoreError> {
    for table in tables {
        let indexes = indexes_of(conn, table)?.into_iter();
        let is_droppable = |one: &Droppable| one.made_by.starts_with(INDEX) && !kept.contains(&one.name.as_str());
        let indexes: Vec<_> = indexes.filter(is_droppable).collect();
        for Droppable { name, dropped_by, made_by } in indexes.into_iter().chain(keys_of(conn, table, keys)?) {
            conn.batch_execute(&dropped_by)?;
            // Made by hand while it was deferred.
            diesel::delete(deferred_indexes::table.find(&name)).execute(conn)?;
            let row = (deferred_indexes::name.eq(&name), deferred_indexes::made_by.eq(&made_by));
            each!(&mut *conn, c => diesel::insert_into(deferred_indexes::table).values(row).execute(c)?);
        }
    }
    Ok(())
}

/// An index or a constraint that is to be made.
#[derive(Debug, Clone, Queryable)]
struct Deferred {
    name: String,
    made_by: String,
}

/// Prefixes of the statements that the program records.
const INDEX: &str = "CREATE INDEX ";
const CONSTRAINT: &str = "ALTER TABLE ";

impl Deferred {
    /// The statement that checks a foreign key which is there for new rows only. None for anything else, and for a
    /// foreign key that is made at once.
    fn checked_by(&self) -> Option<String> {
        let (table, rest) = self.made_by.strip_prefix(CONSTRAINT)?.split_once(" DROP CONSTRAINT IF EXISTS ")?;
        let (name, added) = rest.split_once(", ADD CONSTRAINT ")?;
        added.contains(" FOREIGN KEY ").then(|| format!("{CONSTRAINT}{table} VALIDATE CONSTRAINT {name}"))
    }
}

/// Makes what is deferred before migrations change the tables, also while an import runs. Within a transaction.
///
/// # Errors
/// If the database fails.
pub(super) fn make_before_migrations(conn: &mut Conn, applied: &[String]) -> Result<(), StoreError> {
    if !applied.iter().any(|version| version == MIGRATION) {
        return Ok(());
    }
    let mut all = recorded(conn)?;
    order::sort(&mut all);
    all.iter().try_for_each(|one| make(conn, one))
}

fn recorded(conn: &mut Conn) -> Result<Vec<Deferred>, StoreError> {
    use deferred_indexes::{made_by, name, table};
    Ok(table.order(name).select((name, made_by)).load(conn)?)
}

/// A constraint waits this many times for writers, and for indexes of its tables.
const TRIES: usize = 60;
/// A constraint gives way this many times before PostgreSQL looks for deadlocks, after a second; from then on it waits
/// longer, because after that second PostgreSQL also ends an automatic VACUUM that is in the way.
const YIELDS: usize = 3;

/// Texts by which PostgreSQL reports that a lock was not granted.
const GAVE_WAY: [&str; 2] = ["lock timeout", "deadlock detected"];

/// Makes an index or a constraint in a transaction, and returns what is left of it. A foreign key locks two tables: it
/// gives way to writers, who may hold one of them and want the other.
fn make_patiently(conn: &mut Conn, one: &Deferred) -> Result<Option<Deferred>, StoreError> {
    let mut tries = 1;
    loop {
        let made = dialect::in_write_transaction(conn, |conn| {
            if let Conn::Pg(c) = &mut *conn
                && one.made_by.starts_with(CONSTRAINT)
            {
                let millis = if tries <= YIELDS { 500 } else { 2_500 };
                c.batch_execute(&format!("SET LOCAL lock_timeout = {millis}"))?;
            }
            make_first_step(conn, one)
        });
        match made {
            Err(StoreError::Query(DieselError::DatabaseError(_, info)))
                if tries < TRIES && GAVE_WAY.iter().any(|words| info.message().contains(words)) =>
            {
                tries += 1;
                std::thread::sleep(Duration::from_millis(100));
            }
            made => return made,
        }
    }
}

/// Makes a foreign key for new rows, and anything else as a whole. Returns what is left of it, which is recorded.
fn make_first_step(conn: &mut Conn, one: &Deferred) -> Result<Option<Deferred>, StoreError> {
    let Some(checked_by) = one.checked_by() else { return make(conn, one).map(|()| None) };
    let row = deferred_indexes::table.find(&one.name);
    let changed = diesel::update(row).set(deferred_indexes::made_by.eq(&checked_by)).execute(conn)?;
    // Another process may have made it.
    if changed == 0 {
        return Ok(None);
    }
    let statement = format!("{} NOT VALID", one.made_by);
    each!(conn, c => diesel::sql_query(statement).execute(c)?);
    Ok(Some(Deferred { name: one.name.clone(), made_by: checked_by }))
}

fn make(conn: &mut Conn, one: &Deferred) -> Result<(), StoreError> {
    let Deferred { name, made_by } = one;
    // Another process may have made it.
    if diesel::delete(deferred_indexes::table.find(name)).execute(conn)? == 0 {
        return Ok(());
    }
    // A person may have made it by hand, and a file from elsewhere may hold other statements.
    let statement = match made_by.strip_prefix(INDEX) {
        Some(rest) => format!("{INDEX}IF NOT EXISTS {rest}"),
        None if made_by.starts_with(CONSTRAINT) => made_by.clone(),
        None => return Err(StoreError::Rule(format!("deferred_indexes, {name}: this makes no index: {made_by}"))),
    };
    // One statement at most.
    each!(conn, c => diesel::sql_query(statement).execute(c)?);
    Ok(())
}
