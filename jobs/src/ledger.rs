//! The ledger: what makes a run happen once.
//!
//! A run is one row of `job_runs`, unique by job and scheduled time. The row of its job in `jobs`
//! says who runs it and until when: whoever sets it there owns the job until the lease ends, so
//! that runs of one job never overlap, on however many nodes. What a run found and that it ended
//! are written in one transaction, and only by its owner.

use crate::JobError;
use crate::job::{Context, Job};
use crate::settings::{JobPlan, Missed};
use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use schema::db::dialect::database_time;
use schema::db::{StoreError, WriteTx};
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::{RunOrigin, RunState};
use schema::models::{Job as JobRow, JobRun};
use schema::tables::{job_runs, jobs};
use schema::{Conn, Db, Id, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// The version of the code that a run was made by.
pub const CODE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The longest wait before a retry.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);

/// Who this process is: no other has the same name, also after a restart.
static NODE: LazyLock<String> = LazyLock::new(|| {
    let host = hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{host}:{}:{:08x}", std::process::id(), rand::random::<u32>())
});

/// The name of this process in the ledger.
pub fn node() -> &'static str {
    &NODE
}

/// A run that belongs to this node for now.
#[derive(Debug)]
pub struct Claim {
    pub run: JobRun,
    lease: Duration,
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
/// scheduled time. None where nothing is due, the job is paused, or another node has it.
pub fn claim(db: &Db, job: &dyn Job, plan: &JobPlan, lease: Duration) -> Result<Option<Claim>, JobError> {
    let committed = db.write("scheduler", |tx| {
        let now = database_time(tx.conn)?;
        let row = locked(tx, job.name(), now)?;
        // Whoever had the lock may have kept it long.
        let now = database_time(tx.conn)?;
        if row.paused_at.is_some() || row.lease_until.is_some_and(|until| until > now) {
            return Ok(None);
        }
        if let Some(left) = row.run_id {
            match left_behind(tx, left, plan, now)? {
                Some(run) => return own(tx, run, lease, now).map(Some),
                None => release(tx, job.name())?,
            }
        }
        if let Some(run) = to_try_again(tx, job.name(), now)? {
            return own(tx, run, lease, now).map(Some);
        }
        let last: Option<Timestamp> = job_runs::table
            .filter(job_runs::job.eq(job.name()))
            .filter(job_runs::origin.eq(RunOrigin::Scheduled))
            .select(diesel::dsl::max(job_runs::scheduled_at))
            .first(tx.conn)?;
        let Some(slot) = due(plan, last.unwrap_or(row.since).max(row.since), now, lease) else { return Ok(None) };
        let mut run = new_run(job.name(), slot, RunOrigin::Scheduled, now);
        run.as_of = local_day_before(slot, plan.schedule.zone());
        each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
        own(tx, run, lease, now).map(Some)
    })?;
    Ok(committed.value)
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
fn locked(tx: &mut WriteTx<'_>, job: &str, now: Timestamp) -> Result<JobRow, StoreError> {
    let new = JobRow {
        job: job.to_owned(),
        since: now,
        paused_at: None,
        paused_by: None,
        run_id: None,
        node: None,
        lease_until: None,
    };
    each!(&mut *tx.conn, c => diesel::insert_into(jobs::table).values(&new).on_conflict_do_nothing().execute(c)?);
    diesel::update(jobs::table.find(job)).set(jobs::job.eq(job)).execute(tx.conn)?;
    Ok(jobs::table.find(job).select(JobRow::as_select()).first(tx.conn)?)
}

/// A run whose owner let its lease end: to be taken over, or failed for good.
fn left_behind(tx: &mut WriteTx<'_>, id: Id, plan: &JobPlan, now: Timestamp) -> Result<Option<JobRun>, StoreError> {
    let mut run = find(tx.conn, id)?;
    if run.state != RunState::Running {
        return Ok(None);
    }
    let owner = run.node.clone().unwrap_or_default();
    // Whoever began a run by hand has seen it break off.
    if run.origin == RunOrigin::Manual || run.attempt > i32::try_from(plan.retries).unwrap_or(i32::MAX) {
        run.state = RunState::Failed;
        run.finished_at = Some(now);
        run.error = Some(format!("{owner} went away while it ran"));
        store(tx, &run)?;
        return Ok(None);
    }
    tracing::warn!(job = run.job, run = %run.id, owner, "taken over from a node that went away");
    run.attempt += 1;
    Ok(Some(run))
}

fn to_try_again(tx: &mut WriteTx<'_>, job: &str, now: Timestamp) -> Result<Option<JobRun>, StoreError> {
    let found: Option<JobRun> = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::state.eq(RunState::Failed))
        .filter(job_runs::retry_at.le(now))
        .order(job_runs::scheduled_at)
        .select(JobRun::as_select())
        .first(tx.conn)
        .optional()?;
    Ok(found.map(|run| JobRun { attempt: run.attempt + 1, ..run }))
}

/// Makes this node the owner of a run.
fn own(tx: &mut WriteTx<'_>, mut run: JobRun, lease: Duration, now: Timestamp) -> Result<Claim, StoreError> {
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

fn release(tx: &mut WriteTx<'_>, job: &str) -> Result<(), StoreError> {
    diesel::update(jobs::table.find(job))
        .set((jobs::run_id.eq(None::<Id>), jobs::node.eq(None::<String>), jobs::lease_until.eq(None::<Timestamp>)))
        .execute(tx.conn)?;
    Ok(())
}

fn store(tx: &mut WriteTx<'_>, run: &JobRun) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::update(job_runs::table.find(run.id)).set(run).execute(c)?);
    Ok(())
}

fn new_run(job: &str, scheduled_at: Timestamp, origin: RunOrigin, now: Timestamp) -> JobRun {
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
fn local_day_before(slot: Timestamp, zone: chrono_tz::Tz) -> Option<NaiveDate> {
    slot.utc().with_timezone(&zone).date_naive().pred_opt()
}

fn after(moment: Timestamp, by: Duration) -> Timestamp {
    (moment.utc() + TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX)).into()
}

/// Does the work of a claim and writes down how it ended. A panic is a failed run.
///
/// The lease is renewed by a thread beside the work. Who loses it (a machine that slept, a database
/// that was away) cannot write what it found.
pub fn execute(context: &Context<'_>, job: &dyn Job, plan: Option<&JobPlan>, claim: Claim) -> Result<JobRun, JobError> {
    let Claim { mut run, lease } = claim;
    let (id, name) = (run.id, run.job.clone());
    let (done, ended) = channel::<()>();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(move || {
            while ended.recv_timeout(lease / 3) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = renew(context.db, &name, id, lease) {
                    tracing::warn!(job = name, run = %id, %error, "the lease could not be renewed");
                }
            }
        });
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let publish = job.run(context, &mut run)?;
            finish(context.db, &mut run, |tx, run| publish(tx, run))
        }))
        .unwrap_or_else(|panic| Err(JobError::Panicked(panic_message(panic.as_ref()))));
        drop(done);
        outcome
    });
    match outcome {
        Ok(()) => Ok(run),
        Err(error) => {
            tracing::warn!(job = run.job, run = %run.id, %error, "a run failed");
            run.error = Some(error.to_string());
            run.state = RunState::Failed;
            if let Some(plan) = plan
                && run.origin == RunOrigin::Scheduled
                && run.attempt <= i32::try_from(plan.retries).unwrap_or(i32::MAX)
            {
                let doubled = plan.backoff.saturating_mul(1 << (run.attempt - 1).clamp(0, 16));
                run.retry_at = Some(after(Timestamp::now(), doubled.min(LONGEST_BACKOFF)));
            }
            // Nothing of what it found is kept: what the work had set before it failed is not either.
            end(context.db, &run)?;
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

/// Writes down that a run failed.
fn end(db: &Db, run: &JobRun) -> Result<(), JobError> {
    db.write("job", |tx| {
        still_owned(tx, run)?;
        let now = database_time(tx.conn)?;
        diesel::update(job_runs::table.find(run.id))
            .set((
                job_runs::state.eq(RunState::Failed),
                job_runs::finished_at.eq(Some(now)),
                job_runs::error.eq(&run.error),
                job_runs::retry_at.eq(run.retry_at),
            ))
            .execute(tx.conn)?;
        release(tx, &run.job)
    })?;
    Ok(())
}

/// Refuses who has lost its claim, and keeps it from being taken until the transaction ends.
fn still_owned(tx: &mut WriteTx<'_>, run: &JobRun) -> Result<(), StoreError> {
    let owned =
        diesel::update(jobs::table.find(&run.job).filter(jobs::run_id.eq(run.id)).filter(jobs::node.eq(node())))
            .set(jobs::job.eq(&run.job))
            .execute(tx.conn)?;
    if owned == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("run {} of {} was taken over by another node", run.id, run.job)))
}

