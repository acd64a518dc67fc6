//! The legal clock of complaints: the columns that follow from it, and the rounds that reopenings begin.
//!
//! `due_on`, `answered_on` and `clock_stopped_since` of a complaint are derived: code that changes their inputs
//! computes them again, and verification does the same from the events.

mod recomputation;
mod rules;
mod steps;

pub use recomputation::use_rules;
pub(crate) use recomputation::{follow_rules, recompute};
pub(crate) use rules::{clock_files, clock_rules_with, days_of, register_holidays};
pub use rules::{clock_rules, rules_hash};
pub use steps::{ClockStep, change_clock};

use super::case::Case;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::legal_clock::{Clock, Deadline, RoundClock, Stop};
use crate::domain::state::is_open;
use crate::enums::ComplaintState::{self, Answered, Assigned, Classified, Closed, Received};
use crate::enums::{DeadlineUnit, LegalForm};
use crate::models::{Complaint, ComplaintClock};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables::{issue_categories, unit_responses};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::sync::Arc;

/// The clock by the rules of the register and the categories as they are.
fn clock(conn: &mut Conn) -> Result<Clock, StoreError> {
    let rows: Vec<(Id, Option<i32>, Option<DeadlineUnit>)> = issue_categories::table
        .filter(issue_categories::deadline_days.is_not_null())
        .select((issue_categories::id, issue_categories::deadline_days, issue_categories::deadline_unit))
        .load(conn)?;
    let deadlines = rows.into_iter().filter_map(|(id, days, unit)| Some((id, Deadline::of(days, unit)?)));
    Ok(Clock { rules: clock_rules(conn)?, deadlines: deadlines.collect() })
}

/// The clock by which a transaction counts.
///
/// # Errors
/// If the database cannot be read, or the rules that it holds are not valid.
pub(crate) fn clock_of(tx: &mut WriteTx<'_>) -> Result<Arc<Clock>, StoreError> {
    if let Some(clock) = &tx.clock {
        return Ok(Arc::clone(clock));
    }
    let clock = Arc::new(clock(tx.conn)?);
    tx.clock = Some(Arc::clone(&clock));
    Ok(clock)
}

/// The inputs of the clock of a complaint besides its rounds and responses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ClockInput {
    pub legal_form: LegalForm,
    pub received_at: Timestamp,
    pub category_id: Option<Id>,
    pub state: ComplaintState,
    pub state_since: Timestamp,
}

impl ClockInput {
    pub fn of(complaint: &Complaint) -> Self {
        Self {
            legal_form: complaint.legal_form,
            received_at: complaint.received_at,
            category_id: complaint.category_id,
            state: complaint.state,
            state_since: complaint.state_since,
        }
    }
}

/// The derived columns of a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockState {
    pub due_on: Option<NaiveDate>,
    pub answered_on: Option<NaiveDate>,
    pub stopped_since: Option<NaiveDate>,
}

/// The derived columns: from the rounds in their order, and the times of all answers.
pub(crate) fn clock_state(
    clock: &Clock,
    of: ClockInput,
    rounds: &[ComplaintClock],
    responses: impl IntoIterator<Item = Timestamp>,
) -> ClockState {
    let reopened_at = reopened_at(rounds);
    let first = responses.into_iter().filter(|at| reopened_at.is_none_or(|reopened| *at > reopened)).min();
    let answered_on = match first {
        Some(at) => Some(local_date(at)),
        // Answered without words.
        None => matches!(of.state, Answered | Closed)
            .then(|| reopened_at.map_or(of.state_since, |reopened| of.state_since.max(reopened)))
            .map(local_date),
    };
    let mut round = rounds.last().map_or_else(|| RoundClock::begun(local_date(of.received_at)), round_clock);
    if reopened_at.is_none() {
        round.started_on = local_date(of.received_at);
    }
    let stopped_since = round
        .stops
        .last()
        .filter(|stop| stop.to.is_none() && answered_on.is_none() && is_open(of.state))
        .map(|stop| stop.from);
    // The answer ends the stop.
    if let (Some(day), Some(stop)) = (answered_on, round.stops.last_mut()) {
        stop.to.get_or_insert(day);
    }
    ClockState { due_on: clock.due_on(of.legal_form, of.category_id, &round), answered_on, stopped_since }
}

