//! The steps that change a deadline: acceptance, extension, and stopping and resuming the clock.

use super::super::casework::lock_at_version;
use super::super::complaints::{self, Case};
use super::{clock_of, set_stops, stops_of};
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::legal_clock::{ClockRules, Stop};
use crate::domain::state::is_open;
use crate::enums::{ComplaintEventKind, LegalForm};
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
        return Err(conflict(format!("the complaint is {}: its clock has ended", case.complaint.state)));
    }
    if let Some(day) = case.complaint.answered_on {
        return Err(conflict(format!("the complaint was answered on {day}: its clock has ended; reopen it first")));
    }
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() && !matches!(step, ClockStep::Accept { .. }) {
        return Err(StoreError::Rule("reason: say why the deadline changes".into()));
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

fn conflict(message: String) -> StoreError {
    StoreError::Conflict(message)
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
        return Err(StoreError::Rule(format!("complaintId: a {form} is not accepted: its term begins with receipt")));
    }
    let row = case.round_mut();
    if let Some(day) = row.accepted_on {
        return Err(conflict(format!("the complaint was accepted on {day}")));
    }
    let received = local_date(row.started_at);
    if on < received || on > today {
        return Err(StoreError::Rule(format!("acceptedOn is {on}: must be between {received} and {today}")));
    }
    row.accepted_on = Some(on);
    row.remote_area = remote_area;
    Ok(())
}

fn extend(case: &mut Case, rules: &ClockRules, today: NaiveDate) -> Result<(), StoreError> {
    let form = case.complaint.legal_form;
    let Some(due) = case.complaint.due_on else {
        return Err(StoreError::Rule("complaintId: the category of the complaint has no deadline to extend".into()));
    };
    refuse_overdue(case, due, today, "extended")?;
    let (times, days) = rules.terms.extensions(form);
    let row = case.round_mut();
    if form != LegalForm::Feedback && row.accepted_on.is_none() {
        return Err(conflict("the complaint is not accepted yet: its term has not begun".into()));
    }
    if u32::try_from(row.extensions).unwrap_or(0) >= times {
        return Err(conflict(format!(
            "the deadline of a {form} is extended at most {times} times: answer by {due}, or stop the clock, saying why"
        )));
    }
    row.extensions += 1;
    row.extended_days = row.extended_days.saturating_add(i32::try_from(days).unwrap_or(0));
    Ok(())
}

fn stop(case: &mut Case, today: NaiveDate) -> Result<(), StoreError> {
    if let Some(since) = case.complaint.clock_stopped_since {
        return Err(conflict(format!("the clock is stopped since {since}")));
    }
    let Some(due) = case.complaint.due_on else {
        return Err(StoreError::Rule("complaintId: the complaint has no deadline, so no clock to stop".into()));
    };
    refuse_overdue(case, due, today, "stopped")?;
    let row = case.round_mut();
    let mut stops = stops_of(row);
    stops.push(Stop { from: today, to: None });
    set_stops(row, &stops);
    Ok(())
}

fn resume(case: &mut Case, today: NaiveDate) -> Result<(), StoreError> {
    if case.complaint.clock_stopped_since.is_none() {
        return Err(conflict("the clock is running".into()));
    }
    let row = case.round_mut();
    let mut stops = stops_of(row);
    if let Some(open) = stops.last_mut() {
        open.to.get_or_insert(today);
    }
    set_stops(row, &stops);
    Ok(())
}

/// What was late stays late, also what was when the clock was stopped.
fn refuse_overdue(case: &Case, due: NaiveDate, today: NaiveDate, what: &str) -> Result<(), StoreError> {
    if case.complaint.overdue_days(today) > 0 {
        return Err(conflict(format!("the complaint was due on {due}: its clock can no longer be {what}")));
    }
    Ok(())
}
