//! The columnar snapshot: all complaints as polars columns in memory, for aggregates.
//!
//! A node loads it at start, from a file if there is one that fits ([`SnapshotFile`]), refreshes it from the events
//! after its position, and publishes each new one atomically. A reader keeps one consistent snapshot.

mod columns;
mod comparison;
mod episodes;
mod file;
mod full_reading;
mod load;
mod parts;
mod past;
mod people;
mod pieces;
mod places;
mod reference;
mod rounds;
mod scan;
mod shared;

#[cfg(test)]
pub(crate) use columns::word;
pub use columns::{IndexColumn, any_named, attribution, meaning};
pub use file::{AT_THE_END, SnapshotFile, WHILE_SERVING};
pub use parts::Parts;
pub use past::Earlier;
pub use people::{Enterprises, Officers};
pub use pieces::Piece;
pub(crate) use pieces::in_chunks_of;
pub use places::{IndexList, Places};
pub use reference::Reference;
pub use rounds::{Handling, Handlings};
pub use scan::{ColumnCondition, Comparison, Listed, Nullable, Overdue, Reading};

use crate::JobError;
use arc_swap::ArcSwap;
use chrono::NaiveDate;
use columns::EPISODE;
use full_reading::load_all;
use load::{Transaction, kept_since, refreshed, transaction_at};
use pieces::Pieces;
use polars::prelude::{Column, DataFrame};
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::register::rules_hash;
use schema::{Db, Id, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// The register at one position. `facts` has one row for each complaint that counts, in the order of ids, and its
/// columns have a chunk for each of [`Snapshot::pieces()`]. The complaints that are linked to others as saying the same
/// do not count, because these others do; their rows are in `duplicates`.
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | `id_high`, `id_low` | u64 | the two halves of the id |
/// | `version` | i32 | of the complaint |
/// | `received` | i64 | time of receipt, microseconds since 1970 |
/// | `day` | i32 | local date of receipt, days since 1970 |
/// | those of [`IndexColumn`] | u8?, u16? or u32? | indices into lists, see [`Places`] |
/// | `cost` | i64? | VND |
/// | `delay` | f64? | hours |
/// | `blames`, `confidential` | bool | |
/// | `named` | list of u32 | officers with findings and attributions, see [`meaning`] and [`attribution`]; never empty |
/// | `due` | i32? | last day to answer in the present round, days since 1970; null without a deadline |
/// | `answered` | i32? | day of the first response in the present round, else of the state ANSWERED or CLOSED |
/// | `ended` | i32? | day closed, withdrawn or rejected |
/// | `escalated` | i32? | day of the first escalation |
/// | `rounds` | list of i32? | the rounds of the legal clock, see [`Handlings`]; null for one round without any stop |
/// | `episode` | u32 | the same number for complaints of one episode, see [`Snapshot::episodes()`] |
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub facts: DataFrame,
    pub reference: Arc<Reference>,
    pub position: i64,
    pub as_of: Timestamp,
    /// Whether the register holds demonstration data.
    pub demonstration: bool,
    pub enterprises: Arc<Enterprises>,
    pub officers: Arc<Officers>,
    /// Another number after each change of a unit, category, officer or enterprise that an earlier snapshot held.
    /// Whatever is derived from their names stays true while the number is the same.
    pub names_version: u64,
    /// Another number for each snapshot of this process that has other rows, or other units, categories, officers or
    /// enterprises behind them. Whatever is computed from these and a day stays true while the number is the same.
    pub contents_version: u64,
    /// The transaction that made `position`, read at the same moment as everything else.
    transaction: Option<Transaction>,
    /// The number of the full reading of the register from which it stems; 0 if it stems from a file.
    reading: u64,
    /// The parts of the register that were read; columns of others are null.
    parts: Parts,
    /// The complaints whose finding counts from a later day than that of `as_of`, and that day.
    later: Arc<Vec<(NaiveDate, Id)>>,
    /// The rows of `facts`; none if a question chose these or changed their columns.
    pieces: Arc<Pieces>,
    /// The rows of complaints that are linked to another one: pages of lists have them, statistics do not.
    duplicates: Arc<Pieces>,
    /// Computed on first use where `facts` has none.
    episodes: Arc<OnceLock<Column>>,
}

impl Snapshot {
    /// Whether it holds some parts of the register. Without a part, columns are null and lists are empty.
    pub fn has(&self, parts: Parts) -> bool {
        self.parts.has(parts)
    }

    /// The rows of `facts` in pieces, which are in the order of ids, as the rows are. An id begins with the day of
    /// receipt that the complaint had when it was stored, so that the days of pieces ascend, too, and overlap by few.
    /// Empty for a snapshot that was made of another one.
    pub fn pieces(&self) -> &[Arc<Piece>] {
        &self.pieces.list
    }

    /// The piece of a complaint that counts, and its row there.
    ///
    /// # Errors
    /// If a column is missing.
    pub(crate) fn find(&self, complaint: Id) -> Result<Option<(&Piece, usize)>, JobError> {
        Ok(self.pieces.find(complaint.0.as_u64_pair())?)
    }

    /// The snapshot restricted to the rows of `facts` that satisfy `chosen`.
    ///
    /// # Errors
    /// When polars cannot evaluate the condition.
    pub fn of(&self, chosen: polars::prelude::Expr) -> Result<Self, JobError> {
        use polars::prelude::IntoLazy;
        let facts = self.facts.drop_many([EPISODE]).lazy().filter(chosen).collect()?;
        let (pieces, duplicates) = Default::default();
        let contents_version = next_contents_version();
        Ok(Self { facts, pieces, duplicates, contents_version, episodes: Arc::default(), ..self.clone() })
    }

