//! Runs that a person starts.

use super::claim::take_abandoned;
use super::execute::execute;
use super::rows::{Claim, acquire, find, locked, new_run};
use crate::JobError;
use crate::error::Busy;
use crate::runner::job::{Context, Job};
use crate::runner::plan::JobPlan;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::database_time;
use schema::each;
use schema::enums::RunOrigin;
use schema::models::JobRun;
use schema::tables::job_runs;

/// Runs a job now, regardless of its schedule, even when it is paused.
///
/// # Errors
/// [`JobError::Busy`] when it is running already; else the error of the job.
pub fn run_now(context: &Context<'_>, job: &dyn Job, as_of: NaiveDate) -> Result<JobRun, JobError> {
    let plan = plan_of(context, job)?;
    let claim = claim_now(context, job, &plan, as_of, "job")?;
    execute(context, job, &plan, claim)
}

/// When and how a job runs by the settings.
///
/// # Errors
/// `Settings` when its schedule is invalid.
pub fn plan_of(context: &Context<'_>, job: &dyn Job) -> Result<JobPlan, JobError> {
    context.settings.plan(job).map_err(|message| JobError::Settings { path: "configuration".into(), message })
}

/// Claims a run of a job now, for this process to execute; `by` is who asks for it.
///
/// # Errors
/// [`JobError::Busy`] when the job is running already.
pub fn claim_now(
    context: &Context<'_>,
    job: &dyn Job,
    plan: &JobPlan,
    as_of: NaiveDate,
    by: &str,
) -> Result<Claim, JobError> {
    let lease = context.settings.scheduler.lease();
    let mut busy = None;
    let committed = context.db.write(by, |tx| {
        let now = database_time(tx.conn)?;
        let row = locked(tx, job.name(), now)?;
        let now = database_time(tx.conn)?;
        if row.lease_until.is_some_and(|until| until > now) {
            busy = Some((row.node.unwrap_or_default(), row.run_id));
            return Ok(None);
        }
        // An abandoned run is retried by the next claim.
        take_abandoned(tx, &row, plan, now)?;
        let mut run = new_run(job.name(), now, RunOrigin::Manual, now);
        run.as_of = Some(as_of);
        each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
        acquire(tx, run, lease, now).map(Some)
    })?;
    if let Some(claim) = committed.value {
        return Ok(claim);
    }
    let (node, run) = busy.unwrap_or_default();
    let since = run.and_then(|id| context.db.read(|conn| find(conn, id)).ok()).map(|run| run.started_at);
    let since = since.map(|at| at.utc().format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
    Err(Busy { job: job.name().to_owned(), node, since }.into())
}
