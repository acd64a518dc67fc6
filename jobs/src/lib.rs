//! What is computed: the recurrence statistics and their flags, the columnar snapshot, and the
//! ledger of job runs.
//!
//! Analyses are pure functions of data frames, an as-of date and rules; they know neither a
//! database nor a clock. What the register knew at a position is derived before ([`facts::rewind`]).

pub mod analyses;
pub mod compute_pool;
pub mod digest;
mod error;
pub mod facts;
pub mod flags;
pub mod numeric;
pub mod run_hash;
pub mod runner;
pub mod scheduled;
pub mod snapshot;
pub mod sql;
pub mod statistics;
pub mod sums;

pub use error::JobError;
