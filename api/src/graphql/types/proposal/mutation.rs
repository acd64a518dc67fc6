//! Mutations of proposals.

use super::Proposal;
use crate::graphql::context::{request, viewer};
use crate::graphql::enums::ProposalState;
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, SHORT, day, optional, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::register::{Conclusion, NewProposal, conclude, propose};

/// A proposal of the Board to the General Department.
#[derive(Debug, InputObject)]
pub struct ProposeInput {
    /// 1 to 500 characters.
    pub title: String,
    /// 1 to 100,000 characters.
    pub text: String,
    /// The codes of the categories that the proposal concerns, with those below them; empty means all.
    /// `categories` or `units` must name one.
    #[graphql(default)]
    pub categories: Vec<String>,
    /// The codes of the units that the proposal concerns, with the units below them; empty means all.
    #[graphql(default)]
    pub units: Vec<String>,
}

/// A change of state of a proposal.
#[derive(Debug, InputObject)]
pub struct ChangeProposalStateInput {
    pub proposal_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// ACCEPTED or REJECTED while PROPOSED, IMPLEMENTED once ACCEPTED (and again to correct the day), WITHDRAWN
    /// before IMPLEMENTED. Another step gives CONFLICT.
    pub state: ProposalState,
    /// The day from which the proposal is in force, not in the future; its effect is measured from this day.
    /// Required for IMPLEMENTED, not allowed otherwise.
    pub implemented_on: Option<NaiveDate>,
    /// The grounds, required to reject or withdraw.
    pub reason: Option<String>,
}

#[derive(SimpleObject)]
pub struct ProposalPayload {
    pub proposal: Proposal,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct ProposalMutations;

#[Object]
impl ProposalMutations {
    /// Makes a proposal to the General Department. BAD_USER_INPUT if a category or unit is unknown, or none is
    /// named.
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

    /// Changes the state of a proposal. NOT_FOUND if it does not exist, BAD_USER_INPUT if the day or the reason is
    /// missing or wrong, CONFLICT if it has changed or its state does not allow the step.
    async fn change_proposal_state(
        &self,
        ctx: &Context<'_>,
        input: ChangeProposalStateInput,
    ) -> Result<ProposalPayload> {
        let id = parse_id(&input.proposal_id)?;
        let outcome = Conclusion {
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
