//! The timeliness job: how fast departments and branches answer, stored for digests and dashboards.

use crate::JobError;
use crate::analyses::recurrence::round_6_digits;
use crate::analyses::timeliness::{self as analysis, Handled, handled, measures, median_survival, times};
use crate::facts::days::day_number;
use crate::numeric::funnel::Z_95;
use crate::numeric::proportion::{BetaPrior, wilson};
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::snapshot::{Reference, Snapshot};
use chrono::NaiveDate;
use polars::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::models::JobRun;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;

pub const NAME: &str = "timeliness";

/// Length in days of the period of receipt that the job evaluates.
const DAYS: i32 = 365;

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

/// The result that the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelinessDocument {
    pub days: i32,
    pub all: Handled,
    pub share_in_time: Option<f64>,
    pub departments: Vec<UnitTimeliness>,
    pub branches: Vec<UnitTimeliness>,
}

pub struct Timeliness;

impl Job for Timeliness {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "computes how fast units answer, with open complaints as censored"
    }

    fn schedule(&self) -> &'static str {
        "15 2 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let snapshot = context.snapshot()?;
        run.known_at = Some(snapshot.position);
        let document = timeliness(&snapshot, as_of)?;
        run.summary = Some(json!({ "complaints": document.all.complaints, "overdue": document.all.overdue }).into());
        result(run, NAME, as_of, &document)
    }
}

/// The timeliness of all units for complaints received in the 365 days up to a day.
///
/// # Errors
/// If the facts lack a column.
pub fn timeliness(snapshot: &Snapshot, as_of: NaiveDate) -> Result<TimelinessDocument, JobError> {
    let as_of = day_number(as_of);
    let rows = handled(&snapshot.facts, as_of).filter(col("day").gt(lit(as_of - DAYS))).collect()?;
    let all = one(&rows, as_of)?;
    Ok(TimelinessDocument {
        days: DAYS,
        share_in_time: all.share_in_time(),
        departments: by_unit(&rows, "department", as_of, &snapshot.reference)?,
        branches: by_unit(&rows, "branch", as_of, &snapshot.reference)?,
        all,
    })
}

/// The timeliness of the units of one level for complaints received in the `days` days up to `as_of` (days
/// since 1970). `level` is a column of the facts: `department`, `branch` or `team`.
///
/// # Errors
/// `Cancelled` if the work was cancelled; else if `level` is no column of the facts.
pub fn of_level(snapshot: &Snapshot, as_of: i32, days: i32, level: &str) -> Result<Vec<UnitTimeliness>, JobError> {
    let rows = handled(&snapshot.facts, as_of).filter(col("day").gt(lit(as_of - days))).collect()?;
    check_cancelled()?;
    Ok(by_unit(&rows, level, as_of, &snapshot.reference)?)
}

fn one(rows: &DataFrame, as_of: i32) -> PolarsResult<Handled> {
    let table = rows.clone().lazy().select(measures()).collect()?;
    let mut all = analysis::read(&table, 0)?;
    all.median_days = median_survival(times(rows, as_of)?);
    Ok(all)
}

/// The timeliness of the units of one level, by code. `rows` comes from [`handled`]; `level` is one of its columns
/// with indices into the units of [`Reference`] (u32?).
///
/// # Errors
/// If `rows` lacks a column that it reads, or `level` is no column of units.
pub fn by_unit(rows: &DataFrame, level: &str, as_of: i32, reference: &Reference) -> PolarsResult<Vec<UnitTimeliness>> {
    let table = rows
        .clone()
        .lazy()
        .filter(col(level).is_not_null())
        .group_by([col(level)])
        .agg(measures())
        .sort([level], SortMultipleOptions::default())
        .collect()?;
    let mut waits: HashMap<u32, Vec<(i32, bool)>> = HashMap::new();
    for (place, time) in rows.column(level)?.u32()?.iter().zip(times(rows, as_of)?) {
        if let Some(place) = place {
            waits.entry(place).or_default().push(time);
        }
    }
    let mut units = Vec::new();
    for (at, place) in table.column(level)?.u32()?.iter().enumerate() {
        let Some((place, unit)) = place.and_then(|place| Some((place, reference.units.get(place as usize)?))) else {
            continue;
        };
        let mut handled = analysis::read(&table, at)?;
        handled.median_days = median_survival(waits.remove(&place).unwrap_or_default());
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
