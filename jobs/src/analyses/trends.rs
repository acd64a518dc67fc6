//! Trends: rising categories, and totals of cost and delay. Pure functions of the facts of a snapshot, an as-of day and
//! counts of events.

use crate::JobError;
use crate::analyses::recurrence::round_6_digits;
use crate::facts::days::day_number;
use crate::numeric::multiplicity::benjamini_hochberg;
use crate::numeric::proportion::binomial_upper_tail;
use crate::snapshot::Snapshot;
use crate::sums::costs_and_delays;
use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType, IntoLazy, PolarsResult, SortMultipleOptions, col, lit};
use schema::db::cancellation::check_cancelled;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Length in days of the recent period …
const RECENT: i32 = 30;
/// … and of the comparison period before it, at most; a young register has less.
const BEFORE: i32 = 180;
/// The shortest comparison period, in days, against which the job reports rises.
const LEAST_BEFORE: i32 = 30;
/// False discovery rate: the largest q-value of a reported rise (Benjamini and Hochberg 1995).
const FALSE_SHARE: f64 = 0.05;
/// The fewest recent complaints of a reported rise.
const FEWEST: u32 = 10;

/// A category's complaints in the recent and the comparison period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CategoryTrend {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub recent: u32,
    pub before: u32,
    /// Recent complaints expected at the rate of the comparison period; 0 when that is too short.
    pub expected: f64,
    /// One-sided exact binomial test of the recent count, given the sum of both; 1 when nothing is tested.
    pub p: f64,
    /// q-value over all categories (Benjamini and Hochberg).
    #[serde(default)]
    pub q: f64,
    pub rises: bool,
    /// Its share of the complaints of both periods, and the cumulative share down to it, largest first (Pareto).
    #[serde(default)]
    pub share: f64,
    #[serde(default)]
    pub cumulative_share: f64,
}

/// Totals of one period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    pub complaints: u32,
    pub cost_vnd: i64,
    pub delay_hours: f64,
}

/// Trends as of a day: the result that the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrendsDocument {
    pub recent_days: i32,
    /// Length of the comparison period: 180, less in a young register. Below 30 no category rises.
    pub before_days: i32,
    pub categories: Vec<CategoryTrend>,
    pub recent: Totals,
    /// The same number of days before those.
    pub previous: Totals,
    /// Running totals of register events by kind; the difference of two results counts the events between them.
    pub events: BTreeMap<String, i64>,
}

/// Compares the recent 30 days with those before. `first` is the first day of the whole register (days since
/// 1970). A snapshot filtered to a part must not derive it: days before the part's first complaint count, too.
///
/// # Errors
/// `Cancelled` if the work was cancelled; else if the facts lack a column.
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

/// The trend of each category, in the order of `table`. That has one row for each: `category` (u32, an index into the
/// categories of the snapshot's reference data), `recent` and `before` (u32, complaints of the recent and of the
/// `before_days` earlier days).
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
        category.q = round_6_digits(q);
        category.rises = q <= FALSE_SHARE && category.recent >= FEWEST;
    }
    let total: f64 = found.iter().map(|category| f64::from(category.recent + category.before)).sum();
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(found[*at].recent + found[*at].before), *at));
    let mut so_far = 0.0;
    for at in order {
        let share = f64::from(found[at].recent + found[at].before) / total;
        so_far += share;
        found[at].share = round_6_digits(share);
        found[at].cumulative_share = round_6_digits(so_far);
    }
    Ok(found)
}
