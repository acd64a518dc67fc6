//! Control charts of branches: the funnel plot and the CUSUM.

use async_graphql::SimpleObject;
use chrono::NaiveDate;
use jobs::analyses::recurrence;

/// Observed against expected episodes of all branches, with control limits that allow for over-dispersion
/// between branches (Spiegelhalter 2005).
#[derive(SimpleObject)]
pub struct FunnelPlot {
    /// The as-of day of the run.
    pub as_of: Option<NaiveDate>,
    /// Length of the window in days.
    pub days: i32,
    /// Over-dispersion: the mean of the winsorised z². It is 1 if only chance is at work.
    pub phi: f64,
    /// The variance between branches, on the square-root scale.
    pub tau2: f64,
    pub points: Vec<FunnelPoint>,
}

/// A branch in the funnel plot: draw `ratio` over `expected`.
#[derive(SimpleObject)]
pub struct FunnelPoint {
    pub unit_code: String,
    /// Episodes observed.
    pub observed: u32,
    /// Episodes expected from the exposure.
    pub expected: f64,
    /// `observed` / `expected`.
    pub ratio: f64,
    /// The distance of `ratio` from 1 in standard deviations of chance alone, on the square-root scale.
    pub z: f64,
    /// Lower limit of `ratio` that 95 % of branches lie within.
    pub lower95: f64,
    /// Upper limit at 95 %.
    pub upper95: f64,
    /// Lower limit of `ratio` that 99.8 % of branches lie within.
    pub lower998: f64,
    /// Upper limit at 99.8 %.
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

/// The weekly CUSUM of a branch, tuned to detect a doubling of the rate (Lucas 1985).
#[derive(SimpleObject)]
pub struct CusumSeries {
    /// A sum above the limit is a signal, and the sum restarts from 0. A branch at the expected rate signals
    /// once in five years on average.
    limit: f64,
    /// The oldest week first.
    weeks: Vec<CusumWeek>,
}

/// One week of a CUSUM.
#[derive(SimpleObject)]
pub struct CusumWeek {
    /// The first day of the week.
    from: NaiveDate,
    /// Episodes observed in the week.
    observed: u32,
    /// Episodes expected in the week.
    expected: f64,
    /// The CUSUM at the end of the week.
    sum: f64,
    /// Whether the sum exceeds the limit.
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