    /// A copy with other columns for the same complaints in the same order, and another position.
    pub(crate) fn with(&self, facts: &DataFrame, position: i64) -> Self {
        let facts = facts.drop_many([EPISODE]);
        let (pieces, duplicates) = Default::default();
        let contents_version = next_contents_version();
        Self { facts, position, pieces, duplicates, contents_version, episodes: Arc::default(), ..self.clone() }
    }
}

/// A number that the contents of no snapshot of this process have had.
fn next_contents_version() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Holds the current snapshot and replaces it with newer ones.
pub struct SnapshotStore {
    current: ArcSwap<Snapshot>,
    refreshing: Mutex<()>,
    full_readings: AtomicU64,
    /// The file from which missing parts come, if it fits.
    file: Option<SnapshotFile>,
}

impl SnapshotStore {
    /// Loads the first snapshot.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(db: &Db) -> Result<Self, JobError> {
        Self::load_by(db, Timestamp::now)
    }

    /// Like [`Self::load`], with a given clock.
    fn load_by(db: &Db, clock: impl Fn() -> Timestamp) -> Result<Self, JobError> {
        Self::load_in(db, clock, pieces::ROWS)
    }

    /// Like [`Self::load_by`], with at most `most` rows in each piece.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn load_in(db: &Db, clock: impl Fn() -> Timestamp, most: usize) -> Result<Self, JobError> {
        Ok(Self::of(db.read_snapshot(|conn| load_all(conn, clock(), most, Parts::ALL))?, 1))
    }

    /// Begins with units and categories: [`Self::provide`] adds what a question needs. `file` may hold it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn begin(db: &Db, file: Option<SnapshotFile>) -> Result<Self, JobError> {
        let begun = db.read_snapshot(|conn| load_all(conn, Timestamp::now(), pieces::ROWS, Parts::NONE))?;
        Ok(Self { file, ..Self::of(begun, 0) })
    }

    /// Replaces the current snapshot with one that holds some further parts, unless it holds them.
    ///
    /// # Errors
    /// When the database fails, or the operation is cancelled; the current snapshot then stays.
    pub fn provide(&self, db: &Db, parts: Parts) -> Result<(), JobError> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = self.current();
        if before.has(parts) {
            return Ok(());
        }
        let next = match self.file.as_ref().and_then(|file| file.load(db, &Timestamp::now)) {
            Some(kept) => kept,
            None => {
                let parts = before.parts.and(parts);
                let next = db.read_snapshot(|conn| load_all(conn, Timestamp::now(), before.pieces.most(), parts))?;
                self.full_readings.fetch_add(u64::from(parts.has(Parts::ALL)), Ordering::Relaxed);
                next
            }
        };
        self.current.store(Arc::new(next));
        Ok(())
    }

    /// Loads the first snapshot from a file and from the events after its position; from the database alone if there is
    /// no file, or one that does not fit the register.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_kept(db: &Db, file: Option<&SnapshotFile>) -> Result<Self, JobError> {
        match file.and_then(|file| file.load(db, &Timestamp::now)) {
            Some(kept) => Ok(Self::of(kept, 0)),
            None => Self::load(db),
        }
    }

    fn of(snapshot: Snapshot, full_readings: u64) -> Self {
        let full_readings = AtomicU64::new(full_readings);
        Self { current: ArcSwap::from_pointee(snapshot), refreshing: Mutex::new(()), full_readings, file: None }
    }

    /// Number of times that the first load and refreshes read the whole register. A refresh does it when columns depend
    /// on something that changed and is not a complaint.
    pub fn full_readings(&self) -> u64 {
        self.full_readings.load(Ordering::Relaxed)
    }

    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Replaces the current snapshot, unless it is newer than `fresh`.
    pub fn replace(&self, fresh: &Arc<Snapshot>) {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.current().position <= fresh.position {
            self.current.store(Arc::clone(fresh));
        }
    }

    /// Brings the current snapshot up to the latest commit and the present day. Readers keep the one they hold.
    ///
    /// # Errors
    /// When the database fails; the current snapshot then stays.
    pub fn refresh(&self, db: &Db) -> Result<(), JobError> {
        self.refresh_by(db, Timestamp::now)
    }

    /// Like [`Self::refresh`], with a clock that is read after the transaction has begun, so that the snapshot holds
    /// nothing younger than its `as_of`.
    fn refresh_by(&self, db: &Db, clock: impl Fn() -> Timestamp) -> Result<(), JobError> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = self.current();
        let next = db.read_snapshot(|conn| {
            let position = current_position(conn)?;
            let now = clock();
            let today = local_date(now);
            // A database that went back, such as a standby that lagged, may hold other rows of the same versions; and it may
            // have been written on since, up to the same position or beyond.
            let is_other = position < before.position
                || transaction_at(conn, before.position)? != before.transaction
                // The clock was ahead: findings count that are of days to come.
                || today < local_date(before.as_of)
                // Other rules have changed deadlines, which are in no event.
                || rules_hash(conn)? != before.reference.clock;
            if !is_other && position == before.position && before.later.iter().all(|(day, _)| *day > today) {
                return Ok(None);
            }
            // A refresh reads all columns of what changed.
            let is_kept = !is_other && before.has(Parts::ALL);
            let kept = if is_kept { kept_since(conn, &before)? } else { None };
            match kept {
                // Indices may have changed: load everything again.
                None => load_all(conn, now, before.pieces.most(), before.parts).map(Some),
                Some(kept) => refreshed(conn, &before, kept, position, now).map(Some),
            }
        })?;
        if let Some(next) = next {
            if next.reading != before.reading {
                self.full_readings.fetch_add(1, Ordering::Relaxed);
            }
            self.current.store(Arc::new(next));
        } else {
            let mut same = (*before).clone();
            same.as_of = clock();
            self.current.store(Arc::new(same));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
