//! The query `digests`.

use super::{Digest, DigestConnection, DigestFilter, DigestOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};
use diesel::prelude::*;

#[derive(Default)]
pub struct DigestQueries;

#[Object]
impl DigestQueries {
    /// Digests of the Board, the latest first by default. Empty if you are an officer: their totals count
    /// complaints that name you.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn digests(
        &self,
        ctx: &Context<'_>,
        filter: Option<DigestFilter>,
        order_by: Option<Vec<DigestOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<DigestConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.digests(), filter.condition(&reference)?));
        list::<Digest>(ctx, page, DigestOrder::list(order_by), condition).await
    }
}
