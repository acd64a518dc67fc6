//! The handling of a complaint: classify, assign, transfer, redact, close or reopen it, and record findings.

use super::administration::open_category;
use super::aliases::Aliases;
use super::complaints::{self, Case, reference_day};
use super::duplicates::{follow_state, lock_with_linked};
use super::reference::{lock_at_version, version_conflict};
use super::routing::Routing;
use super::succession::{answering_unit, hand_on};
use super::tree::load_tree;
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::ids::reference_id;
use crate::domain::state::{is_void, step};
use crate::each;
use crate::enums::{Attribution, ComplaintEventKind, ComplaintState, Finding};
use crate::events::{ComplaintEvent, Entity, Fields};
use crate::models::{ComplaintOfficer, Redaction};
use crate::queries::redactions_of;
use crate::refusal::CaseRefusal;
use crate::sql_types::Id;
use crate::tables::{complaints as complaint_table, redactions};
use chrono::NaiveDate;
use diesel::prelude::*;

/// A step in the handling of a complaint.
#[derive(Debug, Clone)]
pub enum Handling {
    /// Sets the category, and the attribution of named officers, by their codes. Routes the complaint anew, unless it
    /// is assigned or a person has chosen the responsible unit.
    Classify { category: String, attributions: Vec<(String, Attribution)> },
    /// Assigns the complaint to `unit`, which becomes responsible, or to the unit that is responsible already.
    Assign { unit: Option<String> },
    /// Makes another unit responsible. The state stays.
    Transfer { unit: String, reason: String },
    /// Closes, withdraws or rejects the complaint, or reopens it (ASSIGNED). REJECTED and reopening need a reason.
    Change { state: ComplaintState, reason: Option<String> },
    /// Sets the text that the unit reads instead of a confidential complaint.
    Redact { text: String },
    /// Records the finding about a named officer, or about a complaint that names no officer.
    Find { officer: Option<String>, finding: Finding, decided_on: NaiveDate },
}

/// Optimistic locking: loads a complaint that is still at `expected_version`, and locks it until the transaction ends.
///
/// # Errors
/// `NotFound`; `Conflict` if the complaint is at another version.
pub fn lock_at_version(tx: &mut WriteTx<'_>, complaint: Id, expected_version: i32) -> Result<Case, StoreError> {
    let locked = lock_at_version!(tx, complaint_table, complaint, expected_version);
    let found = complaints::load(tx.conn, &[complaint])?.remove(&complaint);
    let case = found.ok_or_else(|| StoreError::no_such("complaint", &complaint, "complaints"))?;
    if !locked {
        return Err(version_conflict("complaint", case.complaint.version, expected_version));
    }
    Ok(case)
}

/// Applies one step to a complaint that is still at `expected_version`.
///
/// # Errors
/// `NotFound` and `Conflict` as [`lock_at_version()`]; `Conflict` if the complaint's state does not allow the step;
/// `Rule` if the step's own values are invalid.
pub fn handle(
    tx: &mut WriteTx<'_>,
    complaint: Id,
    expected_version: i32,
    handling: &Handling,
) -> Result<Case, StoreError> {
    crate::db::dialect::lock_tree_shared(tx.conn)?;
    if matches!(handling, Handling::Change { state, .. } if is_void(*state)) {
        lock_with_linked(tx.conn, &[complaint])?;
    }
    let case = lock_at_version(tx, complaint, expected_version)?;
    match handling {
        Handling::Classify { category, attributions } => classify(tx, &case, category, attributions),
        Handling::Assign { unit } => assign(tx, &case, unit.as_deref()),
        Handling::Transfer { unit, reason } => transfer(tx, &case, unit, reason),
        Handling::Change { state, reason } => change(tx, &case, *state, reason.as_deref()),
        Handling::Redact { text } => redact(tx, case, text),
        Handling::Find { officer, finding, decided_on } => find(tx, &case, officer.as_deref(), *finding, *decided_on),
    }
}

