//! Guidance documents: a headquarters unit asks for the Board's opinion before it issues a document (S5).

use super::reference::{change, existing_id, lock_at_version, version_conflict};
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::ids::{random_id, reference_id};
use crate::each;
use crate::enums::{GuidanceState, OpinionVerdict, UnitKind};
use crate::events::Entity;
use crate::models::{GuidanceDocument, GuidanceOpinion, IssueCategory};
use crate::refusal::GuidanceRefusal;
use crate::sql_types::Id;
use crate::tables::{guidance_documents, guidance_opinions};
use chrono::NaiveDate;
use diesel::prelude::*;

/// A draft submitted for the Board's opinion.
#[derive(Debug, Clone)]
pub struct NewDocument {
    pub unit: Id,
    pub title: String,
    pub text: String,
    /// The code of the category that the draft concerns.
    pub category: Option<String>,
}

/// A step in the life cycle of a document.
#[derive(Debug, Clone)]
pub enum GuidanceStep {
    /// Replaces the text; the new revision needs an opinion again.
    Revise {
        title: Option<String>,
        text: String,
    },
    /// Records the Board's opinion about the current revision.
    Opine {
        verdict: OpinionVerdict,
        text: String,
    },
    /// Issues the document; `reason` is required if the Board did not agree.
    Issue {
        number: String,
        issued_on: NaiveDate,
        reason: Option<String>,
    },
    Withdraw {
        reason: Option<String>,
    },
}

/// Asks for the Board's opinion about a draft.
///
/// # Errors
/// `Rule` if the unit is not a headquarters unit, or the category is unknown.
pub fn request_opinion(tx: &mut WriteTx<'_>, draft: NewDocument) -> Result<GuidanceDocument, StoreError> {
    let unit = crate::queries::units_by_id(tx.conn, &[draft.unit])?.remove(&draft.unit);
    if unit.is_none_or(|unit| unit.kind != UnitKind::HeadquartersUnit) {
        return Err(GuidanceRefusal::OnlyHeadquarters.into());
    }
    let category_id = existing_id::<IssueCategory>(tx, "category", draft.category.as_deref())?;
    let document = GuidanceDocument {
        id: random_id(),
        unit_id: draft.unit,
        category_id,
        title: draft.title,
        text: draft.text,
        revision: 1,
        opined_revision: None,
        state: GuidanceState::OpinionRequested,
        state_since: tx.now,
        requested_at: tx.now,
        number: None,
        issued_on: None,
        reason: None,
        version: 1,
        actor: tx.actor.to_owned(),
    };
    each!(&mut *tx.conn, c => diesel::insert_into(guidance_documents::table).values(&document).execute(c)?);
    change(tx, Entity::Guidance, document.id, None, &document);
    Ok(document)
}

/// Applies one step to a document that is still at `expected_version`. `unit` is the calling unit, which sees only its
/// own documents; None for the Board.
///
/// # Errors
/// `NotFound`; `Conflict` if the document is at another version or its state does not allow the step; `Rule` names the
/// invalid field.
pub fn guide(
    tx: &mut WriteTx<'_>,
    id: Id,
    expected_version: i32,
    unit: Option<Id>,
    step: GuidanceStep,
) -> Result<GuidanceDocument, StoreError> {
    let locked = lock_at_version!(tx, guidance_documents, id, expected_version);
    let found: Option<GuidanceDocument> =
        guidance_documents::table.find(id).select(GuidanceDocument::as_select()).first(tx.conn).optional()?;
    let before = found
        .filter(|document| unit.is_none_or(|unit| unit == document.unit_id))
        .ok_or_else(|| StoreError::no_such("guidance document", &id, "guidanceDocuments"))?;
    if !locked {
        return Err(version_conflict("document", before.version, expected_version));
    }
    if matches!(before.state, GuidanceState::Issued | GuidanceState::Withdrawn) {
        return Err(GuidanceRefusal::Ended { document: before.state }.into());
    }
    let mut now = before.clone();
    match step {
        GuidanceStep::Revise { title, text } => {
            now.title = title.unwrap_or(now.title);
            now.text = text;
            now.revision += 1;
            now.state = GuidanceState::OpinionRequested;
        }
        GuidanceStep::Opine { verdict, text } => {
            if before.opined_revision == Some(before.revision) {
                return Err(GuidanceRefusal::OpinionGiven.into());
            }
            let (revision, actor) = (before.revision, tx.actor.to_owned());
            let opinion = GuidanceOpinion { document_id: id, revision, verdict, text, given_at: tx.now, actor };
            each!(&mut *tx.conn, c => diesel::insert_into(guidance_opinions::table).values(&opinion).execute(c)?);
            change(tx, Entity::Opinion, reference_id(Entity::Opinion, &format!("{id}-{revision}")), None, &opinion);
            now.opined_revision = Some(revision);
            now.state = GuidanceState::OpinionGiven;
        }
        GuidanceStep::Issue { number, issued_on, reason } => {
            let opinion = opinion_about(tx.conn, &before)?.ok_or(GuidanceRefusal::OpinionMissing)?;
            let earliest = local_date(opinion.given_at);
            if issued_on < earliest || issued_on > local_date(tx.now) {
                return Err(GuidanceRefusal::IssuedOn { day: issued_on, earliest }.into());
            }
            if opinion.verdict == OpinionVerdict::NotAgreed && reason.is_none() {
                return Err(GuidanceRefusal::ReasonMissing.into());
            }
            now.number = Some(number);
            now.issued_on = Some(issued_on);
            now.reason = reason;
            now.state = GuidanceState::Issued;
        }
        GuidanceStep::Withdraw { reason } => {
            now.reason = reason;
            now.state = GuidanceState::Withdrawn;
        }
    }
    if now.state != before.state {
        now.state_since = tx.now;
    }
    now.version += 1;
    each!(&mut *tx.conn, c => diesel::update(guidance_documents::table.find(id)).set(&now).execute(c)?);
    change(tx, Entity::Guidance, id, Some(&before), &now);
    Ok(now)
}

/// The Board's opinion about the current revision of a document.
fn opinion_about(conn: &mut Conn, document: &GuidanceDocument) -> Result<Option<GuidanceOpinion>, StoreError> {
    Ok(guidance_opinions::table
        .find((document.id, document.revision))
        .select(GuidanceOpinion::as_select())
        .first(conn)
        .optional()?)
}
