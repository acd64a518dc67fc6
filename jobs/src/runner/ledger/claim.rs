//! Who may run what, and when.

use super::execute::{LONGEST_BACKOFF, is_under_way};
use super::waiting::{Waiting, may_begin};
use super::{CODE_VERSION, execute, find, node};
use crate::JobError;
use crate::runner::job::{Context, Job};
use crate::runner::settings::{JobPlan, Missed};
use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use schema::db::dialect::database_time;
use schema::db::{StoreError, WriteTx};
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::{RunOrigin, RunState};
use schema::models::{Job as JobRow, JobRun};
use schema::seal::LONGEST_LEASE;
use schema::states::Kept;
use schema::tables::{job_runs, jobs};
use schema::{Id, Timestamp};
use std::time::Duration;

/// A run that belongs to this node for now.
#[derive(Debug)]
pub struct Claim {
    pub run: JobRun,
    pub(super) lease: Duration,
}

/// Why a run by hand did not begin.
#[derive(Debug, thiserror::Error)]
#[error("{job} is running already, on {node} since {since}: wait for it to end")]
pub struct Busy {
    pub job: String,
    pub node: String,
    pub since: String,
}

/// Claims what is due for a job: a run that a crash left behind, one to be tried again, or the next
/// scheduled time. None where nothing is due or to do, the job is paused or waits for others, or another node has it.
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
        // Whoever had the lock may have kept it long.
        let now = database_time(tx.conn)?;
        // Where the clock was ahead, a lease seems to end in a week: none is that long.
        let holds = row.lease_until.is_some_and(|until| until > now && until <= after(now, LONGEST_LEASE));
        // A run that this node holds and does not execute has failed while the database was away: the ledger could not be told.
        let is_abandoned = row.node.as_deref() == Some(node()) && row.run_id.is_some_and(|run| !is_under_way(run));
        if holds && !is_abandoned {
            return Ok(None);
        }
        let left = left_behind(tx, &row, plan, now)?;
        if row.paused_at.is_some() {
            return Ok(None);
        }
        if let Some(run) = left {
            return own(tx, run, lease, now).map(Some);
        }
        if let Some(run) = to_try_again(tx, job.name(), now)? {
            return own(tx, run, lease, now).map(Some);
        }
        let last: Option<Timestamp> = job_runs::table
            .filter(job_runs::job.eq(job.name()))
            .filter(job_runs::origin.eq(RunOrigin::Scheduled))
            // What ran while the clock was ahead is no reason to wait until it is that late.
            .filter(job_runs::scheduled_at.le(now))
            .select(diesel::dsl::max(job_runs::scheduled_at))
            .first(tx.conn)?;
        let since = known_since(tx, &row, now)?;
        let Some(slot) = due(plan, last.unwrap_or(since).max(since), now, lease) else { return Ok(None) };
        if !job.has_work(context, tx.conn)? || !may_begin(tx.conn, context, job, plan, slot, now, waiting)? {
            return Ok(None);
        }
        let mut run = new_run(job.name(), slot, RunOrigin::Scheduled, now);
        run.as_of = local_day_before(slot, plan.schedule.zone());
        each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
        own(tx, run, lease, now).map(Some)
    })?;
    Ok(committed.value)
}

/// Since when a job is known; where the clock was ahead then, since now.
fn known_since(tx: &mut WriteTx<'_>, row: &JobRow, now: Timestamp) -> Result<Timestamp, StoreError> {
    if row.since <= now {
        return Ok(row.since);
    }
    tracing::warn!(job = row.job, since = %row.since.utc(), "the clock was ahead: the job is known since now");
    diesel::update(jobs::table.find(&row.job)).set(jobs::since.eq(now)).execute(tx.conn)?;
    tx.keep(Kept::Jobs, &row.job);
    Ok(now)
}

/// The time for which to run now, after the last one.
fn due(plan: &JobPlan, last: Timestamp, now: Timestamp, grace: Duration) -> Option<Timestamp> {
    let next = plan.schedule.next_after(last).filter(|slot| *slot <= now)?;
    match plan.missed {
        Missed::All => Some(next),
        Missed::Latest => plan.schedule.last_until(now).filter(|slot| *slot >= next),
        // A time is missed when it lies longer back than a crash may delay a run.
        Missed::Skip => plan
            .schedule
            .last_until(now)
            .filter(|slot| *slot >= next && slot.utc() + TimeDelta::from_std(grace).unwrap_or_default() >= now.utc()),
    }
}

/// The row of the job, locked until the transaction ends.
pub(super) fn locked(tx: &mut WriteTx<'_>, job: &str, now: Timestamp) -> Result<JobRow, StoreError> {
    let new = JobRow {
        job: job.to_owned(),
        since: now,
        paused_at: None,
        paused_by: None,
        run_id: None,
        node: None,
        lease_until: None,
    };
    let inserted =
        each!(&mut *tx.conn, c => diesel::insert_into(jobs::table).values(&new).on_conflict_do_nothing().execute(c)?);
    if inserted > 0 {
        tx.keep(Kept::Jobs, job);
    }
    diesel::update(jobs::table.find(job)).set(jobs::job.eq(job)).execute(tx.conn)?;
    Ok(jobs::table.find(job).select(JobRow::as_select()).first(tx.conn)?)
}

