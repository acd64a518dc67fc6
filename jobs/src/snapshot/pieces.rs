//! The rows of the snapshot in pieces, so that a refresh costs what changed and not what there is.
//!
//! A refresh makes new pieces where a complaint is new, gone or changed, and shares the others with the snapshot
//! before. Where only values changed, it copies only the columns that hold them.

use super::columns::{Columns, EPISODE};
use super::reference::Reference;
use chrono::NaiveDate;
use polars::prelude::{ChunkAgg, Column, DataFrame, IdxCa, IdxSize, PolarsResult, UInt64Chunked};
use schema::Id;
use std::sync::Arc;
use uuid::Uuid;

/// Most rows of a piece. Smaller ones are copied sooner, and larger ones are fewer: a question does a little work for
/// each, and so does a refresh.
pub(super) const ROWS: usize = 1 << 15;

/// Rows of a block: a scan looks at all of one or at none.
pub(super) const BLOCK: usize = 1_024;

/// The earliest and the latest time of receipt of some rows, microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone {
    pub first: i64,
    pub last: i64,
}

impl Zone {
    fn of(received: &[i64]) -> Self {
        let empty = Self { first: i64::MAX, last: i64::MIN };
        received.iter().fold(empty, |zone, at| Self { first: zone.first.min(*at), last: zone.last.max(*at) })
    }
}

/// The two halves of an id, which sort like ids.
pub(super) type IdHalves = (u64, u64);

/// Consecutive rows of [`Snapshot::facts`](super::Snapshot::facts), at least one.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Each column is one chunk.
    rows: DataFrame,
    first: IdHalves,
    first_day: i32,
    last_day: i32,
    last_episode: u32,
    /// The range of received times of each block.
    zones: Vec<Zone>,
}

impl Piece {
    fn of(mut rows: DataFrame) -> PolarsResult<Self> {
        rows.rechunk_mut();
        let (high, low) = (rows.column("id_high")?.u64()?, rows.column("id_low")?.u64()?);
        let first = (high.get(0).unwrap_or_default(), low.get(0).unwrap_or_default());
        let day = rows.column("day")?.i32()?;
        let (first_day, last_day) = (day.min().unwrap_or_default(), day.max().unwrap_or_default());
        let last_episode = rows.column(EPISODE)?.u32()?.max().unwrap_or_default();
        let zones = rows.column("received")?.i64()?.cont_slice()?.chunks(BLOCK).map(Zone::of).collect();
        Ok(Self { rows, first, first_day, last_day, last_episode, zones })
    }

    /// The rows, with the columns of [`Snapshot::facts`](super::Snapshot::facts), each of one chunk.
    pub fn rows(&self) -> &DataFrame {
        &self.rows
    }

    /// The earliest day of receipt, days since 1970.
    pub fn first_day(&self) -> i32 {
        self.first_day
    }

    /// The latest day of receipt, days since 1970.
    pub fn last_day(&self) -> i32 {
        self.last_day
    }

    /// The ids of the first and the last row.
    ///
    /// # Errors
    /// If a column is missing.
    pub(crate) fn span(&self) -> PolarsResult<(Id, Id)> {
        let (high, low) = (self.rows.column("id_high")?.u64()?, self.rows.column("id_low")?.u64()?);
        let last = self.rows.height().saturating_sub(1);
        let of = |high: u64, low: u64| Id(Uuid::from_u64_pair(high, low));
        let last = of(high.get(last).unwrap_or(u64::MAX), low.get(last).unwrap_or(u64::MAX));
        Ok((of(self.first.0, self.first.1), last))
    }

    /// The row of a complaint; None if it is not in this piece.
    ///
    /// # Errors
    /// If a column is missing.
    pub(crate) fn row(&self, complaint: Id) -> PolarsResult<Option<usize>> {
        let (row, is_there) = self.place(0, complaint.0.as_u64_pair())?;
        Ok(is_there.then_some(row))
    }

    /// The times of receipt of each block of rows.
    pub(super) fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The times of receipt of all rows.
    pub(super) fn zone(&self) -> Zone {
        let join = |all: Zone, zone: &Zone| Zone { first: all.first.min(zone.first), last: all.last.max(zone.last) };
        self.zones.iter().fold(Zone::of(&[]), join)
    }

    /// The greatest number of an episode.
    pub(super) fn last_episode(&self) -> u32 {
        self.last_episode
    }

