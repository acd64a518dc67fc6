//! Records the responses of units to complaints, and the state changes that follow.

use super::clock::{clock_of, first_response, last_response};
use super::complaints::{self, Case};
use super::succession::hand_on;
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::state::{is_open, step, steps_to_answered};
use crate::each;
use crate::enums::{ComplaintEventKind, ComplaintState, ResponseAction, ResponseVisibility};
use crate::events::{ComplaintEvent, fields_of};
use crate::models::{Complaint, UnitResponse};
use crate::refusal::CaseRefusal;
use crate::sql_types::{Id, Timestamp};
use crate::tables::{complaints as complaint_table, unit_responses};
use diesel::prelude::*;
use serde_json::json;

/// A response, not yet stored.
#[derive(Debug, Clone)]
pub struct NewResponse {
    pub id: Id,
    pub unit_id: Id,
    pub responded_at: Timestamp,
    pub action: ResponseAction,
    pub text: String,
    pub outcome: Option<String>,
    /// Whether the enterprise was satisfied; Some(false) reopens the complaint.
    pub satisfied: Option<bool>,
    /// Whether the unit need not answer and only states its view. It is recorded and changes no state.
    pub is_statement: bool,
    /// None: internal, as in imports.
    pub visibility: Option<ResponseVisibility>,
}

impl NewResponse {
    /// The readers of the response. A statement does not count as an answer, so the complainant does not read it.
    pub fn meant_for(&self) -> Option<ResponseVisibility> {
        if self.is_statement { Some(ResponseVisibility::Internal) } else { self.visibility }
    }
}

/// Records a response to a complaint that is still at `expected_version`. `answers` tells whether the unit of the
/// response has to answer the complaint; from another unit it is a statement.
///
/// # Errors
/// `NotFound`; `Conflict` if the complaint is at another version, or has ended.
pub fn respond(
    tx: &mut WriteTx<'_>,
    complaint_id: Id,
    expected_version: i32,
    mut response: NewResponse,
    answers: impl FnOnce(&Complaint) -> bool,
) -> Result<Case, StoreError> {
    crate::db::dialect::lock_tree_shared(tx.conn)?;
    let case = super::casework::lock_at_version(tx, complaint_id, expected_version)?;
    // Only history may tell of a response on the day on which the complaint ended.
    if !is_open(case.complaint.state) {
        return Err(CaseRefusal::TakesNoResponse { state: case.complaint.state }.into());
    }
    response.is_statement = !answers(&case.complaint);
    // What is said now is said in the present round, even if history from a clock that is ahead began it.
    record(tx, case, response, false)
}

/// Records a response of history to a complaint that this transaction loaded. One to an earlier round does not answer
/// the present one.
///
/// # Errors
/// `Conflict` if the complaint ended before the response.
pub fn respond_to(tx: &mut WriteTx<'_>, case: Case, response: NewResponse) -> Result<Case, StoreError> {
    let is_of_earlier_round = case.reopened_at().is_some_and(|reopened| response.responded_at <= reopened);
    record(tx, case, response, is_of_earlier_round)
}

fn record(
    tx: &mut WriteTx<'_>,
    case: Case,
    response: NewResponse,
    is_of_earlier_round: bool,
) -> Result<Case, StoreError> {
    let complaint_id = case.complaint.id;
    let at = response.responded_at;
    let state = case.complaint.state;
    // Imported history: a response to a complaint that has ended, given before (or on the day of) its end.
    let before_the_end = !is_open(state) && local_date(at) <= local_date(case.complaint.state_since);
    let mut steps = Vec::new();
    if !response.is_statement && !before_the_end && !is_of_earlier_round {
        steps.extend(steps_to_answered(state)?);
        // Only the last of several answers decides whether the enterprise is satisfied.
        let is_followed = |last: Timestamp| state == ComplaintState::Answered && at < last;
        if response.satisfied == Some(false) && !last_response(tx.conn, complaint_id)?.is_some_and(is_followed) {
            steps.push(ComplaintState::Assigned);
        }
    }
    let mut now = case;
    for to in steps {
        step(now.complaint.state, to)?;
        let before = now.clone();
        now.complaint.state = to;
        now.complaint.state_since = at;
        if before.complaint.state == ComplaintState::Answered {
            hand_on(tx, &mut now)?;
        }
        complaints::update(tx, ComplaintEventKind::StateChanged, at, &before, &mut now)?;
    }
    let visibility = response.meant_for();
    let row = UnitResponse {
        complaint_id,
        id: response.id,
        unit_id: response.unit_id,
        responded_at: at,
        recorded_at: tx.now,
        action: response.action,
        text: response.text,
        outcome: response.outcome,
        satisfied: response.satisfied,
        statement: response.is_statement.then_some(true),
        actor: tx.actor.to_owned(),
        visibility,
    };
    each!(&mut *tx.conn, c => diesel::insert_into(unit_responses::table).values(&row).execute(c)?);
    // A further response may leave the state unchanged; it still is a new version of the complaint.
    let version = now.complaint.version;
    now.complaint.version += 1;
    let first = first_response(tx.conn, &now)?;
    let clock = clock_of(tx)?;
    now.set_clock(&clock, first);
    let changed = &now.complaint;
    each!(&mut *tx.conn, c => diesel::update(complaint_table::table.find(complaint_id))
        .set((
            complaint_table::version.eq(changed.version),
            complaint_table::due_on.eq(changed.due_on),
            complaint_table::answered_on.eq(changed.answered_on),
            complaint_table::clock_stopped_since.eq(changed.clock_stopped_since),
        ))
        .execute(c)?);
    tx.record(responded(&row, Some((version, now.complaint.version))));
    Ok(now)
}

/// The event of a response; `versions` are the complaint's versions before and after it, if it changed the version.
pub(crate) fn responded(row: &UnitResponse, versions: Option<(i32, i32)>) -> ComplaintEvent {
    let mut after = fields_of(row);
    after.remove("complaint_id");
    after.remove("recorded_at");
    after.remove("actor");
    for (field, name) in [("id", "response_id"), ("unit_id", "response_unit_id"), ("text", "response_text")] {
        if let Some(value) = after.remove(field) {
            after.insert(name.into(), value);
        }
    }
    let mut before = crate::events::Fields::new();
    if let Some((was, is)) = versions {
        before.insert("version".into(), json!(was));
        after.insert("version".into(), json!(is));
    }
    ComplaintEvent {
        complaint_id: row.complaint_id,
        kind: ComplaintEventKind::Responded,
        effective_at: row.responded_at,
        before: Some(before),
        after: Some(after),
    }
}
