//! Whether evidence was corrected, or linked to another complaint, after the run that raised a flag.

use diesel::prelude::*;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::enums::ComplaintEventKind;
use schema::queries::originals_of;
use schema::tables::{complaint_events, job_runs};
use schema::{Conn, Id, JsonValue, StoreError};

/// The fields that decide for whom, as whose and as what a complaint counts.
const DECISIVE: [&str; 7] =
    ["officers", "enterprise_id", "category_id", "unit_id", "branch_id", "occurred_at", "finding"];

/// Whether the Board corrected one of these complaints after a run, in a field that decides how it counts, or linked it
/// to another one. A complaint may still count, but no longer as another enterprise: then the flag has lost evidence,
/// too.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn since_run(conn: &mut Conn, run: Id, evidence: &[Id]) -> Result<bool, StoreError> {
    // A linked duplicate counts nowhere: when it was evidence, it was not linked yet.
    if !originals_of(conn, evidence)?.is_empty() {
        return Ok(true);
    }
    let known_at: Option<Option<i64>> = job_runs::table.find(run).select(job_runs::known_at).first(conn).optional()?;
    let Some(known_at) = known_at.flatten() else { return Ok(false) };
    for chunk in evidence.chunks(KEYS_PER_QUERY) {
        let events: Vec<Option<JsonValue>> = complaint_events::table
            .filter(complaint_events::complaint_id.eq_any(chunk))
            .filter(complaint_events::kind.eq(ComplaintEventKind::Corrected))
            .filter(complaint_events::position.gt(known_at))
            .select(complaint_events::after)
            .load(conn)?;
        let decides = |after: &JsonValue| DECISIVE.iter().any(|field| after.0.get(*field).is_some());
        if events.iter().flatten().any(decides) {
            return Ok(true);
        }
    }
    Ok(false)
}
