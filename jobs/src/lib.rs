//! What is computed: the recurrence statistics and their flags, the columnar snapshot, and the
//! ledger of job runs.
//!
//! Statistics are pure functions of data frames, an as-of date and rules; they know neither a
//! database nor a clock. What the register knew at a position is derived before ([`known`]).

pub mod backtest;
pub mod canonical;
pub mod compute;
pub mod digest;
pub mod effect;
mod error;
pub mod exposure;
pub mod facts;
pub mod flags;
pub mod frames;
pub mod handling;
pub mod job;
pub mod known;
pub mod ledger;
pub mod monthly;
pub mod numeric;
pub mod prints;
pub mod recurrence;
pub mod schedule;
pub mod scheduler;
pub mod scorecard;
pub mod settings;
pub mod snapshot;
pub mod sql;
pub mod statistics;
pub mod sums;
pub mod work;

pub use error::JobError;
