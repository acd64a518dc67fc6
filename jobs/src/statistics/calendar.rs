//! Days in a time zone, and the buckets (week, month, ...) that they fall into. Days are counted from 1970.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta};
use chrono_tz::Tz;

/// The length of a time bucket. Weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// The number of days by which days are moved forward before they are assigned to buckets, to compare an earlier period
/// with a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    None,
    Days(i32),
    /// A day that the target month does not have becomes its last day.
    Months(u32),
}

/// Days since 1970, from the first (inclusive) to the last (exclusive). None means that the range is open there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayRange {
    pub from: Option<i32>,
    pub before: Option<i32>,
}

/// The days from `from` (inclusive) to `before` (exclusive), both the first of a month; None is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    from: Option<i32>,
    before: Option<i32>,
    by_month: bool,
}

impl Span {
    pub const ALL: Self = Self { from: None, before: None, by_month: false };

    pub const fn new(days: DayRange) -> Self {
        Self { from: days.from, before: days.before, by_month: false }
    }

    /// The same span, divided into months only.
    pub const fn by_month(self) -> Self {
        Self { by_month: true, ..self }
    }

    /// The first day of the part that a day of the span belongs to: the longest of year, quarter and month
    /// that lies within the span.
    pub(super) fn part(self, day: i32) -> i32 {
        let is_within = |bucket: &Bucket| {
            let start = bucket.start(day);
            self.from.is_none_or(|from| from <= start) && self.before.is_none_or(|before| bucket.next(start) <= before)
        };
        let longer: &[Bucket] = if self.by_month { &[] } else { &[Bucket::Year, Bucket::Quarter] };
        longer.iter().find(|bucket| is_within(bucket)).unwrap_or(&Bucket::Month).start(day)
    }
}

/// Converts instants to local days.
pub struct Calendar {
    zone: Tz,
}

/// The date of a number of days since 1970.
pub fn date(day: i32) -> NaiveDate {
    NaiveDate::default() + TimeDelta::days(i64::from(day))
}

fn number(day: NaiveDate) -> i32 {
    crate::facts::days::day_number(day)
}

impl Bucket {
    /// The first day of the bucket that contains a day.
    pub fn start(self, day: i32) -> i32 {
        let day = date(day);
        let start = match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
            Self::Month => day.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        };
        number(start.unwrap_or(day))
    }

    /// The maximum length of a bucket in days.
    pub const fn longest(self) -> usize {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 31,
            Self::Quarter => 92,
            Self::Year => 366,
        }
    }

    /// The first day of the next bucket.
    fn next(self, start: i32) -> i32 {
        let months = |n| date(start).checked_add_months(Months::new(n)).map_or(i32::MAX, number);
        match self {
            Self::Day => start.saturating_add(1),
            Self::Week => start.saturating_add(7),
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        }
    }
}

impl Shift {
    /// Whether the shift maps whole buckets of a length to whole buckets.
    pub(super) const fn keeps(self, bucket: Bucket) -> bool {
        match (self, bucket) {
            (Self::None, _) | (Self::Days(_), Bucket::Day) | (Self::Months(_), Bucket::Month) => true,
            (Self::Months(months), Bucket::Quarter) => months.is_multiple_of(3),
            (Self::Months(months), Bucket::Year) => months.is_multiple_of(12),
            _ => false,
        }
    }

    pub fn apply(self, day: i32) -> i32 {
        match self {
            Self::None => day,
            Self::Days(days) => day.saturating_add(days),
            Self::Months(months) => date(day).checked_add_months(Months::new(months)).map_or(day, number),
        }
    }
}

impl Calendar {
    pub fn new(zone: Tz) -> Self {
        Self { zone }
    }

    /// Whether the zone is that of the register, Vietnam: its days are a column of the snapshot.
    pub fn is_local(&self) -> bool {
        self.zone == Tz::Asia__Ho_Chi_Minh
    }

    /// The local day of an instant in microseconds since 1970.
    pub fn day(&self, micros: i64) -> i32 {
        let moment = DateTime::from_timestamp_micros(micros).unwrap_or_default();
        number(moment.with_timezone(&self.zone).date_naive())
    }

    /// The first days of all buckets from the one that contains `from` up to those that begin before
    /// `before`, at most [`super::MOST_GROUPS`].
    pub fn buckets(&self, bucket: Bucket, from: i32, before: i32) -> Vec<i32> {
        let first = bucket.start(from);
        std::iter::successors(Some(first), |start| Some(bucket.next(*start)))
            .take_while(|start| *start < before)
            .take(super::MOST_GROUPS)
            .collect()
    }
}

