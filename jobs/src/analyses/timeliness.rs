//! Timeliness of complaints: answered in time, open, overdue. Pure functions of the facts of a snapshot and
//! an as-of day. A complaint counts for the unit that has to answer it, and for those above that unit.
//!
//! A complaint is *answered* on the day of the first response of its round: a reopening begins another one, with a
//! deadline of its own. The deadline is that of the legal clock ([`schema::domain::legal_clock`]); a complaint without
//! one is never due. The share answered in time covers only complaints of which a deadline has passed: their outcome
//! is known. On its last day and before, a complaint counts neither for nor against a unit, so that one easy case
//! answered at once does not put a unit on top of a table. A complaint of several rounds is answered in time if each of
//! them was: what was late stays late.

use crate::JobError;
use crate::analyses::recurrence::round_6_digits;
use crate::analyses::responsible::{HEADQUARTERS, by_responsible};
use crate::facts::days::day_number;
use crate::numeric::funnel::Z_95;
use crate::numeric::proportion::{BetaPrior, wilson};
use crate::numeric::survival::Waiting;
use crate::snapshot::{Handling, Handlings, Places, Reference, Snapshot, in_chunks_of};
use chrono::NaiveDate;
use polars::prelude::*;
use schema::Id;
use schema::db::cancellation::check_cancelled;
use schema::domain::calendar::local_date;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Length in days of the period of receipt that [`timeliness`] evaluates.
const DAYS: i32 = 365;

/// Adds columns to facts, as of a day (days since 1970), which [`Handling`] describes: `open`, `waiting`, `overdue`,
/// `was_due`, `in_time`, `was_answered` (bool), `waited`, `days_over`, `began`, `round` (i32) and `due_by` (i32?, the
/// deadline of the round of the day).
///
/// Reads the columns of [`Handlings`]. Complaints received later are left out.
///
/// # Errors
/// If the facts lack a column, or one has another type.
pub fn handled(facts: &DataFrame, as_of: i32) -> PolarsResult<LazyFrame> {
    let rows = Handlings::of(facts, as_of)?;
    let truth =
        |name: &str, of: fn(&Handling) -> bool| Column::new(name.into(), rows.iter().map(of).collect::<Vec<bool>>());
    let number =
        |name: &str, of: fn(&Handling) -> i32| Column::new(name.into(), rows.iter().map(of).collect::<Vec<i32>>());
    let columns = [
        truth("open", |row| row.open),
        truth("waiting", |row| row.waiting),
        truth("overdue", |row| row.overdue),
        truth("was_due", |row| row.was_due),
        truth("in_time", |row| row.in_time),
        truth("was_answered", |row| row.answered),
        number("waited", |row| row.waited),
        number("days_over", |row| row.days_over),
        number("began", |row| row.began),
        number("round", |row| row.round),
        Column::new("due_by".into(), rows.iter().map(|row| row.due).collect::<Vec<Option<i32>>>()),
    ];
    let mut facts = facts.clone();
    for column in columns {
        let column = in_chunks_of(&facts, &column)?;
        facts.with_column(column)?;
    }
    Ok(facts.lazy().filter(col("day").lt_eq(lit(as_of))))
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

/// The timeliness of one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitTimeliness {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    #[serde(flatten)]
    pub handled: Handled,
    pub share_in_time: Option<f64>,
    /// 95 % confidence limits of the share in time (Wilson 1927).
    #[serde(default)]
    pub lower: Option<f64>,
    #[serde(default)]
    pub upper: Option<f64>,
    /// The share after shrinkage (empirical Bayes) towards the mean of its level: the fewer complaints are due,
    /// the stronger. Rankings use it, so that a unit with one quick answer does not come first.
    #[serde(default)]
    pub shrunk_share: Option<f64>,
}

/// The timeliness of all units as of a day: the result that the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelinessDocument {
    pub days: i32,
    pub all: Handled,
    pub share_in_time: Option<f64>,
    pub departments: Vec<UnitTimeliness>,
    pub branches: Vec<UnitTimeliness>,
    /// Headquarters units, which answer the complaints of their fields.
    #[serde(default)]
    pub headquarters: Vec<UnitTimeliness>,
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

/// (days, answered) of each row of [`handled`], in the round of the day. A complaint that ended unanswered is censored
/// at its end, one whose clock is stopped when it was, and an open one on the as-of day.
///
/// # Errors
/// If `rows` lacks a column that it reads, or a column has another type.
pub fn times(rows: &DataFrame) -> PolarsResult<Vec<(i32, bool)>> {
    let waited = rows.column("waited")?.i32()?;
    let answered = rows.column("was_answered")?.bool()?;
    Ok(waited
        .iter()
        .zip(answered.iter())
        .map(|(waited, answered)| (waited.unwrap_or_default(), answered == Some(true)))
        .collect())
}

