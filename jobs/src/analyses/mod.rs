//! Analyses: functions of frames, a day and rules. The jobs that run them are [`crate::scheduled`].

pub mod backtest;
pub mod before_after;
pub mod recurrence;
pub mod scorecard;
pub mod timeliness;