/// The buckets of a range of days, numbered consecutively from 1, so that keys stay small.
pub(super) struct Buckets {
    first: i32,
    /// The code of each day's bucket. Many rows share few days, so each is computed once.
    codes: Vec<u32>,
    /// The first day of each bucket.
    pub starts: Vec<i32>,
}

impl Buckets {
    /// The buckets of the days from `first` to `last`, each moved by the shift.
    pub fn new(bucket: Bucket, first: i32, last: i32, shift: Shift) -> Self {
        Self::by(first, last, |day| bucket.start(shift.apply(day)))
    }

    /// The parts of a span, for the days from `first` to `last`.
    pub fn parts(span: Span, first: i32, last: i32) -> Self {
        Self::by(first, last, |day| span.part(day))
    }

    fn by(first: i32, last: i32, start: impl Fn(i32) -> i32) -> Self {
        let of_days: Vec<i32> = (first..=last).map(start).collect();
        let mut starts = of_days.clone();
        starts.sort_unstable();
        starts.dedup();
        let code_of =
            |start: &i32| u32::try_from(starts.binary_search(start).unwrap_or_default() + 1).unwrap_or_default();
        let codes = of_days.iter().map(code_of).collect();
        Self { first, codes, starts }
    }

    /// The code of a day's bucket, from 1 on.
    pub fn code(&self, day: i32) -> u32 {
        self.codes[usize::try_from(day - self.first).unwrap_or_default()]
    }

    /// The number of codes, including 0 for no bucket.
    pub fn size(&self) -> u64 {
        self.starts.len() as u64 + 1
    }

    /// The place (first day) of each code from 1 on.
    pub fn into_places(self) -> Vec<i64> {
        self.starts.into_iter().map(i64::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i32 {
        number(text.parse().expect("a date"))
    }

    #[test]
    fn buckets_begin_where_people_expect_it() {
        let thursday = day("2024-02-29");
        let starts =
            [Bucket::Day, Bucket::Week, Bucket::Month, Bucket::Quarter, Bucket::Year].map(|b| b.start(thursday));
        assert_eq!(starts, ["2024-02-29", "2024-02-26", "2024-02-01", "2024-01-01", "2024-01-01"].map(day));
        assert_eq!(Bucket::Week.start(day("1969-12-31")), day("1969-12-29"));
    }

    #[test]
    fn a_span_has_years_quarters_and_months_for_parts() {
        let span = Span::new(DayRange { from: Some(day("2023-11-01")), before: Some(day("2025-06-01")) });
        let parts = |span: Span| {
            let mut parts: Vec<i32> = (day("2023-11-01")..day("2025-06-01")).map(|day| span.part(day)).collect();
            parts.dedup();
            parts
        };
        let expected = ["2023-11-01", "2023-12-01", "2024-01-01", "2025-01-01", "2025-04-01", "2025-05-01"];
        assert_eq!(parts(span), expected.map(day));
        assert_eq!(parts(span.by_month()).len(), 19);
        assert_eq!(parts(Span::ALL), ["2023-01-01", "2024-01-01", "2025-01-01"].map(day));
    }

    #[test]
    fn some_shifts_move_quarters_to_quarters() {
        let kept = |months| [Bucket::Month, Bucket::Quarter, Bucket::Year].map(|b| Shift::Months(months).keeps(b));
        assert_eq!([kept(12), kept(9), kept(5)], [[true; 3], [true, true, false], [true, false, false]]);
        assert!(Shift::None.keeps(Bucket::Week) && !Shift::Days(7).keeps(Bucket::Month));
    }

    #[test]
    fn ranges_are_filled_from_the_bucket_of_the_first_day() {
        let calendar = Calendar::new(Tz::UTC);
        let months = calendar.buckets(Bucket::Month, day("2023-12-15"), day("2024-03-01"));
        assert_eq!(months, ["2023-12-01", "2024-01-01", "2024-02-01"].map(day));
        assert!(calendar.buckets(Bucket::Day, 5, 5).is_empty());
    }

    #[test]
    fn a_moment_has_another_day_elsewhere() {
        let evening = "2024-03-01T20:00:00Z".parse::<DateTime<chrono::Utc>>().expect("a time").timestamp_micros();
        let of = |zone| Calendar::new(zone).day(evening);
        assert_eq!(of(Tz::Asia__Ho_Chi_Minh), day("2024-03-02"));
        assert_eq!(of(Tz::Europe__Berlin), day("2024-03-01"));
        assert_eq!(Shift::Months(12).apply(day("2023-02-28")), day("2024-02-28"));
        assert_eq!(Shift::Months(1).apply(day("2024-01-31")), day("2024-02-29"));
    }
}
