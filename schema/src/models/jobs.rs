//! Jobs, their runs and results.

use crate::enums::{RunOrigin, RunState};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(job_runs JobRun {
    id: Id,
    job: String,
    scheduled_at: Timestamp,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    state: RunState,
    as_of: Option<NaiveDate>,
    known_at: Option<i64>,
    rules: Option<JsonValue>,
    rules_version: Option<String>,
    code_version: String,
    inputs: Option<JsonValue>,
    input_hash: Option<String>,
    output_hash: Option<String>,
    result_hash: Option<String>,
    summary: Option<JsonValue>,
    error: Option<String>,
    origin: RunOrigin,
    /// The number of this attempt, from 1.
    attempt: i32,
    /// When a failed run is retried.
    retry_at: Option<Timestamp>,
    /// The node that runs it, or ran it last.
    node: Option<String>,
});

model!(
    /// A job in the ledger: whether it is paused, and which node holds its lease until when.
    jobs Job {
        job: String,
        since: Timestamp,
        paused_at: Option<Timestamp>,
        paused_by: Option<String>,
        pause_reason: Option<String>,
        run_id: Option<Id>,
        node: Option<String>,
        lease_until: Option<Timestamp>,
    }
);

model!(
    /// A result of a run, for digests and dashboards.
    job_results JobResult {
        run_id: Id,
        name: String,
        as_of: NaiveDate,
        document: JsonValue,
    }
);
