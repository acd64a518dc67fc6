//! Submission of a complaint through the API, idempotent per (source, key).

use super::administration::open_category;
use super::aliases::Aliases;
use super::attachments::{check_attachments, described, store_attachments};
use super::complaints::{self, Case};
use super::receipts::issue_receipt;
use super::reference::{Stored, existing_id, unknown_officer, upsert};
use super::routing::Routing;
use super::tree::load_tree;
use super::values::{check_cost, check_delay, check_occurred};
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::domain::attachment::Reference;
use crate::domain::calendar::{check_received, local_date};
use crate::domain::ids::{complaint_id, reference_id};
use crate::domain::receipt_code::ReceiptCode;
use crate::domain::{declaration, tax_code};
use crate::enums::{Attribution, Channel, Finding, LegalForm};
use crate::events::Entity;
use crate::import::looks::without_hidden;
use crate::models::{Complaint, ComplaintOfficer, ComplaintSource, Enterprise, Officer, Unit};
use crate::sql_types::{Id, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// A submitted complaint. [`submit`] checks its codes and values.
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
    // Left out where there are none: the hashes of earlier submissions have no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Reference>,
}

/// The receipt.
#[derive(Debug, Clone)]
pub struct Submitted {
    pub complaint: Complaint,
    /// False for a replay: the same submission was stored before.
    pub created: bool,
    /// The code of its receipt, shown only now; None for a replay.
    pub receipt: Option<ReceiptCode>,
}

/// The source of a sender's submissions: each sender has its own key space. The colon keeps it apart from the
/// sources of imports.
pub fn source_of(sender: &str) -> String {
    format!("api:{sender}")
}

/// The sender of a source of submissions; None for the source of an import.
pub fn sender_of(source: &str) -> Option<&str> {
    source.strip_prefix("api:")
}

/// The complaint submitted under an idempotency key.
///
/// # Errors
/// If the database cannot be read.
pub fn submitted(conn: &mut Conn, source: &str, key: &str) -> Result<Option<Complaint>, StoreError> {
    let Some(earlier) = complaints::load_sources(conn, source, &[key])?.remove(key) else { return Ok(None) };
    let found = complaints::load(conn, &[earlier.complaint_id])?.remove(&earlier.complaint_id);
    Ok(found.map(|case| case.complaint))
}

