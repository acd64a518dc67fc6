//! Before-and-after comparison: complaints in equally many days before and after an intervention. Pure
//! functions of the facts of a snapshot.
//!
//! The rate ratio describes, it does not show a cause: it includes whatever else changed on the day, and
//! regression to the mean after a peak. The same ratio of all other complaints is given for comparison.

use crate::JobError;
use crate::analyses::scorecard::{Scorecard, scorecard};
use crate::numeric::rates::{RateRatio, rate_ratio};
use polars::prelude::*;

pub use crate::statistics::date;

/// Confidence level of the limits.
const CONFIDENCE: f64 = 0.95;

/// A range of days since 1970, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: i32,
    pub until: i32,
}

impl Span {
    pub fn days(self) -> i32 {
        (self.until - self.from + 1).max(0)
    }

    fn contains(self, day: i32) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

/// The `days` days before `day`, but not before `first` (the register's first day), and the `days` days from
/// `day` on, up to yesterday since today is not over. None if either span is empty.
pub fn spans(day: i32, days: i32, first: i32, today: i32) -> Option<(Span, Span)> {
    let before = Span { from: day.saturating_sub(days).max(first), until: day.saturating_sub(1) };
    let after = Span { from: day, until: day.saturating_add(days - 1).min(today - 1) };
    (before.days() > 0 && after.days() > 0).then_some((before, after))
}

/// The first day of the register (column `day`, i32, days since 1970); None if it is empty.
///
/// # Errors
/// If `facts` has no column `day`.
pub fn first_day(facts: &DataFrame) -> PolarsResult<Option<i32>> {
    Ok(facts.column("day")?.i32()?.min())
}

/// Complaints before and after an intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    pub before: Span,
    pub after: Span,
    /// Complaints that the intervention concerns, before and after.
    pub concerned: (u32, u32),
    pub ratio: Option<RateRatio>,
    /// All other complaints that the reader may see, before and after.
    pub elsewhere: (u32, u32),
    pub elsewhere_ratio: Option<RateRatio>,
}

/// Counts the complaints that match `concerned` and all others, before `day` and from it on, among those that
/// match `visible` (what the reader may see). `first` is the first day of the register; None if there are no
/// days to compare.
///
/// # Errors
/// If `facts` lacks `day` or a column of the conditions.
pub fn before_after(
    facts: &DataFrame,
    first: Option<i32>,
    visible: Expr,
    concerned: Expr,
    day: i32,
    days: i32,
    today: i32,
) -> Result<Option<Effect>, JobError> {
    let Some(first) = first else { return Ok(None) };
    let Some((before, after)) = spans(day, days, first, today) else { return Ok(None) };
    let both = col("day").gt_eq(lit(before.from)).and(col("day").lt_eq(lit(after.until))).and(visible);
    let rows = facts.clone().lazy().filter(both).select([col("day"), concerned.alias("concerned")]).collect()?;
    let mut numbers = [[0u32; 2]; 2];
    for (day, concerned) in rows.column("day")?.i32()?.iter().zip(rows.column("concerned")?.bool()?.iter()) {
        let Some(day) = day else { continue };
        let which = usize::from(concerned != Some(true));
        if before.contains(day) {
            numbers[which][0] += 1;
        } else if after.contains(day) {
            numbers[which][1] += 1;
        }
    }
    let ratio =
        |[then, now]: [u32; 2]| rate_ratio(now, f64::from(after.days()), then, f64::from(before.days()), CONFIDENCE);
    Ok(Some(Effect {
        before,
        after,
        concerned: numbers[0].into(),
        ratio: ratio(numbers[0]),
        elsewhere: numbers[1].into(),
        elsewhere_ratio: ratio(numbers[1]),
    }))
}

/// The complaints about an officer before and after a measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Aftermath {
    pub before: (Span, Scorecard),
    pub after: (Span, Scorecard),
    /// Day of the latest complaint from the measure up to today, also beyond the compared days.
    pub last: Option<i32>,
}