fn renew(db: &Db, job: &str, run: Id, lease: Duration) -> Result<(), StoreError> {
    db.write("job", |tx| {
        let until = after(database_time(tx.conn)?, lease);
        diesel::update(jobs::table.find(job).filter(jobs::run_id.eq(run)).filter(jobs::node.eq(node())))
            .set(jobs::lease_until.eq(Some(until)))
            .execute(tx.conn)?;
        Ok(())
    })?;
    Ok(())
}

/// Runs a job by hand, whatever its schedule says and also where it is paused.
///
/// # Errors
/// [`JobError::Busy`] where it is running already; else what the job itself failed with.
pub fn run_now(context: &Context<'_>, job: &dyn Job, as_of: NaiveDate) -> Result<JobRun, JobError> {
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
        if let Some(left) = row.run_id {
            // A run that a crash left behind: it is failed, or tried again when its time comes.
            let mut run = find(tx.conn, left)?;
            if run.state == RunState::Running {
                run.state = RunState::Failed;
                run.finished_at = Some(now);
                run.error = Some(format!("{} went away while it ran", run.node.as_deref().unwrap_or_default()));
                run.retry_at = (run.origin == RunOrigin::Scheduled).then_some(now);
                store(tx, &run)?;
            }
        }
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
    execute(context, job, None, claim)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".into())
}

