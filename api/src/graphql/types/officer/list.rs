//! The queries `officers` and `officer`.

use super::{Officer, OfficerConnection, OfficerFilter, OfficerOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::input::{IdOrCode, id_or_code};
use crate::graphql::loaders::OfficerKey;
use crate::graphql::page::PageArgs;
use crate::graphql::types::statistics::{IdAtIndex, list_by_measure};
use async_graphql::{Context, ID, Object, Result};
use jobs::statistics::Dimension;
use schema::{StoreError, queries};

#[derive(Default)]
pub struct OfficerQueries;

#[Object]
impl OfficerQueries {
    /// Officers, by code by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn officers(
        &self,
        ctx: &Context<'_>,
        filter: Option<OfficerFilter>,
        order_by: Option<Vec<OfficerOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<OfficerConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition =
            move || Ok::<_, StoreError>(both!(viewer.officers(&reference.tree), filter.condition(&reference)?));
        match OfficerOrder::list(order_by)? {
            Ok(order) => list::<Officer>(ctx, page, order, condition).await,
            Err(by) => {
                let all = request(ctx)?.read(move |conn| queries::officer_ids(conn, condition()?)).await?;
                let at: IdAtIndex = |snapshot, index| snapshot.officers.at(index);
                let sources = (Dimension::Officer, at).into();
                list_by_measure::<Officer, _>(ctx, all, by, sources, page, OfficerKey).await
            }
        }
    }

    /// One officer by id or code, exactly one of them (else BAD_USER_INPUT); null if none exists, or you may
    /// not see it.
    async fn officer(&self, ctx: &Context<'_>, id: Option<ID>, code: Option<String>) -> Result<Option<Officer>> {
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let by = id_or_code(id, code)?;
        let found = request(ctx)?
            .read(move |conn| {
                let visible = viewer.officers(&reference.tree);
                match by {
                    IdOrCode::Id(id) => queries::officer_by_id(conn, id, visible),
                    IdOrCode::Code(code) => queries::officer_by_code(conn, &code, visible),
                }
            })
            .await?;
        Ok(found.map(Officer))
    }
}
