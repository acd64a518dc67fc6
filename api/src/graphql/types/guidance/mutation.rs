//! Mutations of guidance documents and opinions.

use super::GuidanceDocument;
use crate::graphql::context::{own_unit, request, viewer};
use crate::graphql::enums::OpinionVerdict;
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, SHORT, day, optional, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::enums::Role;
use schema::register::{GuidanceStep, NewDocument, guide, request_opinion};

/// A draft on which to ask the opinion of the Board.
#[derive(Debug, InputObject)]
pub struct RequestOpinionInput {
    /// 1 to 500 characters.
    pub title: String,
    /// 1 to 100,000 characters.
    pub text: String,
    /// The code of the category that the draft concerns.
    pub category: Option<String>,
}

/// A new text of a draft.
#[derive(Debug, InputObject)]
pub struct ReviseGuidanceInput {
    pub document_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// At most 500 characters. Default: the present title.
    pub title: Option<String>,
    /// 1 to 100,000 characters.
    pub text: String,
}

/// The opinion of the Board on the present text of a draft.
#[derive(Debug, InputObject)]
pub struct GiveOpinionInput {
    pub document_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    pub verdict: OpinionVerdict,
    /// 1 to 100,000 characters.
    pub text: String,
}

/// The issue of a guidance document.
#[derive(Debug, InputObject)]
pub struct IssueGuidanceInput {
    pub document_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The number of the document, 1 to 500 characters.
    pub number: String,
    /// The day of issue, from the day of the opinion to today.
    pub issued_on: NaiveDate,
    /// The grounds, required if the Board did not agree.
    pub reason: Option<String>,
}

/// The withdrawal of a draft.
#[derive(Debug, InputObject)]
pub struct WithdrawGuidanceInput {
    pub document_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// At most 100,000 characters.
    pub reason: Option<String>,
}

#[derive(SimpleObject)]
pub struct GuidanceDocumentPayload {
    pub document: GuidanceDocument,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct GuidanceMutations;

#[Object]
impl GuidanceMutations {
    /// Asks for the opinion of the Board on a draft of your headquarters unit. FORBIDDEN if you head no unit,
    /// BAD_USER_INPUT if it is not a headquarters unit or the category is unknown.
    async fn request_opinion(&self, ctx: &Context<'_>, input: RequestOpinionInput) -> Result<GuidanceDocumentPayload> {
        let draft = NewDocument {
            unit: own_unit(ctx)?,
            title: required("title", &input.title, SHORT)?,
            text: required("text", &input.text, LONG)?,
            category: input.category,
        };
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || app.db.write(&viewer.actor(), |tx| request_opinion(tx, draft)).map_err(from_store))
            .await?;
        Ok(GuidanceDocumentPayload { document: done.value.into(), position: done.position })
    }

    /// Replaces the text of a draft; the Board must then give a new opinion. NOT_FOUND if it is not of your
    /// unit, CONFLICT if it has changed, or was issued or withdrawn.
    async fn revise_guidance(&self, ctx: &Context<'_>, input: ReviseGuidanceInput) -> Result<GuidanceDocumentPayload> {
        let title = optional("title", input.title.as_deref(), SHORT)?;
        let step = GuidanceStep::Revise { title, text: required("text", &input.text, LONG)? };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }

    /// Issues a document. NOT_FOUND if it is not of your unit, BAD_USER_INPUT if the day or the reason is
    /// wrong, CONFLICT if it has changed, or the Board has given no opinion on the present text.
    async fn issue_guidance(&self, ctx: &Context<'_>, input: IssueGuidanceInput) -> Result<GuidanceDocumentPayload> {
        let step = GuidanceStep::Issue {
            number: required("number", &input.number, SHORT)?,
            issued_on: day("issuedOn", input.issued_on)?,
            reason: optional("reason", input.reason.as_deref(), LONG)?,
        };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }

    /// Withdraws a draft. NOT_FOUND if it is not of your unit, CONFLICT if it has changed, or was issued or
    /// withdrawn.
    async fn withdraw_guidance(
        &self,
        ctx: &Context<'_>,
        input: WithdrawGuidanceInput,
    ) -> Result<GuidanceDocumentPayload> {
        let step = GuidanceStep::Withdraw { reason: optional("reason", input.reason.as_deref(), LONG)? };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }

    /// Gives the opinion of the Board on the present text of a draft, once for each text. NOT_FOUND if there is
    /// no such document, CONFLICT if it has changed, or the opinion was given.
    async fn give_opinion(&self, ctx: &Context<'_>, input: GiveOpinionInput) -> Result<GuidanceDocumentPayload> {
        let text = required("text", &input.text, LONG)?;
        let step = GuidanceStep::Opine { verdict: input.verdict.into(), text };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }
}

async fn guided(ctx: &Context<'_>, id: &ID, expected: i32, step: GuidanceStep) -> Result<GuidanceDocumentPayload> {
    let viewer = viewer(ctx)?.clone();
    let unit = if viewer.role == Role::Board { None } else { Some(own_unit(ctx)?) };
    let app = request(ctx)?.app.clone();
    let id = parse_id(id)?;
    let done =
        blocking(move || app.db.write(&viewer.actor(), |tx| guide(tx, id, expected, unit, step)).map_err(from_store))
            .await?;
    Ok(GuidanceDocumentPayload { document: done.value.into(), position: done.position })
}
