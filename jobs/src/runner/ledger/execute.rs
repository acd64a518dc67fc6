//! Doing the work of a claim.

use super::claim::{Claim, after, may_be_tried_again, release, store};
use super::node;
use crate::JobError;
use crate::runner::job::{Context, Job};
use crate::runner::settings::JobPlan;
use diesel::prelude::*;
use schema::db::cancellation::{CancelToken, set_cancel_token};
use schema::db::dialect::database_time;
use schema::db::{StoreError, WriteTx};
use schema::enums::RunState;
use schema::models::JobRun;
use schema::states::Kept;
use schema::tables::{job_runs, jobs};
use schema::{Db, Id};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest wait before a retry.
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);

/// The runs that this process does.
static UNDER_WAY: Mutex<BTreeSet<Id>> = Mutex::new(BTreeSet::new());

fn under_way() -> MutexGuard<'static, BTreeSet<Id>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process does a run.
pub(super) fn is_under_way(run: Id) -> bool {
    under_way().contains(&run)
}

/// That this process does a run, until it is dropped.
struct UnderWay(Id);

impl UnderWay {
    fn begin(run: Id) -> Self {
        under_way().insert(run);
        Self(run)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        under_way().remove(&self.0);
    }
}

/// Does the work of a claim and writes down how it ended. A panic is a failed run.
///
/// The lease is renewed by a thread beside the work. Who loses it (a machine that slept, a database
/// that was away) ends with the next thing that it reads, and cannot write what it found.
pub fn execute(context: &Context<'_>, job: &dyn Job, plan: &JobPlan, claim: Claim) -> Result<JobRun, JobError> {
    let Claim { mut run, lease } = claim;
    let (id, name) = (run.id, run.job.clone());
    let _under_way = UnderWay::begin(id);
    let (done, ended) = channel::<()>();
    let token = Arc::new(CancelToken::default());
    let outcome = std::thread::scope(|scope| {
        let held = Arc::clone(&token);
        scope.spawn(move || {
            let mut renewed = Instant::now();
            while ended.recv_timeout(lease / 3) == Err(RecvTimeoutError::Timeout) {
                match renew(context.db, &name, id, lease) {
                    Ok(true) => renewed = Instant::now(),
                    Ok(false) => {
                        held.cancel();
                    }
                    Err(error) => {
                        tracing::warn!(job = name, run = %id, %error, "the lease could not be renewed");
                        if renewed.elapsed() >= lease {
                            held.cancel();
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
            // Nothing of what it found is kept: what the work had set before it failed is not either.
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

/// Writes down that a run failed, and when it is to be tried again.
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
        tx.keep(Kept::JobRuns, &run.id);
        release(tx, &run.job)
    })?;
    Ok(())
}

/// Fails what this process runs, so that nobody waits for the end of its lease: for who is
/// interrupted and ends at once.
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
            tx.keep(Kept::JobRuns, &run);
        }
        Ok(())
    })?;
    Ok(())
}

/// Refuses who has lost its claim, and keeps it from being taken until the transaction ends.
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

/// Whether the lease is still held, and goes on.
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
