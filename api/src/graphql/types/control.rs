//! Branches side by side and over time, ready to draw.

use async_graphql::SimpleObject;
use chrono::NaiveDate;
use jobs::analyses::recurrence;

/// Observed against expected of all branches, with the limits that they lie within by chance, given
/// that they differ anyhow (Spiegelhalter 2005).
#[derive(SimpleObject)]
pub struct FunnelPlot {
    /// The as-of day of the run that it comes from.
    pub as_of: Option<NaiveDate>,
    pub days: i32,
    /// The mean winsorised z²: 1 where chance alone is at work.
    pub phi: f64,
    /// The variance between branches, on the square-root scale.
    pub tau2: f64,
    pub points: Vec<FunnelPoint>,
}

/// One branch in a funnel plot: draw `ratio` over `expected`.
#[derive(SimpleObject)]
pub struct FunnelPoint {
    pub unit_code: String,
    pub observed: u32,
    pub expected: f64,
    pub ratio: f64,
    pub z: f64,
    /// 95 % of branches lie within.
    pub lower95: f64,
    pub upper95: f64,
    /// 99.8 % of branches lie within.
    pub lower998: f64,
    pub upper998: f64,
}

impl FunnelPlot {
    pub fn new(as_of: Option<NaiveDate>, plot: recurrence::FunnelPlot) -> Self {
        let points = plot.units.into_iter().map(|unit| FunnelPoint {
            unit_code: unit.code,
            observed: unit.observed,
            expected: unit.expected,
            ratio: unit.ratio,
            z: unit.z,
            lower95: unit.lower_95,
            upper95: unit.upper_95,
            lower998: unit.lower_998,
            upper998: unit.upper_998,
        });
        Self { as_of, days: plot.days, phi: plot.phi, tau2: plot.tau2, points: points.collect() }
    }
}

/// The weekly CUSUM of a branch, tuned to find a doubling (Lucas 1985).
#[derive(SimpleObject)]
pub struct CusumSeries {
    /// A sum above it is a signal, and the sum starts again from 0. Chosen so that a branch where nothing
    /// is wrong signals once in five years.
    limit: f64,
    weeks: Vec<CusumWeek>,
}

#[derive(SimpleObject)]
pub struct CusumWeek {
    /// The first day of the week.
    from: NaiveDate,
    observed: u32,
    expected: f64,
    sum: f64,
    signal: bool,
}

impl From<recurrence::CusumSeries> for CusumSeries {
    fn from(series: recurrence::CusumSeries) -> Self {
        let weeks = series.weeks.into_iter().map(|week| CusumWeek {
            from: week.from,
            observed: week.observed,
            expected: week.expected,
            sum: week.sum,
            signal: week.signal,
        });
        Self { limit: series.limit, weeks: weeks.collect() }
    }
}
