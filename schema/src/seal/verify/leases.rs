//! Checks the leases of jobs. They are in no chain, because they change all the time: but a leased job must have a
//! running run, which is in the chain of states, and no lease may be longer than [`LONGEST_LEASE`].

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

/// The longest lease. Leases are renewed long before they end, so none has to be longer.
pub const LONGEST_LEASE: Duration = Duration::from_secs(3_600);

/// Tolerance for the clocks of different machines.
const BETWEEN_CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// Reports leases that the program cannot have written.
///
/// # Errors
/// If the database fails.
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
            findings.report(Problem::of_column(Some(Chain::State), &name, column, message));
        }
    }
    Ok(())
}

fn wrong(job: &Job, run: Option<&JobRun>, now: Timestamp) -> Option<(&'static str, String)> {
    let longest = TimeDelta::from_std(LONGEST_LEASE).unwrap_or(TimeDelta::MAX) + BETWEEN_CLOCKS;
    match (job.run_id, job.lease_until) {
        (None, None) if job.node.is_none() => None,
        (None, None) => Some(("node", "a node holds it, but no run is under way".into())),
        (None, Some(_)) => Some(("lease_until", "it is leased, but no run is under way".into())),
        (Some(_), None) => Some(("lease_until", "a run is under way, but it is not leased".into())),
        (Some(id), Some(until)) => {
            let run = run.filter(|run| run.job == job.job && run.state == RunState::Running);
            let Some(run) = run else {
                return Some(("run_id", format!("it is leased to {id}, which is not a running run of it")));
            };
            if run.node != job.node {
                return Some(("node", "its node is not the node of its run".into()));
            }
            let is_longer = until.utc() > now.utc() + longest;
            is_longer.then(|| ("lease_until", format!("its lease ends later than any lease can, at {}", until.utc())))
        }
    }
}
