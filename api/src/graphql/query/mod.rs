//! What can be asked.

mod aggregates;
mod orders;
mod register;
mod results;

pub use orders::*;

use super::connection::connect;
use super::context::{snapshot, viewer};
use super::filters::*;
use super::page::PageArgs;
use super::types::*;
use crate::auth::{Scope, Viewer};
use async_graphql::{Context, MergedObject, Result};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::queries::{self, Pred};
use schema::tables::{complaints, flags};
use schema::{Id, StoreError};

/// Everything that can be asked.
#[derive(MergedObject, Default)]
pub struct Query(register::RegisterQuery, results::ResultsQuery, aggregates::StatisticsQuery);

/// Reads a flag, if the viewer may see it.
pub fn seen_flag(
    viewer: Viewer,
    reference: std::sync::Arc<jobs::snapshot::Reference>,
    id: Id,
) -> impl FnOnce(&mut schema::Conn) -> std::result::Result<Option<schema::models::Flag>, StoreError> {
    move |conn| {
        let mut query = flags::table.into_boxed::<MultiBackend>().filter(flags::id.eq(id).nullable());
        if let Some(seen) = viewer.flags(&reference.tree) {
            query = query.filter(seen);
        }
        Ok(query.select(schema::models::Flag::as_select()).first(conn).optional()?)
    }
}

/// The complaints that a filter chooses, of those that the viewer may see.
pub async fn complaints_where(
    ctx: &Context<'_>,
    filter: Option<ComplaintFilter>,
    order_by: Option<Vec<ComplaintOrder>>,
    page: PageArgs,
) -> Result<ComplaintConnection> {
    let known = snapshot(ctx)?.reference.clone();
    let scope = viewer(ctx)?.scope(&known.tree);
    let make = move || {
        let own = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
        Ok::<_, StoreError>(scoped(&scope, own))
    };
    connect!(
        ctx,
        page,
        make,
        ComplaintOrder::list(order_by),
        queries::list_complaints,
        queries::count_complaints,
        queries::ComplaintSort,
        Complaint,
        ComplaintConnection,
        ComplaintEdge
    )
}

/// A condition over complaints, and that the viewer may see them.
pub fn scoped(scope: &Scope, own: Option<Pred<complaints::table>>) -> Option<Pred<complaints::table>> {
    match (scope.condition(), own) {
        (None, own) => own,
        (scope, None) => scope,
        (Some(scope), Some(own)) => Some(Box::new(scope.and(own))),
    }
}
