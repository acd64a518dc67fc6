//! The queries `complaints` and `complaint`.

use super::cacheable::COMPLAINT;
use super::{Complaint, ComplaintConnection, ComplaintFilter, ComplaintOrder, complaint_order};
use crate::access::Scope;
use crate::graphql::connection::{Connects, Counter, ListItem, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::execute::{CachedSelections, ListNode};
use crate::graphql::filter::{Filter, OptionalCondition};
use crate::graphql::loaders::{AllegationsKey, ResponsesKey, loaders};
use crate::graphql::page::{Cursor, PageArgs, PageInfo, Place};
use crate::graphql::scalars::parse_id;
use crate::graphql::types::response::end_of_responses;
use async_graphql::{Context, ID, Object, Result};
use diesel::prelude::*;
use futures_util::future::BoxFuture;
use schema::db::MultiBackend;
use schema::queries::{ComplaintSort, Direction, ListOrder, Slice};
use schema::tables::complaints;
use schema::{Conn, Id, models, queries};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

#[derive(Default)]
pub struct ComplaintQueries;

#[Object]
impl ComplaintQueries {
    /// Complaints within your row scope, the latest first by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<ComplaintFilter>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        let page = PageArgs { first, after, last, before };
        complaints_where(ctx, filter, order_by, page).await
    }

    /// One complaint by id; null if there is none, or you may not see it.
    async fn complaint(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Complaint>> {
        let (scope, id) = (viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree), parse_id(&id)?);
        let found = request(ctx)?
            .read(move |conn| {
                let mut query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::id.eq(id).nullable());
                if let Some(visible) = scope.condition() {
                    query = query.filter(visible);
                }
                Ok(query.select(models::Complaint::as_select()).first(conn).optional()?)
            })
            .await?;
        request(ctx)?.note_complaints(found.iter().map(|row| row.id));
        Ok(found.map(Complaint))
    }
}

impl ListItem for Complaint {
    type Order = ComplaintSort;

    fn prepare<'c>(ctx: &'c Context<'_>, rows: &'c [models::Complaint]) -> BoxFuture<'c, Result<()>> {
        Box::pin(children(ctx, rows))
    }
}

/// The complaints that a filter selects within the row scope of the viewer.
pub async fn complaints_where(
    ctx: &Context<'_>,
    filter: Option<ComplaintFilter>,
    order_by: Option<Vec<ComplaintOrder>>,
    page: PageArgs,
) -> Result<ComplaintConnection> {
    let reference = snapshot(ctx)?.reference.clone();
    let scope = viewer(ctx)?.scope(&reference.tree);
    let order = complaint_order(request(ctx)?, order_by);
    let within = scope.clone();
    let condition = move || Ok(within.and(filter.condition(&reference)?));
    match CachedSelections::of_list(ctx, &COMPLAINT) {
        Some(selections) => Box::pin(cached_list(ctx, &selections, page, order, scope, condition)).await,
        None => list::<Complaint>(ctx, page, order, condition).await,
    }
}

/// Reads the ids and versions of a page, and only those rows whose JSON is not cached.
async fn cached_list(
    ctx: &Context<'_>,
    selections: &Arc<CachedSelections>,
    page: PageArgs,
    order: Vec<(ComplaintSort, Direction)>,
    scope: Scope,
    condition: impl Fn() -> OptionalCondition<complaints::table> + Send + Sync + 'static,
) -> Result<ComplaintConnection> {
    let request = request(ctx)?;
    let window = page.window(request.limits.page_size, request.cursors())?;
    let condition = Arc::new(condition);
    let (to_list, list_order, list_window) = (Arc::clone(&condition), order.clone(), window.clone());
    let listed = move |conn: &mut Conn| ComplaintSort::list_stubs(conn, to_list()?, &list_order, &list_window);
    let Slice { rows: stubs, more } = request.read(listed).await?;
    let mut nodes: Vec<ListNode<Complaint>> = stubs.iter().map(|stub| selections.node(stub.id, stub.version)).collect();
    let missing: Vec<Id> =
        stubs.iter().zip(&nodes).filter(|(_, node)| node.lacks_row()).map(|(stub, _)| stub.id).collect();
    if !missing.is_empty() {
        let read = move |conn: &mut Conn| queries::complaints_by_id(conn, &missing, || scope.condition());
        let found = request.read(read).await?;
        let in_order = stubs.iter().filter_map(|stub| found.get(&stub.id).cloned());
        let rows: Vec<models::Complaint> = in_order.collect();
        Complaint::prepare(ctx, &rows).await?;
        for row in rows {
            if let Some(at) = stubs.iter().position(|stub| stub.id == row.id) {
                let version = row.version;
                nodes[at].set_row(Complaint(row), version);
            }
        }
    }
    // A complaint that has left the scope of the viewer since its id was read is left out.
    let shown: Vec<_> = stubs.into_iter().zip(nodes).filter(|(_, node)| !node.lacks_row()).collect();
    request.note_complaints(shown.iter().map(|(stub, _)| stub.id));
    let keys = |stub| request.cursors().at(Place::Keys(ComplaintSort::stub_keys(&order, stub)));
    let places: Vec<Cursor> = shown.iter().map(|(stub, _)| keys(stub)).collect();
    let slice = Slice { rows: shown, more };
    let page_info = PageInfo::new(&slice, &window, &places);
    let counter = Counter::Query(Arc::new(move |conn| ComplaintSort::count(conn, condition()?)));
    let edges = places.into_iter().zip(slice.rows.into_iter().map(|(_, node)| node));
    Ok(Complaint::connection(edges, page_info, counter))
}

/// Loads the selected children of all complaints of a page. The data loaders would discover them one after
/// another and wait for each other.
async fn children(ctx: &Context<'_>, rows: &[models::Complaint]) -> Result<()> {
    request(ctx)?.note_complaints(rows.iter().map(|row| row.id));
    request(ctx)?.charge_texts(rows.iter().map(|row| row.text.as_ref()))?;
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
        // The resolver of the field refuses a size that is out of range.
        let Ok(number) = end_of_responses(ctx, first, end) else { continue };
        let (wanted, last) = (ids.clone(), end.is_some());
        let mut found = request(ctx)?.read(move |conn| queries::responses_of(conn, &wanted, number, last)).await?;
        let key = |complaint| ResponsesKey { complaint, number, last };
        let all = ids.iter().map(|id| (key(*id), Arc::new(found.remove(id).unwrap_or_default())));
        loaders(ctx)?.feed_many(all).await;
    }
    Ok(())
}