/// Minimum days without a complaint before [`Aftermath::stopped`] says yes.
const LONG_ENOUGH: i32 = 30;

impl Aftermath {
    /// Whether complaints stopped; None if this cannot be told: none came before, or too few days have passed.
    pub fn stopped(&self) -> Option<bool> {
        match self.last {
            Some(_) => Some(false),
            None => (self.before.1.handled.complaints > 0 && self.after.0.days() >= LONG_ENOUGH).then_some(true),
        }
    }
}

/// Scorecards of an officer before and after a measure on `day`. `rows` are those of
/// [`crate::analyses::scorecard::rows_of_officer`], `first` is the first day of the register. None if there
/// are no days to compare.
///
/// # Errors
/// If `rows` lacks a column that it reads, or a column has another type.
pub fn aftermath(rows: &DataFrame, day: i32, days: i32, first: i32, today: i32) -> Result<Option<Aftermath>, JobError> {
    let Some((before, after)) = spans(day, days, first, today) else { return Ok(None) };
    let card = |span: Span| scorecard(rows, span.until, Some(span.days()));
    let since = rows.column("day")?.i32()?.iter().flatten().filter(|one| (day..=today).contains(one));
    Ok(Some(Aftermath { before: (before, card(before)?), after: (after, card(after)?), last: since.max() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_end_yesterday_and_begin_on_the_day_or_with_the_register() {
        let (before, after) = spans(100, 30, 0, 500).expect("spans");
        assert_eq!((before, after), (Span { from: 70, until: 99 }, Span { from: 100, until: 129 }));
        assert_eq!((before.days(), after.days()), (30, 30));
        assert_eq!(spans(100, 30, 0, 104).expect("spans").1.days(), 4);
        assert_eq!(spans(100, 30, 0, 100), None, "no whole day has passed");
        assert_eq!(spans(100, 30, 88, 500).expect("spans").0.days(), 12, "the register begins on day 88");
        assert_eq!(spans(100, 30, 100, 500), None, "there is nothing before");
    }

    #[test]
    fn before_and_after_are_counted_by_hand() {
        // Concerned: 3 before, 1 after; others: 1 and 2. Days 69 and 130 lie outside.
        let days = [69, 70, 99, 80, 100, 70, 129, 110, 130];
        let concerned = [true, true, true, true, true, false, false, false, true];
        let facts = DataFrame::new(
            days.len(),
            vec![Column::new("day".into(), days.to_vec()), Column::new("own".into(), concerned.to_vec())],
        )
        .expect("a frame");
        let found = before_after(&facts, first_day(&facts).expect("a day"), lit(true), col("own"), 100, 30, 500)
            .expect("an effect")
            .expect("spans");
        assert_eq!((found.concerned, found.elsewhere), ((3, 1), (1, 2)));
        let ratio = found.ratio.and_then(|ratio| ratio.ratio).expect("a ratio");
        assert!((ratio - 1.0 / 3.0).abs() < 1e-12);
        // Only ten days have passed: the same count in a third of the time.
        let early = before_after(&facts, first_day(&facts).expect("a day"), lit(true), col("own"), 100, 30, 110)
            .expect("an effect")
            .expect("spans");
        let ratio = early.ratio.and_then(|ratio| ratio.ratio).expect("a ratio");
        assert!((ratio - 1.0).abs() < 1e-12);
        // A complaint that the reader may not see counts in neither group.
        let seen = before_after(&facts, first_day(&facts).expect("a day"), col("own"), col("own"), 100, 30, 500)
            .expect("an effect")
            .expect("spans");
        assert_eq!((seen.concerned, seen.elsewhere), ((3, 1), (0, 0)));
        assert_eq!(
            before_after(&facts, first_day(&facts).expect("a day"), lit(true), col("own"), 100, 30, 99)
                .expect("an effect"),
            None
        );
    }
}
