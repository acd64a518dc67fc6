//! Statistics, flags, charts and digests; the columnar snapshot and SQL over it; and the runner of scheduled
//! jobs with its ledger of runs.
//!
//! Analyses are pure functions of data frames or rows, an as-of date and rules: they use neither the clock nor the
//! database, which only [`analyses::backtest::History`] reads. [`facts::rewind`] restores the register as of an earlier
//! position before an analysis runs.

pub mod alerts;
pub mod analyses;
pub mod charts;
pub mod classification;
pub mod compute_pool;
pub mod digest;
pub mod duplicates;
mod error;
pub mod facts;
pub mod flags;
#[cfg(test)]
mod invented_register;
pub mod lake;
pub mod notify;
pub mod numeric;
pub mod reproduction;
pub mod results;
mod row_by_row;
pub mod run_hash;
pub mod runner;
pub mod scheduled;
pub mod snapshot;
pub mod statistics;
pub mod sums;
pub mod tables;
pub mod without_enterprise;

pub use error::JobError;
