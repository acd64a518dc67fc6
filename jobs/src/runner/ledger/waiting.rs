//! Jobs that read what others found: a run waits for the runs of those, but not for ever.

use super::claim::local_day_before;
use crate::runner::job::{Context, Job};
use crate::runner::settings::{JobPlan, Missed};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::{RunOrigin, RunState};
use schema::models::Job as JobRow;
use schema::tables::{job_runs, jobs};
use schema::{Conn, StoreError, Timestamp};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For which run of a job this node waits, and since when.
#[derive(Debug, Default)]
pub struct Waiting(Mutex<Option<(Timestamp, Instant)>>);

impl Waiting {
    /// How long it has waited for this run.
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

/// Whether a run may begin: what it reads is there, does not come, or was waited for long enough.
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
        if comes(conn, context, name, plan, slot, now)? {
            lacking.push(name);
        }
    }
    if lacking.is_empty() {
        return Ok(true);
    }
    let (waited, lacking) = (waiting.so_far(slot), lacking.join(", "));
    let (job, slot) = (job.name(), slot.utc());
    if waited.is_zero() {
        tracing::info!(job, %slot, lacking, "waits for the runs that it reads");
    }
    if waited < plan.wait {
        return Ok(false);
    }
    tracing::warn!(job, %slot, lacking, "has waited long enough: it goes by what there is");
    Ok(true)
}

/// Whether the run of another job is still to come that belongs to a time.
fn comes(
    conn: &mut Conn,
    context: &Context<'_>,
    name: &str,
    plan: &JobPlan,
    slot: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let other = context.jobs.find(name).ok_or_else(|| StoreError::Rule(format!("there is no job {name:?}")))?;
    let theirs = context.settings.plan(other).map_err(StoreError::Rule)?;
    let Some(due) = theirs.schedule.last_until(slot).filter(|_| theirs.enabled) else { return Ok(false) };
    let known: Option<JobRow> = jobs::table.find(name).select(JobRow::as_select()).first(conn).optional()?;
    let Some(known) = known.filter(|row| row.paused_at.is_none() && row.since < due) else { return Ok(false) };
    let is_missed = super::claim::after(due, context.settings.scheduler.lease()) < now;
    if theirs.missed == Missed::Skip && is_missed && known.run_id.is_none() {
        return Ok(false);
    }
    Ok(!has_ended(conn, name, due, local_day_before(slot, plan.schedule.zone()))?)
}

/// Whether a run for a time or a later one has ended, or one by hand has found what is read.
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
