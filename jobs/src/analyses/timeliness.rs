//! How complaints are handled: answered in time or not, open, overdue. Pure functions of the facts of
//! a snapshot and a day.
//!
//! A complaint is *answered* on the day of its first response. Its deadline is that of its category;
//! one without a deadline is never due. The share answered in time is taken over the complaints whose
//! deadline has passed: of each of them it is known, so that open ones neither help nor harm before
//! their time, and a unit that answers one easy case at once does not top a table by it.

use crate::numeric::survival::Waiting;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

/// Adds to facts, as of a day (days since 1970): `open`, `waiting` (open and not answered), `overdue`
/// (waiting, and the deadline has passed), `was_due` (the deadline has passed, and it was not withdrawn
/// or rejected before an answer) and `in_time` (was due, and answered by then).
///
/// Facts of complaints received later are left out.
pub fn handled(facts: &DataFrame, as_of: i32) -> LazyFrame {
    let by = |column: &str| col(column).is_not_null().and(col(column).lt_eq(lit(as_of)));
    let answered = by("answered");
    let ended = by("ended");
    let passed = col("due").is_not_null().and(col("due").lt_eq(lit(as_of)));
    let open = ended.not();
    let waiting = open.clone().and(answered.clone().not());
    // Who withdrew unanswered took away the occasion to answer.
    let was_due = passed.clone().and(answered.clone().or(open.clone()));
    facts.clone().lazy().filter(col("day").lt_eq(lit(as_of))).with_columns([
        open.alias("open"),
        waiting.clone().alias("waiting"),
        waiting.and(passed).alias("overdue"),
        was_due.clone().alias("was_due"),
        was_due.and(answered).and(col("answered").lt_eq(col("due"))).alias("in_time"),
    ])
}

/// What was handled of a group of complaints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handled {
    pub complaints: u32,
    /// Whose deadline has passed.
    pub due: u32,
    pub in_time: u32,
    pub open: u32,
    pub overdue: u32,
    /// Days until half of the complaints are answered (Kaplan and Meier 1958; those still open are
    /// censored); None where less than half ever are.
    pub median_days: Option<f64>,
}

impl Handled {
    /// The share answered in time of those whose deadline has passed.
    pub fn share_in_time(&self) -> Option<f64> {
        (self.due > 0).then(|| f64::from(self.in_time) / f64::from(self.due))
    }
}

/// The measures of [`Handled`] but the median.
pub fn measures() -> [Expr; 5] {
    let count = |column: &str| col(column).cast(DataType::UInt32).sum().cast(DataType::UInt32);
    [
        len().cast(DataType::UInt32).alias("complaints"),
        count("was_due").alias("due_count"),
        count("in_time").alias("in_time_count"),
        count("open").alias("open_count"),
        count("overdue").alias("overdue_count"),
    ]
}

/// Reads one row of a table with [`measures`].
pub fn read(table: &DataFrame, at: usize) -> PolarsResult<Handled> {
    let value = |column: &str| -> PolarsResult<u32> { Ok(table.column(column)?.u32()?.get(at).unwrap_or(0)) };
    Ok(Handled {
        complaints: value("complaints")?,
        due: value("due_count")?,
        in_time: value("in_time_count")?,
        open: value("open_count")?,
        overdue: value("overdue_count")?,
        median_days: None,
    })
}

/// The Kaplan–Meier median: `times` in days, and whether each ended in an answer or was censored.
pub fn median_survival(times: Vec<(i32, bool)>) -> Option<f64> {
    Waiting::new(times.into_iter().map(|(days, answered)| (f64::from(days), answered)).collect()).median()
}

/// Days to the answer of each row of [`handled`], and whether there was one; those withdrawn or
/// rejected before are censored then, those open on the day.
pub fn times(rows: &DataFrame, as_of: i32) -> PolarsResult<Vec<(i32, bool)>> {
    let day = rows.column("day")?.i32()?;
    let answered = rows.column("answered")?.i32()?;
    let ended = rows.column("ended")?.i32()?;
    Ok(day
        .iter()
        .zip(answered.iter())
        .zip(ended.iter())
        .filter_map(|((day, answered), ended)| {
            let day = day?;
            let answer = answered.filter(|at| *at <= as_of);
            let until = answer.or(ended.filter(|at| *at <= as_of)).unwrap_or(as_of);
            Some(((until - day).max(0), answer.is_some()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A complaint as (day, due, answered, ended).
    type Dates = (i32, Option<i32>, Option<i32>, Option<i32>);

    fn facts(rows: &[Dates]) -> DataFrame {
        DataFrame::new(
            rows.len(),
            vec![
                Column::new("day".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
                Column::new("due".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()),
                Column::new("answered".into(), rows.iter().map(|row| row.2).collect::<Vec<_>>()),
                Column::new("ended".into(), rows.iter().map(|row| row.3).collect::<Vec<_>>()),
            ],
        )
        .expect("a frame")
    }

    #[test]
    fn what_is_due_is_what_can_be_known() {
        let facts = facts(&[
            (0, Some(10), Some(10), None),     // on the last day
            (0, Some(10), Some(11), None),     // too late
            (0, Some(10), None, None),         // overdue
            (0, Some(10), None, Some(5)),      // withdrawn before anybody answered
            (0, None, None, None),             // no deadline
            (15, Some(25), None, None),        // not due yet
            (15, Some(25), Some(16), None),    // answered, not due yet: says nothing so far
            (0, Some(10), Some(21), Some(30)), // answered after the day we look at
            (21, Some(30), None, None),        // received later
        ]);
        let table = handled(&facts, 20).select(measures()).collect().expect("a table");
        let found = read(&table, 0).expect("a row");
        let expected = Handled { complaints: 8, due: 4, in_time: 1, open: 7, overdue: 2, median_days: None };
        assert_eq!(found, expected);
        assert_eq!(found.share_in_time(), Some(0.25));
    }

    #[test]
    fn open_complaints_are_censored() {
        // By hand: 1 of 4 at day 1, then one censored at 2, then 1 of 2 at day 3: 0.75 · 0.5 = 0.375.
        assert_eq!(median_survival(vec![(1, true), (2, false), (3, true), (9, false)]), Some(3.0));
        assert_eq!(median_survival(vec![(1, true), (5, false), (5, false)]), None);
        assert_eq!(median_survival(vec![]), None);
    }
}
