//! Trends: rising categories, and totals of cost and delay. Pure functions of the facts of a snapshot, a period and
//! counts of events.

use crate::JobError;
use crate::analyses::category_trends::{CategoryTrend, TrendPeriod, category_trends};
use crate::snapshot::Snapshot;
use crate::sums::costs_and_delays;
use chrono::NaiveDate;
use polars::prelude::{Expr, IntoLazy, col};
use schema::db::cancellation::check_cancelled;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Length of the comparison period, less in a young register. Below 30 no category rises.
    pub before_days: i32,
    pub categories: Vec<CategoryTrend>,
    pub recent: Totals,
    /// The same number of days before those.
    pub previous: Totals,
    /// Running totals of register events by kind; the difference of two results counts the events between them.
    pub events: BTreeMap<String, i64>,
}

/// Compares the recent 30 days with those before ([`trends_of`]).
///
/// # Errors
/// Same errors as [`trends_of`].
pub fn trends(
    snapshot: &Snapshot,
    first: Option<i32>,
    as_of: NaiveDate,
    events: BTreeMap<String, i64>,
) -> Result<TrendsDocument, JobError> {
    trends_of(snapshot, first, TrendPeriod::up_to(as_of), events)
}

/// Compares a period with the one before it. `first` is the first day of the whole register (days since 1970). A
/// snapshot filtered to a part must not derive it: days before the part's first complaint count, too.
///
/// # Errors
/// `Cancelled` if the work was cancelled; else if the facts lack a column.
pub fn trends_of(
    snapshot: &Snapshot,
    first: Option<i32>,
    period: TrendPeriod,
    events: BTreeMap<String, i64>,
) -> Result<TrendsDocument, JobError> {
    let period = period.since(first);
    let totals = |span: Expr| -> Result<Totals, JobError> {
        check_cancelled()?;
        let rows = snapshot.facts.clone().lazy().filter(span).select([col("cost"), col("delay")]).collect()?;
        let (cost_vnd, delay_hours) = costs_and_delays(&rows)?;
        Ok(Totals { complaints: u32::try_from(rows.height()).unwrap_or(u32::MAX), cost_vnd, delay_hours })
    };
    Ok(TrendsDocument {
        recent_days: period.days,
        before_days: period.before_days,
        categories: category_trends(snapshot, period)?,
        recent: totals(period.span(period.days, 0))?,
        previous: totals(period.span(period.days, period.days))?,
        events,
    })
}
