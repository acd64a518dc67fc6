//! Write transactions: each collects events while it works, takes its position last, stamps the events with it and
//! commits.

use super::storage::Place;
use super::{Conn, Db, StoreError, dialect, search_index};
use crate::domain::legal_clock::Clock;
use crate::events::{
    ComplaintEvent, Prepared, PreparedReference, ReferenceEvent, Stamp, store_complaint_events, store_reference_events,
};
use crate::sql_types::Timestamp;
use crate::states::{self, StateTable};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The result of a write transaction.
#[derive(Debug, Clone)]
pub struct Committed<T> {
    pub value: T,
    /// None if no event was stored.
    pub position: Option<i64>,
}

/// A write transaction in progress.
pub struct WriteTx<'a> {
    pub conn: &'a mut Conn,
    /// The time of the whole transaction, recorded with every row that it writes.
    pub now: Timestamp,
    /// The writer: `token:NAME`, `import:SOURCE`, `receipt`, `cli` or `migration`.
    pub actor: &'a str,
    complaint_events: Vec<Prepared>,
    reference_events: Vec<PreparedReference>,
    /// Taken with the first events that are stored.
    position: Option<i64>,
    /// The number of events stored so far: (complaints, reference data).
    stored: (i32, i32),
    /// Rows of tables without events that this transaction wrote.
    kept: BTreeSet<(StateTable, String)>,
    /// The legal clock by which this transaction counts, once it was needed; None again when a deadline changed.
    pub(crate) clock: Option<Arc<Clock>>,
}

impl<'a> WriteTx<'a> {
    /// A transaction on a connection that has begun one.
    fn new(conn: &'a mut Conn, actor: &'a str) -> Self {
        Self {
            conn,
            now: Timestamp::now(),
            actor,
            complaint_events: Vec::new(),
            reference_events: Vec::new(),
            position: None,
            stored: (0, 0),
            kept: BTreeSet::new(),
            clock: None,
        }
    }

    /// Does work of a migration, within its transaction, and stores the events.
    ///
    /// # Errors
    /// The error of `work`, or if the events cannot be written.
    pub(super) fn within_migration(
        conn: &'a mut Conn,
        actor: &'a str,
        work: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut tx = Self::new(conn, actor);
        work(&mut tx)?;
        tx.finish().map(|_| ())
    }

    pub fn record(&mut self, event: ComplaintEvent) {
        self.complaint_events.push(event.prepare());
    }

    /// Records events that were prepared outside the transaction.
    pub fn record_prepared(&mut self, events: impl IntoIterator<Item = Prepared>) {
        self.complaint_events.extend(events);
    }

    pub fn record_reference(&mut self, event: ReferenceEvent) {
        self.reference_events.push(event.prepare());
    }

    /// Records events of reference data that were prepared outside the transaction.
    pub fn record_prepared_reference(&mut self, events: impl IntoIterator<Item = PreparedReference>) {
        self.reference_events.extend(events);
    }

    /// Notes that this transaction inserted, changed or deleted a row of a table without events. The state in which
    /// the transaction leaves the row is hashed into the chain of states just before the commit.
    pub fn record_state(&mut self, table: StateTable, key: &(impl ToString + ?Sized)) {
        self.kept.insert((table, key.to_string()));
    }

    /// Stamps and stores the events collected so far.
    ///
    /// Only for transactions whose events would not fit into memory: from here to the commit they hold the register's
    /// position, and every other writer waits.
    ///
    /// # Errors
    /// If the position is not granted in time, or the events cannot be written.
    pub fn store_events(&mut self) -> Result<(), StoreError> {
        if self.complaint_events.is_empty() && self.reference_events.is_empty() {
            return Ok(());
        }
        let position = match self.position {
            Some(position) => position,
            None => *self.position.insert(dialect::take_position(self.conn)?),
        };
        let complaint_events = std::mem::take(&mut self.complaint_events);
        let reference_events = std::mem::take(&mut self.reference_events);
        let stamp = Stamp { position, recorded_at: self.now, actor: self.actor };
        self.stored.0 = store_complaint_events(self.conn, stamp, self.stored.0, complaint_events)?;
        self.stored.1 = store_reference_events(self.conn, stamp, self.stored.1, reference_events)?;
        Ok(())
    }

    fn finish(&mut self) -> Result<Option<i64>, StoreError> {
        self.store_events()?;
        search_index::update(self.conn)?;
        // After the register's position: all transactions lock the positions in the same order, to avoid deadlocks.
        states::store(self.conn, self.now, self.actor, std::mem::take(&mut self.kept))?;
        Ok(self.position)
    }
}

