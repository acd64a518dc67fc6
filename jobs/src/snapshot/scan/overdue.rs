//! The complaints of a block of rows that are overdue, and by how many days.

use super::condition::{Mask, NONE, all, bits, clear, mask_of, valued};
use crate::snapshot::rounds::days_over;
use polars::prelude::{DataFrame, Int32Chunked, ListChunked, PolarsResult};
use std::ops::Range;

/// Complaints that wait for an answer, and were due at least some days before a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// The day as of which they are overdue, in days since 1970.
    pub today: i32,
    /// Least number of days that a complaint is overdue, at least 1.
    pub at_least: i32,
}

impl Overdue {
    /// The rows of a block that are overdue, from the lowest bit on.
    ///
    /// # Errors
    /// If a column is missing or has another type.
    pub(super) fn mask(self, rows: &DataFrame, block: &Range<usize>) -> PolarsResult<Mask> {
        // The days of a stop only move a deadline on: most rows fail here.
        let last = self.today.saturating_sub(self.at_least);
        let mut mask = valued(rows.column("due")?.i32()?, block, |due| mask_of(due, |due| due <= last));
        for column in ["answered", "ended"] {
            if mask == NONE {
                return Ok(mask);
            }
            let has_value = valued(rows.column(column)?.i32()?, block, |_| all(block));
            mask.iter_mut().zip(has_value).for_each(|(word, has_value)| *word &= !has_value);
        }
        let clocks = Clocks::of(rows)?;
        let waiting = mask;
        for bit in bits(&waiting) {
            if clocks.days_over(block.start + bit, self.today)? < self.at_least {
                clear(&mut mask, bit);
            }
        }
        Ok(mask)
    }
}

/// The columns that tell by how many days a complaint that waits is overdue.
pub(super) struct Clocks<'p> {
    due: &'p Int32Chunked,
    rounds: &'p ListChunked,
    /// The words of all rounds.
    words: Int32Chunked,
}

impl<'p> Clocks<'p> {
    /// The columns of some rows from which days overdue are computed.
    ///
    /// # Errors
    /// If a column is missing or has another type.
    pub(super) fn of(rows: &'p DataFrame) -> PolarsResult<Self> {
        let rounds = rows.column("rounds")?.list()?;
        let words = rounds.get_inner().i32()?.clone();
        Ok(Self { due: rows.column("due")?.i32()?, rounds, words })
    }

    /// Number of days that a row is overdue on a day, if it waits for an answer; 0 if it is not overdue.
    ///
    /// # Errors
    /// If a column has another type.
    pub(super) fn days_over(&self, row: usize, today: i32) -> PolarsResult<i32> {
        let of_row = self.rounds.downcast_iter().next().filter(|chunk| {
            // A row without rounds has one round without any stop.
            chunk.validity().is_none_or(|valid| valid.get_bit(row))
        });
        let words = match of_row {
            Some(chunk) => {
                let (from, to) = chunk.offsets().start_end(row);
                &self.words.cont_slice()?[from..to]
            }
            None => &[],
        };
        Ok(days_over(self.due.get(row), words, today))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{Column, DataType, Int32Type, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder};

    /// No day, in the column of rounds.
    const NONE_YET: i32 = i32::MIN;

    #[test]
    fn a_complaint_is_overdue_while_it_waits_beyond_its_deadline_and_its_clock_runs() {
        // The deadline, the day of the answer and that of the end, the rounds, and the days overdue on day 20; 0 if it
        // is not.
        type Row = (Option<i32>, Option<i32>, Option<i32>, Option<Vec<i32>>, i32);
        let round = |stops: &[i32]| {
            let number = i32::try_from(stops.len() / 2).expect("few stops");
            Some([&[0, NONE_YET, NONE_YET, number][..], stops].concat())
        };
        let rows: Vec<Row> = vec![
            (Some(19), None, None, None, 1),
            (Some(20), None, None, None, 0),
            (Some(4), None, None, None, 16),
            (Some(4), Some(9), None, None, 0),
            (Some(4), None, Some(9), None, 0),
            (None, None, None, None, 0),
            (Some(10), None, None, round(&[13, NONE_YET]), 3),
            (Some(10), None, None, round(&[8, NONE_YET]), 0),
            (Some(10), None, None, round(&[2, 5]), 10),
            // A second round, whose clock was never stopped.
            (Some(15), None, None, Some([&[0, 4, 5, 0][..], &[9, NONE_YET, NONE_YET, 0]].concat()), 5),
        ];
        let mut rounds = ListPrimitiveChunkedBuilder::<Int32Type>::new("rounds".into(), 0, 0, DataType::Int32);
        for row in &rows {
            match &row.3 {
                Some(words) => rounds.append_slice(words),
                None => rounds.append_null(),
            }
        }
        let column = |name: &str, of: fn(&Row) -> Option<i32>| {
            Column::new(name.into(), rows.iter().map(of).collect::<Vec<Option<i32>>>())
        };
        let columns = vec![
            column("due", |row| row.0),
            column("answered", |row| row.1),
            column("ended", |row| row.2),
            rounds.finish().into_column(),
        ];
        let frame = DataFrame::new(rows.len(), columns).expect("columns");
        for at_least in [1, 2, 3, 5, 10, 16, 17, i32::MAX] {
            let mask = Overdue { today: 20, at_least }.mask(&frame, &(0..rows.len())).expect("columns");
            let wanted: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].4 >= at_least).collect();
            assert_eq!(bits(&mask).collect::<Vec<usize>>(), wanted, "by {at_least} days");
        }
        let clocks = Clocks::of(&frame).expect("columns");
        for row in [0, 2, 6, 7, 8, 9] {
            assert_eq!(clocks.days_over(row, 20).expect("columns"), rows[row].4, "row {row}");
        }
    }
}
