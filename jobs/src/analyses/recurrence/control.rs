//! The data of two control charts of branches (docs/statistics.md, "Branches"): a funnel plot across branches and a
//! weekly CUSUM of each branch.

use super::significance::Comparison;
use super::tiers::Assessed;
use super::windows::subjects_by_month;
use crate::facts::exposure::Exposure;
use crate::facts::frames::Frames;
use crate::numeric::rounding::round_6_digits;
use crate::numeric::{cusum, funnel};
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The rate ratio that the CUSUM is tuned to detect.
pub const RATE_RATIO: f64 = 2.0;
/// In-control average run length of 260 weeks (5 years) to a false signal.
pub const IN_CONTROL_WEEKS: f64 = 260.0;
/// Observed and expected episodes of all branches in one window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelPlot {
    pub days: i32,
    /// Mean winsorised z²: 1 if branches differ by chance alone.
    pub phi: f64,
    /// Variance between branches, on the square-root scale.
    pub tau2: f64,
    pub units: Vec<FunnelUnit>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelUnit {
    pub code: String,
    pub observed: u32,
    pub expected: f64,
    /// O / E.
    pub ratio: f64,
    pub z: f64,
    /// Control limits of O / E that 95 % and 99.8 % of branches lie within.
    pub lower_95: f64,
    pub upper_95: f64,
    pub lower_998: f64,
    pub upper_998: f64,
}

/// The weekly CUSUM of one branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CusumSeries {
    pub code: String,
    /// A sum above the limit is a signal; the sum then restarts at 0.
    pub limit: f64,
    pub weeks: Vec<CusumWeek>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CusumWeek {
    /// The first day of the week.
    pub from: NaiveDate,
    pub observed: u32,
    pub expected: f64,
    pub sum: f64,
    pub signal: bool,
}

/// The funnel plot of one compared window.
pub fn funnel_plot(frames: &Frames, comparison: &Comparison) -> FunnelPlot {
    let pairs = comparison.pairs();
    let observed: Vec<f64> = pairs.iter().map(|(_, o, _)| f64::from(*o)).collect();
    let expected: Vec<f64> = pairs.iter().map(|(_, _, e)| *e).collect();
    let shape = funnel::funnel(&observed, &expected);
    let units = pairs
        .iter()
        .zip(&shape.z)
        .filter_map(|((index, observed, expected), z)| {
            let (narrow, wide) = (shape.limits(*expected, funnel::Z_95), shape.limits(*expected, funnel::Z_998));
            Some(FunnelUnit {
                code: frames.branches.get(*index as usize)?.code.clone(),
                observed: *observed,
                expected: round_6_digits(*expected),
                ratio: round_6_digits(f64::from(*observed) / expected),
                z: round_6_digits(*z),
                lower_95: round_6_digits(narrow.lower),
                upper_95: round_6_digits(narrow.upper),
                lower_998: round_6_digits(wide.lower),
                upper_998: round_6_digits(wide.upper),
            })
        })
        .collect();
    FunnelPlot {
        days: comparison.scatter.days,
        phi: round_6_digits(shape.phi),
        tau2: round_6_digits(shape.tau2),
        units,
    }
}

/// The CUSUM of each branch over the whole weeks of the longest compared window, the last ending on the as-of
/// day. The expected of a week is that of the window times the week's share of the exposure.
///
/// # Errors
/// If the rows or the exposure lack a column that it reads.
pub fn cusum_series(
    frames: &Frames,
    exposure: &Exposure,
    assessed: &Assessed,
    as_of: NaiveDate,
) -> PolarsResult<Vec<CusumSeries>> {
    let Some(comparison) = &assessed.longest else { return Ok(Vec::new()) };
    let (Some(first), Some(last)) = (frames.spans.first(), frames.spans.last()) else { return Ok(Vec::new()) };
    // Whole weeks of the window that was compared.
    let weeks = comparison.scatter.days / 7;
    let begins = last.to - 7 * weeks + 1;
    let week_of = |day: i32| usize::try_from((day - begins).div_euclid(7)).ok().filter(|_| day >= begins);
    let weeks = weeks.unsigned_abs() as usize;
    let window_from = (last.to - comparison.scatter.days + 1).max(first.from);

    // By branch: exposure of each week and of the whole window.
    let mut exposed: HashMap<u32, (Vec<f64>, f64)> = HashMap::new();
    let rows = &exposure.rows;
    let columns = (rows.column("subject")?.u32()?, rows.column("span")?.u32()?, rows.column("exposure")?.f64()?);
    for ((subject, span), handled) in columns.0.iter().zip(columns.1.iter()).zip(columns.2.iter()) {
        let (Some(subject), Some(span), Some(handled)) = (subject, span, handled) else { continue };
        let Some(span) = frames.spans.get(span as usize).filter(|span| span.from >= window_from) else { continue };
        let (by_week, whole) = exposed.entry(subject).or_insert_with(|| (vec![0.0; weeks], 0.0));
        *whole += handled;
        let daily = handled / f64::from(span.to - span.from + 1);
        for week in (span.from..=span.to).filter_map(week_of) {
            by_week[week] += daily;
        }
    }
    let mut observed: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let opened =
        assessed.rows.clone().lazy().filter(col("opens").and(col("episode_day").gt_eq(lit(begins)))).collect()?;
    for (subject, day) in opened.column("subject")?.u32()?.iter().zip(opened.column("episode_day")?.i32()?.iter()) {
        let (Some(subject), Some(week)) = (subject, day.and_then(week_of)) else { continue };
        if let Some(count) = observed.entry(subject).or_insert_with(|| vec![0; weeks]).get_mut(week) {
            *count += 1;
        }
    }
    // Complaints known by their month alone are dated to one day: its week would count the whole month.
    let recent = assessed.rows.clone().lazy().filter(col("day").gt_eq(lit(begins))).collect()?;
    let by_month = subjects_by_month(&recent, &frames.by_month)?;
    let mut limits: HashMap<u64, Option<f64>> = HashMap::new();
    let mut series = Vec::new();
    for (index, _, expected) in comparison.pairs().into_iter().filter(|(index, ..)| !by_month.contains(index)) {
        let (Some((by_week, whole)), Some(branch)) = (exposed.get(&index), frames.branches.get(index as usize)) else {
            continue;
        };
        let expected: Vec<f64> = by_week.iter().map(|week| expected * week / whole).collect();
        // Branches with the same mean to two digits share a limit, which is slow to compute.
        let mean: f64 = format!("{:.1e}", expected.iter().sum::<f64>() / weeks as f64).parse().unwrap_or(0.0);
        let limit = *limits.entry(mean.to_bits()).or_insert_with(|| cusum::limit(mean, RATE_RATIO, IN_CONTROL_WEEKS));
        let Some(limit) = limit else { continue };
        let none = vec![0; weeks];
        let counts = observed.get(&index).unwrap_or(&none);
        let as_floats: Vec<f64> = counts.iter().map(|count| f64::from(*count)).collect();
        let (sums, signals) = cusum::with_restarts(&as_floats, &expected, RATE_RATIO, limit);
        let since = |week: usize| as_of - Days::new(7 * (weeks - week) as u64 - 1);
        series.push(CusumSeries {
            code: branch.code.clone(),
            limit,
            weeks: (0..weeks)
                .map(|week| CusumWeek {
                    from: since(week),
                    observed: counts[week],
                    expected: round_6_digits(expected[week]),
                    sum: round_6_digits(sums[week]),
                    signal: signals[week],
                })
                .collect(),
        });
    }
    Ok(series)
}
