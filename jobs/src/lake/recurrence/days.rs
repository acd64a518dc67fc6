//! The days that the counts look at, as numbers and as bits of words.

use crate::analyses::recurrence::WINDOWS;
use crate::facts::frames::TEXT_DAYS;
use chrono::{Datelike, Days, NaiveDate};

/// Bits of a word and days of a block together: the product of a bit and a block is then no negative number.
const BITS: u32 = 64;
/// Difference between the number of [`DAY`] and that of chrono.
const BEYOND_CHRONO: i64 = 365;

/// The number of a day, of its year `y` and its day in the year `doy`: engines subtract dates in different ways.
const DAY: &str = "365 * y + CAST(FLOOR((y - 1) / 4.0) AS BIGINT) - CAST(FLOOR((y - 1) / 100.0) AS BIGINT) + \
                   CAST(FLOOR((y - 1) / 400.0) AS BIGINT) + doy";

/// The days that the counts look at. They have numbers, and the last one is the last bit of the last word.
pub(super) struct Span {
    pub as_of: NaiveDate,
    /// Complaints count that came after this day.
    pub since: NaiveDate,
    /// Days from the beginning of an episode to the first day on which the next one can begin.
    pub block: u32,
    /// Days of a word.
    pub bits: u32,
    pub words: u32,
    /// Bits of the first word that are no day of the span.
    pub spare: u32,
    /// The number of the first day of the longest window.
    pub begin: u32,
}

impl Span {
    /// The days up to `as_of`: those of the longest window, and those before it on which an episode may have begun.
    pub fn new(as_of: NaiveDate, episode_days: i32) -> Self {
        let all = TEXT_DAYS.unsigned_abs();
        let block = episode_days.unsigned_abs() + 1;
        let bits = BITS.saturating_sub(block).max(1);
        let words = all.div_ceil(bits);
        let spare = words * bits - all;
        let begin = spare + all - longest();
        Self { as_of, since: as_of - Days::new(all.into()), block, bits, words, spare, begin }
    }

    /// The last day before a window.
    pub fn before(&self, days: i32) -> NaiveDate {
        self.as_of - Days::new(days.unsigned_abs().into())
    }

    /// The last day before the longest window.
    pub fn before_longest(&self) -> NaiveDate {
        self.as_of - Days::new(longest().into())
    }

    /// The number of a day.
    pub fn number(&self, day: NaiveDate) -> i64 {
        number_of(day) - self.first()
    }

    /// The expression of the number of a day, of its year `y` and its day in the year `doy`.
    pub fn number_of_columns(&self) -> String {
        format!("{DAY} - {}", self.first())
    }

    pub fn first_word_of_window(&self) -> u32 {
        self.begin / self.bits
    }

    /// Number of blocks that end before the longest window.
    pub fn whole_blocks(&self) -> u32 {
        self.begin / self.block
    }

    /// These blocks as bits, without those that no day lies in.
    pub fn all_blocks(&self) -> u64 {
        (1_u64 << self.whole_blocks()) - (1_u64 << (self.spare / self.block))
    }

    fn first(&self) -> i64 {
        number_of(self.since) + 1 - i64::from(self.spare)
    }
}

fn number_of(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce()) + BEYOND_CHRONO
}

fn longest() -> u32 {
    WINDOWS.iter().copied().max().unwrap_or(365).unsigned_abs()
}

/// The whole number of units in a number.
pub(super) fn whole(number: &str, unit: u32) -> String {
    format!("CAST(FLOOR({number} / {unit}.0) AS BIGINT)")
}

/// A part of a day, such as YEAR.
pub(super) fn part(name: &str, day: &str) -> String {
    format!("CAST(EXTRACT({name} FROM {day}) AS BIGINT)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyses::recurrence::Rules;

    #[test]
    fn the_span_ends_on_the_day_and_words_hold_blocks_of_an_episode() {
        let as_of = NaiveDate::from_ymd_opt(2025, 12, 31).expect("a day");
        let span = Span::new(as_of, Rules::default().episode_days);
        assert_eq!((span.block, span.bits, span.words, span.spare), (8, 56, 9, 49));
        assert_eq!(span.number(as_of), i64::from(span.words * span.bits) - 1);
        assert_eq!(span.number(span.before_longest()) + 1, i64::from(span.begin));
        assert_eq!(span.number(span.since) + 1, i64::from(span.spare));
        // The last day of a word times the days of a block is below 2^63, and each block before the window has a bit.
        assert!(((1_u64 << span.block) - 1).leading_zeros() > span.bits - 1);
        assert!(span.whole_blocks() < 63);
        assert_eq!(span.all_blocks().count_ones(), 11);
        // As the expression computes it: on 31 December, day 365.
        assert_eq!(number_of(as_of), 365 * 2025 + 2024 / 4 - 2024 / 100 + 2024 / 400 + 365);
    }
}
