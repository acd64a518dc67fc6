//! How units answer: stored for digests and dashboards.

use super::{day_of, result};
use crate::JobError;
use crate::frames::day_number;
use crate::handling::{self, Handled, handled, measures, median_survival, times};
use crate::job::{Context, Job, Publish};
use crate::snapshot::{Reference, Snapshot};
use chrono::NaiveDate;
use polars::prelude::*;
use schema::models::JobRun;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub const NAME: &str = "timeliness";

/// Complaints received in so many days are looked at.
const DAYS: i32 = 365;

/// A unit and how it answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitTimeliness {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    #[serde(flatten)]
    pub handled: Handled,
    pub share_in_time: Option<f64>,
}

/// What the job stores.
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
        "how fast units answer, complaints still open included"
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

/// How all units answered what they received in the year before a day.
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

fn one(rows: &DataFrame, as_of: i32) -> PolarsResult<Handled> {
    let table = rows.clone().lazy().select(measures()).collect()?;
    let mut all = handling::read(&table, 0)?;
    all.median_days = median_survival(times(rows, as_of)?);
    Ok(all)
}

fn by_unit(rows: &DataFrame, level: &str, as_of: i32, reference: &Reference) -> PolarsResult<Vec<UnitTimeliness>> {
    let mut units = Vec::new();
    for group in rows.filter(&rows.column(level)?.is_not_null())?.partition_by([level], true)? {
        let place = group.column(level)?.u32()?.get(0).and_then(|place| reference.units.get(place as usize));
        let Some(unit) = place else { continue };
        let handled = one(&group, as_of)?;
        units.push(UnitTimeliness {
            code: unit.code.clone(),
            name_vi: unit.name_vi.clone(),
            name_en: unit.name_en.clone(),
            share_in_time: handled.share_in_time(),
            handled,
        });
    }
    units.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(units)
}
