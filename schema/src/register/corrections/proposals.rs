//! Corrections that heads of units propose, and that the Board decides about.

use super::{Correction, correct, corrected};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::ids::random_id;
use crate::each;
use crate::enums::CorrectionState;
use crate::events::Entity;
use crate::models::{CorrectionProposal, CorrectionProposalOfficer};
use crate::refusal::CorrectionRefusal;
use crate::register::aliases::Aliases;
use crate::register::casework;
use crate::register::complaints::Case;
use crate::register::reference::{change, version_conflict};
use crate::sql_types::Id;
use crate::tables::{correction_proposal_officers, correction_proposals};
use diesel::prelude::*;
use serde::Serialize;

/// A proposal with the officers whom it names, as its event stores them.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    proposal: &'a CorrectionProposal,
    officers: Vec<Id>,
}

/// Proposes a correction of a complaint that is still at `expected_version`, for the head of `unit`.
///
/// # Errors
/// Same errors as [`correct`]: what could not be applied is not stored.
pub fn propose_correction(
    tx: &mut WriteTx<'_>,
    unit: Id,
    complaint: Id,
    expected_version: i32,
    correction: &Correction,
    reason: &str,
) -> Result<CorrectionProposal, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let case = casework::lock_at_version(tx, complaint, expected_version)?;
    corrected(tx, &case, correction)?;
    let proposal = CorrectionProposal {
        id: random_id(),
        complaint_id: complaint,
        complaint_version: expected_version,
        correction: serde_json::to_string(correction).map_err(|e| StoreError::Rule(e.to_string()))?,
        reason: reason.to_owned(),
        state: CorrectionState::Proposed,
        state_since: tx.now,
        proposed_at: tx.now,
        unit_id: unit,
        actor: tx.actor.to_owned(),
        decided_by: None,
        decision_reason: None,
        version: 1,
    };
    let officers = named(tx, correction)?;
    let proposal_id = proposal.id;
    each!(&mut *tx.conn, c => diesel::insert_into(correction_proposals::table).values(&proposal).execute(c)?);
    for officer_id in officers.iter().copied() {
        let row = CorrectionProposalOfficer { proposal_id, officer_id };
        each!(&mut *tx.conn, c => diesel::insert_into(correction_proposal_officers::table).values(&row).execute(c)?);
    }
    change(tx, Entity::CorrectionProposal, proposal_id, None, &Whole { proposal: &proposal, officers });
    Ok(proposal)
}

/// The officers whom a correction names, which was found to be applicable: all of them exist.
fn named(tx: &mut WriteTx<'_>, correction: &Correction) -> Result<Vec<Id>, StoreError> {
    let changed = correction.change_allegations.iter().map(|change| &change.allegation);
    let keys = changed.chain(&correction.remove_allegations).filter_map(|key| key.officer.as_ref());
    let replaced = correction.replace_officers.iter().flat_map(|replacement| [&replacement.from, &replacement.to]);
    let added = correction.add_officers.iter().map(|new| &new.officer);
    let codes: Vec<&String> = keys.chain(&correction.remove_officers).chain(replaced).chain(added).collect();
    let aliases = Aliases::load(tx.conn)?;
    let mut officers = Vec::with_capacity(codes.len());
    for code in codes {
        officers.push(super::officer_by_code(tx, &aliases, "officer", code)?);
    }
    officers.sort_unstable();
    officers.dedup();
    Ok(officers)
}

/// Reads a proposal that is still at `expected_version`, and locks it until the transaction ends.
fn claim(tx: &mut WriteTx<'_>, id: Id, expected_version: i32) -> Result<CorrectionProposal, StoreError> {
    diesel::update(correction_proposals::table.find(id)).set(correction_proposals::id.eq(id)).execute(tx.conn)?;
    let found: Option<CorrectionProposal> =
        correction_proposals::table.find(id).select(CorrectionProposal::as_select()).first(tx.conn).optional()?;
    let proposal = found.ok_or_else(|| StoreError::no_such("proposal", &id, "correctionProposals"))?;
    if proposal.version != expected_version {
        return Err(version_conflict("proposal", proposal.version, expected_version));
    }
    if proposal.state != CorrectionState::Proposed {
        return Err(CorrectionRefusal::Decided { correction: proposal.state }.into());
    }
    Ok(proposal)
}

fn conclude(
    tx: &mut WriteTx<'_>,
    before: &CorrectionProposal,
    state: CorrectionState,
    reason: Option<&str>,
) -> Result<CorrectionProposal, StoreError> {
    let mut now = before.clone();
    now.state = state;
    now.state_since = tx.now;
    now.decided_by = Some(tx.actor.to_owned());
    now.decision_reason = reason.map(str::to_owned);
    now.version += 1;
    let id = now.id;
    each!(&mut *tx.conn, c => diesel::update(correction_proposals::table.find(id)).set(&now).execute(c)?);
    change(tx, Entity::CorrectionProposal, id, Some(before), &now);
    Ok(now)
}

/// Accepts a proposal, which corrects the complaint with the reason of the proposal, or refuses it. Returns the
/// complaint if it was corrected.
///
/// # Errors
/// `NotFound`; `Conflict` if the proposal is at another version or decided, or the complaint has changed since it was
/// proposed; `Rule` if the reason of a refusal is missing, or the correction can no longer be applied.
pub fn decide_correction(
    tx: &mut WriteTx<'_>,
    id: Id,
    expected_version: i32,
    accept: bool,
    reason: Option<&str>,
) -> Result<(CorrectionProposal, Option<Case>), StoreError> {
    // The lock on the tree comes first, as in all writers of complaints.
    dialect::lock_tree_shared(tx.conn)?;
    let before = claim(tx, id, expected_version)?;
    if !accept {
        if reason.is_none() {
            return Err(CorrectionRefusal::RefusalReason.into());
        }
        return Ok((conclude(tx, &before, CorrectionState::Refused, reason)?, None));
    }
    let correction: Correction = serde_json::from_str(&before.correction)
        .map_err(|e| StoreError::Rule(format!("the proposal cannot be read: {e}")))?;
    let corrected = correct(tx, before.complaint_id, before.complaint_version, &correction, &before.reason);
    let case = corrected.map_err(|error| match error {
        StoreError::Conflict(why) => CorrectionRefusal::ChangedSince { why }.into(),
        StoreError::Refused(refusal) if refusal.is_conflict() => {
            CorrectionRefusal::ChangedSince { why: refusal.to_string() }.into()
        }
        other => other,
    })?;
    Ok((conclude(tx, &before, CorrectionState::Accepted, reason)?, Some(case)))
}

/// Withdraws a proposal. `own` tells whether the caller may: other proposals answer as ones that do not exist.
///
/// # Errors
/// `NotFound`; `Conflict` if the proposal is at another version or decided.
pub fn withdraw_correction(
    tx: &mut WriteTx<'_>,
    id: Id,
    expected_version: i32,
    reason: Option<&str>,
    own: impl FnOnce(&CorrectionProposal) -> bool,
) -> Result<CorrectionProposal, StoreError> {
    let found: Option<CorrectionProposal> =
        correction_proposals::table.find(id).select(CorrectionProposal::as_select()).first(tx.conn).optional()?;
    if !found.is_some_and(|proposal| own(&proposal)) {
        return Err(StoreError::no_such("proposal", &id, "correctionProposals"));
    }
    let before = claim(tx, id, expected_version)?;
    conclude(tx, &before, CorrectionState::Withdrawn, reason)
}
