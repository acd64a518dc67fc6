//! Leases change by themselves and are in no chain, but only so: the run that a job is leased to is under way, and in the
//! chain of states, and no lease reaches further than one can.

use super::broken::readable;
use super::problem::{Findings, Problem, RowName};
use crate::db::dialect::database_time;
use crate::db::readable::{Readable, columns_of};
use crate::db::{Conn, StoreError};
use crate::enums::{Chain, RunState};
use crate::models::{Job, JobRun};
use crate::sql_types::Timestamp;
use crate::tables::{job_runs, jobs};
use chrono::TimeDelta;
use diesel::prelude::*;
use std::time::Duration;

/// A lease is renewed long before it ends, so that none has to be longer.
pub const LONGEST_LEASE: Duration = Duration::from_secs(3_600);

/// Clocks of several machines differ.
const BETWEEN_CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// Names the leases that the program cannot have written.
pub fn verify(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let now = database_time(conn)?;
    let rows: Vec<Readable<Job>> = jobs::table.order(jobs::job).select(columns_of!(Job)).load(conn)?;
    for job in readable("jobs", rows, findings) {
        let run = match job.run_id {
            None => None,
            Some(id) => {
                let row: Option<Readable<JobRun>> =
                    job_runs::table.find(id).select(columns_of!(JobRun)).first(conn).optional()?;
                readable("job_runs", row.into_iter().collect(), findings).pop()
            }
        };
        if let Some((column, why)) = wrong(&job, run.as_ref(), now) {
            let name = RowName { table: "jobs", name: job.job.clone(), id: job.job };
            let message = format!("jobs {}: {why}", name.name);
            findings.tell(Problem::of_column(Some(Chain::State), &name, column, message));
        }
    }
    Ok(())
}

fn wrong(job: &Job, run: Option<&JobRun>, now: Timestamp) -> Option<(&'static str, String)> {
    let longest = TimeDelta::from_std(LONGEST_LEASE).unwrap_or(TimeDelta::MAX) + BETWEEN_CLOCKS;
    match (job.run_id, job.lease_until) {
        (None, None) if job.node.is_none() => None,
        (None, None) => Some(("node", "it belongs to a node, and no run is under way".into())),
        (None, Some(_)) => Some(("lease_until", "it is leased, and no run is under way".into())),
        (Some(_), None) => Some(("lease_until", "a run is under way, and it is not leased".into())),
        (Some(id), Some(until)) => {
            let run = run.filter(|run| run.job == job.job && run.state == RunState::Running);
            let Some(run) = run else {
                return Some(("run_id", format!("it is leased to the run {id}, which is none of it under way")));
            };
            if run.node != job.node {
                return Some(("node", "another node than its run's has it".into()));
            }
            let is_longer = until.utc() > now.utc() + longest;
            is_longer.then(|| ("lease_until", format!("its lease reaches further than one can, until {}", until.utc())))
        }
    }
}
