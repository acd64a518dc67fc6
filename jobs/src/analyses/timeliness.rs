//! Timeliness of complaints: answered in time, open, overdue. Pure functions of the facts of a snapshot and
//! an as-of day.
//!
//! A complaint is *answered* on the day of its first response. Its deadline is that of its category; a
//! complaint without a deadline is never due. The share answered in time covers only complaints whose
//! deadline has passed: their outcome is known. Before its deadline a complaint counts neither for nor
//! against a unit, so that one easy case answered at once does not put a unit on top of a table.

use crate::numeric::survival::Waiting;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

/// Adds five bool columns to facts, as of a day (days since 1970): `open`, `waiting` (open and not answered),
/// `overdue` (waiting, and the deadline has passed), `was_due` (the deadline has passed, and the complaint
/// did not end unanswered) and `in_time` (was due, and answered by its deadline).
///
/// Reads `day` (i32) and `due`, `answered`, `ended` (i32?), all in days since 1970. Complaints received later
/// are left out.
pub fn handled(facts: &DataFrame, as_of: i32) -> LazyFrame {
    let by = |column: &str| col(column).is_not_null().and(col(column).lt_eq(lit(as_of)));
    let answered = by("answered");
    let ended = by("ended");
    let passed = col("due").is_not_null().and(col("due").lt_eq(lit(as_of)));
    let open = ended.not();
    let waiting = open.clone().and(answered.clone().not());
    // A complaint that was withdrawn or rejected unanswered left nothing to answer.
    let was_due = passed.clone().and(answered.clone().or(open.clone()));
    facts.clone().lazy().filter(col("day").lt_eq(lit(as_of))).with_columns([
        open.alias("open"),
        waiting.clone().alias("waiting"),
        waiting.and(passed).alias("overdue"),
        was_due.clone().alias("was_due"),
        was_due.and(answered).and(col("answered").lt_eq(col("due"))).alias("in_time"),
    ])
}

/// The timeliness of a group of complaints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handled {
    pub complaints: u32,
    /// Complaints whose deadline has passed, without those that ended unanswered.
    pub due: u32,
    pub in_time: u32,
    pub open: u32,
    pub overdue: u32,
    /// Median days to the answer (Kaplan and Meier 1958; open complaints are censored); None if the estimate
    /// never falls to one half.
    pub median_days: Option<f64>,
}

impl Handled {
    /// The share answered in time among complaints that were due; None if none was.
    pub fn share_in_time(&self) -> Option<f64> {
        (self.due > 0).then(|| f64::from(self.in_time) / f64::from(self.due))
    }
}

/// Aggregates over rows of [`handled`], all u32: `complaints`, `due_count`, `in_time_count`, `open_count` and
/// `overdue_count`.
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

/// Reads row `at` of a table with the columns of [`measures`]; the median is left None.
///
/// # Errors
/// If `table` lacks one of these columns.
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

/// The Kaplan–Meier median of (days, answered); times without an answer are censored.
pub fn median_survival(times: Vec<(i32, bool)>) -> Option<f64> {
    Waiting::new(times.into_iter().map(|(days, answered)| (f64::from(days), answered)).collect()).median()
}

/// (days, answered) of each row of [`handled`]. A complaint that ended unanswered is censored at its end, an
/// open one on the as-of day.
///
/// # Errors
/// If `rows` lacks a column that it reads, or a column has another type.
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
            (0, Some(10), None, Some(5)),      // withdrawn unanswered
            (0, None, None, None),             // no deadline
            (15, Some(25), None, None),        // not due yet
            (15, Some(25), Some(16), None),    // answered, not due yet
            (0, Some(10), Some(21), Some(30)), // answered after the as-of day
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
