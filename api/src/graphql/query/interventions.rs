//! What the Board and the units do about what is complained about.

use super::both;
use super::sort_fields::*;
use crate::graphql::connection::connect;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filters::*;
use crate::graphql::page::PageArgs;
use crate::graphql::types::*;
use async_graphql::{Context, Object, Result};
use diesel::prelude::*;
use schema::StoreError;
use schema::queries;

#[derive(Default)]
pub struct InterventionsQuery;

#[Object]
impl InterventionsQuery {
    /// Guidance documents of headquarters units, the latest first. A head sees drafts of its own unit and those below it, and
    /// what was issued by any.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn guidance_documents(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<GuidanceDocumentFilter>>,
        order_by: Option<Vec<GuidanceDocumentOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<GuidanceDocumentConnection> {
        let viewer = viewer(ctx)?.clone();
        let known = snapshot(ctx)?.reference.clone();
        let make = move || {
            let asked = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            Ok::<_, StoreError>(both!(viewer.guidance(&known.tree), asked))
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            GuidanceDocumentOrder::list(order_by),
            queries::list_guidance,
            queries::count_guidance,
            queries::GuidanceSort,
            GuidanceDocument,
            GuidanceDocumentConnection,
            GuidanceDocumentEdge
        )
    }

    /// What the Board advised, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ProposalFilter>>,
        order_by: Option<Vec<ProposalOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ProposalConnection> {
        viewer(ctx)?;
        let known = snapshot(ctx)?.reference.clone();
        let make = move || filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known));
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            ProposalOrder::list(order_by),
            queries::list_proposals,
            queries::count_proposals,
            queries::ProposalSort,
            Proposal,
            ProposalConnection,
            ProposalEdge
        )
    }

    /// Measures about officers, the latest decision first. A head sees those about officers of its own unit and those below
    /// it; nobody those about himself.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn measures(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<MeasureFilter>>,
        order_by: Option<Vec<MeasureOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<MeasureConnection> {
        let viewer = viewer(ctx)?.clone();
        let known = snapshot(ctx)?.reference.clone();
        let make = move || {
            let asked = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            Ok::<_, StoreError>(both!(viewer.measures(&known.tree), asked))
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            MeasureOrder::list(order_by),
            queries::list_measures,
            queries::count_measures,
            queries::MeasureSort,
            Measure,
            MeasureConnection,
            MeasureEdge
        )
    }
}