fn classify(
    tx: &mut WriteTx<'_>,
    case: &Case,
    category: &str,
    attributions: &[(String, Attribution)],
) -> Result<Case, StoreError> {
    let id = open_category(tx, "category", Some(category), local_date(case.complaint.received_at))?;
    open(case)?;
    let mut now = case.clone();
    now.complaint.category_id = id;
    // Allegations with another category keep it.
    let own = |row: &&mut ComplaintOfficer| row.category_id.is_none() || row.category_id == case.complaint.category_id;
    now.officers.iter_mut().filter(own).for_each(|row| row.category_id = id);
    let same = now.matters.iter_mut().filter(|row| row.category_id == case.complaint.category_id);
    same.for_each(|row| row.category_id = id);
    if !attributions.is_empty() {
        let aliases = Aliases::load(tx.conn)?;
        for (code, attribution) in attributions {
            let rows = now.named(&aliases, code)?;
            rows.into_iter().for_each(|row| row.attribution = *attribution);
        }
    }
    if complaints::follows_rules(tx.conn, &case.complaint)? {
        now.route(&Routing::load(tx.conn)?, &load_tree(tx.conn)?, local_date(tx.now));
    }
    let first = now.complaint.state == ComplaintState::Received;
    if first {
        now.complaint.state = ComplaintState::Classified;
        now.complaint.state_since = tx.now;
    }
    let kind = if first { ComplaintEventKind::StateChanged } else { ComplaintEventKind::Updated };
    complaints::update(tx, kind, tx.now, case, &mut now)?;
    Ok(now)
}

fn assign(tx: &mut WriteTx<'_>, case: &Case, unit: Option<&str>) -> Result<Case, StoreError> {
    open(case)?;
    if case.complaint.state == ComplaintState::Received {
        return Err(CaseRefusal::NotClassified.into());
    }
    if case.complaint.state == ComplaintState::Answered {
        return Err(CaseRefusal::Answered.into());
    }
    let mut now = case.clone();
    if let Some(id) = answering_unit(tx, "unit", unit)? {
        now.complaint.responsible_unit_id = Some(id);
    }
    if now.complaint.responsible_unit_id.is_none() {
        return Err(CaseRefusal::NoUnit.into());
    }
    let moved = case.complaint.state != ComplaintState::Assigned;
    if moved {
        step(case.complaint.state, ComplaintState::Assigned)?;
        now.complaint.state = ComplaintState::Assigned;
        now.complaint.state_since = tx.now;
    }
    let kind = if moved { ComplaintEventKind::StateChanged } else { ComplaintEventKind::Updated };
    complaints::update(tx, kind, tx.now, case, &mut now)?;
    Ok(now)
}

fn transfer(tx: &mut WriteTx<'_>, case: &Case, unit: &str, reason: &str) -> Result<Case, StoreError> {
    open(case)?;
    if case.complaint.state == ComplaintState::Answered {
        return Err(CaseRefusal::Answered.into());
    }
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(CaseRefusal::TransferReason.into());
    }
    let id = answering_unit(tx, "unit", Some(unit))?;
    if case.complaint.responsible_unit_id == id {
        return Err(CaseRefusal::SameUnit { code: unit.to_owned() }.into());
    }
    let mut now = case.clone();
    now.complaint.responsible_unit_id = id;
    complaints::update_because(tx, ComplaintEventKind::Updated, tx.now, case, &mut now, Some(reason))?;
    Ok(now)
}

fn change(tx: &mut WriteTx<'_>, case: &Case, to: ComplaintState, reason: Option<&str>) -> Result<Case, StoreError> {
    let ends = matches!(to, ComplaintState::Closed | ComplaintState::Withdrawn | ComplaintState::Rejected);
    let reopens = case.complaint.state == ComplaintState::Answered && to == ComplaintState::Assigned;
    if !ends && !reopens {
        return Err(CaseRefusal::NotSetHere { state: case.complaint.state, next: to }.into());
    }
    step(case.complaint.state, to)?;
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() && (reopens || to == ComplaintState::Rejected) {
        return Err(CaseRefusal::EndReason.into());
    }
    let mut now = case.clone();
    now.complaint.state = to;
    now.complaint.state_since = tx.now;
    if reopens {
        hand_on(tx, &mut now)?;
    }
    complaints::update_because(tx, ComplaintEventKind::StateChanged, tx.now, case, &mut now, reason)?;
    follow_state(tx, case.complaint.state, &mut now.complaint)?;
    Ok(now)
}