/// When the present round began; None for the first one.
fn reopened_at(rounds: &[ComplaintClock]) -> Option<Timestamp> {
    rounds.last().filter(|row| row.round > 1).map(|row| row.started_at)
}

/// The clock of a stored round.
pub fn round_clock(row: &ComplaintClock) -> RoundClock {
    RoundClock {
        started_on: local_date(row.started_at),
        accepted_on: row.accepted_on,
        remote_area: row.remote_area,
        extended_days: u32::try_from(row.extended_days).unwrap_or(0),
        stops: stops_of(row),
    }
}

/// The stops of a stored round, in order of time.
pub fn stops_of(row: &ComplaintClock) -> Vec<Stop> {
    let stops = row.stops.as_ref().and_then(|stops| serde_json::from_value(stops.0.clone()).ok());
    stops.unwrap_or_default()
}

fn set_stops(row: &mut ComplaintClock, stops: &[Stop]) {
    row.stops = (!stops.is_empty()).then(|| JsonValue(serde_json::json!(stops)));
}

/// A round without any step.
fn begun(complaint_id: Id, round: i32, started_at: Timestamp) -> ComplaintClock {
    ComplaintClock {
        complaint_id,
        round,
        started_at,
        accepted_on: None,
        remote_area: false,
        extensions: 0,
        extended_days: 0,
        stops: None,
        due_on: None,
        answered_on: None,
    }
}

/// The round that a reopening at `started_at` begins: who reopens a complaint has accepted it.
fn reopened(before: &ComplaintClock, form: LegalForm, started_at: Timestamp) -> ComplaintClock {
    ComplaintClock {
        accepted_on: (form != LegalForm::Feedback).then(|| local_date(started_at)),
        remote_area: before.remote_area,
        ..begun(before.complaint_id, before.round + 1, started_at)
    }
}

/// The time of the first answer in the present round. Statements of units that need not answer are none.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn first_response(conn: &mut Conn, case: &Case) -> Result<Option<Timestamp>, StoreError> {
    let of_case = || {
        unit_responses::table
            .filter(unit_responses::complaint_id.eq(case.complaint.id))
            .filter(unit_responses::statement.is_null())
    };
    let first = diesel::dsl::min(unit_responses::responded_at);
    Ok(match case.reopened_at() {
        None => of_case().select(first).first::<Option<Timestamp>>(conn)?,
        Some(at) => of_case().filter(unit_responses::responded_at.gt(at)).select(first).first(conn)?,
    })
}

/// The time of the last answer in any round.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn last_response(conn: &mut Conn, complaint: Id) -> Result<Option<Timestamp>, StoreError> {
    Ok(unit_responses::table
        .filter(unit_responses::complaint_id.eq(complaint))
        .filter(unit_responses::statement.is_null())
        .select(diesel::dsl::max(unit_responses::responded_at))
        .first::<Option<Timestamp>>(conn)?)
}

impl Case {
    /// When the present round began; None for the first one.
    pub fn reopened_at(&self) -> Option<Timestamp> {
        reopened_at(&self.clocks)
    }

    /// Sets the derived columns; `responses` are the times of all answers in the present round.
    pub fn set_clock(&mut self, clock: &Clock, responses: impl IntoIterator<Item = Timestamp>) {
        if let [first, ..] = self.clocks.as_mut_slice() {
            first.started_at = self.complaint.received_at;
        }
        let now = clock_state(clock, ClockInput::of(&self.complaint), &self.clocks, responses);
        self.complaint.due_on = now.due_on;
        self.complaint.answered_on = now.answered_on;
        self.complaint.clock_stopped_since = now.stopped_since;
    }

