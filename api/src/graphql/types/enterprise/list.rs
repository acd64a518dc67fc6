//! The query `enterprises`.

use super::{Enterprise, EnterpriseConnection, EnterpriseFilter, EnterpriseOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::loaders::EnterpriseKey;
use crate::graphql::page::PageArgs;
use crate::graphql::types::order::all_ids;
use crate::graphql::types::statistics::{IdAtPlace, list_by_measure};
use async_graphql::{Context, Object, Result};
use diesel::prelude::*;
use jobs::statistics::Dimension;
use schema::StoreError;
use schema::tables::enterprises;

#[derive(Default)]
pub struct EnterpriseQueries;

#[Object]
impl EnterpriseQueries {
    /// Enterprises, by tax code by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn enterprises(
        &self,
        ctx: &Context<'_>,
        filter: Option<EnterpriseFilter>,
        order_by: Option<Vec<EnterpriseOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<EnterpriseConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition =
            move || Ok::<_, StoreError>(both!(viewer.enterprises(&reference.tree), filter.condition(&reference)?));
        match EnterpriseOrder::list(order_by)? {
            Ok(order) => list::<Enterprise>(ctx, page, order, condition).await,
            Err(by) => {
                let all = request(ctx)?
                    .read(move |conn| all_ids!(conn, enterprises, enterprises::tax_code, condition()?))
                    .await?;
                let at: IdAtPlace = |snapshot, place| snapshot.enterprises.at(place);
                let sources = (Dimension::Enterprise, at).into();
                list_by_measure::<Enterprise, _>(ctx, all, by, sources, page, EnterpriseKey).await
            }
        }
    }
}
