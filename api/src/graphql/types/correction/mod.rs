//! Corrections of complaints, and those that heads of units propose: the types, list, filter, order and mutations.

mod input;
mod mutation;

pub use mutation::CorrectionMutations;

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::CorrectionState;
use crate::graphql::filter::{CorrectionStateOps, DateTimeOps, Filter, IdOps, both, filter};
use crate::graphql::loaders::{UnitKey, reference_row};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Json, Moment, id};
use crate::graphql::types::flag::visible_ids;
use crate::graphql::types::order::order;
use crate::graphql::types::{Unit, UnitFilter};
use async_graphql::{Context, ID, Object, Result};
use schema::models;
use schema::queries::CorrectionProposalSort;
use schema::tables::{correction_proposals, units};

connection!(CorrectionProposal by CorrectionProposalSort, CorrectionProposalConnection, CorrectionProposalEdge);

pub struct CorrectionProposal(pub models::CorrectionProposal);

impl From<models::CorrectionProposal> for CorrectionProposal {
    fn from(row: models::CorrectionProposal) -> Self {
        Self(row)
    }
}

/// A correction of a complaint that the head of a unit proposes, and about which the Board decides.
#[Object]
impl CorrectionProposal {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The complaint; null if you may not see it any more.
    async fn complaint_id(&self, ctx: &Context<'_>) -> Result<Option<ID>> {
        Ok(visible_ids(ctx, vec![self.0.complaint_id]).await?.pop())
    }

    /// The version of the complaint that the head saw. If it has changed since, the proposal cannot be accepted.
    async fn complaint_version(&self) -> i32 {
        self.0.complaint_version
    }

    /// The proposed correction, as the input of `proposeCorrection` gave it.
    async fn correction(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        request(ctx)?.note_complaints([self.0.complaint_id]);
        Ok(Json(serde_json::from_str(&self.0.correction).unwrap_or_default()))
    }

    /// The reason for the correction.
    async fn reason(&self, ctx: &Context<'_>) -> Result<&str> {
        request(ctx)?.note_complaints([self.0.complaint_id]);
        Ok(&self.0.reason)
    }

    async fn state(&self) -> CorrectionState {
        self.0.state.into()
    }

    /// The time at which the proposal entered its present state.
    async fn state_since(&self) -> Moment {
        self.0.state_since.into()
    }

    async fn proposed_at(&self) -> Moment {
        self.0.proposed_at.into()
    }

    /// The unit whose head proposed it.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(reference_row(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
    }

    /// The author of the proposal, `token:NAME`.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The reason given with the decision, required to refuse; null if none was given.
    async fn decision_reason(&self) -> Option<&str> {
        self.0.decision_reason.as_deref()
    }

    /// Grows by one with each change. Pass it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }
}

filter! {
    /// Conditions on proposed corrections, joined by AND.
    CorrectionProposalFilter over correction_proposals {
        id: IdOps => id(correction_proposals::id),
        complaint_id: IdOps => id(correction_proposals::complaint_id),
        state: CorrectionStateOps => word(correction_proposals::state),
        proposed_at: DateTimeOps => time(correction_proposals::proposed_at),
        /// Conditions on the unit whose head proposed it.
        unit: UnitFilter => relation(correction_proposals::unit_id => units, units::id),
    }
}

order!(
    CorrectionProposalOrderField, CorrectionProposalOrder,
    CorrectionProposalSort { ProposedAt, StateSince } default ProposedAt Desc
);

#[derive(Default)]
pub struct CorrectionQueries;

#[Object]
impl CorrectionQueries {
    /// Proposed corrections, the latest first by default. A unit head sees those of their own unit and the units
    /// below it. An officer sees none that names them, or that is about a complaint that does.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn correction_proposals(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<CorrectionProposalFilter>>,
        order_by: Option<Vec<CorrectionProposalOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CorrectionProposalConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.correction_proposals(&reference.tree), filter.condition(&reference)?));
        list::<CorrectionProposal>(ctx, page, CorrectionProposalOrder::list(order_by), condition).await
    }
}
