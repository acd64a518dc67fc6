//! An enterprise, or somebody for it, submits a complaint.

use super::complaints::{self, Case};
use super::reference::{Stored, unknown_officer, upsert};
use super::tree::load_tree;
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::domain::amounts::{MOST_COST_VND, MOST_DELAY_HOURS};
use crate::domain::calendar::{check_received, local_date};
use crate::domain::ids::{complaint_id, reference_id};
use crate::domain::{declaration, tax_code};
use crate::enums::{Attribution, Channel, ComplaintState, Finding, LegalForm};
use crate::events::Entity;
use crate::import::looks::without_hidden;
use crate::models::{Complaint, ComplaintOfficer, ComplaintSource, Enterprise, IssueCategory, Officer, Unit};
use crate::sql_types::{Id, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// The first moment at which something may have happened, in microseconds of Unix time: a year before it is mistyped.
const EARLIEST: i64 = 0;

/// What is submitted. The codes are checked when it is stored.
#[derive(Debug, Clone, Serialize)]
pub struct Submission {
    pub received_at: Option<Timestamp>,
    pub occurred_at: Option<Timestamp>,
    pub legal_form: LegalForm,
    pub channel: Channel,
    /// None for an anonymous complaint.
    pub tax_code: Option<String>,
    pub enterprise_name: Option<String>,
    pub unit: Option<String>,
    pub category: Option<String>,
    pub officers: Vec<String>,
    pub declaration_number: Option<String>,
    pub text: String,
    pub cost_vnd: Option<i64>,
    pub delay_hours: Option<f64>,
    pub blames_system: bool,
    pub confidential: bool,
}

/// The receipt.
#[derive(Debug, Clone)]
pub struct Submitted {
    pub complaint: Complaint,
    /// False where the same submission had been made before.
    pub created: bool,
}

/// The source of what somebody submits: keys are each sender's own. A colon keeps it apart from the sources of imports.
pub fn source_of(sender: &str) -> String {
    format!("api:{sender}")
}

/// What was submitted under a key.
pub fn submitted(conn: &mut Conn, source: &str, key: &str) -> Result<Option<Complaint>, StoreError> {
    let Some(earlier) = complaints::load_sources(conn, source, &[key])?.remove(key) else { return Ok(None) };
    let found = complaints::load(conn, &[earlier.complaint_id])?.remove(&earlier.complaint_id);
    Ok(found.map(|case| case.complaint))
}

/// Stores a submission once per (source, key).
///
/// # Errors
/// `Rule` names the field that is wrong; `Conflict` where the key was used for something else.
pub fn submit(tx: &mut WriteTx<'_>, source: &str, key: &str, submission: &Submission) -> Result<Submitted, StoreError> {
    let rule = |field: &str, message: String| StoreError::Rule(format!("{field}: {message}"));
    let body = serde_json::to_vec(submission).map_err(|e| rule("input", e.to_string()))?;
    let content_hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&body));
    if let Some(earlier) = complaints::load_sources(tx.conn, source, &[key])?.remove(key) {
        if earlier.content_hash != content_hash {
            return Err(StoreError::Conflict(
                "the idempotency key was used for another complaint: take a new key for a new complaint".into(),
            ));
        }
        let mut found = complaints::load(tx.conn, &[earlier.complaint_id])?;
        let case = found
            .remove(&earlier.complaint_id)
            .ok_or_else(|| StoreError::NotFound("there is no such complaint".into()))?;
        return Ok(Submitted { complaint: case.complaint, created: false });
    }

    dialect::hold_tree(tx.conn)?;
    let received_at = submission.received_at.unwrap_or(tx.now);
    check_received(received_at, tx.now).map_err(|e| rule("receivedAt", e.to_string()))?;
    if submission.occurred_at.is_some_and(|occurred| occurred > received_at) {
        return Err(rule("occurredAt", "lies after the complaint was received".into()));
    }
    if submission.occurred_at.is_some_and(|occurred| occurred.micros() < EARLIEST) {
        return Err(rule("occurredAt", "lies before 1970: check the year".into()));
    }
    if submission.cost_vnd.is_some_and(|cost| cost < 0) {
        return Err(rule("costVnd", "is negative".into()));
    }
    if submission.delay_hours.is_some_and(|hours| !hours.is_finite() || hours < 0.0) {
        return Err(rule("delayHours", "is no number of hours".into()));
    }
    if submission.cost_vnd.is_some_and(|cost| cost > MOST_COST_VND) {
        return Err(rule("costVnd", format!("is more than {MOST_COST_VND}, the most that is taken: correct it")));
    }
    if submission.delay_hours.is_some_and(|hours| hours > MOST_DELAY_HOURS as f64) {
        return Err(rule("delayHours", format!("is more than {MOST_DELAY_HOURS}, the most that is taken: correct it")));
    }
    if submission.text.trim().is_empty() {
        return Err(rule("text", "is blank: say what happened".into()));
    }
    if submission.text.contains('\0') || submission.text.chars().count() > 100_000 {
        return Err(rule("text", "is longer than 100,000 characters or contains NUL".into()));
    }
    let declaration_number = submission
        .declaration_number
        .as_deref()
        .map(declaration::parse)
        .transpose()
        .map_err(|e| rule("declarationNumber", e.to_string()))?;
    let enterprise_id = match &submission.tax_code {
        None => None,
        Some(code) => {
            let tax_code = tax_code::parse(code).map_err(|e| rule("taxCode", e.to_string()))?;
            Some(enterprise(tx, tax_code, submission.enterprise_name.clone())?)
        }
    };
    let codes = officer_codes(&submission.officers).map_err(|message| rule("officers", message))?;
    let unit_id = known::<Unit>(tx, "unit", submission.unit.as_deref())?;
    let category_id = known::<IssueCategory>(tx, "category", submission.category.as_deref())?;

    let id = complaint_id(local_date(received_at), source, key);
    let mut case = Case {
        complaint: Complaint {
            id,
            received_at,
            occurred_at: submission.occurred_at,
            recorded_at: tx.now,
            legal_form: submission.legal_form,
            channel: submission.channel,
            enterprise_id,
            unit_id,
            department_id: None,
            branch_id: None,
            team_id: None,
            category_id,
            declaration_number,
            text: Some(submission.text.clone()),
            cost_vnd: submission.cost_vnd,
            delay_hours: submission.delay_hours,
            blames_system: submission.blames_system,
            confidential: submission.confidential,
            state: ComplaintState::Received,
            state_since: received_at,
            version: 1,
            finding: None,
            decided_on: None,
            source_codes: None,
            received_precision: None,
        },
        officers: Vec::new(),
        matters: Vec::new(),
    };
    for officer_id in officers(tx, &codes)? {
        case.officers.push(ComplaintOfficer {
            complaint_id: id,
            officer_id,
            ordinal: 0,
            category_id,
            unit_id,
            attribution: Attribution::Asserted,
            finding: Finding::Pending,
            decided_on: None,
            source_codes: None,
        });
    }
    case.place_in(&load_tree(tx.conn)?);
    let row = ComplaintSource { source: source.to_owned(), reference: key.to_owned(), complaint_id: id, content_hash };
    complaints::insert(tx, std::slice::from_ref(&case), &[row])?;
    Ok(Submitted { complaint: case.complaint, created: true })
}

