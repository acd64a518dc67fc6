//! The job runner: the [`job::Job`] trait, cron schedules, the scheduler of a node, and the ledger by which each run
//! happens once across nodes. Callers pass in the jobs ([`crate::scheduled::REGISTRY`]).

pub mod cron;
pub mod job;
pub mod ledger;
pub mod on_demand;
pub mod plan;
pub mod scheduler;
pub mod settings;