    /// The same rows with another column in the place of one of the same name.
    ///
    /// # Errors
    /// If the column has another length.
    pub(super) fn with(&self, column: Column) -> PolarsResult<Self> {
        let mut rows = self.rows.clone();
        rows.with_column(column)?;
        Self::of(rows)
    }

    /// The first row from `from` on whose id is `id` or a greater one, and whether it is `id`.
    fn place(&self, from: usize, id: IdHalves) -> PolarsResult<(usize, bool)> {
        let (high, low) = (self.rows.column("id_high")?.u64()?.cont_slice()?, self.rows.column("id_low")?.u64()?);
        let low = low.cont_slice()?;
        let start = from + high[from..].partition_point(|half| *half < id.0);
        let same = high[start..].partition_point(|half| *half == id.0);
        let place = start + low[start..start + same].partition_point(|half| *half < id.1);
        Ok((place, high.get(place) == Some(&id.0) && low.get(place) == Some(&id.1)))
    }

    /// The pieces that replace this one, with at most `most` rows each. `changed` has the ids of the complaints that
    /// changed, `fresh` and `fresh_ids` have the rows and ids of those that still exist; all are in order. None if it
    /// has none of them, as where all are linked to others.
    fn changed(
        &self,
        changed: &[IdHalves],
        fresh: &DataFrame,
        fresh_ids: &[IdHalves],
        most: usize,
    ) -> PolarsResult<Option<Vec<Self>>> {
        let height = self.rows.height();
        // The rows that come out: indices into the own rows, followed by the fresh ones.
        let mut rows: Vec<IdxSize> = Vec::with_capacity(height + fresh.height());
        let mut replaced: Vec<IdxSize> = Vec::with_capacity(changed.len());
        let (mut at, mut taken) = (0, 0);
        for id in changed {
            let (place, is_own) = self.place(at, *id)?;
            rows.extend(at as IdxSize..place as IdxSize);
            at = place;
            if is_own {
                replaced.push(place as IdxSize);
                at += 1;
            }
            if fresh_ids.get(taken) == Some(id) {
                rows.push((height + taken) as IdxSize);
                taken += 1;
            }
        }
        rows.extend(at as IdxSize..height as IdxSize);
        if replaced.is_empty() && taken == 0 {
            return Ok(None);
        }
        if rows.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let size = rows.len().div_ceil(rows.len().div_ceil(most));
        let parts: Vec<IdxCa> = rows.chunks(size).map(|part| IdxCa::from_vec("row".into(), part.to_vec())).collect();
        let has_same_rows = parts.len() == 1 && replaced.len() == changed.len() && taken == changed.len();
        let replaced = IdxCa::from_vec("row".into(), replaced);
        let mut columns: Vec<Vec<Column>> = vec![Vec::with_capacity(fresh.width()); parts.len()];
        for (own, fresh) in self.rows.columns().iter().zip(fresh.columns()) {
            if has_same_rows && own.take(&replaced)?.equals_missing(fresh) {
                columns[0].push(own.clone());
                continue;
            }
            let mut both = own.clone();
            both.append(fresh)?;
            let both = both.rechunk();
            for (columns, rows) in columns.iter_mut().zip(&parts) {
                columns.push(both.take(rows)?);
            }
        }
        let part = |(rows, columns): (&IdxCa, Vec<Column>)| Self::of(DataFrame::new(rows.len(), columns)?);
        parts.iter().zip(columns).map(part).collect::<PolarsResult<Vec<Self>>>().map(Some)
    }
}

/// The pieces of all rows, which are in the order of ids and so of the days of receipt that the ids are made of.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    pub list: Vec<Arc<Piece>>,
    /// Most rows of a piece.
    most: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self::new(ROWS)
    }
}

impl Pieces {
    /// No piece yet, and at most `most` rows in each.
    pub fn new(most: usize) -> Self {
        Self { list: Vec::new(), most }
    }

    pub fn most(&self) -> usize {
        self.most
    }

    /// Adds rows after all others, as one piece.
    ///
    /// # Errors
    /// If `rows` lack a column of facts.
    pub fn push(&mut self, rows: DataFrame) -> PolarsResult<()> {
        if rows.height() > 0 {
            self.list.push(Arc::new(Piece::of(rows)?));
        }
        Ok(())
    }

