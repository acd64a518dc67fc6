//! Proposals of the Board to the General Department (S3).

use super::reference::{change, claim_version, outdated};
use super::submission::known;
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::ids::random_id;
use crate::each;
use crate::enums::ProposalState;
use crate::events::Entity;
use crate::models::{IssueCategory, Proposal, ProposalCategory, ProposalUnit, Unit};
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
    /// The codes of the categories that it is to help with.
    pub categories: Vec<String>,
    /// The codes of the units in which; all where none is named.
    pub units: Vec<String>,
}

/// What became of a proposal.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub state: ProposalState,
    /// Since when it is in force: its effect is measured from this day.
    pub implemented_on: Option<NaiveDate>,
    /// Required to reject or withdraw it.
    pub reason: Option<String>,
}

/// A proposal with what it is about, as its event holds it.
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
/// `Rule` where a category or unit is not known, or neither is named.
pub fn propose(tx: &mut WriteTx<'_>, new: NewProposal) -> Result<Proposal, StoreError> {
    let (mut categories, mut units) = (Vec::new(), Vec::new());
    for code in &new.categories {
        categories.extend(known::<IssueCategory>(tx, "categories", Some(code))?);
    }
    for code in &new.units {
        units.extend(known::<Unit>(tx, "units", Some(code))?);
    }
    if categories.is_empty() && units.is_empty() {
        return Err(StoreError::Rule("categories: name the categories or the units that it is about".into()));
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

/// Says what became of a proposal as `expected_version` knows it: PROPOSED → ACCEPTED → IMPLEMENTED, REJECTED while it is
/// proposed, WITHDRAWN before it is implemented.
///
/// # Errors
/// `NotFound`; `Conflict` where it was changed by somebody else, or its state does not allow the step; `Rule` where
/// something is missing, and says what.
pub fn conclude(tx: &mut WriteTx<'_>, id: Id, expected_version: i32, outcome: Outcome) -> Result<Proposal, StoreError> {
    let claimed = claim_version!(tx, proposals, id, expected_version);
    let found: Option<Proposal> = proposals::table.find(id).select(Proposal::as_select()).first(tx.conn).optional()?;
    let before = found.ok_or_else(|| StoreError::NotFound("there is no such proposal".into()))?;
    if !claimed {
        return Err(outdated("proposal", before.version, expected_version));
    }
    use ProposalState::{Accepted, Implemented, Proposed, Rejected, Withdrawn};
    let allowed = matches!(
        (before.state, outcome.state),
        (Proposed, Accepted | Rejected | Withdrawn)
            | (Accepted, Implemented | Withdrawn)
            // Another day than was said before.
            | (Implemented, Implemented)
    );
    if !allowed {
        return Err(StoreError::Conflict(format!(
            "a proposal that is {} does not become {}",
            before.state, outcome.state
        )));
    }
    let mut now = before.clone();
    match (outcome.state, outcome.implemented_on) {
        (Implemented, Some(day)) => {
            if day > local_date(tx.now) {
                return Err(StoreError::Rule(format!("implementedOn is {day}: it lies in the future")));
            }
            now.implemented_on = Some(day);
        }
        (Implemented, None) => {
            return Err(StoreError::Rule("implementedOn: say since when it is in force".into()));
        }
        (_, Some(_)) => return Err(StoreError::Rule("implementedOn goes with IMPLEMENTED".into())),
        _ => {}
    }
    if matches!(outcome.state, Rejected | Withdrawn) && outcome.reason.is_none() {
        return Err(StoreError::Rule("reason: say why it is rejected or withdrawn".into()));
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
