//! Rising categories: the complaints of a recent period compared with those of a period before it, for categories of
//! both levels. A category of the first level counts what lies below it.

use crate::analyses::recurrence::round_6_digits;
use crate::facts::days::day_number;
use crate::numeric::multiplicity::benjamini_hochberg;
use crate::numeric::proportion::binomial_upper_tail;
use crate::snapshot::{Places, Snapshot};
use chrono::NaiveDate;
use polars::prelude::{DataType, Expr, IntoLazy, PolarsResult, col, lit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Length in days of the recent period …
const RECENT: i32 = 30;
/// … and of the comparison period before it, at most; a young register has less.
const BEFORE: i32 = 180;
/// The shortest comparison period, in days, against which rises are reported.
const LEAST_BEFORE: i32 = 30;
/// False discovery rate: the largest q-value of a reported rise (Benjamini and Hochberg 1995).
const FALSE_SHARE: f64 = 0.05;
/// The fewest recent complaints of a reported rise.
const FEWEST: u32 = 10;

/// The periods that trends compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendPeriod {
    /// The last day of the recent period (days since 1970).
    pub until: i32,
    /// Length in days of the recent period, 1 or more.
    pub days: i32,
    /// Length in days of the comparison period before it, at most; a young register has less.
    pub before_days: i32,
}

impl TrendPeriod {
    /// The 30 days up to a day, compared with the 180 before them.
    pub fn up_to(day: NaiveDate) -> Self {
        Self { until: day_number(day), days: RECENT, before_days: BEFORE }
    }

    /// The same without days before the first one of a register (days since 1970).
    pub fn since(self, first: Option<i32>) -> Self {
        let first = i64::from(first.unwrap_or(self.until));
        let there = i64::from(self.until) - i64::from(self.days) - first + 1;
        let before_days = there.clamp(0, i64::from(self.before_days.max(0)));
        Self { before_days: i32::try_from(before_days).unwrap_or(0), ..self }
    }

    /// The condition that a complaint was received in a period of some days that ends some days before this one.
    pub(crate) fn span(&self, days: i32, ended: i32) -> Expr {
        let until = self.until - ended;
        col("day").gt(lit(until - days)).and(col("day").lt_eq(lit(until)))
    }
}

/// A category's complaints in the recent and the comparison period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CategoryTrend {
    pub code: String,
    /// The code of the category above; None on the first level.
    #[serde(default)]
    pub parent: Option<String>,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub recent: u32,
    pub before: u32,
    /// Recent complaints expected at the rate of the comparison period; 0 when that is too short.
    pub expected: f64,
    /// One-sided exact binomial test of the recent count, given the sum of both; 1 when nothing is tested.
    pub p: f64,
    /// q-value over all categories of its level (Benjamini and Hochberg).
    #[serde(default)]
    pub q: f64,
    pub rises: bool,
    /// Its share of the complaints of both periods, and, within its level, the cumulative share down to it, largest first
    /// (Pareto).
    #[serde(default)]
    pub share: f64,
    #[serde(default)]
    pub cumulative_share: f64,
}

/// The trend of each category of both levels, in the order of the categories of the snapshot's reference data. The
/// comparison period begins within the register ([`TrendPeriod::since`]).
///
/// # Errors
/// When the facts lack a column.
pub fn category_trends(snapshot: &Snapshot, period: TrendPeriod) -> PolarsResult<Vec<CategoryTrend>> {
    let enough = period.before_days >= LEAST_BEFORE;
    let (days, before_days) = (f64::from(period.days), f64::from(period.before_days));
    let code = |id| snapshot.reference.category(id).map(|above| above.code.clone());
    let found = counts(snapshot, period)?.into_iter().filter_map(|(place, (recent, before))| {
        let category = snapshot.reference.categories.get(place as usize)?;
        Some(CategoryTrend {
            code: category.code.clone(),
            parent: category.parent_id.and_then(code),
            name_vi: category.name_vi.clone(),
            name_en: category.name_en.clone(),
            recent,
            before,
            expected: if enough { f64::from(before) * days / before_days } else { 0.0 },
            p: if enough { binomial_upper_tail(recent, recent + before, days / (days + before_days)) } else { 1.0 },
            q: 1.0,
            rises: false,
            share: 0.0,
            cumulative_share: 0.0,
        })
    });
    let mut found: Vec<CategoryTrend> = found.collect();
    let total: u32 = found.iter().filter(|trend| trend.parent.is_none()).map(|trend| trend.recent + trend.before).sum();
    for first in [true, false] {
        let level = found.iter_mut().filter(|trend| trend.parent.is_none() == first);
        compare(level.collect(), f64::from(total));
    }
    Ok(found)
}