    /// All rows as one frame, whose columns have a chunk for each piece and share its memory.
    ///
    /// # Errors
    /// If the pieces differ in their columns.
    pub fn facts(&self) -> PolarsResult<DataFrame> {
        let mut pieces = self.list.iter();
        let Some(first) = pieces.next() else {
            return Columns::new(0, NaiveDate::default(), &Reference::default()).into_frame();
        };
        let mut facts = first.rows.clone();
        for piece in pieces {
            facts.vstack_mut(&piece.rows)?;
        }
        Ok(facts)
    }

    /// The piece and the row of a complaint.
    ///
    /// # Errors
    /// If a piece lacks its columns of ids.
    pub fn find(&self, id: IdHalves) -> PolarsResult<Option<(&Piece, usize)>> {
        let after = self.list.partition_point(|piece| piece.first <= id);
        let Some(piece) = after.checked_sub(1).and_then(|at| self.list.get(at)) else { return Ok(None) };
        let (row, is_there) = piece.place(0, id)?;
        Ok(is_there.then_some((&**piece, row)))
    }

    /// The pieces after some complaints changed: `changed` has their ids and `fresh` the rows of those that still
    /// exist, both in order. Pieces without any of them are shared.
    ///
    /// # Errors
    /// If `fresh` lacks a column of facts.
    pub fn changed(&self, changed: &[IdHalves], fresh: &DataFrame) -> PolarsResult<Self> {
        let fresh_ids = ids(fresh)?;
        let mut next = Self::new(self.most);
        if self.list.is_empty() {
            let height = fresh.height();
            for from in (0..height).step_by(self.most) {
                next.push(fresh.slice(from as i64, self.most.min(height - from)))?;
            }
            return Ok(next);
        }
        let (mut changed, mut from) = (changed, 0);
        for (at, piece) in self.list.iter().enumerate() {
            // New ids before those of the first piece belong to that one.
            let end = self.list.get(at + 1).map(|next| next.first);
            let (own, later) =
                changed.split_at(end.map_or(changed.len(), |end| changed.partition_point(|id| *id < end)));
            let of_piece = &fresh_ids[from..];
            let of_piece = &of_piece[..end.map_or(of_piece.len(), |end| of_piece.partition_point(|id| *id < end))];
            if own.is_empty() {
                next.list.push(Arc::clone(piece));
            } else {
                let fresh = fresh.slice(from as i64, of_piece.len());
                match piece.changed(own, &fresh, of_piece, self.most)? {
                    Some(pieces) => next.list.extend(pieces.into_iter().map(Arc::new)),
                    None => next.list.push(Arc::clone(piece)),
                }
            }
            (changed, from) = (later, from + of_piece.len());
        }
        next.joined()
    }

    /// Joins neighbours that have half the rows of a piece together, so that complaints that go leave no crumbs.
    fn joined(mut self) -> PolarsResult<Self> {
        let pieces = std::mem::take(&mut self.list);
        for piece in pieces {
            match self.list.last_mut() {
                Some(last) if last.rows.height() + piece.rows.height() <= self.most / 2 => {
                    *last = Arc::new(Piece::of(last.rows.vstack(&piece.rows)?)?);
                }
                _ => self.list.push(piece),
            }
        }
        Ok(self)
    }
}

/// The ids of rows.
///
/// # Errors
/// If a column is missing or has another type.
pub(super) fn ids(rows: &DataFrame) -> PolarsResult<Vec<IdHalves>> {
    let (high, low) = (rows.column("id_high")?.u64()?, rows.column("id_low")?.u64()?);
    let values = |half: &UInt64Chunked| half.iter().map(Option::unwrap_or_default).collect::<Vec<u64>>();
    Ok(values(high).into_iter().zip(values(low)).collect())
}

/// A column with the chunks of a frame: polars evaluates a condition chunk by chunk, and copies columns that differ in
/// their chunks before it does.
///
/// # Errors
/// If parts of the column cannot be joined.
pub(crate) fn in_chunks_of(facts: &DataFrame, column: &Column) -> PolarsResult<Column> {
    let Some(like) = facts.columns().first() else { return Ok(column.clone()) };
    let mut lengths = like.as_materialized_series().chunk_lengths();
    let first = lengths.next().unwrap_or_default();
    let (mut chunks, mut from) = (column.slice(0, first), first);
    for length in lengths {
        chunks.append(&column.slice(from as i64, length))?;
        from += length;
    }
    Ok(chunks)
}
