//! The query `measures`.

use super::{Measure, MeasureConnection, MeasureFilter, MeasureOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub struct MeasureQueries;

#[Object]
impl MeasureQueries {
    /// Measures about officers, the latest decision first by default. A unit head sees those about officers who
    /// served in their unit or below it, or serve there now, and those that these units recorded. An officer
    /// does not see measures about themselves.
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
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.measures(&reference.tree), filter.condition(&reference)?));
        list::<Measure>(ctx, page, MeasureOrder::list(order_by), condition).await
    }
}