impl Db {
    /// Runs a write transaction: commits if `work` succeeds, otherwise rolls back.
    ///
    /// # Errors
    /// The error of `work`; `Pool` if no connection becomes free in time; `Newer` if a newer version migrated the
    /// database; `Gone` if its file was deleted or replaced; else if the commit fails.
    pub fn write<T>(
        &self,
        actor: &str,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<Committed<T>, StoreError> {
        self.write_unless(false, actor, work)
    }

    /// Like [`Db::write`], but always rolls back if `dry_run` is set.
    ///
    /// # Errors
    /// Same errors as [`Db::write`].
    pub fn write_unless<T>(
        &self,
        dry_run: bool,
        actor: &str,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<Committed<T>, StoreError> {
        with_value(work, |work| self.write_erased(dry_run, actor, work))
    }

    fn write_erased(&self, dry_run: bool, actor: &str, work: Work<'_>) -> Result<Option<i64>, StoreError> {
        let outcome = write_over(&mut *self.connection()?, dry_run, actor, work);
        self.writes().note(&outcome);
        let position = outcome?;
        // A write to a file that was deleted or replaced is lost.
        self.writes().place.iter().try_for_each(Place::check)?;
        Ok(position)
    }

    /// Like [`Db::write`], for the one transaction that fills an empty register with rows that the program has made
    /// itself.
    ///
    /// SQLite checks no foreign keys. If no other connection is open, it writes rows into the file at once: from the
    /// write-ahead log it would copy all of them when the transaction ends. A process that is killed leaves a journal, by
    /// which the next one restores the empty register. Others cannot read meanwhile.
    ///
    /// # Errors
    /// Same errors as [`Db::write`].
    pub(crate) fn write_filling<T>(
        &self,
        actor: &str,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<Committed<T>, StoreError> {
        with_value(work, |work| {
            let outcome = {
                let mut pooled = self.connection()?;
                let conn: &mut Conn = &mut pooled;
                dialect::begin_filling(conn)?;
                let outcome = write_over(conn, false, actor, work);
                dialect::end_filling(conn)?;
                outcome
            };
            self.writes().note(&outcome);
            outcome
        })
    }

    /// Rewrites the index of searches if trigrams were removed from it. Until then parts of it may still hold them,
    /// because FTS5 only adds that they no longer count; to remove them from each part at once takes the longer the
    /// more texts there are.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn clean_search_index(&self) -> Result<(), StoreError> {
        let mut pooled = self.connection()?;
        let conn: &mut Conn = &mut pooled;
        // A process with nothing to clean does not wait for the write lock.
        if search_index::is_clean(conn)? {
            return Ok(());
        }
        dialect::in_write_transaction(conn, |conn| {
            conn.refuse_newer()?;
            search_index::clean(conn)
        })
    }
}

/// The work of a write transaction, whose value [`with_value`] keeps. What surrounds the work is compiled for this type
/// alone, and not again for each of the many writes.
type Work<'w> = &'w mut dyn FnMut(&mut WriteTx<'_>) -> Result<(), StoreError>;

/// The value of `work`, which `write` runs in a transaction that it commits.
fn with_value<T>(
    work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>,
    write: impl FnOnce(Work<'_>) -> Result<Option<i64>, StoreError>,
) -> Result<Committed<T>, StoreError> {
    let (mut work, mut value) = (Some(work), None);
    let position = write(&mut |tx: &mut WriteTx<'_>| {
        if let Some(work) = work.take() {
            value = Some(work(tx)?);
        }
        Ok(())
    })?;
    Ok(Committed { value: value.expect("a transaction that succeeds has run its work"), position })
}

/// Runs work in a transaction. Returns the position that it took, if it stored events.
fn write_over(conn: &mut Conn, dry_run: bool, actor: &str, work: Work<'_>) -> Result<Option<i64>, StoreError> {
    dialect::begin_write(conn)?;
    // A newer version may have migrated the database while this server runs.
    if let Err(error) = conn.refuse_newer() {
        dialect::rollback(conn)?;
        return Err(error);
    }
    let mut tx = WriteTx::new(conn, actor);
    let outcome = work(&mut tx).and_then(|()| {
        let position = tx.finish()?;
        dialect::tell_of_commit(tx.conn)?;
        Ok(position)
    });
    let conn = tx.conn;
    match outcome {
        Ok(position) if !dry_run => {
            if let Err(error) = dialect::commit(conn) {
                // A commit that failed (a full disk) leaves SQLite in its transaction.
                let _already_broken = dialect::rollback(conn);
                return Err(error);
            }
            Ok(position)
        }
        other => {
            let undone = dialect::rollback(conn);
            let position = other?;
            undone.map(|()| position)
        }
    }
}
