//! What can be asked.

mod access;
mod aggregates;
mod interventions;
mod receipt;
mod redacted;
mod register;
mod results;
mod sort_fields;
mod sql;

pub use sort_fields::*;

use super::connection::connect;
use super::context::{RequestContext, loaders, request, snapshot, viewer};
use super::filters::*;
use super::loaders::{AllegationsKey, ResponsesKey};
use super::page::PageArgs;
use super::types::*;
use crate::auth::{Scope, Viewer};
use async_graphql::{Context, MergedObject, Result};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::queries::{self, Pred};
use schema::tables::{complaints, flags, measures};
use schema::{Id, StoreError};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

/// Both conditions, where there are two.
macro_rules! both {
    ($seen:expr, $asked:expr) => {
        match ($seen, $asked) {
            (None, asked) => asked,
            (seen, None) => seen,
            (Some(seen), Some(asked)) => Some(Box::new(seen.and(asked)) as schema::queries::Pred<_>),
        }
    };
}
use both;

/// Everything that can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    register::RegisterQuery,
    results::ResultsQuery,
    aggregates::StatisticsQuery,
    sql::SqlQuery,
    access::AccessQuery,
    receipt::ReceiptQuery,
    redacted::RedactedQuery,
    interventions::InterventionsQuery,
);

/// Reads a flag, if the viewer may see it.
pub fn seen_flag(
    viewer: Viewer,
    reference: Arc<jobs::snapshot::Reference>,
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

/// Whether a measure is there for the viewer.
pub fn sees_measure(
    viewer: &Viewer,
    reference: &jobs::snapshot::Reference,
    id: Id,
    conn: &mut schema::Conn,
) -> std::result::Result<bool, StoreError> {
    let mut query = measures::table.into_boxed::<MultiBackend>().filter(measures::id.eq(id).nullable());
    if let Some(seen) = viewer.measures(&reference.tree) {
        query = query.filter(seen);
    }
    Ok(query.count().get_result::<i64>(conn)? > 0)
}

/// The order of a list of complaints. Those that stand alike in it are in the order of their ids, or in a secret one for whoever
/// may not know these.
pub fn complaint_order(
    request: &RequestContext,
    order_by: Option<Vec<ComplaintOrder>>,
) -> Vec<(queries::ComplaintSort, queries::Direction)> {
    let mut order = ComplaintOrder::list(order_by);
    if let Some(by) = request.ordering_pseudonyms() {
        let last = order.last().map_or(queries::Direction::Asc, |(_, direction)| *direction);
        order.push((queries::ComplaintSort::Shuffled(by.shuffle()), last));
    }
    order
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
        complaint_order(request(ctx)?, order_by),
        queries::list_complaints,
        queries::count_complaints,
        queries::ComplaintSort,
        Complaint,
        ComplaintConnection,
        ComplaintEdge,
        children
    )
}

/// Reads what is asked for of all complaints of a page. Their loaders would find out one after another, and wait
/// for each other.
async fn children(ctx: &Context<'_>, rows: &[schema::models::Complaint]) -> Result<()> {
    request(ctx)?.saw_complaints(rows.iter().map(|row| row.id));
    request(ctx)?.copies(rows.iter().map(|row| row.text.as_ref()))?;
    let asked = ctx.look_ahead();
    let of_each = [asked.field("nodes"), asked.field("edges").field("node")];
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() || !request(ctx)?.is_query {
        return Ok(());
    }
    if of_each.iter().any(|node| node.field("officers").exists()) {
        let wanted = ids.clone();
        let mut found = request(ctx)?.read(move |conn| queries::allegations_of(conn, &wanted)).await?;
        let all = ids.iter().map(|id| (AllegationsKey(*id), found.remove(id).unwrap_or_default()));
        loaders(ctx)?.feed_many(all).await;
    }
    let mut ends = BTreeSet::new();
    for field in of_each.iter().flat_map(|node| node.field("responses").selection_fields()) {
        let arguments = field.arguments()?;
        let named = |wanted: &str| arguments.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let number = |name| named(name).and_then(|value| i32::from_str(&value.to_string()).ok());
        let (first, last) = (number("first"), number("last"));
        let others = ["after", "before", "filter", "orderBy"];
        if others.iter().all(|name| named(name).is_none()) && (first.is_none() || last.is_none()) {
            ends.insert((first, last));
        }
    }
    for (first, end) in ends {
        // What cannot be is refused where the field is resolved.
        let Ok(number) = end_of_responses(ctx, first, end) else { continue };
        let (wanted, last) = (ids.clone(), end.is_some());
        let mut found = request(ctx)?.read(move |conn| queries::responses_of(conn, &wanted, number, last)).await?;
        let key = |complaint| ResponsesKey { complaint, number, last };
        let all = ids.iter().map(|id| (key(*id), Arc::new(found.remove(id).unwrap_or_default())));
        loaders(ctx)?.feed_many(all).await;
    }
    Ok(())
}

/// A condition over complaints, and that the viewer may see them.
pub fn scoped(scope: &Scope, own: Option<Pred<complaints::table>>) -> Option<Pred<complaints::table>> {
    both!(scope.condition(), own)
}
