//! Executing a claimed run: renews its lease, records its end, and schedules retries.

use super::node;
use super::rows::{Claim, LONGEST_BACKOFF, after, may_be_tried_again, release, store};
use super::under_way::ExecutionGuard;
use crate::JobError;
use crate::runner::job::{Context, Job};
use crate::runner::plan::JobPlan;
use diesel::prelude::*;
use schema::db::cancellation::{CancelToken, set_cancel_token};
use schema::db::dialect::database_time;
use schema::db::{StoreError, WriteTx};
use schema::enums::RunState;
use schema::models::JobRun;
use schema::states::StateTable;
use schema::tables::{job_runs, jobs};
use schema::{Db, Id};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Executes a claimed run and records how it ended. A panic counts as a failure.
///
/// A second thread renews the lease. If the node loses it (the machine slept, or the database was unreachable), the
/// run is cancelled at its next read and cannot store results.
///
/// # Errors
/// The error of the job, or of recording its end.
pub fn execute(context: &Context<'_>, job: &dyn Job, plan: &JobPlan, claim: Claim) -> Result<JobRun, JobError> {
    let Claim { mut run, lease } = claim;
    let (id, name) = (run.id, run.job.clone());
    let _guard = ExecutionGuard::begin(id);
    let (done, ended) = channel::<()>();
    let token = Arc::new(CancelToken::default());
    let outcome = std::thread::scope(|scope| {
        let cancel_token = Arc::clone(&token);
        scope.spawn(move || {
            let mut renewed = Instant::now();
            while ended.recv_timeout(lease / 3) == Err(RecvTimeoutError::Timeout) {
                match renew(context.db, &name, id, lease) {
                    Ok(true) => renewed = Instant::now(),
                    Ok(false) => {
                        cancel_token.cancel();
                    }
                    Err(error) => {
                        tracing::warn!(job = name, run = %id, %error, "renewing the lease failed");
                        if renewed.elapsed() >= lease {
                            cancel_token.cancel();
                        }
                    }
                }
            }
        });
        set_cancel_token(Some(token));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let publish = job.run(context, &mut run)?;
            finish(context.db, &mut run, |tx, run| publish(tx, run))
        }))
        .unwrap_or_else(|panic| Err(JobError::Panicked(panic_message(panic.as_ref()))));
        set_cancel_token(None);
        drop(done);
        outcome
    });
    match outcome {
        Ok(()) => Ok(run),
        Err(error) => {
            tracing::warn!(job = run.job, run = %run.id, %error, "a run failed");
            // Only the failure is recorded: `end` does not store fields of `run` that the job had already set.
            end(context.db, &run, plan, &error.to_string())?;
            Err(error)
        }
    }
}

fn finish(
    db: &Db,
    run: &mut JobRun,
    publish: impl FnOnce(&mut WriteTx<'_>, &mut JobRun) -> Result<(), StoreError>,
) -> Result<(), JobError> {
    db.write("job", |tx| {
        still_owned(tx, run)?;
        publish(tx, run)?;
        run.state = RunState::Succeeded;
        run.finished_at = Some(database_time(tx.conn)?);
        store(tx, run)?;
        release(tx, &run.job)
    })?;
    Ok(())
}

/// Records that a run failed, and when to retry it.
fn end(db: &Db, run: &JobRun, plan: &JobPlan, error: &str) -> Result<(), JobError> {
    db.write("job", |tx| {
        still_owned(tx, run)?;
        let now = database_time(tx.conn)?;
        let doubled = plan.backoff.saturating_mul(1 << (run.attempt - 1).clamp(0, 16));
        let retry_at = may_be_tried_again(run, plan).then(|| after(now, doubled.min(LONGEST_BACKOFF)));
        diesel::update(job_runs::table.find(run.id))
            .set((
                job_runs::state.eq(RunState::Failed),
                job_runs::finished_at.eq(Some(now)),
                job_runs::error.eq(Some(error)),
                job_runs::retry_at.eq(retry_at),
            ))
            .execute(tx.conn)?;
        tx.record_state(StateTable::JobRuns, &run.id);
        release(tx, &run.job)
    })?;
    Ok(())
}

/// Fails the runs of this process and releases their jobs. For a process that is interrupted and exits at once: other
/// nodes need not wait for its leases to end.
///
/// # Errors
/// When the database fails.
pub fn give_up(db: &Db) -> Result<(), StoreError> {
    db.write("job", |tx| {
        let mine: Vec<(String, Option<Id>)> =
            jobs::table.filter(jobs::node.eq(node())).select((jobs::job, jobs::run_id)).load(tx.conn)?;
        let now = database_time(tx.conn)?;
        for (job, run) in mine {
            release(tx, &job)?;
            let Some(run) = run else { continue };
            diesel::update(job_runs::table.find(run).filter(job_runs::state.eq(RunState::Running)))
                .set((
                    job_runs::state.eq(RunState::Failed),
                    job_runs::finished_at.eq(Some(now)),
                    job_runs::error.eq(Some("interrupted")),
                ))
                .execute(tx.conn)?;
            tx.record_state(StateTable::JobRuns, &run);
        }
        Ok(())
    })?;
    Ok(())
}

/// Checks that this node still owns a run, and locks the job until the transaction ends.
///
/// # Errors
/// `Conflict` when another node has taken the run over.
pub fn still_owned(tx: &mut WriteTx<'_>, run: &JobRun) -> Result<(), StoreError> {
    let owned =
        diesel::update(jobs::table.find(&run.job).filter(jobs::run_id.eq(run.id)).filter(jobs::node.eq(node())))
            .set(jobs::job.eq(&run.job))
            .execute(tx.conn)?;
    if owned == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("run {} of {} was taken over by another node", run.id, run.job)))
}

/// Extends the lease; false when this node no longer owns the run.
fn renew(db: &Db, job: &str, run: Id, lease: Duration) -> Result<bool, StoreError> {
    let renewed = db.write("job", |tx| {
        let until = after(database_time(tx.conn)?, lease);
        let of_this_node = jobs::table.find(job).filter(jobs::run_id.eq(run)).filter(jobs::node.eq(node()));
        Ok(diesel::update(of_this_node).set(jobs::lease_until.eq(Some(until))).execute(tx.conn)?)
    })?;
    Ok(renewed.value > 0)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".into())
}
