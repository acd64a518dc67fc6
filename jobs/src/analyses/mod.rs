//! Analyses: pure functions of data frames or rows, an as-of day and rules. The jobs that run them, read the rows and
//! store the results are in [`crate::scheduled`].

pub mod backtest;
pub mod before_after;
pub mod blame;
pub mod bursts;
pub mod category_trends;
pub mod overdue;
pub mod peers;
pub mod recurrence;
pub mod responsible;
pub mod scorecard;
pub mod timeliness;
pub mod trends;
