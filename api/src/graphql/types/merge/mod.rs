//! Merges of officers and enterprises that are the same: the type, its list, filter, order and mutations.

mod mutation;

pub use mutation::MergeMutations;

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::{DateTimeOps, Filter, IdOps, both, filter};
use crate::graphql::loaders::{EnterpriseKey, OfficerKey, reference_row};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Moment, id};
use crate::graphql::types::order::order;
use crate::graphql::types::{Enterprise, EnterpriseFilter, Officer, OfficerFilter};
use async_graphql::{Context, ID, Object, Result};
use schema::models;
use schema::queries::MergeSort;
use schema::tables::{enterprises, merges, officers};

connection!(Merge by MergeSort, MergeConnection, MergeEdge);

pub struct Merge(pub models::Merge);

impl From<models::Merge> for Merge {
    fn from(row: models::Merge) -> Self {
        Self(row)
    }
}

async fn officer(ctx: &Context<'_>, id: Option<schema::Id>) -> Result<Option<Officer>> {
    let Some(id) = id else { return Ok(None) };
    Ok(reference_row(ctx, OfficerKey(id)).await?.map(Officer))
}

async fn enterprise(ctx: &Context<'_>, id: Option<schema::Id>) -> Result<Option<Enterprise>> {
    let Some(id) = id else { return Ok(None) };
    Ok(reference_row(ctx, EnterpriseKey(id)).await?.map(Enterprise))
}

/// An officer or an enterprise that was merged into another one, because they are the same.
#[Object]
impl Merge {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The officer who was merged; null for a merge of enterprises.
    #[graphql(name = "fromOfficer")]
    async fn merged_officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        officer(ctx, self.0.from_officer_id).await
    }

    /// The officer whom the other one was merged into; null for a merge of enterprises.
    #[graphql(name = "intoOfficer")]
    async fn remaining_officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        officer(ctx, self.0.into_officer_id).await
    }

    /// The enterprise that was merged; null for a merge of officers.
    #[graphql(name = "fromEnterprise")]
    async fn merged_enterprise(&self, ctx: &Context<'_>) -> Result<Option<Enterprise>> {
        enterprise(ctx, self.0.from_enterprise_id).await
    }

    /// The enterprise that the other one was merged into; null for a merge of officers.
    #[graphql(name = "intoEnterprise")]
    async fn remaining_enterprise(&self, ctx: &Context<'_>) -> Result<Option<Enterprise>> {
        enterprise(ctx, self.0.into_enterprise_id).await
    }

    /// The number of complaints that the merge moved.
    async fn complaints(&self) -> i32 {
        self.0.complaints
    }

    async fn reason(&self) -> &str {
        &self.0.reason
    }

    async fn merged_at(&self) -> Moment {
        self.0.merged_at.into()
    }

    /// The actor of the merge, `token:NAME`.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The time at which the merge was undone; null if it was not.
    async fn split_at(&self) -> Option<Moment> {
        self.0.split_at.map(Into::into)
    }

    /// The reason for the split; null if it was not undone.
    async fn split_reason(&self) -> Option<&str> {
        self.0.split_reason.as_deref()
    }
}

filter! {
    /// Conditions on merges, joined by AND.
    MergeFilter over merges {
        id: IdOps => id(merges::id),
        merged_at: DateTimeOps => time(merges::merged_at),
        /// Null if the merge was not undone.
        split_at: DateTimeOps => time(merges::split_at),
        /// Conditions on the officer who was merged.
        from_officer: OfficerFilter => relation(merges::from_officer_id => officers, officers::id),
        /// Conditions on the officer whom the other one was merged into.
        into_officer: OfficerFilter => relation(merges::into_officer_id => officers, officers::id),
        /// Conditions on the enterprise that was merged.
        from_enterprise: EnterpriseFilter => relation(merges::from_enterprise_id => enterprises, enterprises::id),
        /// Conditions on the enterprise that the other one was merged into.
        into_enterprise: EnterpriseFilter => relation(merges::into_enterprise_id => enterprises, enterprises::id),
    }
}

order!(MergeOrderField, MergeOrder, MergeSort { MergedAt } default MergedAt Desc);

#[derive(Default)]
pub struct MergeQueries;

#[Object]
impl MergeQueries {
    /// Merges of officers and enterprises, the latest first by default. A member of the Board who is an officer sees
    /// none.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn merges(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<MergeFilter>>,
        order_by: Option<Vec<MergeOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<MergeConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.merges(), filter.condition(&reference)?));
        list::<Merge>(ctx, page, MergeOrder::list(order_by), condition).await
    }
}
