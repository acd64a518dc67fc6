//! Receipts: the codes by which complainants follow a complaint without a token, and what they do with them.

use super::attachments::{described, store_attachments};
use super::complaints::{self, Case};
use super::duplicates::{follow_state, lock_with_linked};
use super::succession::hand_on;
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::domain::attachment::Reference;
use crate::domain::calendar::local_date;
use crate::domain::receipt_code::ReceiptCode;
use crate::domain::state::{is_open, step};
use crate::each;
use crate::enums::{ComplaintEventKind, ComplaintState, ResponseVisibility};
use crate::events::Fields;
use crate::models::{Complaint, ComplaintAddition, Receipt, Unit, UnitResponse};
use crate::queries::units_by_id;
use crate::sql_types::Id;
use crate::states::StateTable;
use crate::tables::{complaint_additions, complaints as complaint_table, receipts, unit_responses};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use std::collections::HashMap;

/// The actor of mutations by a receipt, which identifies no person.
pub const RECEIPT_ACTOR: &str = "receipt";

/// The most additions to one complaint.
const MOST_ADDITIONS: i32 = 50;

/// The error of a receipt without a complaint: the same for a wrong code and for one that was replaced.
fn no_such_receipt() -> StoreError {
    StoreError::NotFound(
        "no complaint has this receipt code: compare it with the receipt, or ask the office that took the complaint \
         for a new code"
            .into(),
    )
}

/// Gives a complaint a new receipt code, after which an earlier one is worth nothing. Only a hash is stored, so the
/// code cannot be shown again.
///
/// # Errors
/// If the database refuses the write.
pub fn issue_receipt(tx: &mut WriteTx<'_>, complaint_id: Id) -> Result<ReceiptCode, StoreError> {
    let code = ReceiptCode::random();
    let salt: [u8; 16] = rand::random();
    let earlier = receipt_of(tx.conn, complaint_id)?;
    let row = Receipt {
        complaint_id,
        lookup: code.lookup(),
        salt: salt.to_vec(),
        hash: code.hash(&salt),
        issued_at: tx.now,
        reopened_at: earlier.as_ref().and_then(|earlier| earlier.reopened_at),
    };
    store_receipt(tx, &row, earlier.is_some())?;
    Ok(code)
}

/// Like [`issue_receipt`], for a complaint that exists. Two renewals at once take turns.
///
/// # Errors
/// `NotFound` if there is no such complaint.
pub fn renew_receipt(tx: &mut WriteTx<'_>, complaint_id: Id) -> Result<ReceiptCode, StoreError> {
    let found = complaints::load_for_update(tx.conn, &[complaint_id])?;
    if !found.contains_key(&complaint_id) {
        return Err(StoreError::no_such("complaint", &complaint_id, "complaints"));
    }
    issue_receipt(tx, complaint_id)
}

fn receipt_of(conn: &mut Conn, complaint: Id) -> Result<Option<Receipt>, StoreError> {
    Ok(receipts::table.find(complaint).select(Receipt::as_select()).first(conn).optional()?)
}

fn store_receipt(tx: &mut WriteTx<'_>, row: &Receipt, exists: bool) -> Result<(), StoreError> {
    match exists {
        true => each!(&mut *tx.conn, c => {
            diesel::update(receipts::table.find(row.complaint_id)).set(row).execute(c)?
        }),
        false => each!(&mut *tx.conn, c => diesel::insert_into(receipts::table).values(row).execute(c)?),
    };
    tx.record_state(StateTable::Receipts, &row.complaint_id);
    Ok(())
}

/// The receipt of a code. A row is found by a part of a hash and then compared in constant time, so that the time tells
/// nothing of how much of a code was right; an unknown code takes the same comparison.
fn receipt_of_code(conn: &mut Conn, code: &ReceiptCode) -> Result<Receipt, StoreError> {
    let found: Option<Receipt> = receipts::table
        .filter(receipts::lookup.eq(code.lookup()))
        .select(Receipt::as_select())
        .first(conn)
        .optional()?;
    let is_right = match &found {
        Some(row) => code.matches(&row.salt, &row.hash),
        None => code.matches(&[0; 16], &[0; 32]),
    };
    found.filter(|_| is_right).ok_or_else(no_such_receipt)
}

/// The part of the complaint that the holder of a receipt may know: no officer and no internal response.
#[derive(Debug, Clone)]
pub struct ComplaintStatus {
    pub complaint: Complaint,
    /// The unit that has to answer.
    pub unit: Option<Unit>,
    pub due_on: Option<NaiveDate>,
    /// The responses meant for the complainant, the oldest first.
    pub answers: Vec<UnitResponse>,
    /// The units of these responses.
    pub units: HashMap<Id, Unit>,
    pub additions: i64,
    /// The last day on which the holder may reopen the complaint; None if it cannot be reopened.
    pub reopen_until: Option<NaiveDate>,
}

