//! The ledger of job runs: each is written down before it begins and again when it ends.

use crate::JobError;
use diesel::prelude::*;
use schema::db::StoreError;
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::RunState;
use schema::models::JobRun;
use schema::tables::job_runs;
use schema::{Conn, Db, Id, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The jobs that there are, and what each is for.
pub const JOBS: [(&str, &str); 1] =
    [(crate::recurrence_job::NAME, "who is complained about again and again, by many different enterprises")];

/// The version of the code that a run was made by.
pub const CODE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a job by hand and writes the run down, whatever becomes of it. A panic is a failed run.
pub fn run_now(db: &Db, job: &str, work: impl FnOnce(&mut JobRun) -> Result<(), JobError>) -> Result<JobRun, JobError> {
    let now = Timestamp::now();
    let mut run = JobRun {
        id: random_id(),
        job: job.to_owned(),
        scheduled_at: now,
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
    };
    db.write("job", |tx| {
        each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
        Ok(())
    })?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut run)))
        .unwrap_or_else(|panic| Err(JobError::Panicked(panic_message(panic.as_ref()))));
    run.finished_at = Some(Timestamp::now());
    run.state = if outcome.is_ok() { RunState::Succeeded } else { RunState::Failed };
    run.error = outcome.as_ref().err().map(ToString::to_string);
    db.write("job", |tx| {
        each!(&mut *tx.conn, c => diesel::update(job_runs::table.find(run.id)).set(&run).execute(c)?);
        Ok(())
    })?;
    outcome.map(|()| run)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".into())
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

/// The latest runs, newest first.
pub fn history(conn: &mut Conn, limit: i64) -> Result<Vec<JobRun>, StoreError> {
    Ok(job_runs::table
        .order((job_runs::started_at.desc(), job_runs::id.desc()))
        .limit(limit)
        .select(JobRun::as_select())
        .load(conn)?)
}
