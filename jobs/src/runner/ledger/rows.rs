//! The rows of the ledger: the row of a job, which says who runs it, and the rows of its runs.

use super::{CODE_VERSION, node};
use crate::runner::job::Job;
use crate::runner::plan::JobPlan;
use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use schema::db::{StoreError, WriteTx};
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::{RunOrigin, RunState};
use schema::models::{Job as JobRow, JobRun};
use schema::states::StateTable;
use schema::tables::{job_runs, jobs};
use schema::{Conn, Id, Timestamp};
use std::time::Duration;

/// The longest backoff before a retry.
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);

/// A run that this node owns until the lease ends.
#[derive(Debug)]
pub struct Claim {
    pub run: JobRun,
    pub(super) lease: Duration,
}

/// Reads the row of a job, inserting it if missing, and locks it until the transaction ends.
///
/// # Errors
/// If the database fails.
pub(super) fn locked(tx: &mut WriteTx<'_>, job: &str, now: Timestamp) -> Result<JobRow, StoreError> {
    let new = JobRow {
        job: job.to_owned(),
        since: now,
        paused_at: None,
        paused_by: None,
        pause_reason: None,
        run_id: None,
        node: None,
        lease_until: None,
    };
    let inserted =
        each!(&mut *tx.conn, c => diesel::insert_into(jobs::table).values(&new).on_conflict_do_nothing().execute(c)?);
    if inserted > 0 {
        tx.record_state(StateTable::Jobs, job);
    }
    diesel::update(jobs::table.find(job)).set(jobs::job.eq(job)).execute(tx.conn)?;
    Ok(jobs::table.find(job).select(JobRow::as_select()).first(tx.conn)?)
}

/// Whether a failed run has retries left. Runs by hand have none: the person who started one sees the failure.
pub(super) fn may_be_tried_again(run: &JobRun, plan: &JobPlan) -> bool {
    run.origin == RunOrigin::Scheduled && run.attempt <= i32::try_from(plan.retries).unwrap_or(i32::MAX)
}

/// Finds a run by its id.
///
/// # Errors
/// `NotFound` when there is none.
pub fn find(conn: &mut Conn, id: Id) -> Result<JobRun, StoreError> {
    job_runs::table
        .find(id)
        .select(JobRun::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| StoreError::NotFound(format!("there is no run {id}: `phananh jobs history` lists them")))
}

/// Makes this node the owner of a run and starts its lease.
///
/// # Errors
/// If the database cannot be written.
pub(super) fn acquire(
    tx: &mut WriteTx<'_>,
    mut run: JobRun,
    lease: Duration,
    now: Timestamp,
) -> Result<Claim, StoreError> {
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

/// Releases a job from its run, its node and its lease.
///
/// # Errors
/// If the database cannot be written.
pub(super) fn release(tx: &mut WriteTx<'_>, job: &str) -> Result<(), StoreError> {
    diesel::update(jobs::table.find(job))
        .set((jobs::run_id.eq(None::<Id>), jobs::node.eq(None::<String>), jobs::lease_until.eq(None::<Timestamp>)))
        .execute(tx.conn)?;
    Ok(())
}

/// Stores the fields of a run that exists.
///
/// # Errors
/// If the database cannot be written.
pub(super) fn store(tx: &mut WriteTx<'_>, run: &JobRun) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::update(job_runs::table.find(run.id)).set(run).execute(c)?);
    tx.record_state(StateTable::JobRuns, &run.id);
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

/// The as-of day of a scheduled run: the local day before its scheduled time, or that day itself.
pub(super) fn as_of_scheduled(job: &dyn Job, slot: Timestamp, zone: chrono_tz::Tz) -> Option<NaiveDate> {
    if job.is_for_its_own_day() {
        return Some(slot.utc().with_timezone(&zone).date_naive());
    }
    local_day_before(slot, zone)
}

/// The local day before a scheduled time.
pub(super) fn local_day_before(slot: Timestamp, zone: chrono_tz::Tz) -> Option<NaiveDate> {
    slot.utc().with_timezone(&zone).date_naive().pred_opt()
}

pub(super) fn after(moment: Timestamp, by: Duration) -> Timestamp {
    (moment.utc() + TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX)).into()
}
