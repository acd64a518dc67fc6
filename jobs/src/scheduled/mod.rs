//! The scheduled jobs: one file and one entry in [`REGISTRY`] each. A job reads the register, calls a function of
//! [`crate::analyses`], and stores the result by [`crate::results`].

pub mod alerts;
pub mod audit;
pub mod blame;
pub mod classify;
pub mod digest;
pub mod hand_over;
pub mod lake;
pub mod overdue;
pub mod reader_digests;
pub mod recurrence;
pub mod retention;
pub mod snapshot;
pub mod timeliness;
pub mod trends;

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
    &reader_digests::ReaderDigests,
    &digest::Deliver,
    &retention::Retention,
    &classify::Classify,
    &hand_over::HandOver,
    &lake::Lake,
    &alerts::RaiseAlerts,
    &alerts::Notify,
]);
