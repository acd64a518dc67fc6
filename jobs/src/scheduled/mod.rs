//! The scheduled jobs: one file and one entry in [`REGISTRY`] each. [`crate::results`] stores their results.

pub mod audit;
pub mod digest;
pub mod recurrence;
pub mod retention;
pub mod snapshot;
pub mod timeliness;

use crate::analyses::{blame, overdue, trends};
use crate::runner::job::Registry;

/// All jobs.
pub const REGISTRY: Registry = Registry(&[
    &recurrence::Recurrence,
    &timeliness::Timeliness,
    &trends::Trends,
    &overdue::EscalateOverdue,
    &blame::BlameCheck,
    &snapshot::Snapshot,
    &audit::VerifyAudit,
    &digest::Digest,
    &digest::Deliver,
    &retention::Retention,
]);
