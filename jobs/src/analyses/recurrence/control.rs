//! Branches side by side, and each of them over time: a funnel plot and a weekly CUSUM (design §5, point
//! 7), ready to draw.

use super::surprise::{Compared, six_digits};
use super::tiers::Assessed;
use super::windows::subjects_by_month;
use crate::facts::exposure::Exposure;
use crate::facts::frames::Frames;
use crate::numeric::{cusum, funnel};
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The increase of the rate that the CUSUM is tuned to find.
pub const RATE_RATIO: f64 = 2.0;
/// Weeks until a signal, on average, where nothing is wrong: 5 years.
pub const IN_CONTROL_WEEKS: f64 = 260.0;
/// Observed against expected of all branches in one window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelPlot {
    pub days: i32,
    /// The mean winsorised z²: 1 where chance alone is at work.
    pub phi: f64,
    /// The variance between branches, on the square-root scale.
    pub tau2: f64,
    pub units: Vec<FunnelUnit>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelUnit {
    pub code: String,
    pub observed: u32,
    pub expected: f64,
    /// O / E, and the limits that 95 % and 99.8 % of branches lie in.
    pub ratio: f64,
    pub z: f64,
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
    /// A sum above it is a signal, and the sum starts again from 0.
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

/// The funnel of the longest window that was compared.
pub fn funnel_plot(frames: &Frames, compared: &Compared) -> FunnelPlot {
    let pairs = compared.pairs();
    let observed: Vec<f64> = pairs.iter().map(|(_, o, _)| f64::from(*o)).collect();
    let expected: Vec<f64> = pairs.iter().map(|(_, _, e)| *e).collect();
    let shape = funnel::funnel(&observed, &expected);
    let units = pairs
        .iter()
        .zip(&shape.z)
        .filter_map(|((place, observed, expected), z)| {
            let (narrow, wide) = (shape.limits(*expected, funnel::Z_95), shape.limits(*expected, funnel::Z_998));
            Some(FunnelUnit {
                code: frames.branches.get(*place as usize)?.code.clone(),
                observed: *observed,
                expected: six_digits(*expected),
                ratio: six_digits(f64::from(*observed) / expected),
                z: six_digits(*z),
                lower_95: six_digits(narrow.lower),
                upper_95: six_digits(narrow.upper),
                lower_998: six_digits(wide.lower),
                upper_998: six_digits(wide.upper),
            })
        })
        .collect();
    FunnelPlot { days: compared.scatter.days, phi: six_digits(shape.phi), tau2: six_digits(shape.tau2), units }
}

/// The CUSUM of each branch over the weeks that end with the as-of day. What is expected in a week is the
/// expected of the window, by the share of the exposure that fell into the week.
pub fn cusum_series(
    frames: &Frames,
    exposure: &Exposure,
    assessed: &Assessed,
    as_of: NaiveDate,
) -> PolarsResult<Vec<CusumSeries>> {
    let Some(compared) = &assessed.longest else { return Ok(Vec::new()) };
    let (Some(first), Some(last)) = (frames.spans.first(), frames.spans.last()) else { return Ok(Vec::new()) };
    // Whole weeks of the window that was compared.
    let weeks = compared.scatter.days / 7;
    let begins = last.to - 7 * weeks + 1;
    let week_of = |day: i32| usize::try_from((day - begins).div_euclid(7)).ok().filter(|_| day >= begins);
    let weeks = weeks.unsigned_abs() as usize;
    let window_from = (last.to - compared.scatter.days + 1).max(first.from);

    // By branch: exposure of each week, and of the whole window.
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
    // A week in which a month begins would have all of it.
    let recent = assessed.rows.clone().lazy().filter(col("day").gt_eq(lit(begins))).collect()?;
    let by_month = subjects_by_month(&recent, &frames.by_month)?;
    let mut limits: HashMap<u64, Option<f64>> = HashMap::new();
    let mut series = Vec::new();
    for (place, _, expected) in compared.pairs().into_iter().filter(|(place, ..)| !by_month.contains(place)) {
        let (Some((by_week, whole)), Some(branch)) = (exposed.get(&place), frames.branches.get(place as usize)) else {
            continue;
        };
        let expected: Vec<f64> = by_week.iter().map(|week| expected * week / whole).collect();
        // Branches of nearly the same mean share a limit: two digits of it are enough.
        let mean: f64 = format!("{:.1e}", expected.iter().sum::<f64>() / weeks as f64).parse().unwrap_or(0.0);
        let limit = *limits.entry(mean.to_bits()).or_insert_with(|| cusum::limit(mean, RATE_RATIO, IN_CONTROL_WEEKS));
        let Some(limit) = limit else { continue };
        let none = vec![0; weeks];
        let counts = observed.get(&place).unwrap_or(&none);
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
                    expected: six_digits(expected[week]),
                    sum: six_digits(sums[week]),
                    signal: signals[week],
                })
                .collect(),
        });
    }
    Ok(series)
}