/// The status of the complaint of a receipt.
///
/// # Errors
/// `NotFound` if no complaint has the code.
pub fn status_by_receipt(conn: &mut Conn, code: &ReceiptCode, reopen_days: u32) -> Result<ComplaintStatus, StoreError> {
    let receipt = receipt_of_code(conn, code)?;
    let complaint: Complaint = complaint_table::table
        .find(receipt.complaint_id)
        .select(Complaint::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(no_such_receipt)?;
    let answers = answers_of(conn, complaint.id)?;
    let in_charge = complaint.unit_in_charge();
    let units: Vec<Id> = answers.iter().map(|answer| answer.unit_id).chain(in_charge).collect();
    let units = units_by_id(conn, &units)?;
    let additions = complaint_additions::table
        .filter(complaint_additions::complaint_id.eq(complaint.id))
        .count()
        .get_result::<i64>(conn)?;
    Ok(ComplaintStatus {
        unit: in_charge.and_then(|id| units.get(&id)).cloned(),
        due_on: complaint.due_on,
        reopen_until: reopen_until(&complaint, &answers, &receipt, reopen_days),
        complaint,
        answers,
        units,
        additions,
    })
}

/// The responses to a complaint that are meant for the complainant, the oldest first.
fn answers_of(conn: &mut Conn, complaint: Id) -> Result<Vec<UnitResponse>, StoreError> {
    Ok(unit_responses::table
        .filter(unit_responses::complaint_id.eq(complaint))
        .filter(unit_responses::visibility.eq(ResponseVisibility::Complainant))
        .order((unit_responses::responded_at, unit_responses::id))
        .select(UnitResponse::as_select())
        .load(conn)?)
}

/// The last day on which a receipt reopens a complaint: once, within some days after the answer.
fn reopen_until(
    complaint: &Complaint,
    answers: &[UnitResponse],
    receipt: &Receipt,
    reopen_days: u32,
) -> Option<NaiveDate> {
    if complaint.state != ComplaintState::Answered || receipt.reopened_at.is_some() {
        return None;
    }
    // The last answer may be one that the complainant does not read, or of an earlier round.
    let answered_at =
        answers.last().map_or(complaint.state_since, |answer| answer.responded_at.max(complaint.state_since));
    local_date(answered_at).checked_add_days(Days::new(u64::from(reopen_days)))
}

/// A step of the holder of a receipt.
#[derive(Debug, Clone)]
pub enum ReceiptStep {
    /// Says whether the last answer satisfies. A dissatisfied complainant who may reopen the complaint reopens it.
    Confirm {
        satisfied: bool,
        comment: Option<String>,
    },
    Reopen {
        reason: String,
    },
    /// Adds a text, and checked attachments.
    Add {
        text: String,
        attachments: Vec<Reference>,
    },
    Withdraw {
        reason: Option<String>,
    },
}

/// Does a step for the holder of a receipt. The complaint is locked, so that the second of two steps sees the first.
///
/// # Errors
/// `NotFound` if no complaint has the code; `Conflict` if the state of the complaint does not allow the step.
pub fn act_by_receipt(
    tx: &mut WriteTx<'_>,
    code: &ReceiptCode,
    step: &ReceiptStep,
    reopen_days: u32,
) -> Result<Id, StoreError> {
    let id = receipt_of_code(tx.conn, code)?.complaint_id;
    dialect::lock_tree_shared(tx.conn)?;
    if matches!(step, ReceiptStep::Withdraw { .. }) {
        lock_with_linked(tx.conn, &[id])?;
    }
    let case = complaints::load_for_update(tx.conn, &[id])?.remove(&id).ok_or_else(no_such_receipt)?;
    // Again under the lock: the code may have been replaced, or the complaint reopened.
    let receipt = receipt_of_code(tx.conn, code)?;
    match step {
        ReceiptStep::Confirm { satisfied, comment } => {
            confirm(tx, case, receipt, *satisfied, comment.as_deref(), reopen_days)?;
        }
        ReceiptStep::Reopen { reason } => {
            let answers = answers_of(tx.conn, id)?;
            if let Some(refusal) = refusal_to_reopen(tx, &case.complaint, &answers, &receipt, reopen_days) {
                return Err(StoreError::Conflict(refusal));
            }
            reopen(tx, &case, receipt, reason)?;
        }
        ReceiptStep::Add { text, attachments } => {
            let mut complaint = case.complaint;
            if !is_open(complaint.state) {
                return Err(StoreError::Conflict(format!("the complaint is {}: submit a new one", complaint.state)));
            }
            add(tx, &mut complaint, text, attachments.clone())?;
        }
        ReceiptStep::Withdraw { reason } => change(tx, &case, ComplaintState::Withdrawn, reason.as_deref())?,
    }
    Ok(id)
}

/// The reason why a receipt does not reopen a complaint; None if it does.
fn refusal_to_reopen(
    tx: &WriteTx<'_>,
    complaint: &Complaint,
    answers: &[UnitResponse],
    receipt: &Receipt,
    reopen_days: u32,
) -> Option<String> {
    if complaint.state != ComplaintState::Answered {
        return Some(format!("the complaint is {}: only an ANSWERED one is reopened", complaint.state));
    }
    if receipt.reopened_at.is_some() {
        return Some("the complaint was reopened by its receipt before: submit a new one".into());
    }
    let until = reopen_until(complaint, answers, receipt, reopen_days)?;
    let is_late = local_date(tx.now) > until;
    is_late.then(|| format!("the complaint could be reopened until {until}: submit a new one"))
}

fn confirm(
    tx: &mut WriteTx<'_>,
    mut case: Case,
    receipt: Receipt,
    satisfied: bool,
    comment: Option<&str>,
    reopen_days: u32,
) -> Result<(), StoreError> {
    let id = case.complaint.id;
    let answers = answers_of(tx.conn, id)?;
    let is_answered = matches!(case.complaint.state, ComplaintState::Answered | ComplaintState::Closed);
    let is_of_present_round =
        |answer: &&UnitResponse| case.reopened_at().is_none_or(|reopened| answer.responded_at > reopened);
    let Some(answer) = answers.last().filter(|_| is_answered).filter(is_of_present_round) else {
        let state = case.complaint.state;
        return Err(StoreError::Conflict(format!("the complaint is {state}: there is no answer to be satisfied with")));
    };
    if answer.satisfied != Some(satisfied) {
        diesel::update(unit_responses::table.find((id, answer.id)))
            .set(unit_responses::satisfied.eq(Some(satisfied)))
            .execute(tx.conn)?;
        let confirmed = |satisfied: Option<bool>| {
            Fields::from_iter([
                ("confirmed_response_id".to_owned(), answer.id.to_string().into()),
                ("satisfied".to_owned(), satisfied.into()),
            ])
        };
        let (before, after) = (confirmed(answer.satisfied), confirmed(Some(satisfied)));
        complaints::record_beside(tx, &mut case.complaint, before, after)?;
    }
    if let Some(comment) = comment {
        add(tx, &mut case.complaint, comment, Vec::new())?;
    }
    if !satisfied && refusal_to_reopen(tx, &case.complaint, &answers, &receipt, reopen_days).is_none() {
        reopen(tx, &case, receipt, comment.unwrap_or("the complainant is not satisfied with the answer"))?;
    }
    Ok(())
}

fn reopen(tx: &mut WriteTx<'_>, case: &Case, receipt: Receipt, reason: &str) -> Result<(), StoreError> {
    change(tx, case, ComplaintState::Assigned, Some(reason))?;
    store_receipt(tx, &Receipt { reopened_at: Some(tx.now), ..receipt }, true)
}

fn change(tx: &mut WriteTx<'_>, case: &Case, to: ComplaintState, reason: Option<&str>) -> Result<(), StoreError> {
    step(case.complaint.state, to)?;
    let mut now = case.clone();
    now.complaint.state = to;
    now.complaint.state_since = tx.now;
    if to == ComplaintState::Assigned {
        hand_on(tx, &mut now)?;
    }
    complaints::update_because(tx, ComplaintEventKind::StateChanged, tx.now, case, &mut now, reason)?;
    follow_state(tx, case.complaint.state, &mut now.complaint)
}

/// Adds a text and checked attachments to a complaint.
fn add(
    tx: &mut WriteTx<'_>,
    complaint: &mut Complaint,
    text: &str,
    attachments: Vec<Reference>,
) -> Result<(), StoreError> {
    let complaint_id = complaint.id;
    let last: Option<i32> = complaint_additions::table
        .filter(complaint_additions::complaint_id.eq(complaint_id))
        .select(diesel::dsl::max(complaint_additions::ordinal))
        .first(tx.conn)?;
    let ordinal = last.unwrap_or(0) + 1;
    if ordinal > MOST_ADDITIONS {
        return Err(StoreError::Conflict(format!("{MOST_ADDITIONS} texts were added already: submit a new complaint")));
    }
    let row = ComplaintAddition { complaint_id, ordinal, text: text.to_owned(), received_at: tx.now };
    each!(&mut *tx.conn, c => diesel::insert_into(complaint_additions::table).values(&row).execute(c)?);
    let mut after = Fields::from_iter([
        ("addition_ordinal".to_owned(), ordinal.into()),
        ("addition_text".to_owned(), row.text.into()),
    ]);
    after.extend(described(&attachments));
    store_attachments(tx, complaint_id, Some(ordinal), attachments)?;
    complaints::record_beside(tx, complaint, Fields::new(), after)
}
