//! The query `unitResponses`.

use super::{ResponseFilter, UnitResponse, UnitResponseConnection, UnitResponseOrder};
use crate::graphql::connection::{ListItem, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};
use futures_util::future::{BoxFuture, ready};
use schema::models;
use schema::queries::ResponseSort;

#[derive(Default)]
pub struct UnitResponseQueries;

#[Object]
impl UnitResponseQueries {
    /// Responses of units to complaints within your row scope, the latest first by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn unit_responses(
        &self,
        ctx: &Context<'_>,
        filter: Option<ResponseFilter>,
        order_by: Option<Vec<UnitResponseOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<UnitResponseConnection> {
        let page = PageArgs { first, after, last, before };
        let reference = snapshot(ctx)?.reference.clone();
        let scope = viewer(ctx)?.scope(&reference.tree);
        let condition = move || Ok(both!(scope.responses(), filter.condition(&reference)?));
        list::<UnitResponse>(ctx, page, UnitResponseOrder::list(order_by), condition).await
    }
}

impl ListItem for UnitResponse {
    type Order = ResponseSort;

    /// Notes the complaints of the responses for the audit log.
    fn prepare<'c>(ctx: &'c Context<'_>, rows: &'c [models::UnitResponse]) -> BoxFuture<'c, Result<()>> {
        let noted = request(ctx).map(|request| request.note_complaints(rows.iter().map(|row| row.complaint_id)));
        Box::pin(ready(noted))
    }
}