/// Stores a submission once per (source, key); a replay returns the stored complaint.
///
/// # Errors
/// `Rule` names the invalid field; `Conflict` if the key was used for a different submission.
pub fn submit(tx: &mut WriteTx<'_>, source: &str, key: &str, submission: &Submission) -> Result<Submitted, StoreError> {
    let rule = |field: &str, message: String| StoreError::Rule(format!("{field}: {message}"));
    let body = serde_json::to_vec(submission).map_err(|e| rule("input", e.to_string()))?;
    let content_hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&body));
    if let Some(earlier) = complaints::load_sources(tx.conn, source, &[key])?.remove(key) {
        if earlier.content_hash != content_hash {
            return Err(StoreError::Conflict(
                "the idempotency key was used for another complaint: use a new key for a new complaint".into(),
            ));
        }
        let mut found = complaints::load(tx.conn, &[earlier.complaint_id])?;
        let case = found.remove(&earlier.complaint_id).ok_or_else(|| {
            StoreError::NotFound(format!("idempotencyKey: there is no complaint of {key:?} any more: use a new key"))
        })?;
        return Ok(Submitted { complaint: case.complaint, created: false, receipt: None });
    }

    dialect::lock_tree_shared(tx.conn)?;
    let received_at = submission.received_at.unwrap_or(tx.now);
    check_received(received_at, tx.now).map_err(|e| rule("receivedAt", e.to_string()))?;
    check_occurred(submission.occurred_at, received_at)?;
    check_cost(submission.cost_vnd)?;
    check_delay(submission.delay_hours)?;
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
    let aliases = Aliases::load(tx.conn)?;
    let enterprise_id = match &submission.tax_code {
        None => None,
        Some(code) => {
            let tax_code = tax_code::parse(code).map_err(|e| rule("taxCode", e.to_string()))?;
            Some(aliases.enterprise(enterprise(tx, tax_code, submission.enterprise_name.clone())?))
        }
    };
    let attachments =
        check_attachments(submission.attachments.clone()).map_err(|message| rule("attachments", message))?;
    let codes = officer_codes(&submission.officers).map_err(|message| rule("officers", message))?;
    let unit_id = existing_id::<Unit>(tx, "unit", submission.unit.as_deref())?;
    let category_id = open_category(tx, "category", submission.category.as_deref(), local_date(received_at))?;

    let id = complaint_id(local_date(received_at), source, key);
    let mut case = Case {
        complaint: Complaint {
            occurred_at: submission.occurred_at,
            enterprise_id,
            unit_id,
            category_id,
            declaration_number,
            text: Some(submission.text.clone()),
            cost_vnd: submission.cost_vnd,
            delay_hours: submission.delay_hours,
            blames_system: submission.blames_system,
            confidential: submission.confidential,
            ..Complaint::received(id, received_at, tx.now, submission.legal_form, submission.channel)
        },
        officers: Vec::new(),
        matters: Vec::new(),
        clocks: Vec::new(),
    };
    let mut named: Vec<Id> = officers(tx, &codes)?.into_iter().map(|id| aliases.officer(id)).collect();
    named.sort_unstable();
    named.dedup();
    for officer_id in named {
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
    let tree = load_tree(tx.conn)?;
    case.set_ancestors(&tree);
    case.route(&Routing::load(tx.conn)?, &tree, local_date(tx.now));
    let row = ComplaintSource { source: source.to_owned(), reference: key.to_owned(), complaint_id: id, content_hash };
    complaints::insert_noting(tx, &mut case, &row, described(&attachments))?;
    store_attachments(tx, id, None, attachments)?;
    let receipt = Some(issue_receipt(tx, id)?);
    Ok(Submitted { complaint: case.complaint, created: true, receipt })
}

/// The longest officer code in characters, as in imports.
const LONGEST_CODE: usize = 200;
/// The most officers that a complaint may name.
pub(super) const MOST_OFFICERS: usize = 50;

/// The codes of the named officers, normalised, sorted and without duplicates; else a message for the sender.
fn officer_codes(given: &[String]) -> Result<Vec<String>, String> {
    let mut codes: Vec<String> = given.iter().map(|code| code.trim().nfc().collect()).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.len() > MOST_OFFICERS {
        return Err(format!("{} are named: at most {MOST_OFFICERS} are allowed", codes.len()));
    }
    if let Some((_, hidden)) = codes.iter().find_map(|code| without_hidden(code)) {
        return Err(format!("a code has invisible characters ({hidden}): remove them"));
    }
    let is_code =
        |code: &String| !code.is_empty() && code.chars().count() <= LONGEST_CODE && !code.chars().any(char::is_control);
    if codes.iter().all(is_code) {
        return Ok(codes);
    }
    Err(format!("a code must have 1 to {LONGEST_CODE} characters and no control characters"))
}

/// The ids of officers. An unknown code gets a placeholder row, as in imports, for the Board to resolve: refusing it
/// would reveal to senders which officers exist.
fn officers(tx: &mut WriteTx<'_>, codes: &[String]) -> Result<Vec<Id>, StoreError> {
    let ids: Vec<Id> = codes.iter().map(|code| reference_id(Entity::Officer, code)).collect();
    let existing = Officer::load(tx.conn, &ids)?;
    let new = codes.iter().zip(&ids).filter(|(_, id)| !existing.contains_key(id));
    let new: Vec<Officer> = new.map(|(code, id)| unknown_officer(*id, code)).collect();
    upsert(tx, new)?;
    Ok(ids)
}

/// The id of an enterprise, which is created if the register does not have it.
///
/// # Errors
/// If the database fails.
pub(super) fn enterprise(tx: &mut WriteTx<'_>, tax_code: String, name: Option<String>) -> Result<Id, StoreError> {
    let id = reference_id(Entity::Enterprise, &tax_code);
    if Enterprise::load(tx.conn, &[id])?.is_empty() {
        upsert(tx, vec![Enterprise { id, tax_code, name, group_code: None }])?;
    }
    Ok(id)
}
