//! Verifies that nothing which was sealed was changed, removed or put in later.

use super::{day_of, result};
use crate::JobError;
use crate::job::{Context, Job, Publish};
use diesel::prelude::*;
use schema::enums::Locale;
use schema::models::JobRun;
use schema::seal::{Report, SealName, verify};
use schema::tables::digests;
use schema::{Conn, JsonValue, StoreError};
use serde_json::json;

pub const NAME: &str = "verify-audit";

pub struct VerifyAudit;

impl Job for VerifyAudit {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "verifies that nothing which was sealed was changed, removed or put in later"
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
        let known = context.db.read(printed)?;
        let report: Report = verify(context.db, keys, &known)?;
        if let Some(first) = report.problems.first() {
            let number = report.problems.len();
            return Err(JobError::History(format!("{number} problems; the first: {}", first.message)));
        }
        run.summary = Some(json!({ "verified": true, "chains": report.chains }).into());
        result(run, NAME, as_of, &report.chains)
    }
}

/// The seals that were printed in digests.
pub fn printed(conn: &mut Conn) -> Result<Vec<SealName>, StoreError> {
    let documents: Vec<JsonValue> =
        digests::table.filter(digests::locale.eq(Locale::Vi)).select(digests::document).load(conn)?;
    let seals = |document: JsonValue| serde_json::from_value::<Vec<SealName>>(document.0["seals"].clone()).ok();
    Ok(documents.into_iter().filter_map(seals).flatten().collect())
}
