//! Principals and the audit log.

use super::sort_fields::*;
use crate::graphql::connection::connect;
use crate::graphql::context::viewer;
use crate::graphql::filters::*;
use crate::graphql::page::PageArgs;
use crate::graphql::types::*;
use async_graphql::{Context, Object, Result};
use schema::queries;

#[derive(Default)]
pub struct AccessQuery;

#[Object]
impl AccessQuery {
    /// Who has tokens, by name.
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
        viewer(ctx)?;
        let make = move || filter.as_ref().map_or(Ok(None), PrincipalFilter::condition);
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            PrincipalOrder::list(order_by),
            queries::list_principals,
            queries::count_principals,
            queries::PrincipalSort,
            Principal,
            PrincipalConnection,
            PrincipalEdge
        )
    }

    /// Who looked at whom, exported or asked what, and who was given a token: the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditFilter>,
        order_by: Option<Vec<AuditOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AuditEntryConnection> {
        viewer(ctx)?;
        let make = move || filter.as_ref().map_or(Ok(None), AuditFilter::condition);
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            AuditOrder::list(order_by),
            queries::list_audit,
            queries::count_audit,
            queries::AuditSort,
            AuditEntry,
            AuditEntryConnection,
            AuditEntryEdge
        )
    }
}
