//! The query `proposals`.

use super::{Proposal, ProposalConnection, ProposalFilter, ProposalOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub struct ProposalQueries;

#[Object]
impl ProposalQueries {
    /// Proposals of the Board, the latest first by default.
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
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        list::<Proposal>(ctx, page, ProposalOrder::list(order_by), move || filter.condition(&reference)).await
    }
}
