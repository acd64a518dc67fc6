//! Analyses: pure functions of data frames, an as-of day and rules. The jobs that run them are in
//! [`crate::scheduled`].

pub mod backtest;
pub mod before_after;
pub mod blame;
pub mod overdue;
pub mod recurrence;
pub mod scorecard;
pub mod timeliness;
pub mod trends;
