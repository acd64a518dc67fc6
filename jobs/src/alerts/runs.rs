//! Runs of jobs that failed for good, and scheduled times that passed without one.

use super::{Found, found_of};
use crate::runner::job::{Context, Job};
use crate::runner::ledger;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::enums::{AlertKind, RunOrigin, RunState};
use schema::models::JobRun;
use schema::tables::job_runs;
use schema::{Conn, StoreError, Timestamp};
use serde_json::json;

/// Jobs whose last scheduled run failed and is not retried, or which missed a scheduled time.
///
/// # Errors
/// If the database fails.
pub fn failed_or_missed(context: &Context<'_>, conn: &mut Conn, now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let rows = ledger::states(conn)?;
    let mut found = Vec::new();
    for job in context.jobs.iter() {
        // No scheduler has registered this job yet, so it has no scheduled times.
        let Some(row) = rows.iter().find(|row| row.job == job.name()) else { continue };
        let last = last_scheduled(conn, job.name(), false)?;
        if let Some(run) = last_scheduled(conn, job.name(), true)?
            && run.state == RunState::Failed
        {
            let details = json!({ "run": run.id, "scheduledAt": run.scheduled_at, "attempts": run.attempt });
            found.push(found_of(AlertKind::JobFailed, job.name().to_owned(), details));
        }
        if row.paused_at.is_some() || !job.always_runs() {
            continue;
        }
        let since = last.map_or(row.since, |run| run.scheduled_at);
        if let Some(due) = missed(context, job, since, now) {
            found.push(found_of(AlertKind::JobMissed, job.name().to_owned(), json!({ "scheduledAt": due })));
        }
    }
    Ok(found)
}

/// The last scheduled run of a job; with `has_ended`, the last one that ended and is not retried. A run in progress
/// does not yet show that the job works again.
fn last_scheduled(conn: &mut Conn, job: &str, has_ended: bool) -> Result<Option<JobRun>, StoreError> {
    let mut runs = job_runs::table
        .into_boxed::<MultiBackend>()
        .filter(job_runs::job.eq(job.to_owned()))
        .filter(job_runs::origin.eq(RunOrigin::Scheduled));
    if has_ended {
        runs = runs.filter(job_runs::state.ne(RunState::Running)).filter(job_runs::retry_at.is_null());
    }
    let latest = runs.order((job_runs::scheduled_at.desc(), job_runs::id.desc()));
    Ok(latest.select(JobRun::as_select()).first(conn).optional()?)
}

/// The time after `since` at which a job should have run.
fn missed(context: &Context<'_>, job: &dyn Job, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let plan = context.settings.plan(job).ok().filter(|plan| plan.enabled)?;
    let due = plan.schedule.next_after(since)?;
    let mut patience = TimeDelta::minutes(i64::from(context.settings.alerts.missed_after_minutes));
    if !job.after().is_empty() {
        // The job waits for runs of other jobs.
        patience += TimeDelta::from_std(plan.wait).unwrap_or_default();
    }
    (due.utc() + patience <= now.utc()).then_some(due)
}
