//! Verifies that nothing which was sealed was changed, removed or put in later, and that every row is what its events
//! say: each day what was written since the last verification, each week everything.

use super::{day_of, latest_result, result};
use crate::JobError;
use crate::runner::job::{Context, Job, Publish};
use crate::runner::settings::AuditSettings;
use chrono::NaiveDate;
use schema::models::JobRun;
use schema::seal::{Positions, Report, Scope, SealName, Sealer, printed, verify, witness};
use schema::{Db, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub const NAME: &str = "verify-audit";

/// After so many days everything is verified, also what was verified before and not written since.
const EVERYTHING_AFTER: i64 = 7;

pub struct VerifyAudit;

/// What the job stores: the report, and when everything was verified last.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'r> {
    #[serde(flatten)]
    report: &'r Report,
    all_on: NaiveDate,
}

/// What is read of it.
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
        "verifies the register by its seals and events: what is new each day, everything each week"
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
        // What was verified before and does not read was not verified.
        let before = match context.db.read(|conn| latest_result::<Verified>(conn, NAME)) {
            Err(StoreError::Query(_)) => None,
            before => before?.map(|(_, verified)| verified),
        };
        let before = before.filter(|before| (0..EVERYTHING_AFTER).contains(&(as_of - before.all_on).num_days()));
        let known = printed_seals(context.db)?;
        let witness = context.settings.audit.witness.as_deref().map(witness::read);
        let since = before.as_ref().map(|before| before.positions);
        let report = verify(context.db, Scope { keys: Some(keys), known: &known, witness: witness.as_ref(), since })?;
        if let Some(first) = report.problems.first() {
            let number = report.problems.len() as u64 + report.more;
            return Err(JobError::NotVerified { number, first: first.message.clone() });
        }
        run.summary = Some(json!({ "verified": true, "all": report.all, "sealed": report.sealed }).into());
        let all_on = before.map_or(as_of, |before| before.all_on);
        result(run, NAME, as_of, &Document { report: &report, all_on })
    }
}

/// The seals that digests printed.
pub fn printed_seals(db: &Db) -> Result<Vec<SealName>, StoreError> {
    match db.read(printed) {
        // What the database refuses here is named by the verification.
        Err(StoreError::Query(_)) => Ok(Vec::new()),
        printed => printed,
    }
}

/// Seals what is not sealed yet, and appends the new seals to the witness. Returns how many rows were sealed.
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
