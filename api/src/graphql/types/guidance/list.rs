//! The query `guidanceDocuments`.

use super::{GuidanceDocument, GuidanceDocumentConnection, GuidanceDocumentFilter, GuidanceDocumentOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub struct GuidanceDocumentQueries;

#[Object]
impl GuidanceDocumentQueries {
    /// Guidance documents of headquarters units, the latest request first by default. A unit head sees the
    /// drafts of their own unit and the units below it, and all issued documents.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn guidance_documents(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<GuidanceDocumentFilter>>,
        order_by: Option<Vec<GuidanceDocumentOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<GuidanceDocumentConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.guidance(&reference.tree), filter.condition(&reference)?));
        list::<GuidanceDocument>(ctx, page, GuidanceDocumentOrder::list(order_by), condition).await
    }
}
