//! Runs of jobs that failed for good, and scheduled times that passed without one.

use super::Found;
use crate::runner::job::{Context, Job};
use crate::runner::ledger;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::enums::{AlertKind, RunOrigin, RunState};
use schema::models::JobRun;
use schema::tables::job_runs;
use schema::{Conn, StoreError, Timestamp};
use serde_json::json;

/// Jobs whose last scheduled run failed and is not tried again, or is late.
pub fn failed_or_missed(context: &Context<'_>, conn: &mut Conn, now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let rows = ledger::states(conn)?;
    let mut found = Vec::new();
    for job in context.jobs.iter() {
        // A job that no scheduler has seen has no times yet.
        let Some(row) = rows.iter().find(|row| row.job == job.name()) else { continue };
        let last: Option<JobRun> = job_runs::table
            .filter(job_runs::job.eq(job.name()))
            .filter(job_runs::origin.eq(RunOrigin::Scheduled))
            .order((job_runs::scheduled_at.desc(), job_runs::id.desc()))
            .select(JobRun::as_select())
            .first(conn)
            .optional()?;
        if let Some(run) = &last
            && run.state == RunState::Failed
            && run.retry_at.is_none()
        {
            found.push(Found {
                kind: AlertKind::JobFailed,
                subject: job.name().to_owned(),
                details: json!({ "run": run.id, "scheduledAt": run.scheduled_at, "attempts": run.attempt }),
            });
        }
        if row.paused_at.is_some() || !job.always_runs() {
            continue;
        }
        let since = last.map_or(row.since, |run| run.scheduled_at);
        if let Some(due) = missed(context, job, since, now) {
            found.push(Found {
                kind: AlertKind::JobMissed,
                subject: job.name().to_owned(),
                details: json!({ "scheduledAt": due }),
            });
        }
    }
    Ok(found)
}

/// The time after `since` at which a job should have run.
fn missed(context: &Context<'_>, job: &dyn Job, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let plan = context.settings.plan(job).ok().filter(|plan| plan.enabled)?;
    let due = plan.schedule.next_after(since)?;
    let mut patience = TimeDelta::minutes(i64::from(context.settings.alerts.missed_after_minutes));
    if !job.after().is_empty() {
        // It waits for the runs of other jobs.
        patience += TimeDelta::from_std(plan.wait).unwrap_or_default();
    }
    (due.utc() + patience <= now.utc()).then_some(due)
}
