//! Dependencies between jobs: a run waits for the runs whose results it reads, up to a limit.

use super::rows::{after, local_day_before};
use crate::runner::job::{Context, Job};
use crate::runner::plan::JobPlan;
use crate::runner::settings::Missed;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::{RunOrigin, RunState};
use schema::models::Job as JobRow;
use schema::tables::{job_runs, jobs};
use schema::{Conn, StoreError, Timestamp};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The scheduled time for which a job waits on this node, and since when.
#[derive(Debug, Default)]
pub struct Waiting(Mutex<Option<(Timestamp, Instant)>>);

impl Waiting {
    /// Time for which the run for `slot` has waited.
    fn so_far(&self, slot: Timestamp) -> Duration {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *waiting {
            Some((of, since)) if of == slot => since.elapsed(),
            _ => {
                *waiting = Some((slot, Instant::now()));
                Duration::ZERO
            }
        }
    }
}

/// Whether a run may start: each run that it depends on has ended or is not expected, or the wait is over.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn may_begin(
    conn: &mut Conn,
    context: &Context<'_>,
    job: &dyn Job,
    plan: &JobPlan,
    slot: Timestamp,
    now: Timestamp,
    waiting: &Waiting,
) -> Result<bool, StoreError> {
    let mut lacking = Vec::new();
    for name in job.after().iter().copied() {
        if is_expected(conn, context, name, plan, slot, now)? {
            lacking.push(name);
        }
    }
    if lacking.is_empty() {
        return Ok(true);
    }
    let (waited, lacking) = (waiting.so_far(slot), lacking.join(", "));
    let (job, slot) = (job.name(), slot.utc());
    if waited.is_zero() {
        tracing::info!(job, %slot, lacking, "waits for the runs of the jobs that it depends on");
    }
    if waited < plan.wait {
        return Ok(false);
    }
    tracing::warn!(job, %slot, lacking, "has waited long enough: it starts with the results that exist");
    Ok(true)
}

/// Whether a run of another job that belongs to `slot` is expected and has not ended.
fn is_expected(
    conn: &mut Conn,
    context: &Context<'_>,
    name: &str,
    plan: &JobPlan,
    slot: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let other = context
        .jobs
        .find(name)
        .ok_or_else(|| StoreError::Rule(format!("there is no job {name:?}: `phananh jobs list` names them")))?;
    let other_plan = context.settings.plan(other).map_err(StoreError::Rule)?;
    let Some(due) = other_plan.schedule.last_until(slot).filter(|_| other_plan.enabled) else { return Ok(false) };
    let job_row: Option<JobRow> = jobs::table.find(name).select(JobRow::as_select()).first(conn).optional()?;
    let Some(job_row) = job_row.filter(|row| row.paused_at.is_none() && row.since < due) else { return Ok(false) };
    let is_missed = after(due, context.settings.scheduler.lease()) < now;
    if other_plan.missed == Missed::Skip && is_missed && job_row.run_id.is_none() {
        return Ok(false);
    }
    Ok(!has_ended(conn, name, due, local_day_before(slot, plan.schedule.zone()))?)
}

/// Whether a scheduled run for `due` or later has ended (without a retry to come), or a run by hand since then has
/// succeeded for `day` or later.
fn has_ended(conn: &mut Conn, job: &str, due: Timestamp, day: Option<NaiveDate>) -> Result<bool, StoreError> {
    let ended = job_runs::state
        .eq(RunState::Succeeded)
        .or(job_runs::state.eq(RunState::Failed).and(job_runs::retry_at.is_null()));
    let scheduled = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::origin.eq(RunOrigin::Scheduled))
        .filter(job_runs::scheduled_at.ge(due))
        .filter(ended)
        .count()
        .get_result::<i64>(conn)?;
    let by_hand = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::origin.eq(RunOrigin::Manual))
        .filter(job_runs::scheduled_at.ge(due))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .filter(job_runs::as_of.ge(day))
        .count()
        .get_result::<i64>(conn)?;
    Ok(scheduled + by_hand > 0)
}
