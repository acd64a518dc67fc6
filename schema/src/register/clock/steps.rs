//! The steps that change a deadline: acceptance, extension, and stopping and resuming the clock.

use super::super::casework::lock_at_version;
use super::super::complaints::{self, Case};
use super::{clock_of, set_stops, stops_of};
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::legal_clock::{ClockRules, Stop};
use crate::domain::state::is_open;
use crate::enums::{ComplaintEventKind, LegalForm};
use crate::refusal::ClockRefusal;
use crate::sql_types::Id;
use chrono::NaiveDate;

/// A step of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockStep {
    /// A grievance or denunciation is accepted on a day, None for today; its term begins.
    Accept {
        on: Option<NaiveDate>,
        remote_area: bool,
    },
    /// The deadline is extended by what the terms of the legal form allow.
    Extend,
    Stop,
    Resume,
}

/// Takes a step of the clock of a complaint that is still at `expected_version`. Every step but the acceptance needs a
/// reason, which the event holds.
///
/// # Errors
/// `NotFound`; `Conflict` if the complaint is at another version, is answered or has ended, or the step was taken
/// already or is no longer allowed; `Rule` if a value is wrong or the legal form does not know the step.
pub fn change_clock(
    tx: &mut WriteTx<'_>,
    complaint: Id,
    expected_version: i32,
    step: &ClockStep,
    reason: Option<&str>,
) -> Result<Case, StoreError> {
    crate::db::dialect::lock_tree_shared(tx.conn)?;
    let case = lock_at_version(tx, complaint, expected_version)?;
    if !is_open(case.complaint.state) {
        return Err(ClockRefusal::Ended { state: case.complaint.state }.into());
    }
    if let Some(day) = case.complaint.answered_on {
        return Err(ClockRefusal::Answered { day }.into());
    }
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() && !matches!(step, ClockStep::Accept { .. }) {
        return Err(ClockRefusal::ReasonMissing.into());
    }
    let today = local_date(tx.now);
    let rules = clock_of(tx)?.rules.clone();
    let mut now = case.clone();
    match step {
        ClockStep::Accept { on, remote_area } => accept(&mut now, &rules, on.unwrap_or(today), *remote_area, today)?,
        ClockStep::Extend => extend(&mut now, &rules, today)?,
        ClockStep::Stop => stop(&mut now, today)?,
        ClockStep::Resume => resume(&mut now, today)?,
    }
    complaints::update_because(tx, ComplaintEventKind::Updated, tx.now, &case, &mut now, reason)?;
    Ok(now)
}

fn accept(
    case: &mut Case,
    rules: &ClockRules,
    on: NaiveDate,
    remote_area: bool,
    today: NaiveDate,
) -> Result<(), StoreError> {
    let form = case.complaint.legal_form;
    if rules.terms.of(form).is_none() {
        return Err(ClockRefusal::FormNotAccepted { form }.into());
    }
    let row = case.round_mut();
    if let Some(day) = row.accepted_on {
        return Err(ClockRefusal::AcceptedAlready { day }.into());
    }
    let received = local_date(row.started_at);
    if on < received || on > today {
        return Err(ClockRefusal::AcceptedOn { day: on, from: received, until: today }.into());
    }
    row.accepted_on = Some(on);
    row.remote_area = remote_area;
    Ok(())
}

fn extend(case: &mut Case, rules: &ClockRules, today: NaiveDate) -> Result<(), StoreError> {
    let form = case.complaint.legal_form;
    let Some(due) = case.complaint.due_on else {
        return Err(ClockRefusal::NothingToExtend.into());
    };
    refuse_overdue(case, today, ClockRefusal::TooLateToExtend { due })?;
    let (times, days) = rules.terms.extensions(form);
    let row = case.round_mut();
    if form != LegalForm::Feedback && row.accepted_on.is_none() {
        return Err(ClockRefusal::NotAcceptedYet.into());
    }
    if u32::try_from(row.extensions).unwrap_or(0) >= times {
        return Err(ClockRefusal::ExtendedEnough { form, times, due }.into());
    }
    row.extensions += 1;
    row.extended_days = row.extended_days.saturating_add(i32::try_from(days).unwrap_or(0));
    Ok(())
}

fn stop(case: &mut Case, today: NaiveDate) -> Result<(), StoreError> {
    if let Some(since) = case.complaint.clock_stopped_since {
        return Err(ClockRefusal::StoppedAlready { since }.into());
    }
    let Some(due) = case.complaint.due_on else {
        return Err(ClockRefusal::NothingToStop.into());
    };
    refuse_overdue(case, today, ClockRefusal::TooLateToStop { due })?;
    let row = case.round_mut();
    let mut stops = stops_of(row);
    stops.push(Stop { from: today, to: None });
    set_stops(row, &stops);
    Ok(())
}

fn resume(case: &mut Case, today: NaiveDate) -> Result<(), StoreError> {
    if case.complaint.clock_stopped_since.is_none() {
        return Err(ClockRefusal::Running.into());
    }
    let row = case.round_mut();
    let mut stops = stops_of(row);
    if let Some(open) = stops.last_mut() {
        open.to.get_or_insert(today);
    }
    set_stops(row, &stops);
    Ok(())
}

/// Refuses a step of an overdue complaint: what was late stays late, also what was late when the clock was stopped.
fn refuse_overdue(case: &Case, today: NaiveDate, refusal: ClockRefusal) -> Result<(), StoreError> {
    match case.complaint.overdue_days(today) > 0 {
        true => Err(refusal.into()),
        false => Ok(()),
    }
}
