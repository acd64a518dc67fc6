//! Pages of the list of complaints, and its count, from the columns of the snapshot.
//!
//! A page is found without a sorted index: ids begin with the day of receipt, so that each block of rows is of a few
//! days. Blocks are scanned in the order of the latest (or earliest) time of receipt in them, until no other block
//! can have a row of the page. A complaint whose day was corrected widens the times of one block and costs one more
//! scan of it.

mod condition;
mod overdue;
#[cfg(test)]
mod tests;

pub use condition::{ColumnCondition, Comparison, Nullable};
pub use overdue::Overdue;

use super::Snapshot;
use super::pieces::{BLOCK, Piece, Zone};
use crate::JobError;
use condition::{Mask, NONE, bits};
use overdue::Clocks;
use polars::prelude::PolarsResult;
use schema::{Id, Timestamp};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

/// The part of a list of complaints to read; the list is in the order of (time of receipt, id), or of another number in
/// place of the time.
#[derive(Debug, Clone)]
pub struct Reading<T = Timestamp> {
    /// Whether to read upwards, from the earliest; downwards otherwise.
    pub upwards: bool,
    /// Lower bound: the page has only rows beyond this one, in the direction of reading.
    pub after: Option<(T, Id)>,
    /// Upper bound: the page has only rows before this one, in the direction of reading.
    pub before: Option<(T, Id)>,
    /// Rows to read at most.
    pub limit: usize,
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self { upwards: false, after: None, before: None, limit: 0 }
    }
}

/// A complaint of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    pub id: Id,
    pub version: i32,
    pub received_at: Timestamp,
}

/// The place of a row in the list, so that reading goes from the greatest to the least in either direction: the time or
/// number and the halves of the id, each with all bits inverted if the direction is upwards.
type Key = (i64, u64, u64);

/// The sort key before the id in the order of a list.
pub trait Place: Copy {
    fn number(self) -> i64;
}

/// The time in microseconds since 1970.
impl Place for Timestamp {
    fn number(self) -> i64 {
        self.micros()
    }
}

/// A day since 1970.
impl Place for i32 {
    fn number(self) -> i64 {
        self.into()
    }
}

impl<T: Place> Reading<T> {
    fn key(&self, (received, high, low): Key) -> Key {
        if self.upwards { (!received, !high, !low) } else { (received, high, low) }
    }

    fn bound(&self, of: Option<(T, Id)>) -> Option<Key> {
        let (at, id) = of?;
        let (high, low) = id.0.as_u64_pair();
        Some(self.key((at.number(), high, low)))
    }
}

/// Open pieces and blocks by the greatest time that a wanted row in them may have: piece, and the block in it.
type Open = BinaryHeap<(i64, usize, Option<usize>)>;

