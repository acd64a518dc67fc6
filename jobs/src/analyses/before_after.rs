//! What changed when something was done: the complaints of as many days before and since a day. Pure functions of the
//! facts of a snapshot.
//!
//! A ratio of before and after says what happened, not why: what else changed on the day, and complaints that became
//! fewer after a peak all by themselves, are in it. The same ratio of all other complaints stands beside it.

use crate::JobError;
use crate::analyses::scorecard::{Scorecard, scorecard};
use crate::numeric::rates::{RateRatio, rate_ratio};
use polars::prelude::*;

pub use crate::statistics::date;

/// The confidence of limits.
const CONFIDENCE: f64 = 0.95;

/// Some days, both ends included (days since 1970).
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

/// So many days before a day, as far back as the register goes, and since it, up to yesterday: today is not over. None
/// where there are no such days.
pub fn spans(day: i32, days: i32, first: i32, today: i32) -> Option<(Span, Span)> {
    let before = Span { from: day.saturating_sub(days).max(first), until: day.saturating_sub(1) };
    let after = Span { from: day, until: day.saturating_add(days - 1).min(today - 1) };
    (before.days() > 0 && after.days() > 0).then_some((before, after))
}

/// The first day of the register; None where it is empty.
pub fn first_day(facts: &DataFrame) -> PolarsResult<Option<i32>> {
    Ok(facts.column("day")?.i32()?.min())
}

/// Complaints before and since a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    pub before: Span,
    pub after: Span,
    /// Of what it is about, before and since.
    pub concerned: (u32, u32),
    pub ratio: Option<RateRatio>,
    /// Of everything else.
    pub elsewhere: (u32, u32),
    pub elsewhere_ratio: Option<RateRatio>,
}

/// The complaints that a condition chooses, and all others of those that may be `seen`, before a day and since; None where
/// there are no days to compare. `first`: the first day of the register.
pub fn effect(
    facts: &DataFrame,
    first: Option<i32>,
    seen: Expr,
    concerned: Expr,
    day: i32,
    days: i32,
    today: i32,
) -> Result<Option<Effect>, JobError> {
    let Some(first) = first else { return Ok(None) };
    let Some((before, after)) = spans(day, days, first, today) else { return Ok(None) };
    let both = col("day").gt_eq(lit(before.from)).and(col("day").lt_eq(lit(after.until))).and(seen);
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

/// What was complained about an officer before a measure and since.
#[derive(Debug, Clone, PartialEq)]
pub struct Aftermath {
    pub before: (Span, Scorecard),
    pub after: (Span, Scorecard),
    /// The day of the latest complaint since, however long ago the measure is.
    pub last: Option<i32>,
}

/// Days that have to have passed before a silence means anything.
const LONG_ENOUGH: i32 = 30;

impl Aftermath {
    /// Whether complaints stopped; None where nobody can tell, since there were none before, or too little time has passed.
    pub fn stopped(&self) -> Option<bool> {
        match self.last {
            Some(_) => Some(false),
            None => (self.before.1.handled.complaints > 0 && self.after.0.days() >= LONG_ENOUGH).then_some(true),
        }
    }
}

/// What the complaints of an officer, as [`crate::analyses::scorecard::rows_of_officer`] has them, say about a measure; `first` is the
/// first day of the register. None where there are no days to compare.
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
        assert_eq!(spans(100, 30, 88, 500).expect("spans").0.days(), 12, "the register is no older");
        assert_eq!(spans(100, 30, 100, 500), None, "there is nothing before");
    }

    #[test]
    fn before_and_after_are_counted_by_hand() {
        // Of what it is about: 3 before, 1 after; of the rest 1 and 2. Days 69 and 130 lie outside.
        let days = [69, 70, 99, 80, 100, 70, 129, 110, 130];
        let concerned = [true, true, true, true, true, false, false, false, true];
        let facts = DataFrame::new(
            days.len(),
            vec![Column::new("day".into(), days.to_vec()), Column::new("own".into(), concerned.to_vec())],
        )
        .expect("a frame");
        let found = effect(&facts, first_day(&facts).expect("a day"), lit(true), col("own"), 100, 30, 500)
            .expect("an effect")
            .expect("it has come");
        assert_eq!((found.concerned, found.elsewhere), ((3, 1), (1, 2)));
        let ratio = found.ratio.and_then(|ratio| ratio.ratio).expect("a ratio");
        assert!((ratio - 1.0 / 3.0).abs() < 1e-12);
        // Only ten days have passed: a third of the time for the same one.
        let early = effect(&facts, first_day(&facts).expect("a day"), lit(true), col("own"), 100, 30, 110)
            .expect("an effect")
            .expect("it has come");
        let ratio = early.ratio.and_then(|ratio| ratio.ratio).expect("a ratio");
        assert!((ratio - 1.0).abs() < 1e-12);
        // What may not be seen is nowhere, not elsewhere.
        let seen = effect(&facts, first_day(&facts).expect("a day"), col("own"), col("own"), 100, 30, 500)
            .expect("an effect")
            .expect("it has come");
        assert_eq!((seen.concerned, seen.elsewhere), ((3, 1), (0, 0)));
        assert_eq!(
            effect(&facts, first_day(&facts).expect("a day"), lit(true), col("own"), 100, 30, 99).expect("an effect"),
            None
        );
    }
}
