//! Observed and expected episodes of each subject (design §5, point 4).
//!
//! Indirect standardisation: the subject's exposure in a stratum times the rate of the *other* subjects
//! there. The subject's own episodes and exposure are left out of that rate, so that a subject that draws
//! most complaints of a stratum is not compared with itself.

use super::Rules;
use crate::facts::exposure::Span;
use crate::facts::lookback::WINDOWS;
use polars::prelude::*;

/// Observed and expected of the subjects of one kind in one window, as parallel vectors sorted by place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    pub subjects: Vec<u32>,
    /// Episodes that began in the window.
    pub observed: Vec<u32>,
    /// Declarations, or days in posting.
    pub exposure: Vec<f64>,
    /// None without exposure, or without a rate to compare with.
    pub expected: Vec<Option<f64>>,
    /// Share of the expected that comes from widened strata.
    pub widened: Vec<f64>,
    /// Whether some of the exposure was carried over from another month.
    pub carried: Vec<bool>,
}

/// The cells that all windows are computed from: `subject` (u32), `group` (i32), `span`, `month` (u32),
/// exposure `x`, episodes `y` (f64) and `carried` (bool).
///
/// Reads `subject`, `group`, `episode_day` and `opens` of `rows`; `exposure` is as in
/// [`crate::facts::exposure::Exposure`]. An episode counts in the month in which it began, and in the peer
/// group of the branch that it is about.
pub fn cells(rows: &DataFrame, exposure: &DataFrame, spans: &[Span]) -> PolarsResult<LazyFrame> {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return Ok(exposure.clone().lazy());
    };
    // The number of spans (or months) after the first that begin on or before the day is the index of its
    // span (month).
    let count = |starts: &mut dyn Iterator<Item = i32>| {
        let day = || col("episode_day");
        starts.fold(lit(0u32).cast(DataType::UInt32), |sum, start| sum + day().gt_eq(lit(start)).cast(DataType::UInt32))
    };
    let span = count(&mut spans.iter().skip(1).map(|span| span.from));
    let mut beginnings = spans.windows(2).filter(|pair| pair[0].month != pair[1].month).map(|pair| pair[1].from);
    let month = count(&mut beginnings);
    let episodes = rows
        .clone()
        .lazy()
        .filter(col("opens").and(col("episode_day").gt_eq(lit(first.from))).and(col("episode_day").lt_eq(lit(last.to))))
        .select([
            col("subject"),
            col("group"),
            span.cast(DataType::UInt32).alias("span"),
            month.cast(DataType::UInt32).alias("month"),
            lit(0.0).alias("x"),
            lit(1.0).alias("y"),
            lit(false).alias("carried"),
        ]);
    let exposed = exposure.clone().lazy().select([
        col("subject"),
        col("group"),
        col("span"),
        col("month"),
        col("exposure").alias("x"),
        lit(0.0).alias("y"),
        col("carried"),
    ]);
    concat([exposed, episodes], UnionArgs::default())
}

