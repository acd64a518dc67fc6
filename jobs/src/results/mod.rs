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
use schema::{Conn, Id, JsonValue, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The result of a job's successful run for the latest day, with that day. None when there is no run, or when
/// another version wrote its document in a form that this one cannot parse.
///
/// # Errors
/// If the database cannot be read.
pub fn latest_result<T: DeserializeOwned>(conn: &mut Conn, job: &str) -> Result<Option<(NaiveDate, T)>, StoreError> {
    let Some((run, as_of)) = latest_run(conn, job)? else { return Ok(None) };
    Ok(result_of(conn, run, job)?.map(|document| (as_of, document)))
}

/// The successful run of a job for the latest day, with that day.
fn latest_run(conn: &mut Conn, job: &str) -> Result<Option<(Id, NaiveDate)>, StoreError> {
    let found: Option<(Id, NaiveDate)> = job_results::table
        .inner_join(job_runs::table.on(job_runs::id.eq(job_results::run_id)))
        .filter(job_results::name.eq(job))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .order((job_results::as_of.desc(), job_runs::started_at.desc()))
        .select((job_results::run_id, job_results::as_of))
        .first(conn)
        .optional()?;
    Ok(found)
}

/// The document of a run. None if there is none, or none that this version can parse.
///
/// # Errors
/// If the database cannot be read.
pub(crate) fn result_of<T: DeserializeOwned>(conn: &mut Conn, run: Id, job: &str) -> Result<Option<T>, StoreError> {
    let found: Option<JobResult> = job_results::table
        .filter(job_results::run_id.eq(run))
        .filter(job_results::name.eq(job))
        .select(JobResult::as_select())
        .first(conn)
        .optional()?;
    Ok(found.and_then(|row| serde_json::from_value(row.document.0).ok()))
}

/// The document of a job's latest run, parsed once: that of the recurrence job has megabytes in a large register. A run
/// never changes its document.
#[derive(Debug)]
pub struct LatestDocument<T> {
    job: &'static str,
    parsed: Mutex<Option<(Id, Arc<T>)>>,
}

impl<T: DeserializeOwned> LatestDocument<T> {
    pub fn of(job: &'static str) -> Self {
        Self { job, parsed: Mutex::default() }
    }

    /// The document with its day. None as for [`latest_result`].
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn read(&self, conn: &mut Conn) -> Result<Option<(NaiveDate, Arc<T>)>, StoreError> {
        let Some((run, as_of)) = latest_run(conn, self.job)? else { return Ok(None) };
        let kept = self.parsed().as_ref().filter(|(of, _)| *of == run).map(|(_, document)| Arc::clone(document));
        if let Some(document) = kept {
            return Ok(Some((as_of, document)));
        }
        let Some(document) = result_of(conn, run, self.job)?.map(Arc::new) else { return Ok(None) };
        *self.parsed() = Some((run, Arc::clone(&document)));
        Ok(Some((as_of, document)))
    }

    fn parsed(&self) -> MutexGuard<'_, Option<(Id, Arc<T>)>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the step that stores a document as the result of a run.
///
/// # Errors
/// Never. `Job::run` returns this type.
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
///
/// # Errors
/// If the database cannot be written.
pub(crate) fn store_result(tx: &mut WriteTx<'_>, row: &JobResult) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::insert_into(job_results::table).values(row).execute(c)?);
    tx.record_state(StateTable::JobResults, &pair(row.run_id, &row.name));
    Ok(())
}

/// The row that holds a document as the result of a run.
pub(crate) fn result_row(run: &JobRun, name: &str, as_of: NaiveDate, document: &impl Serialize) -> JobResult {
    JobResult { run_id: run.id, name: name.to_owned(), as_of, document: JsonValue(json!(document)) }
}
