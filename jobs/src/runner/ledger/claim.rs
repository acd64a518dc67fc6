//! Claims scheduled runs: what is due, and which node runs it, under a lease.

use super::node;
use super::rows::{
    Claim, LONGEST_BACKOFF, acquire, after, as_of_scheduled, find, locked, may_be_tried_again, new_run, release, store,
};
use super::under_way::is_under_way;
use super::waiting::{Waiting, may_begin};
use crate::JobError;
use crate::runner::job::{Context, Job};
use crate::runner::plan::JobPlan;
use crate::runner::settings::Missed;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::Timestamp;
use schema::db::dialect::database_time;
use schema::db::{StoreError, WriteTx};
use schema::each;
use schema::enums::{RunOrigin, RunState};
use schema::models::{Job as JobRow, JobRun};
use schema::seal::LONGEST_LEASE;
use schema::states::StateTable;
use schema::tables::{job_runs, jobs};
use std::time::Duration;

/// Claims the next run of a job: an abandoned one, a due retry, or the run of a scheduled time. None when nothing is
/// due, the job has no work, is paused or waits for other jobs, or another node owns it.
///
/// # Errors
/// When the database fails.
pub fn claim(
    context: &Context<'_>,
    job: &dyn Job,
    plan: &JobPlan,
    waiting: &Waiting,
) -> Result<Option<Claim>, JobError> {
    let lease = context.settings.scheduler.lease();
    let committed = context.db.write("scheduler", |tx| {
        let now = database_time(tx.conn)?;
        let row = locked(tx, job.name(), now)?;
        // Read the time again: waiting for the lock may have taken long.
        let now = database_time(tx.conn)?;
        // Ignore a lease beyond the longest possible: the clock was ahead when a node took it.
        let holds = row.lease_until.is_some_and(|until| until > now && until <= after(now, LONGEST_LEASE));
        // This node owns the run but does not execute it: the run failed while the database was unreachable, so its
        // end was not recorded.
        let is_abandoned = row.node.as_deref() == Some(node()) && row.run_id.is_some_and(|run| !is_under_way(run));
        if holds && !is_abandoned {
            return Ok(None);
        }
        let left = take_abandoned(tx, &row, plan, now)?;
        if row.paused_at.is_some() {
            return Ok(None);
        }
        if let Some(run) = left {
            return acquire(tx, run, lease, now).map(Some);
        }
        if let Some(run) = to_try_again(tx, job.name(), now)? {
            return acquire(tx, run, lease, now).map(Some);
        }
        let last: Option<Timestamp> = job_runs::table
            .filter(job_runs::job.eq(job.name()))
            .filter(job_runs::origin.eq(RunOrigin::Scheduled))
            // Ignore runs in the future, from when the clock was ahead: they would block the job until then.
            .filter(job_runs::scheduled_at.le(now))
            .select(diesel::dsl::max(job_runs::scheduled_at))
            .first(tx.conn)?;
        let since = first_seen(tx, &row, now)?;
        let Some(slot) = due(plan, last.unwrap_or(since).max(since), now, lease) else { return Ok(None) };
        if !job.has_work(context, tx.conn)? || !may_begin(tx.conn, context, job, plan, slot, now, waiting)? {
            return Ok(None);
        }
        let mut run = new_run(job.name(), slot, RunOrigin::Scheduled, now);
        run.as_of = as_of_scheduled(job, slot, plan.schedule.zone());
        each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
        acquire(tx, run, lease, now).map(Some)
    })?;
    Ok(committed.value)
}

/// When the job was first seen. A time in the future, from a clock that was ahead, is replaced by now.
fn first_seen(tx: &mut WriteTx<'_>, row: &JobRow, now: Timestamp) -> Result<Timestamp, StoreError> {
    if row.since <= now {
        return Ok(row.since);
    }
    tracing::warn!(job = row.job, since = %row.since.utc(), "the job was first seen in the future, because the clock was ahead: set to now");
    diesel::update(jobs::table.find(&row.job)).set(jobs::since.eq(now)).execute(tx.conn)?;
    tx.record_state(StateTable::Jobs, &row.job);
    Ok(now)
}

/// The scheduled time to run for now, if any; `last` is that of the last run.
fn due(plan: &JobPlan, last: Timestamp, now: Timestamp, grace: Duration) -> Option<Timestamp> {
    let next = plan.schedule.next_after(last).filter(|slot| *slot <= now)?;
    match plan.missed {
        Missed::All => Some(next),
        Missed::Latest => plan.schedule.last_until(now).filter(|slot| *slot >= next),
        // A time is missed when it is more than the lease ago, which is how long a crash may delay a run.
        Missed::Skip => plan
            .schedule
            .last_until(now)
            .filter(|slot| *slot >= next && slot.utc() + TimeDelta::from_std(grace).unwrap_or_default() >= now.utc()),
    }
}

/// Fails an abandoned run and releases the job. Returns the next attempt if the run may be retried. A caller that
/// drops it leaves the retry to a later claim, because the row has `retry_at` set.
///
/// # Errors
/// If the database fails.
pub(super) fn take_abandoned(
    tx: &mut WriteTx<'_>,
    row: &JobRow,
    plan: &JobPlan,
    now: Timestamp,
) -> Result<Option<JobRun>, StoreError> {
    let Some(id) = row.run_id else { return Ok(None) };
    release(tx, &row.job)?;
    let mut run = find(tx.conn, id)?;
    if run.state != RunState::Running {
        return Ok(None);
    }
    let owner = run.node.as_deref().unwrap_or_default();
    tracing::warn!(job = run.job, run = %run.id, owner, "the run was abandoned: its node stopped or lost the database");
    run.state = RunState::Failed;
    run.finished_at = Some(now);
    run.error = Some(format!("{owner} went away while it ran"));
    run.retry_at = may_be_tried_again(&run, plan).then_some(now);
    store(tx, &run)?;
    Ok(run.retry_at.map(|_| again(run)))
}

fn again(run: JobRun) -> JobRun {
    JobRun { attempt: run.attempt + 1, ..run }
}

fn to_try_again(tx: &mut WriteTx<'_>, job: &str, now: Timestamp) -> Result<Option<JobRun>, StoreError> {
    let found: Option<JobRun> = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::state.eq(RunState::Failed))
        // A retry beyond the longest backoff was scheduled while the clock was ahead.
        .filter(job_runs::retry_at.le(now).or(job_runs::retry_at.gt(after(now, LONGEST_BACKOFF))))
        .order(job_runs::scheduled_at)
        .select(JobRun::as_select())
        .first(tx.conn)
        .optional()?;
    Ok(found.map(again))
}
