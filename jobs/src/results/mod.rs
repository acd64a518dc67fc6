//! The results that jobs store for a day, one document each.

pub mod recurrence;

use crate::JobError;
use crate::runner::job::Publish;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::each;
use schema::enums::RunState;
use schema::models::{JobResult, JobRun};
use schema::states::{StateTable, pair};
use schema::tables::{job_results, job_runs};
use schema::{Conn, JsonValue, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The result of a job's successful run for the latest day, with that day. None when there is no run, or when
/// another version wrote its document in a form that this one cannot parse.
///
/// # Errors
/// If the database cannot be read.
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

/// Returns the step that stores a document as the result of a run.
pub(crate) fn result(
    run: &JobRun,
    name: &str,
    as_of: NaiveDate,
    document: &impl Serialize,
) -> Result<Publish, JobError> {
    let row = result_row(run, name, as_of, document);
    Ok(Box::new(move |tx, _| store_result(tx, &row)))
}

/// Stores a result. Call it in the transaction that ends the run.
pub(crate) fn store_result(tx: &mut WriteTx<'_>, row: &JobResult) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::insert_into(job_results::table).values(row).execute(c)?);
    tx.record_state(StateTable::JobResults, &pair(row.run_id, &row.name));
    Ok(())
}

/// The row that holds a document as the result of a run.
pub(crate) fn result_row(run: &JobRun, name: &str, as_of: NaiveDate, document: &impl Serialize) -> JobResult {
    JobResult { run_id: run.id, name: name.to_owned(), as_of, document: JsonValue(json!(document)) }
}