/// The timeliness of all units for complaints received in the 365 days up to a day.
///
/// # Errors
/// If the facts lack a column.
pub fn timeliness(snapshot: &Snapshot, as_of: NaiveDate) -> Result<TimelinessDocument, JobError> {
    let as_of = day_number(as_of);
    let rows = handled(&snapshot.facts, as_of)?.filter(col("day").gt(lit(as_of - DAYS))).collect()?;
    let rows = by_responsible(rows, &snapshot.reference, local_date(snapshot.as_of))?;
    let all = one(&rows)?;
    Ok(TimelinessDocument {
        days: DAYS,
        share_in_time: all.share_in_time(),
        departments: by_unit(&rows, "department", &snapshot.reference)?,
        branches: by_unit(&rows, "branch", &snapshot.reference)?,
        headquarters: by_unit(&rows, HEADQUARTERS, &snapshot.reference)?,
        all,
    })
}

/// The timeliness of the units of one level for complaints received in the `days` days up to `as_of` (days
/// since 1970). `level` is `department`, `branch`, `team` or [`HEADQUARTERS`].
///
/// # Errors
/// `Cancelled` if the work was cancelled; else if `level` is not a column of the facts.
pub fn of_level(snapshot: &Snapshot, as_of: i32, days: i32, level: &str) -> Result<Vec<UnitTimeliness>, JobError> {
    let rows = handled(&snapshot.facts, as_of)?.filter(col("day").gt(lit(as_of - days))).collect()?;
    check_cancelled()?;
    let rows = by_responsible(rows, &snapshot.reference, local_date(snapshot.as_of))?;
    Ok(by_unit(&rows, level, &snapshot.reference)?)
}

/// (days, answered) of each complaint that [`of_level`] counts for a unit of a level; of all complaints if `of` is None.
///
/// # Errors
/// If the level is not a column of the facts.
pub fn times_of_unit(
    snapshot: &Snapshot,
    as_of: i32,
    days: i32,
    of: Option<(&str, Id)>,
) -> Result<Vec<(i32, bool)>, JobError> {
    let rows = handled(&snapshot.facts, as_of)?.filter(col("day").gt(lit(as_of - days))).collect()?;
    let Some((level, unit)) = of else { return Ok(times(&rows)?) };
    let rows = by_responsible(rows, &snapshot.reference, local_date(snapshot.as_of))?;
    let (places, unit) = (Places::of(&rows, level)?, snapshot.reference.unit_index(unit));
    let all = places.iter().zip(times(&rows)?);
    Ok(all.filter(|(index, _)| index.is_some() && *index == unit).map(|(_, time)| time).collect())
}

fn one(rows: &DataFrame) -> PolarsResult<Handled> {
    let table = rows.clone().lazy().select(measures()).collect()?;
    let mut all = read(&table, 0)?;
    all.median_days = median_survival(times(rows)?);
    Ok(all)
}

/// The timeliness of the units of one level, by code. `rows` comes from [`handled`]; `level` is one of its columns
/// with indices into the units of [`Reference`] (u32?).
///
/// # Errors
/// If `rows` lacks a column that it reads, or `level` is not a column of units.
pub fn by_unit(rows: &DataFrame, level: &str, reference: &Reference) -> PolarsResult<Vec<UnitTimeliness>> {
    let table = rows
        .clone()
        .lazy()
        .filter(col(level).is_not_null())
        .group_by([col(level)])
        .agg(measures())
        .sort([level], SortMultipleOptions::default())
        .collect()?;
    let mut waits: HashMap<u32, Vec<(i32, bool)>> = HashMap::new();
    for (index, time) in Places::of(rows, level)?.iter().zip(times(rows)?) {
        if let Some(index) = index {
            waits.entry(index).or_default().push(time);
        }
    }
    let mut units = Vec::new();
    for (at, index) in Places::of(&table, level)?.iter().enumerate() {
        let Some((index, unit)) = index.and_then(|index| Some((index, reference.units.get(index as usize)?))) else {
            continue;
        };
        let mut handled = read(&table, at)?;
        handled.median_days = median_survival(waits.remove(&index).unwrap_or_default());
        let limits = wilson(handled.in_time, handled.due, Z_95);
        units.push(UnitTimeliness {
            code: unit.code.clone(),
            name_vi: unit.name_vi.clone(),
            name_en: unit.name_en.clone(),
            share_in_time: handled.share_in_time(),
            lower: limits.map(|limits| round_6_digits(limits.lower)),
            upper: limits.map(|limits| round_6_digits(limits.upper)),
            shrunk_share: None,
            handled,
        });
    }
    let counts: Vec<(u32, u32)> = units.iter().map(|unit| (unit.handled.in_time, unit.handled.due)).collect();
    if let Some(prior) = BetaPrior::fit(&counts) {
        for unit in units.iter_mut().filter(|unit| unit.handled.due > 0) {
            unit.shrunk_share = Some(round_6_digits(prior.shrunk(unit.handled.in_time, unit.handled.due)));
        }
    }
    units.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(units)
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
            (10, Some(20), None, None),        // due on the as-of day
            (10, Some(20), Some(12), None),    // answered, due on the as-of day
            (15, Some(25), Some(16), None),    // answered, not due yet
            (0, Some(10), Some(21), Some(30)), // answered after the as-of day
            (21, Some(30), None, None),        // received later
        ]);
        let table = handled(&facts, 20).expect("a frame").select(measures()).collect().expect("a table");
        let found = read(&table, 0).expect("a row");
        let expected = Handled { complaints: 10, due: 4, in_time: 1, open: 9, overdue: 2, median_days: None };
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
