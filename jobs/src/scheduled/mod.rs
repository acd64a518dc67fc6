//! The jobs: each is one file here and one line in [`REGISTRY`].

pub mod audit;
pub mod blame;
pub mod digest;
pub mod overdue;
pub mod recurrence;
pub mod retention;
pub mod snapshot;
pub mod timeliness;
pub mod trends;

use crate::JobError;
use crate::runner::job::{Publish, Registry};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::each;
use schema::enums::RunState;
use schema::models::{JobResult, JobRun};
use schema::states::{Kept, pair};
use schema::tables::{job_results, job_runs};
use schema::{Conn, JsonValue, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// All jobs.
pub const REGISTRY: Registry = Registry(&[
    &recurrence::Recurrence,
    &timeliness::Timeliness,
    &trends::Trends,
    &overdue::EscalateOverdue,
    &blame::BlameCheck,
    &snapshot::Snapshot,
    &audit::VerifyAudit,
    &digest::Digest,
    &digest::Deliver,
    &retention::Retention,
]);

/// The day for which a run is made.
fn day_of(run: &JobRun) -> Result<NaiveDate, JobError> {
    run.as_of.ok_or_else(|| JobError::NotFound(format!("run {} is for no day", run.id)))
}

/// What the run of a job for the latest day left behind; None where there was none, or it is of another
/// version and does not read.
pub fn latest_result<T: DeserializeOwned>(conn: &mut Conn, job: &str) -> Result<Option<(NaiveDate, T)>, StoreError> {
    let found: Option<JobResult> = job_results::table
        .inner_join(job_runs::table.on(job_runs::id.eq(job_results::run_id)))
        .filter(job_results::name.eq(job))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .order((job_results::as_of.desc(), job_runs::started_at.desc()))
        .select(JobResult::as_select())
        .first(conn)
        .optional()?;
    Ok(found.and_then(|row| Some((row.as_of, serde_json::from_value(row.document.0).ok()?))))
}

/// Stores a document as the result of a run.
fn result(run: &JobRun, name: &str, as_of: NaiveDate, document: &impl Serialize) -> Result<Publish, JobError> {
    let row = result_rows(run, name, as_of, document);
    Ok(Box::new(move |tx, _| store_result(tx, &row)))
}

/// Stores a result in the transaction that ends its run.
pub(crate) fn store_result(tx: &mut WriteTx<'_>, row: &JobResult) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::insert_into(job_results::table).values(row).execute(c)?);
    tx.keep(Kept::JobResults, &pair(row.run_id, &row.name));
    Ok(())
}

pub(crate) fn result_rows(run: &JobRun, name: &str, as_of: NaiveDate, document: &impl Serialize) -> JobResult {
    JobResult { run_id: run.id, name: name.to_owned(), as_of, document: JsonValue(json!(document)) }
}