/// Observed and expected in the window of the last `days` days.
///
/// The rate of a stratum (peer group × month) is that of the other subjects. If they have fewer than
/// `rules.stratum_episodes` episodes there, it is their rate in the peer group over the whole window; if they
/// have fewer there, too, it is the rate of all other subjects over the whole window.
pub fn expected(cells: &LazyFrame, spans: &[Span], days: i32, rules: &Rules) -> PolarsResult<Expected> {
    let Some(last) = spans.last() else { return Ok(Expected::default()) };
    let from = spans.iter().position(|span| span.from > last.to - days).unwrap_or(0);
    let from = u32::try_from(from).unwrap_or(u32::MAX);
    let cell = cells
        .clone()
        .filter(col("span").cast(DataType::Int64).gt_eq(lit(i64::from(from))))
        .group_by([col("subject"), col("group"), col("month")])
        .agg([col("x").sum(), col("y").sum(), col("carried").any(true)])
        // Float sums depend on the order of their terms.
        .sort(["subject", "group", "month"], SortMultipleOptions::default())
        .collect()?;
    let sums = |keys: &[&str], suffix: &str| {
        let keys: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
        cell.clone()
            .lazy()
            .group_by_stable(keys)
            .agg([col("x").sum().alias(format!("x_{suffix}")), col("y").sum().alias(format!("y_{suffix}"))])
    };
    let all = cell.clone().lazy().select([col("x").sum(), col("y").sum()]).collect()?;
    let total = |name: &str| -> PolarsResult<f64> { Ok(all.column(name)?.f64()?.get(0).unwrap_or(0.0)) };
    let (x_all, y_all) = (total("x")?, total("y")?);
    let on = |keys: &[&str]| keys.iter().map(|key| col(*key)).collect::<Vec<_>>();
    let joined = cell
        .clone()
        .lazy()
        .join(
            sums(&["group", "month"], "stratum"),
            on(&["group", "month"]),
            on(&["group", "month"]),
            JoinArgs::new(JoinType::Left),
        )
        .join(sums(&["group"], "group"), on(&["group"]), on(&["group"]), JoinArgs::new(JoinType::Left))
        .join(
            sums(&["subject", "group"], "own_group"),
            on(&["subject", "group"]),
            on(&["subject", "group"]),
            JoinArgs::new(JoinType::Left),
        )
        .join(sums(&["subject"], "own"), on(&["subject"]), on(&["subject"]), JoinArgs::new(JoinType::Left));
    // Differences of float sums that should be 0 are not always exactly 0.
    let others = |x: Expr, own: Expr, of: Expr| (x - own).gt(of * lit(1e-9));
    let enough = lit(f64::from(rules.stratum_episodes) - 0.5);
    let stratum = (col("y_stratum") - col("y")) / (col("x_stratum") - col("x"));
    let group = (col("y_group") - col("y_own_group")) / (col("x_group") - col("x_own_group"));
    let wide = (lit(y_all) - col("y_own")) / (lit(x_all) - col("x_own"));
    let stratum_will_do =
        (col("y_stratum") - col("y")).gt(enough.clone()).and(others(col("x_stratum"), col("x"), col("x_stratum")));
    let group_will_do = (col("y_group") - col("y_own_group")).gt(enough).and(others(
        col("x_group"),
        col("x_own_group"),
        col("x_group"),
    ));
    let there_are_others = others(lit(x_all), col("x_own"), lit(x_all));
    let rate = when(stratum_will_do.clone())
        .then(stratum)
        .when(group_will_do)
        .then(group)
        .when(there_are_others)
        .then(wide)
        .otherwise(lit(NULL));
    let contribution = || col("x") * col("rate");
    let table = joined
        .with_columns([rate.alias("rate"), stratum_will_do.alias("as_is")])
        .sort(["subject", "group", "month"], SortMultipleOptions::default())
        .group_by_stable([col("subject")])
        .agg([
            col("y").sum(),
            col("x").sum(),
            contribution().filter(col("x").gt(lit(0.0))).sum().alias("expected"),
            contribution().filter(col("x").gt(lit(0.0)).and(col("as_is").not())).sum().alias("widened"),
            col("rate").is_null().and(col("x").gt(lit(0.0))).any(true).alias("unknown"),
            col("carried").any(true),
        ])
        .sort(["subject"], SortMultipleOptions::default())
        .collect()?;
    let floats = |name: &str| -> PolarsResult<Vec<f64>> {
        Ok(table.column(name)?.f64()?.iter().map(|value| value.unwrap_or(0.0)).collect())
    };
    let flags = |name: &str| -> PolarsResult<Vec<bool>> {
        Ok(table.column(name)?.bool()?.iter().map(|value| value == Some(true)).collect())
    };
    let unknown = flags("unknown")?;
    let sums = floats("expected")?;
    let expected: Vec<Option<f64>> =
        sums.iter().zip(&unknown).map(|(sum, unknown)| (!unknown && *sum > 0.0).then_some(*sum)).collect();
    let widened = floats("widened")?
        .iter()
        .zip(&sums)
        .map(|(part, whole)| if *whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 })
        .collect();
    Ok(Expected {
        subjects: table.column("subject")?.u32()?.iter().map(|place| place.unwrap_or(u32::MAX)).collect(),
        observed: floats("y")?.into_iter().map(|y| y.round() as u32).collect(),
        exposure: floats("x")?,
        expected,
        widened,
        carried: flags("carried")?,
    })
}

impl Expected {
    /// The share of episodes whose subjects have exposure; 1 without episodes.
    pub fn coverage(&self) -> f64 {
        let all: u32 = self.observed.iter().sum();
        let covered: u32 = self.observed.iter().zip(&self.exposure).filter(|(_, x)| **x > 0.0).map(|(o, _)| *o).sum();
        if all == 0 { 1.0 } else { f64::from(covered) / f64::from(all) }
    }
}

/// The windows that tiers take their numbers from.
pub fn windows_of(rules: &Rules) -> Vec<i32> {
    WINDOWS.into_iter().filter(|days| rules.tiers().iter().any(|(_, tier)| tier.days == *days)).collect()
}