/// The complaints of the recent and of the comparison period by the place of their category. Complaints of the second
/// level count in the category above, too.
fn counts(snapshot: &Snapshot, period: TrendPeriod) -> PolarsResult<BTreeMap<u32, (u32, u32)>> {
    let count = |condition: Expr| condition.cast(DataType::UInt32).sum().cast(DataType::UInt32);
    let TrendPeriod { days, before_days, .. } = period;
    let table = snapshot
        .facts
        .clone()
        .lazy()
        .filter(col("category").is_not_null().and(period.span(days + before_days, 0)))
        .group_by([col("category")])
        .agg([count(period.span(days, 0)).alias("recent"), count(period.span(before_days, days)).alias("before")])
        .collect()?;
    let places = Places::of(&table, "category")?.iter();
    let numbers = table.column("recent")?.u32()?.iter().zip(table.column("before")?.u32()?.iter());
    let mut counts: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for (place, (recent, before)) in places.zip(numbers) {
        let (Some(place), Some(recent), Some(before)) = (place, recent, before) else { continue };
        let above = snapshot.reference.category_group(place).filter(|above| *above != place);
        for place in above.into_iter().chain([place]) {
            let all = counts.entry(place).or_default();
            *all = (all.0 + recent, all.1 + before);
        }
    }
    Ok(counts)
}

/// Compares the categories of one level with one another: which of them rise, and their shares of `total` complaints.
fn compare(mut level: Vec<&mut CategoryTrend>, total: f64) {
    let p: Vec<f64> = level.iter().map(|category| category.p).collect();
    for (category, q) in level.iter_mut().zip(benjamini_hochberg(&p)) {
        category.q = round_6_digits(q);
        category.rises = q <= FALSE_SHARE && category.recent >= FEWEST;
    }
    // The sort is stable: equal ones stay in the order of their codes.
    level.sort_by_key(|category| std::cmp::Reverse(category.recent + category.before));
    let mut so_far = 0.0;
    for category in level {
        let share = f64::from(category.recent + category.before) / total;
        so_far += share;
        category.share = round_6_digits(share);
        category.cumulative_share = round_6_digits(so_far);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invented_register::invented_register;
    use crate::snapshot::{Reference, SnapshotStore};
    use polars::prelude::{Column, DataFrame};
    use std::sync::Arc;

    /// Complaints by (code of a category, days before day 1,000).
    fn snapshot(complaints: &[(&str, i32)]) -> Snapshot {
        let (_folder, db) = invented_register(300, 4);
        let register = SnapshotStore::load(&db).expect("a snapshot").current();
        let reference: &Arc<Reference> = &register.reference;
        let place = |code: &str| reference.category_by_code(code).and_then(|one| reference.category_index(one.id));
        let days: Vec<i32> = complaints.iter().map(|(_, ago)| 1_000 - ago).collect();
        let places: Vec<Option<u32>> = complaints.iter().map(|(code, _)| place(code)).collect();
        let columns = vec![Column::new("day".into(), days), Column::new("category".into(), places)];
        register.with(&DataFrame::new(complaints.len(), columns).expect("a frame"), register.position)
    }

    #[test]
    fn a_category_of_the_first_level_counts_what_lies_below_it() {
        let mut complaints = Vec::new();
        // 24 recent complaints where 4 are expected, and one directly of the first level.
        complaints.extend((0..24).map(|n| ("TEC-DOWN", n % 10)));
        complaints.extend((0..24).map(|n| ("TEC-DOWN", 30 + n * 5)));
        complaints.extend([("TEC-SLOW", 3), ("TEC-SLOW", 100), ("TECHNICAL", 5)]);
        complaints.extend((0..21).map(|n| ("PRC-HS", n * 10)));
        complaints.extend([("TEC-DOWN", -1), ("TEC-DOWN", 210), ("unknown", 1)]);
        let period = TrendPeriod { until: 1_000, days: 30, before_days: 180 };
        let found = category_trends(&snapshot(&complaints), period).expect("trends");
        let of = |code: &str| found.iter().find(|trend| trend.code == code).expect("a category");
        let counts = |code: &str| (of(code).recent, of(code).before, of(code).rises);
        assert_eq!(counts("TEC-DOWN"), (24, 24, true));
        assert_eq!(counts("TEC-SLOW"), (1, 1, false));
        assert_eq!(counts("TECHNICAL"), (26, 25, true));
        assert_eq!((counts("PRC-HS"), counts("PROCEDURE")), ((3, 18, false), (3, 18, false)));
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!((of("TEC-DOWN").parent.as_deref(), of("TECHNICAL").parent.as_deref()), (Some("TECHNICAL"), None));
        // 72 complaints, of which 71 have a category of the second level.
        let shares =
            |code: &str| [of(code).share, of(code).cumulative_share].map(|share| (share * 72.0).round() as u32);
        assert_eq!([shares("TECHNICAL"), shares("PROCEDURE")], [[51, 51], [21, 72]]);
        assert_eq!([shares("TEC-DOWN"), shares("PRC-HS"), shares("TEC-SLOW")], [[48, 48], [21, 69], [2, 71]]);
    }

    #[test]
    fn the_comparison_begins_within_the_register() {
        let period = TrendPeriod { until: 1_000, days: 30, before_days: 180 };
        let before = |first| period.since(first).before_days;
        assert_eq!([before(Some(0)), before(Some(901)), before(Some(971)), before(Some(990))], [180, 70, 0, 0]);
        assert_eq!(before(None), 0);
    }
}
