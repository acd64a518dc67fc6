//! Proposals of the Board to the General Department (S3).

use super::reference::{change, existing_id, lock_at_version, version_conflict};
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::ids::random_id;
use crate::each;
use crate::enums::ProposalState;
use crate::events::Entity;
use crate::models::{IssueCategory, Proposal, ProposalCategory, ProposalUnit, Unit};
use crate::refusal::ProposalRefusal;
use crate::sql_types::Id;
use crate::tables::{proposal_categories, proposal_units, proposals};
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Serialize;

/// A proposal, not yet made.
#[derive(Debug, Clone)]
pub struct NewProposal {
    pub title: String,
    pub text: String,
    /// The codes of the categories that the proposal concerns.
    pub categories: Vec<String>,
    /// The codes of the units that it concerns; all units if empty.
    pub units: Vec<String>,
}

/// The next state of a proposal.
#[derive(Debug, Clone)]
pub struct Conclusion {
    pub state: ProposalState,
    /// The day since which the proposal is in force: its effect is measured from this day.
    pub implemented_on: Option<NaiveDate>,
    /// Required to reject or withdraw the proposal.
    pub reason: Option<String>,
}

/// A proposal with its categories and units, as its event stores them.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    proposal: &'a Proposal,
    categories: Vec<Id>,
    units: Vec<Id>,
}

/// Makes a proposal.
///
/// # Errors
/// `Rule` if a category or unit is unknown, or neither is named.
pub fn propose(tx: &mut WriteTx<'_>, new: NewProposal) -> Result<Proposal, StoreError> {
    let (mut categories, mut units) = (Vec::new(), Vec::new());
    for code in &new.categories {
        categories.extend(existing_id::<IssueCategory>(tx, "categories", Some(code))?);
    }
    for code in &new.units {
        units.extend(existing_id::<Unit>(tx, "units", Some(code))?);
    }
    if categories.is_empty() && units.is_empty() {
        return Err(ProposalRefusal::AboutNothing.into());
    }
    for ids in [&mut categories, &mut units] {
        ids.sort_unstable();
        ids.dedup();
    }
    let proposal = Proposal {
        id: random_id(),
        title: new.title,
        text: new.text,
        state: ProposalState::Proposed,
        state_since: tx.now,
        proposed_at: tx.now,
        implemented_on: None,
        reason: None,
        version: 1,
        actor: tx.actor.to_owned(),
    };
    let proposal_id = proposal.id;
    each!(&mut *tx.conn, c => diesel::insert_into(proposals::table).values(&proposal).execute(c)?);
    for category_id in categories.iter().copied() {
        let row = ProposalCategory { proposal_id, category_id };
        each!(&mut *tx.conn, c => diesel::insert_into(proposal_categories::table).values(&row).execute(c)?);
    }
    for unit_id in units.iter().copied() {
        let row = ProposalUnit { proposal_id, unit_id };
        each!(&mut *tx.conn, c => diesel::insert_into(proposal_units::table).values(&row).execute(c)?);
    }
    let whole = Whole { proposal: &proposal, categories, units };
    change(tx, Entity::Proposal, proposal_id, None, &whole);
    Ok(proposal)
}

/// Changes the state of a proposal that is still at `expected_version`: PROPOSED → ACCEPTED → IMPLEMENTED, REJECTED
/// from PROPOSED, WITHDRAWN from PROPOSED or ACCEPTED. Another IMPLEMENTED corrects the day.
///
/// # Errors
/// `NotFound`; `Conflict` if the proposal is at another version or its state does not allow the step; `Rule` names the
/// invalid field.
pub fn conclude(
    tx: &mut WriteTx<'_>,
    id: Id,
    expected_version: i32,
    outcome: Conclusion,
) -> Result<Proposal, StoreError> {
    let locked = lock_at_version!(tx, proposals, id, expected_version);
    let found: Option<Proposal> = proposals::table.find(id).select(Proposal::as_select()).first(tx.conn).optional()?;
    let before = found.ok_or_else(|| StoreError::no_such("proposal", &id, "proposals"))?;
    if !locked {
        return Err(version_conflict("proposal", before.version, expected_version));
    }
    use ProposalState::{Accepted, Implemented, Proposed, Rejected, Withdrawn};
    let allowed = matches!(
        (before.state, outcome.state),
        (Proposed, Accepted | Rejected | Withdrawn)
            | (Accepted, Implemented | Withdrawn)
            // Corrects the day.
            | (Implemented, Implemented)
    );
    if !allowed {
        return Err(ProposalRefusal::NoSuchStep { proposal: before.state, outcome: outcome.state }.into());
    }
    let mut now = before.clone();
    match (outcome.state, outcome.implemented_on) {
        (Implemented, Some(day)) => {
            if day > local_date(tx.now) {
                return Err(ProposalRefusal::ImplementedInFuture { day }.into());
            }
            now.implemented_on = Some(day);
        }
        (Implemented, None) => return Err(ProposalRefusal::ImplementedMissing.into()),
        (_, Some(_)) => return Err(ProposalRefusal::ImplementedAlone.into()),
        _ => {}
    }
    if matches!(outcome.state, Rejected | Withdrawn) && outcome.reason.is_none() {
        return Err(ProposalRefusal::ReasonMissing.into());
    }
    if now.state != outcome.state {
        now.state_since = tx.now;
    }
    now.state = outcome.state;
    now.reason = outcome.reason;
    now.version += 1;
    each!(&mut *tx.conn, c => diesel::update(proposals::table.find(id)).set(&now).execute(c)?);
    change(tx, Entity::Proposal, id, Some(&before), &now);
    Ok(now)
}
