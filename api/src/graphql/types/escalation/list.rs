//! The query `escalations`.

use super::{Escalation, EscalationConnection, EscalationFilter, EscalationOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::{Filter, both};
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub struct EscalationQueries;

#[Object]
impl EscalationQueries {
    /// Escalations of overdue complaints, the latest first by default. A unit head sees those that name its unit or a
    /// unit below it, except those of confidential complaints: of these `redactedComplaints` says whether they are
    /// overdue.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn escalations(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<EscalationFilter>>,
        order_by: Option<Vec<EscalationOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<EscalationConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.escalations(&reference.tree), filter.condition(&reference)?));
        list::<Escalation>(ctx, page, EscalationOrder::list(order_by), condition).await
    }
}
