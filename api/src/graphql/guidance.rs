//! Guidance documents and proposals: who asks, who advises.

use super::context::{blocking, own_unit, request, viewer};
use super::enums::{OpinionVerdict, ProposalState};
use super::error::from_store;
use super::input::{LONG, SHORT, day, optional, required};
use super::scalars::parse_id;
use super::types::{GuidanceDocument, Proposal};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::enums::Role;
use schema::register::{Draft, GuidanceStep, NewProposal, Outcome, conclude, guide, propose, request_opinion};

/// A draft about which the Board's opinion is asked.
#[derive(Debug, InputObject)]
pub struct RequestOpinionInput {
    pub title: String,
    pub text: String,
    /// The code of the category that it is about.
    pub category: Option<String>,
}

/// Another text of a draft.
#[derive(Debug, InputObject)]
pub struct ReviseGuidanceInput {
    pub document_id: ID,
    /// The version of the document that you know.
    pub expected_version: i32,
    /// As it is unless told.
    pub title: Option<String>,
    pub text: String,
}

/// The Board's opinion about the text of a draft as it stands.
#[derive(Debug, InputObject)]
pub struct GiveOpinionInput {
    pub document_id: ID,
    /// The version of the document that you know.
    pub expected_version: i32,
    pub verdict: OpinionVerdict,
    pub text: String,
}

/// That a document was issued.
#[derive(Debug, InputObject)]
pub struct IssueGuidanceInput {
    pub document_id: ID,
    /// The version of the document that you know.
    pub expected_version: i32,
    /// The number under which it is issued.
    pub number: String,
    /// From the day of the opinion to today.
    pub issued_on: NaiveDate,
    /// Required where the Board did not agree.
    pub reason: Option<String>,
}

/// That a draft is given up.
#[derive(Debug, InputObject)]
pub struct WithdrawGuidanceInput {
    pub document_id: ID,
    /// The version of the document that you know.
    pub expected_version: i32,
    pub reason: Option<String>,
}

#[derive(SimpleObject)]
pub struct GuidanceDocumentPayload {
    pub document: GuidanceDocument,
    /// The register's position of the change.
    pub position: Option<i64>,
}

/// What the Board advises the General Department to do.
#[derive(Debug, InputObject)]
pub struct ProposeInput {
    pub title: String,
    pub text: String,
    /// The codes of the categories that it is to help with, with those below them; all where none is named.
    #[graphql(default)]
    pub categories: Vec<String>,
    /// The codes of the units in which, with everything below them; all where none is named.
    #[graphql(default)]
    pub units: Vec<String>,
}

/// What became of a proposal.
#[derive(Debug, InputObject)]
pub struct ChangeProposalStateInput {
    pub proposal_id: ID,
    /// The version of the proposal that you know.
    pub expected_version: i32,
    /// ACCEPTED or REJECTED while it is proposed, IMPLEMENTED after it was accepted (and again with another day), WITHDRAWN
    /// before that.
    pub state: ProposalState,
    /// Since when it is in force: its effect is measured from this day. Goes with IMPLEMENTED.
    pub implemented_on: Option<NaiveDate>,
    /// Required to reject or withdraw it.
    pub reason: Option<String>,
}

#[derive(SimpleObject)]
pub struct ProposalPayload {
    pub proposal: Proposal,
    /// The register's position of the change.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct GuidanceMutation;

#[Object]
impl GuidanceMutation {
    /// Asks for the Board's opinion about a draft of your headquarters unit.
    async fn request_opinion(&self, ctx: &Context<'_>, input: RequestOpinionInput) -> Result<GuidanceDocumentPayload> {
        let draft = Draft {
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

    /// Puts another text in the place of a draft's; the Board is heard about it anew.
    async fn revise_guidance(&self, ctx: &Context<'_>, input: ReviseGuidanceInput) -> Result<GuidanceDocumentPayload> {
        let title = optional("title", input.title.as_deref(), SHORT)?;
        let step = GuidanceStep::Revise { title, text: required("text", &input.text, LONG)? };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }

    /// Issues a document about whose text the Board has given its opinion.
    async fn issue_guidance(&self, ctx: &Context<'_>, input: IssueGuidanceInput) -> Result<GuidanceDocumentPayload> {
        let step = GuidanceStep::Issue {
            number: required("number", &input.number, SHORT)?,
            issued_on: day("issuedOn", input.issued_on)?,
            reason: optional("reason", input.reason.as_deref(), LONG)?,
        };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }

    /// Gives up a draft.
    async fn withdraw_guidance(
        &self,
        ctx: &Context<'_>,
        input: WithdrawGuidanceInput,
    ) -> Result<GuidanceDocumentPayload> {
        let step = GuidanceStep::Withdraw { reason: optional("reason", input.reason.as_deref(), LONG)? };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }

    /// Gives the Board's opinion about the text of a draft as it stands: once for each text.
    async fn give_opinion(&self, ctx: &Context<'_>, input: GiveOpinionInput) -> Result<GuidanceDocumentPayload> {
        let text = required("text", &input.text, LONG)?;
        let step = GuidanceStep::Opine { verdict: input.verdict.into(), text };
        guided(ctx, &input.document_id, input.expected_version, step).await
    }

    /// Makes a proposal to the General Department.
    async fn propose(&self, ctx: &Context<'_>, input: ProposeInput) -> Result<ProposalPayload> {
        let new = NewProposal {
            title: required("title", &input.title, SHORT)?,
            text: required("text", &input.text, LONG)?,
            categories: input.categories,
            units: input.units,
        };
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || app.db.write(&viewer.actor(), |tx| propose(tx, new)).map_err(from_store)).await?;
        Ok(ProposalPayload { proposal: done.value.into(), position: done.position })
    }

    /// Says what became of a proposal.
    async fn change_proposal_state(
        &self,
        ctx: &Context<'_>,
        input: ChangeProposalStateInput,
    ) -> Result<ProposalPayload> {
        let id = parse_id(&input.proposal_id)?;
        let outcome = Outcome {
            state: input.state.into(),
            implemented_on: input.implemented_on.map(|since| day("implementedOn", since)).transpose()?,
            reason: optional("reason", input.reason.as_deref(), LONG)?,
        };
        let (viewer, expected) = (viewer(ctx)?.clone(), input.expected_version);
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            app.db.write(&viewer.actor(), |tx| conclude(tx, id, expected, outcome)).map_err(from_store)
        })
        .await?;
        Ok(ProposalPayload { proposal: done.value.into(), position: done.position })
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
