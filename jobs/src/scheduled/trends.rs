//! What changes: categories that rise, cost and delay, and what happened in the register.

use super::{day_of, result};
use crate::JobError;
use crate::analyses::before_after::first_day;
use crate::analyses::recurrence::six_digits;
use crate::facts::frames::day_number;
use crate::numeric::multiplicity::benjamini_hochberg;
use crate::numeric::proportion::binomial_upper_tail;
use crate::runner::job::{Context, Job, Publish};
use crate::snapshot::Snapshot;
use crate::sums::costs_and_delays;
use chrono::NaiveDate;
use diesel::prelude::*;
use polars::prelude::{DataFrame, DataType, IntoLazy, PolarsResult, SortMultipleOptions, col, lit};
use schema::db::cancellation::check_cancelled;
use schema::models::JobRun;
use schema::tables::complaint_events;
use schema::{Conn, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

pub const NAME: &str = "trends";

/// The days that are compared with …
const RECENT: i32 = 30;
/// … so many before them, or as many as the register has.
const BEFORE: i32 = 180;
/// Against fewer days than this nothing rises: the register is too young to tell.
const LEAST_BEFORE: i32 = 30;
/// A rise is told where chance would show one so clear in less than this share of the categories told
/// (Benjamini and Hochberg 1995).
const FALSE_SHARE: f64 = 0.05;
/// Fewer complaints than this are no rise to speak of.
const FEWEST: u32 = 10;

/// A category, now and before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CategoryTrend {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub recent: u32,
    pub before: u32,
    /// Complaints of the recent days if nothing had changed.
    pub expected: f64,
    /// Exact one-sided binomial test of the recent share, given the sum.
    pub p: f64,
    /// Benjamini and Hochberg, over all categories.
    #[serde(default)]
    pub q: f64,
    pub rises: bool,
    /// Its share of the complaints of both spans, and that of it and all larger ones (Pareto).
    #[serde(default)]
    pub share: f64,
    #[serde(default)]
    pub cumulative_share: f64,
}

/// Sums of a number of days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    pub complaints: u32,
    pub cost_vnd: i64,
    pub delay_hours: f64,
}

/// What the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrendsDocument {
    pub recent_days: i32,
    /// Fewer than usual in a young register; below 30 of them nothing is said to rise.
    pub before_days: i32,
    pub categories: Vec<CategoryTrend>,
    pub recent: Totals,
    /// The same number of days before.
    pub previous: Totals,
    /// Events of the register so far, by kind: the difference of two results is what happened between.
    pub events: BTreeMap<String, i64>,
}

pub struct Trends;

impl Job for Trends {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "rising categories, cost and delay, and what changed in the register"
    }

    fn schedule(&self) -> &'static str {
        "30 2 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let snapshot = context.snapshot()?;
        run.known_at = Some(snapshot.position);
        let position = snapshot.position;
        let events = context.db.read(|conn| events(conn, position))?;
        let document = trends(&snapshot, first_day(&snapshot.facts)?, as_of, events)?;
        let rising = document.categories.iter().filter(|category| category.rises).count();
        run.summary = Some(json!({ "rising": rising }).into());
        result(run, NAME, as_of, &document)
    }
}

fn events(conn: &mut Conn, position: i64) -> Result<BTreeMap<String, i64>, StoreError> {
    Ok(complaint_events::table
        .filter(complaint_events::position.le(position))
        .group_by(complaint_events::kind)
        .select((complaint_events::kind, diesel::dsl::count_star()))
        .load::<(String, i64)>(conn)?
        .into_iter()
        .collect())
}

/// Compares the recent days with those before them. `first` is the first day of the register, which a part of it does not
/// tell: days on which a part had none are days without complaints.
pub fn trends(
    snapshot: &Snapshot,
    first: Option<i32>,
    as_of: NaiveDate,
    events: BTreeMap<String, i64>,
) -> Result<TrendsDocument, JobError> {
    let as_of = day_number(as_of);
    let first = first.unwrap_or(as_of);
    let before_days = (as_of - RECENT - first + 1).clamp(0, BEFORE);
    let span = |from: i32, to: i32| col("day").gt(lit(from)).and(col("day").lt_eq(lit(to)));
    let recent = span(as_of - RECENT, as_of);
    let before = span(as_of - RECENT - before_days, as_of - RECENT);
    let count = |condition: polars::prelude::Expr| condition.cast(DataType::UInt32).sum().cast(DataType::UInt32);
    let table = snapshot
        .facts
        .clone()
        .lazy()
        .filter(col("category").is_not_null().and(span(as_of - RECENT - before_days, as_of)))
        .group_by([col("category")])
        .agg([count(recent.clone()).alias("recent"), count(before).alias("before")])
        .sort(["category"], SortMultipleOptions::default())
        .collect()?;
    let totals = |from: i32, to: i32| -> Result<Totals, JobError> {
        check_cancelled()?;
        let rows =
            snapshot.facts.clone().lazy().filter(span(from, to)).select([col("cost"), col("delay")]).collect()?;
        let (cost_vnd, delay_hours) = costs_and_delays(&rows)?;
        Ok(Totals { complaints: u32::try_from(rows.height()).unwrap_or(u32::MAX), cost_vnd, delay_hours })
    };
    Ok(TrendsDocument {
        recent_days: RECENT,
        before_days,
        categories: categories(snapshot, &table, before_days)?,
        recent: totals(as_of - RECENT, as_of)?,
        previous: totals(as_of - 2 * RECENT, as_of - RECENT)?,
        events,
    })
}

fn categories(snapshot: &Snapshot, table: &DataFrame, before_days: i32) -> PolarsResult<Vec<CategoryTrend>> {
    let enough = before_days >= LEAST_BEFORE;
    let share = f64::from(RECENT) / f64::from(RECENT + before_days);
    let (places, recent, before) =
        (table.column("category")?.u32()?, table.column("recent")?.u32()?, table.column("before")?.u32()?);
    let mut found: Vec<CategoryTrend> = places
        .iter()
        .zip(recent.iter())
        .zip(before.iter())
        .filter_map(|((place, recent), before)| {
            let category = snapshot.reference.categories.get(place? as usize)?;
            let (recent, before) = (recent?, before?);
            Some(CategoryTrend {
                code: category.code.clone(),
                name_vi: category.name_vi.clone(),
                name_en: category.name_en.clone(),
                recent,
                before,
                expected: if enough { f64::from(before) * f64::from(RECENT) / f64::from(before_days) } else { 0.0 },
                p: if enough { binomial_upper_tail(recent, recent + before, share) } else { 1.0 },
                q: 1.0,
                rises: false,
                share: 0.0,
                cumulative_share: 0.0,
            })
        })
        .collect();
    let p: Vec<f64> = found.iter().map(|category| category.p).collect();
    for (category, q) in found.iter_mut().zip(benjamini_hochberg(&p)) {
        category.q = six_digits(q);
        category.rises = q <= FALSE_SHARE && category.recent >= FEWEST;
    }
    let total: f64 = found.iter().map(|category| f64::from(category.recent + category.before)).sum();
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(found[*at].recent + found[*at].before), *at));
    let mut so_far = 0.0;
    for at in order {
        let share = f64::from(found[at].recent + found[at].before) / total;
        so_far += share;
        found[at].share = six_digits(share);
        found[at].cumulative_share = six_digits(so_far);
    }
    Ok(found)
}