/// The longest code of an officer, as in imports.
const LONGEST_CODE: usize = 200;
/// Officers whom a complaint names at most.
const MOST_OFFICERS: usize = 50;

/// The codes of the officers named, each once.
fn officer_codes(given: &[String]) -> Result<Vec<String>, String> {
    let mut codes: Vec<String> = given.iter().map(|code| code.trim().nfc().collect()).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.len() > MOST_OFFICERS {
        return Err(format!("{} are named: at most {MOST_OFFICERS} may be", codes.len()));
    }
    if let Some((_, hidden)) = codes.iter().find_map(|code| without_hidden(code)) {
        return Err(format!("a code has characters that nobody can see ({hidden}): leave them out"));
    }
    let is_code =
        |code: &String| !code.is_empty() && code.chars().count() <= LONGEST_CODE && !code.chars().any(char::is_control);
    if codes.iter().all(is_code) {
        return Ok(codes);
    }
    Err(format!("a code has from 1 to {LONGEST_CODE} characters, and no line breaks"))
}

/// The ids of officers. One whose code nobody has described yet is noted as unknown, as imports do, for the Board to
/// resolve: that a code is refused would tell whoever submits which officers there are.
fn officers(tx: &mut WriteTx<'_>, codes: &[String]) -> Result<Vec<Id>, StoreError> {
    let ids: Vec<Id> = codes.iter().map(|code| reference_id(Entity::Officer, code)).collect();
    let known = Officer::load(tx.conn, &ids)?;
    let new = codes.iter().zip(&ids).filter(|(_, id)| !known.contains_key(id));
    let new: Vec<Officer> = new.map(|(code, id)| unknown_officer(*id, code)).collect();
    upsert(tx, new)?;
    Ok(ids)
}

fn enterprise(tx: &mut WriteTx<'_>, tax_code: String, name: Option<String>) -> Result<Id, StoreError> {
    let id = reference_id(Entity::Enterprise, &tax_code);
    if Enterprise::load(tx.conn, &[id])?.is_empty() {
        upsert(tx, vec![Enterprise { id, tax_code, name, group_code: None }])?;
    }
    Ok(id)
}

/// The id of a code that has to be known.
pub(super) fn known<M: Stored>(
    tx: &mut WriteTx<'_>,
    field: &str,
    code: Option<&str>,
) -> Result<Option<Id>, StoreError> {
    let Some(code) = code else { return Ok(None) };
    let id = reference_id(M::ENTITY, code);
    if M::load(tx.conn, &[id])?.is_empty() {
        return Err(StoreError::Rule(format!("{field}: {code:?} is not known to the register")));
    }
    Ok(Some(id))
}