fn find(
    tx: &mut WriteTx<'_>,
    case: &Case,
    officer: Option<&str>,
    finding: Finding,
    decided_on: NaiveDate,
) -> Result<Case, StoreError> {
    let today = local_date(tx.now);
    let day = reference_day(case.complaint.received_at, case.complaint.occurred_at);
    if decided_on > today || decided_on < day {
        return Err(CaseRefusal::DecidedOn { day: decided_on, from: day, until: today }.into());
    }
    let mut now = case.clone();
    let decided = (finding != Finding::Pending).then_some(decided_on);
    match officer {
        Some(code) => {
            for row in now.named(&Aliases::load(tx.conn)?, code)? {
                row.finding = finding;
                row.decided_on = decided;
            }
        }
        None if now.officers.is_empty() => {
            now.complaint.finding = Some(finding).filter(|finding| *finding != Finding::Pending);
            now.complaint.decided_on = decided;
        }
        None => return Err(CaseRefusal::OfficerMissing.into()),
    }
    complaints::update(tx, ComplaintEventKind::Updated, tx.now, case, &mut now)?;
    Ok(now)
}

fn redact(tx: &mut WriteTx<'_>, case: Case, text: &str) -> Result<Case, StoreError> {
    if !case.complaint.confidential {
        return Err(CaseRefusal::NotConfidential.into());
    }
    if text.trim().is_empty() {
        return Err(CaseRefusal::RedactionBlank.into());
    }
    let id = case.complaint.id;
    let row = Redaction { complaint_id: id, text: text.to_owned(), redacted_at: tx.now, actor: tx.actor.to_owned() };
    let earlier = redactions_of(tx.conn, &[id])?.remove(&id);
    match &earlier {
        Some(_) => each!(&mut *tx.conn, c => diesel::update(redactions::table.find(id)).set(&row).execute(c)?),
        None => each!(&mut *tx.conn, c => diesel::insert_into(redactions::table).values(&row).execute(c)?),
    };
    let mut now = case;
    let version = now.complaint.version;
    now.complaint.version += 1;
    diesel::update(complaint_table::table.find(id))
        .set(complaint_table::version.eq(now.complaint.version))
        .execute(tx.conn)?;
    let fields = |version: i32, text: Option<&str>| {
        let mut fields = Fields::from_iter([("version".to_owned(), version.into())]);
        fields.extend(text.map(|text| ("redacted_text".to_owned(), text.into())));
        fields
    };
    tx.record(ComplaintEvent {
        complaint_id: id,
        kind: ComplaintEventKind::Updated,
        effective_at: tx.now,
        before: Some(fields(version, earlier.as_ref().map(|row| row.text.as_str()))),
        after: Some(fields(now.complaint.version, Some(text))),
    });
    Ok(now)
}

fn open(case: &Case) -> Result<(), StoreError> {
    if crate::domain::state::is_open(case.complaint.state) {
        return Ok(());
    }
    Err(CaseRefusal::Ended { state: case.complaint.state }.into())
}

impl Case {
    /// The allegations against the officer with this code, after all merges.
    ///
    /// # Errors
    /// `Rule` if the complaint does not name the officer.
    fn named(&mut self, aliases: &Aliases, code: &str) -> Result<Vec<&mut ComplaintOfficer>, StoreError> {
        let id = aliases.officer(reference_id(Entity::Officer, code));
        let rows: Vec<_> = self.officers.iter_mut().filter(|row| row.officer_id == id).collect();
        if rows.is_empty() {
            return Err(CaseRefusal::OfficerNotNamed { field: "officer".to_owned(), code: code.to_owned() }.into());
        }
        Ok(rows)
    }
}
