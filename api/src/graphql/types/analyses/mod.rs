//! Results of analyses: funnel plot, CUSUM, scorecards, timeliness, blame check, trends and backtest.

mod control;
mod query;
mod results;
mod scorecard;

pub use control::{CusumSeries, FunnelPlot};
pub use query::AnalysisQueries;
pub use results::{BacktestOutcome, BlameCheck, CategoryTrends, ResponseTimeliness, TrendPeriod, UnitLevel};
pub use scorecard::Scorecard;
