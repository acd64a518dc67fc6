//! The query `principals`.

use super::{Principal, PrincipalConnection, PrincipalFilter, PrincipalOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub struct PrincipalQueries;

#[Object]
impl PrincipalQueries {
    /// Principals, by name by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn principals(
        &self,
        ctx: &Context<'_>,
        filter: Option<PrincipalFilter>,
        order_by: Option<Vec<PrincipalOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<PrincipalConnection> {
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        list::<Principal>(ctx, page, PrincipalOrder::list(order_by), move || filter.condition(&reference)).await
    }
}
