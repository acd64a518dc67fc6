//! The verification job: checks that sealed rows were not changed, removed or inserted later, and that every row
//! matches its events. Each day it verifies rows written since the last verification, each week all rows.

use crate::JobError;
use crate::results::{latest_result, result};
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::runner::settings::AuditSettings;
use chrono::NaiveDate;
use schema::models::JobRun;
use schema::seal::{Positions, Report, Scope, SealName, Sealer, printed, verify, witness};
use schema::{Db, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub const NAME: &str = "verify-audit";

/// Days after which a run verifies everything again, including rows not written since.
const EVERYTHING_AFTER: i64 = 7;

pub struct VerifyAudit;

/// The result that the job stores: the report, and the day of the last full verification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'r> {
    #[serde(flatten)]
    report: &'r Report,
    all_on: NaiveDate,
}

/// The part of the stored result that the next run reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    positions: Positions,
    all_on: NaiveDate,
}

impl Job for VerifyAudit {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "verifies the register against its seals and events: new rows daily, everything weekly"
    }

    fn schedule(&self) -> &'static str {
        "30 1 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let Some(keys) = &context.settings.keys else {
            run.summary = Some(json!({ "verified": null, "reason": "no key file: nothing is sealed" }).into());
            return Ok(Box::new(|_, _| Ok(())));
        };
        // An earlier result that cannot be read counts as no verification.
        let before = match context.db.read(|conn| latest_result::<Verified>(conn, NAME)) {
            Err(StoreError::Query(_)) => None,
            before => before?.map(|(_, verified)| verified),
        };
        let before = before.filter(|before| (0..EVERYTHING_AFTER).contains(&(as_of - before.all_on).num_days()));
        let printed = printed_seals(context.db)?;
        let witness = context.settings.audit.witness.as_deref().map(witness::read);
        let since = before.as_ref().map(|before| before.positions);
        let report =
            verify(context.db, Scope { keys: Some(keys), expected_seals: &printed, witness: witness.as_ref(), since })?;
        if let Some(first) = report.problems.first() {
            let number = report.problems.len() as u64 + report.more;
            return Err(JobError::NotVerified { number, first: first.message.clone() });
        }
        run.summary = Some(json!({ "verified": true, "all": report.all, "sealed": report.sealed }).into());
        let all_on = before.map_or(as_of, |before| before.all_on);
        result(run, NAME, as_of, &Document { report: &report, all_on })
    }
}

/// The names of the seals that digests printed.
///
/// # Errors
/// If the database cannot be reached. A query that fails counts as no seals.
pub fn printed_seals(db: &Db) -> Result<Vec<SealName>, StoreError> {
    match db.read(printed) {
        // The verification itself reports rows that the database cannot read.
        Err(StoreError::Query(_)) => Ok(Vec::new()),
        printed => printed,
    }
}

/// Seals all unsealed rows, and appends the new seals to the witness. Returns the number of rows sealed.
///
/// # Errors
/// `Store` when the database fails, `Witness` when the folder cannot be written.
pub fn seal_and_witness(
    sealer: &mut Sealer,
    db: &Db,
    keys: &schema::keys::Keys,
    audit: &AuditSettings,
) -> Result<usize, JobError> {
    let sealed = sealer.seal(db, keys)?;
    if let Some(folder) = &audit.witness {
        witness::record(db, folder)?;
    }
    Ok(sealed)
}