    /// The row of the present round, which it creates if there is none.
    fn round_mut(&mut self) -> &mut ComplaintClock {
        if self.clocks.is_empty() {
            self.clocks.push(begun(self.complaint.id, 1, self.complaint.received_at));
        }
        let last = self.clocks.len() - 1;
        &mut self.clocks[last]
    }

    /// Computes the deadlines of ended rounds anew if what they follow from was corrected, or the complaint is filed
    /// under another category.
    pub(super) fn correct_rounds(&mut self, clock: &Clock, before: &Complaint) {
        let follows_from = |of: &Complaint| (of.legal_form, of.received_at, of.category_id);
        if self.clocks.len() < 2 || follows_from(before) == follows_from(&self.complaint) {
            return;
        }
        let (form, category) = (self.complaint.legal_form, self.complaint.category_id);
        let last = self.clocks.len() - 1;
        for (index, row) in self.clocks.iter_mut().enumerate() {
            if index == 0 {
                row.started_at = self.complaint.received_at;
            } else if form != LegalForm::Feedback {
                row.accepted_on.get_or_insert(local_date(row.started_at));
            }
            if index < last {
                row.due_on = clock.due_on(form, category, &round_clock(row));
            }
        }
    }

    /// Begins a round if the complaint was answered before and no longer is.
    pub(super) fn begin_round_if_reopened(&mut self, before: &Complaint) {
        let is_answered = !matches!(self.complaint.state, Received | Classified | Assigned);
        if is_answered || !matches!(before.state, Answered | Closed) {
            return;
        }
        let (form, started_at) = (self.complaint.legal_form, self.complaint.state_since.max(before.state_since));
        let row = self.round_mut();
        (row.due_on, row.answered_on) = (before.due_on, before.answered_on);
        let mut stops = stops_of(row);
        if let (Some(day), Some(stop)) = (before.answered_on, stops.last_mut()) {
            stop.to.get_or_insert(day);
        }
        set_stops(row, &stops);
        let next = reopened(row, form, started_at);
        self.clocks.push(next);
    }
}

/// The rounds of a complaint that was stored before rounds were, or that is generated: from its responses (time, and
/// whether the enterprise was satisfied) and the times at which it was reopened otherwise. Empty if it never was.
pub(crate) fn rounds_of_history(
    clock: &Clock,
    complaint: Id,
    of: ClockInput,
    responses: &[(Timestamp, Option<bool>)],
    reopened_at: &[Timestamp],
) -> Vec<ComplaintClock> {
    let is_waiting = of.state == Assigned;
    let after_it = |at: Timestamp| responses.iter().any(|(later, _)| *later > at);
    let by_response = responses
        .iter()
        .filter(|(at, satisfied)| *satisfied == Some(false) && (after_it(*at) || is_waiting && of.state_since == *at))
        .map(|(at, _)| *at);
    let mut reopenings: Vec<Timestamp> = by_response.chain(reopened_at.iter().copied()).collect();
    reopenings.sort_unstable();
    reopenings.dedup();
    if reopenings.is_empty() {
        return Vec::new();
    }
    let mut rounds = vec![begun(complaint, 1, of.received_at)];
    for at in reopenings {
        let index = rounds.len() - 1;
        let row = &mut rounds[index];
        let began = (row.round > 1).then_some(row.started_at);
        let within = |response: &Timestamp| *response <= at && began.is_none_or(|began| *response > began);
        let first = responses.iter().map(|(response, _)| *response).filter(within).min();
        row.answered_on = Some(local_date(first.unwrap_or(at)));
        row.due_on = clock.due_on(of.legal_form, of.category_id, &round_clock(row));
        let next = reopened(row, of.legal_form, at);
        rounds.push(next);
    }
    rounds
}