/// Pauses a job, or lets it go on: scheduled runs begin no more until then, runs by hand do.
///
/// Times that pass while a job is paused count as missed.
pub fn set_paused(db: &Db, job: &str, by: Option<&str>) -> Result<JobRow, StoreError> {
    let committed = db.write("job", |tx| {
        let now = database_time(tx.conn)?;
        let mut row = locked(tx, job, now)?;
        row.paused_at = by.map(|_| row.paused_at.unwrap_or(now));
        row.paused_by = by.map(str::to_owned);
        diesel::update(jobs::table.find(job))
            .set((jobs::paused_at.eq(row.paused_at), jobs::paused_by.eq(&row.paused_by)))
            .execute(tx.conn)?;
        Ok(row)
    })?;
    Ok(committed.value)
}

/// What the ledger knows of all jobs.
pub fn states(conn: &mut Conn) -> Result<Vec<JobRow>, StoreError> {
    Ok(jobs::table.order(jobs::job).select(JobRow::as_select()).load(conn)?)
}

/// One run by its id.
pub fn find(conn: &mut Conn, id: Id) -> Result<JobRun, StoreError> {
    job_runs::table
        .find(id)
        .select(JobRun::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| StoreError::NotFound(format!("there is no run {id}: `phananh jobs history` lists them")))
}

/// The latest runs, newest first, of one job or of all.
pub fn history(conn: &mut Conn, job: Option<&str>, limit: i64) -> Result<Vec<JobRun>, StoreError> {
    let mut query = job_runs::table.into_boxed();
    if let Some(job) = job {
        query = query.filter(job_runs::job.eq(job.to_owned()));
    }
    Ok(query
        .order((job_runs::started_at.desc(), job_runs::id.desc()))
        .limit(limit)
        .select(JobRun::as_select())
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Publish;
    use crate::settings::Settings;

    struct Breaks;

    impl Job for Breaks {
        fn name(&self) -> &'static str {
            "breaks"
        }

        fn about(&self) -> &'static str {
            "breaks off"
        }

        fn schedule(&self) -> &'static str {
            "* * * * * *"
        }

        fn run(&self, _: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
            if run.as_of.is_some_and(|day| day < NaiveDate::default()) {
                panic!("on purpose, on {:?}", run.as_of);
            }
            Ok(Box::new(|tx, run| {
                run.summary = Some(serde_json::json!({ "kept": true }).into());
                diesel::update(jobs::table).set(jobs::paused_by.eq(Some("kept"))).execute(tx.conn)?;
                Ok(())
            }))
        }
    }

    fn database() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&format!("sqlite:{}", folder.path().join("test.db").display())).expect("a database");
        db.migrate().expect("tables");
        (folder, db)
    }

    #[test]
    fn a_panic_is_a_failed_run_with_its_message_and_the_job_is_free_again() {
        let (_folder, db) = database();
        let settings = Settings::default();
        let context = Context { db: &db, settings: &settings, snapshots: None, rules: None };
        let day = NaiveDate::from_ymd_opt(1969, 1, 1).expect("a date");
        for _ in 0..2 {
            let failed = run_now(&context, &Breaks, day).expect_err("it breaks off");
            assert!(failed.to_string().contains("on purpose"), "{failed}");
        }
        let runs = db.read(|conn| history(conn, None, 10)).expect("runs");
        assert_eq!(runs.len(), 2);
        assert!(runs.iter().all(|run| run.state == RunState::Failed && run.finished_at.is_some()), "{runs:?}");
        assert!(runs[0].error.as_deref().is_some_and(|error| error.contains("on purpose")));
    }

    #[test]
    fn who_lost_its_claim_cannot_write_what_it_found() {
        let (_folder, db) = database();
        let settings = Settings::default();
        let context = Context { db: &db, settings: &settings, snapshots: None, rules: None };
        let now = Timestamp::now();
        let claim = db
            .write("test", |tx| {
                locked(tx, "breaks", now)?;
                let run =
                    JobRun { as_of: Some(NaiveDate::default()), ..new_run("breaks", now, RunOrigin::Manual, now) };
                each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
                let claim = own(tx, run, Duration::from_secs(60), now)?;
                diesel::update(jobs::table).set(jobs::node.eq(Some("another"))).execute(tx.conn)?;
                Ok(claim)
            })
            .expect("a claim")
            .value;
        let lost = execute(&context, &Breaks, None, claim).expect_err("it was taken over");
        assert!(lost.to_string().contains("taken over"), "{lost}");
        let state = &db.read(states).expect("jobs")[0];
        assert_eq!((state.paused_by.as_deref(), state.node.as_deref()), (None, Some("another")));
        assert_eq!(db.read(|conn| history(conn, None, 1)).expect("runs")[0].state, RunState::Running);
    }
}