/// Fails the run of an owner that let its lease end, and frees the job. Gives the run where it is to
/// be tried again, as its own row says too: who may not do so now leaves it to its time.
fn left_behind(
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
    tracing::warn!(job = run.job, run = %run.id, owner, "left behind by a node that went away");
    run.state = RunState::Failed;
    run.finished_at = Some(now);
    run.error = Some(format!("{owner} went away while it ran"));
    run.retry_at = may_be_tried_again(&run, plan).then_some(now);
    store(tx, &run)?;
    Ok(run.retry_at.map(|_| again(run)))
}

/// Whoever began a run by hand sees it break off: only scheduled ones are tried again.
pub(super) fn may_be_tried_again(run: &JobRun, plan: &JobPlan) -> bool {
    run.origin == RunOrigin::Scheduled && run.attempt <= i32::try_from(plan.retries).unwrap_or(i32::MAX)
}

fn again(run: JobRun) -> JobRun {
    JobRun { attempt: run.attempt + 1, ..run }
}

fn to_try_again(tx: &mut WriteTx<'_>, job: &str, now: Timestamp) -> Result<Option<JobRun>, StoreError> {
    let found: Option<JobRun> = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::state.eq(RunState::Failed))
        // No wait is longer than the longest: that one was begun while the clock was ahead.
        .filter(job_runs::retry_at.le(now).or(job_runs::retry_at.gt(after(now, LONGEST_BACKOFF))))
        .order(job_runs::scheduled_at)
        .select(JobRun::as_select())
        .first(tx.conn)
        .optional()?;
    Ok(found.map(again))
}

/// Makes this node the owner of a run.
pub(super) fn own(tx: &mut WriteTx<'_>, mut run: JobRun, lease: Duration, now: Timestamp) -> Result<Claim, StoreError> {
    run.state = RunState::Running;
    run.started_at = now;
    run.finished_at = None;
    run.retry_at = None;
    run.error = None;
    run.node = Some(node().to_owned());
    run.code_version = CODE_VERSION.to_owned();
    store(tx, &run)?;
    diesel::update(jobs::table.find(&run.job))
        .set((
            jobs::run_id.eq(Some(run.id)),
            jobs::node.eq(Some(node())),
            jobs::lease_until.eq(Some(after(now, lease))),
        ))
        .execute(tx.conn)?;
    Ok(Claim { run, lease })
}

pub(super) fn release(tx: &mut WriteTx<'_>, job: &str) -> Result<(), StoreError> {
    diesel::update(jobs::table.find(job))
        .set((jobs::run_id.eq(None::<Id>), jobs::node.eq(None::<String>), jobs::lease_until.eq(None::<Timestamp>)))
        .execute(tx.conn)?;
    Ok(())
}

pub(super) fn store(tx: &mut WriteTx<'_>, run: &JobRun) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::update(job_runs::table.find(run.id)).set(run).execute(c)?);
    tx.keep(Kept::JobRuns, &run.id);
    Ok(())
}

pub(super) fn new_run(job: &str, scheduled_at: Timestamp, origin: RunOrigin, now: Timestamp) -> JobRun {
    JobRun {
        id: random_id(),
        job: job.to_owned(),
        scheduled_at,
        started_at: now,
        finished_at: None,
        state: RunState::Running,
        as_of: None,
        known_at: None,
        rules: None,
        rules_version: None,
        code_version: CODE_VERSION.to_owned(),
        inputs: None,
        input_hash: None,
        output_hash: None,
        result_hash: None,
        summary: None,
        error: None,
        origin,
        attempt: 1,
        retry_at: None,
        node: Some(node().to_owned()),
    }
}

/// A run says what had happened by the end of the day before it.
pub(super) fn local_day_before(slot: Timestamp, zone: chrono_tz::Tz) -> Option<NaiveDate> {
    slot.utc().with_timezone(&zone).date_naive().pred_opt()
}

pub(super) fn after(moment: Timestamp, by: Duration) -> Timestamp {
    (moment.utc() + TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX)).into()
}

/// Runs a job by hand, whatever its schedule says and also where it is paused.
///
/// # Errors
/// [`JobError::Busy`] where it is running already; else what the job itself failed with.
pub fn run_now(context: &Context<'_>, job: &dyn Job, as_of: NaiveDate) -> Result<JobRun, JobError> {
    let plan =
        context.settings.plan(job).map_err(|message| JobError::Settings { path: "configuration".into(), message })?;
    let lease = context.settings.scheduler.lease();
    let mut busy = None;
    let committed = context.db.write("job", |tx| {
        let now = database_time(tx.conn)?;
        let row = locked(tx, job.name(), now)?;
        let now = database_time(tx.conn)?;
        if row.lease_until.is_some_and(|until| until > now) {
            busy = Some((row.node.unwrap_or_default(), row.run_id));
            return Ok(None);
        }
        // One that a crash left behind is tried again when its time comes.
        left_behind(tx, &row, &plan, now)?;
        let mut run = new_run(job.name(), now, RunOrigin::Manual, now);
        run.as_of = Some(as_of);
        each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
        own(tx, run, lease, now).map(Some)
    })?;
    let Some(claim) = committed.value else {
        let (node, run) = busy.unwrap_or_default();
        let since = run.and_then(|id| context.db.read(|conn| find(conn, id)).ok()).map(|run| run.started_at);
        let since = since.map(|at| at.utc().format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
        return Err(Busy { job: job.name().to_owned(), node, since }.into());
    };
    execute(context, job, &plan, claim)
}