impl Snapshot {
    /// The first rows of the list that meet a condition, in the direction of reading, and whether there are more. None
    /// if that takes a scan of more than `most` rows, or the snapshot was made of another one.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub fn first_rows(
        &self,
        condition: &ColumnCondition,
        reading: &Reading,
        most: usize,
    ) -> Result<Option<(Vec<Listed>, bool)>, JobError> {
        let Some(pieces) = self.listed_pieces() else { return Ok(None) };
        let (after, before) = (reading.bound(reading.after), reading.bound(reading.before));
        // The greatest time that a wanted row may have; None if there is none between the bounds.
        let reach = |zone: Zone| {
            let (least, greatest) = if reading.upwards { (!zone.last, !zone.first) } else { (zone.first, zone.last) };
            let greatest = after.map_or(greatest, |(at, ..)| greatest.min(at));
            (greatest >= least && before.is_none_or(|(at, ..)| greatest >= at)).then_some(greatest)
        };
        let whole = |(nth, piece): (usize, &&Arc<Piece>)| Some((reach(piece.zone())?, nth, None));
        let mut open: Open = pieces.iter().enumerate().filter_map(whole).collect();
        let wanted = reading.limit.saturating_add(1);
        let mut found: BinaryHeap<Reverse<(Key, usize, usize)>> = BinaryHeap::new();
        let mut scanned = 0;
        while let Some((greatest, nth, block)) = open.pop() {
            let least = found.peek().filter(|_| found.len() == wanted).map(|Reverse((key, ..))| *key);
            if least.is_some_and(|(at, ..)| greatest < at) {
                break;
            }
            let piece = pieces[nth];
            let Some(block) = block else {
                let blocks = piece.zones().iter().enumerate();
                open.extend(blocks.filter_map(|(block, zone)| Some((reach(*zone)?, nth, Some(block)))));
                continue;
            };
            let rows = block_of(piece, block);
            scanned += rows.len();
            if scanned > most {
                return Ok(None);
            }
            let mask = condition.mask(piece.rows(), &rows)?;
            if mask == NONE {
                continue;
            }
            let keys = KeyColumns::of(piece)?;
            for row in bits(&mask).map(|bit| rows.start + bit) {
                let key = reading.key(keys.at(row));
                if after.is_some_and(|after| key >= after) || before.is_some_and(|before| key <= before) {
                    continue;
                }
                if found.len() == wanted {
                    if found.peek().is_some_and(|Reverse((least, ..))| key < *least) {
                        continue;
                    }
                    found.pop();
                }
                found.push(Reverse((key, nth, row)));
            }
        }
        page(&pieces, found, reading.limit)
    }

    /// The number of complaints that meet a condition. None if the snapshot was made of another one.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub fn count(&self, condition: &ColumnCondition) -> Result<Option<usize>, JobError> {
        let Some(pieces) = self.listed_pieces() else { return Ok(None) };
        if condition.selects_all() {
            return Ok(Some(pieces.iter().map(|piece| piece.rows().height()).sum()));
        }
        let mut number = 0;
        for piece in pieces {
            for block in 0..piece.zones().len() {
                let mask = condition.mask(piece.rows(), &block_of(piece, block))?;
                number += mask.iter().map(|word| word.count_ones() as usize).sum::<usize>();
            }
        }
        Ok(Some(number))
    }

    /// The first overdue complaints that meet a condition, in the direction of reading, and whether there are more; by
    /// the day since when each is overdue, as if its clock had not been stopped for as many days as it is, and by id.
    /// All columns are scanned: no block is of some such days. None if the snapshot was made of another one.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub fn first_overdue(
        &self,
        condition: &ColumnCondition,
        overdue: Overdue,
        reading: &Reading<i32>,
    ) -> Result<Option<(Vec<Listed>, bool)>, JobError> {
        let Some(pieces) = self.listed_pieces() else { return Ok(None) };
        let (after, before) = (reading.bound(reading.after), reading.bound(reading.before));
        let wanted = reading.limit.saturating_add(1);
        let mut found: BinaryHeap<Reverse<(Key, usize, usize)>> = BinaryHeap::new();
        for (nth, piece) in pieces.iter().enumerate() {
            for block in 0..piece.zones().len() {
                let rows = block_of(piece, block);
                let mask = overdue_rows(piece, &rows, condition, overdue)?;
                if mask == NONE {
                    continue;
                }
                let (clocks, keys) = (Clocks::of(piece.rows())?, KeyColumns::of(piece)?);
                for row in bits(&mask).map(|bit| rows.start + bit) {
                    let (_, high, low) = keys.at(row);
                    let day = overdue.today - clocks.days_over(row, overdue.today)?;
                    let key = reading.key((day.into(), high, low));
                    if after.is_some_and(|after| key >= after) || before.is_some_and(|before| key <= before) {
                        continue;
                    }
                    found.push(Reverse((key, nth, row)));
                    if found.len() > wanted {
                        found.pop();
                    }
                }
            }
        }
        page(&pieces, found, reading.limit)
    }

    /// The number of overdue complaints that meet a condition. None if the snapshot was made of another one.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub fn count_overdue(&self, condition: &ColumnCondition, overdue: Overdue) -> Result<Option<usize>, JobError> {
        let Some(pieces) = self.listed_pieces() else { return Ok(None) };
        let mut number = 0;
        for piece in pieces {
            for block in 0..piece.zones().len() {
                let mask = overdue_rows(piece, &block_of(piece, block), condition, overdue)?;
                number += mask.iter().map(|word| word.count_ones() as usize).sum::<usize>();
            }
        }
        Ok(Some(number))
    }

    /// The pieces of all complaints: a list shows those that are linked as duplicates, too. None if the snapshot was
    /// made of another one.
    fn listed_pieces(&self) -> Option<Vec<&Arc<Piece>>> {
        if self.pieces.list.is_empty() && self.facts.height() > 0 {
            return None;
        }
        Some(self.pieces.list.iter().chain(&self.duplicates.list).collect())
    }
}

/// The overdue complaints of a block that meet a condition.
fn overdue_rows(
    piece: &Piece,
    rows: &Range<usize>,
    condition: &ColumnCondition,
    overdue: Overdue,
) -> PolarsResult<Mask> {
    // Few complaints are overdue.
    let mut mask = overdue.mask(piece.rows(), rows)?;
    if mask != NONE {
        let other = condition.mask(piece.rows(), rows)?;
        mask.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
    }
    Ok(mask)
}

/// The page of the rows that were found, of which one too many tells that there are more.
fn page(
    pieces: &[&Arc<Piece>],
    found: BinaryHeap<Reverse<(Key, usize, usize)>>,
    limit: usize,
) -> Result<Option<(Vec<Listed>, bool)>, JobError> {
    let mut rows = found.into_sorted_vec();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let listed = rows.into_iter().map(|Reverse((_, nth, row))| listed(pieces[nth], row));
    let listed = listed.collect::<PolarsResult<Option<Vec<Listed>>>>()?;
    Ok(listed.map(|listed| (listed, more)))
}

/// The rows of a block.
fn block_of(piece: &Piece, block: usize) -> Range<usize> {
    let from = block * BLOCK;
    from..piece.rows().height().min(from + BLOCK)
}

/// The columns that make the keys of rows.
struct KeyColumns<'p> {
    received: &'p [i64],
    high: &'p [u64],
    low: &'p [u64],
}

impl<'p> KeyColumns<'p> {
    fn of(piece: &'p Piece) -> PolarsResult<Self> {
        let rows = piece.rows();
        Ok(Self {
            received: rows.column("received")?.i64()?.cont_slice()?,
            high: rows.column("id_high")?.u64()?.cont_slice()?,
            low: rows.column("id_low")?.u64()?.cont_slice()?,
        })
    }

    fn at(&self, row: usize) -> Key {
        (self.received[row], self.high[row], self.low[row])
    }
}

/// None if the time cannot be represented, which no stored time is.
fn listed(piece: &Piece, row: usize) -> PolarsResult<Option<Listed>> {
    let (received, high, low) = KeyColumns::of(piece)?.at(row);
    let version = piece.rows().column("version")?.i32()?.cont_slice()?[row];
    let id = Id(uuid::Uuid::from_u64_pair(high, low));
    Ok(Timestamp::from_micros(received).map(|received_at| Listed { id, version, received_at }))
}
