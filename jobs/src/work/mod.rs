//! The jobs: each is one file here and one line in [`crate::job::JOBS`].

pub mod digest;
pub mod overdue;
pub mod recurrence;
pub mod snapshot;
pub mod timeliness;
pub mod trends;

use crate::JobError;
use crate::job::Publish;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::JsonValue;
use schema::each;
use schema::models::{JobResult, JobRun};
use schema::tables::job_results;
use serde::Serialize;
use serde_json::json;

/// The day for which a run is made.
fn day_of(run: &JobRun) -> Result<NaiveDate, JobError> {
    run.as_of.ok_or_else(|| JobError::NotFound(format!("run {} is for no day", run.id)))
}

/// Stores a document as the result of a run.
fn result(run: &JobRun, name: &str, as_of: NaiveDate, document: &impl Serialize) -> Result<Publish, JobError> {
    let row = result_rows(run, name, as_of, document);
    Ok(Box::new(move |tx, _| {
        each!(&mut *tx.conn, c => diesel::insert_into(job_results::table).values(&row).execute(c)?);
        Ok(())
    }))
}

fn result_rows(run: &JobRun, name: &str, as_of: NaiveDate, document: &impl Serialize) -> JobResult {
    JobResult { run_id: run.id, name: name.to_owned(), as_of, document: JsonValue(json!(document)) }
}
