//! The query `issueCategories`.

use super::{CategoryFilter, IssueCategory, IssueCategoryConnection, IssueCategoryOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::loaders::CategoryKey;
use crate::graphql::page::PageArgs;
use crate::graphql::types::order::all_ids;
use crate::graphql::types::statistics::{IdAtPlace, list_by_measure};
use async_graphql::{Context, Object, Result};
use diesel::prelude::*;
use jobs::statistics::Dimension;
use schema::tables::issue_categories;

#[derive(Default)]
pub struct IssueCategoryQueries;

#[Object]
impl IssueCategoryQueries {
    /// Issue categories of both levels, by code by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn issue_categories(
        &self,
        ctx: &Context<'_>,
        filter: Option<CategoryFilter>,
        order_by: Option<Vec<IssueCategoryOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<IssueCategoryConnection> {
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || filter.condition(&reference);
        match IssueCategoryOrder::list(order_by)? {
            Ok(order) => list::<IssueCategory>(ctx, page, order, condition).await,
            Err(by) => {
                let all = request(ctx)?
                    .read(move |conn| all_ids!(conn, issue_categories, issue_categories::code, condition()?))
                    .await?;
                let at: IdAtPlace = |snapshot, place| Some(snapshot.reference.categories.get(place as usize)?.id);
                let found = (Dimension::Category, at).into();
                list_by_measure::<IssueCategory, _>(ctx, all, by, found, page, CategoryKey).await
            }
        }
    }
}
