//! Assessments of runs for past days, stored as results of the runs: flags show only the current state, so these runs
//! change none. Also finds runs and their assessments.

use super::{Stored, SubjectAssessment, flag_id, with_codes, with_flag};
use crate::analyses::recurrence::{Assessment, Rules, reason};
use crate::results::recurrence::{self, RecurrenceDocument};
use crate::results::{result_row, store_result};
use crate::run_hash::numbers;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::db::{StoreError, WriteTx};
use schema::enums::{RunState, SubjectKind, Tier};
use schema::models::{Flag, FlagAssessment, JobResult, JobRun};
use schema::tables::{flag_assessments, flags, job_results, job_runs};
use schema::{Conn, Id, JsonValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The name under which the result is stored.
const NAME: &str = "recurrence-found";

#[derive(Default, Serialize, Deserialize)]
struct Document {
    found: Vec<Found>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    kind: SubjectKind,
    subject: Id,
    tier: Tier,
    numbers: Value,
    reason_vi: String,
    reason_en: String,
    evidence: Vec<Id>,
}

/// Whether a successful run for a later day exists.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn is_for_past_day(conn: &mut Conn, as_of: NaiveDate) -> Result<bool, StoreError> {
    let newest: Option<NaiveDate> = job_runs::table
        .filter(job_runs::job.eq(recurrence::NAME))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .select(diesel::dsl::max(job_runs::as_of))
        .first(conn)?;
    Ok(newest.is_some_and(|newest| newest > as_of))
}

/// Stores the assessments of a run for a past day.
///
/// # Errors
/// If the database cannot be written.
pub(super) fn store(
    tx: &mut WriteTx<'_>,
    run: &JobRun,
    as_of: NaiveDate,
    rules: &Rules,
    assessments: &[Assessment],
) -> Result<(), StoreError> {
    let found = assessments
        .iter()
        .map(|assessment| {
            let reason = reason(assessment, as_of, rules);
            Found {
                kind: assessment.kind,
                subject: assessment.subject.id,
                tier: assessment.tier,
                numbers: numbers(assessment),
                reason_vi: reason.vi,
                reason_en: reason.en,
                evidence: assessment.evidence.clone(),
            }
        })
        .collect();
    store_result(tx, &result_row(run, NAME, as_of, &Document { found }))
}

/// The last successful run for a day.
///
/// # Errors
/// If the database cannot be read.
pub fn latest_for(conn: &mut Conn, as_of: NaiveDate) -> Result<Option<JobRun>, StoreError> {
    Ok(job_runs::table
        .filter(job_runs::job.eq(recurrence::NAME))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .filter(job_runs::as_of.eq(as_of))
        .order((job_runs::started_at.desc(), job_runs::id))
        .select(JobRun::as_select())
        .first(conn)
        .optional()?)
}

/// The last successful run for the latest day.
///
/// # Errors
/// If the database cannot be read.
pub fn latest(conn: &mut Conn) -> Result<Option<JobRun>, StoreError> {
    Ok(job_runs::table
        .filter(job_runs::job.eq(recurrence::NAME))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .order((job_runs::as_of.desc(), job_runs::started_at.desc()))
        .select(JobRun::as_select())
        .first(conn)
        .optional()?)
}

/// The document that a run stored in addition to its flags; None when there is none or another version wrote it in a
/// form that cannot be parsed.
///
/// # Errors
/// If the database cannot be read.
pub fn document_of_run(conn: &mut Conn, run_id: Id) -> Result<Option<RecurrenceDocument>, StoreError> {
    let result: Option<JobResult> =
        job_results::table.find((run_id, recurrence::NAME)).select(JobResult::as_select()).first(conn).optional()?;
    Ok(result.and_then(|row| serde_json::from_value(row.document.0).ok()))
}

/// The assessments of one run, ordered by kind and code.
///
/// # Errors
/// `Rule` when its stored result cannot be parsed.
pub fn of_run(conn: &mut Conn, run_id: Id) -> Result<Vec<Stored>, StoreError> {
    let rows: Vec<(Flag, FlagAssessment)> = flag_assessments::table
        .inner_join(flags::table.on(flags::id.eq(flag_assessments::flag_id)))
        .filter(flag_assessments::run_id.eq(run_id))
        .select((Flag::as_select(), FlagAssessment::as_select()))
        .load(conn)?;
    let apart: Option<JobResult> =
        job_results::table.find((run_id, NAME)).select(JobResult::as_select()).first(conn).optional()?;
    let apart: Document = match apart {
        None => Document::default(),
        Some(row) => serde_json::from_value(row.document.0)
            .map_err(|e| StoreError::Rule(format!("the assessments of run {run_id} cannot be parsed: {e}")))?,
    };
    let ids: Vec<Id> = apart.found.iter().map(|found| flag_id(found.kind, found.subject)).collect();
    let mut standing: HashMap<Id, Flag> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Flag> = flags::table.filter(flags::id.eq_any(chunk)).select(Flag::as_select()).load(conn)?;
        standing.extend(rows.into_iter().map(|flag| (flag.id, flag)));
    }
    let apart: Vec<SubjectAssessment> = apart
        .found
        .into_iter()
        .zip(ids)
        .map(|(found, flag_id)| {
            let assessment = FlagAssessment {
                flag_id,
                run_id,
                tier: found.tier,
                numbers: JsonValue(found.numbers),
                reason_vi: found.reason_vi,
                reason_en: found.reason_en,
                evidence: JsonValue(json!(found.evidence)),
                new_evidence: None,
            };
            (found.kind, found.subject, standing.remove(&flag_id), assessment)
        })
        .collect();
    with_codes(conn, rows.into_iter().map(with_flag).chain(apart))
}
