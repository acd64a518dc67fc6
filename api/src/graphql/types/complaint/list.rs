//! The queries `complaints` and `complaint`.

use super::cacheable::COMPLAINT;
use super::{Complaint, ComplaintConnection, ComplaintFilter, ComplaintOrder, complaint_order};
use crate::graphql::connection::{Counter, ListItem, assemble, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::execute::{CachedSelections, ListNode};
use crate::graphql::filter::{Filter, OptionalCondition};
use crate::graphql::loaders::{AllegationsKey, ResponsesKey, loaders};
use crate::graphql::page::{Beyond, PageArgs, Place};
use crate::graphql::scalars::parse_id;
use crate::graphql::types::response::end_of_responses;
use async_graphql::{Context, ID, Object, Result};
use futures_util::future::BoxFuture;
use schema::queries::{ComplaintSort, Direction, Key, ListOrder, Purpose, Slice, with_search_index};
use schema::tables::complaints;
use schema::{Conn, Id, models, queries};
use std::collections::{BTreeSet, HashMap};
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
        let Some(selections) = CachedSelections::of_list(ctx, &COMPLAINT) else {
            return Box::pin(complaints_where(ctx, filter, order_by, page)).await;
        };
        let order = complaint_order(request(ctx)?, order_by);
        Box::pin(cached_list(ctx, &selections, page, order, condition(ctx, filter)?)).await
    }

    /// One complaint by id; null if there is none, or you may not see it.
    async fn complaint(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Complaint>> {
        let (scope, id) = (viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree), parse_id(&id)?);
        let found = request(ctx)?.read(move |conn| queries::complaint_by_id(conn, id, scope.condition())).await?;
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
    let order = complaint_order(request(ctx)?, order_by);
    list::<Complaint>(ctx, page, order, condition(ctx, filter)?).await
}

/// The condition of a list of complaints: its filter, within the row scope of the viewer.
fn condition(
    ctx: &Context<'_>,
    filter: Option<ComplaintFilter>,
) -> Result<impl Fn() -> OptionalCondition<complaints::table> + Send + Sync + use<>> {
    let reference = snapshot(ctx)?.reference.clone();
    let scope = viewer(ctx)?.scope(&reference.tree);
    Ok(move || Ok(scope.and(filter.condition(&reference)?)))
}

/// A page of a root list from the cache of objects: reads ids and versions, and only those rows whose JSON is not
/// cached.
///
/// Lists below other objects are not cached: what loaders have read by then may be older than the rows of the page.
async fn cached_list(
    ctx: &Context<'_>,
    selections: &Arc<CachedSelections>,
    page: PageArgs,
    order: Vec<(ComplaintSort, Direction)>,
    condition: impl Fn() -> OptionalCondition<complaints::table> + Send + Sync + 'static,
) -> Result<ComplaintConnection> {
    let request = request(ctx)?;
    let window = page.window(request.limits.page_size, request.cursors())?;
    let condition = Arc::new(condition);
    let (wanted, list_order, list_window) = (Arc::clone(&condition), order.clone(), window.clone());
    let Slice { rows, more } = if selections.are_known() {
        let listed = move |conn: &mut Conn| {
            let condition = with_search_index(conn, Purpose::Page, &*wanted)?;
            ComplaintSort::list_stubs(conn, condition, &list_order, &list_window)
        };
        let Slice { rows: stubs, more } = request.read(listed).await?;
        Slice { rows: with_missing_rows(ctx, selections, stubs, &order, &condition).await?, more }
    } else {
        let listed = move |conn: &mut Conn| {
            let condition = with_search_index(conn, Purpose::Page, &*wanted)?;
            ComplaintSort::list(conn, condition, &list_order, &list_window)
        };
        let Slice { rows, more } = request.read(listed).await?;
        Complaint::prepare(ctx, &rows).await?;
        let with_keys = rows.into_iter().map(|row| {
            let (keys, id, version) = (ComplaintSort::keys(&order, &row), row.id, row.version);
            (keys, selections.node_of(Complaint(row), id, version))
        });
        Slice { rows: with_keys.collect(), more }
    };
    let edges = rows.into_iter().map(|(keys, node)| (request.cursors().at(Place::Keys(keys)), node));
    let counter = Counter::Query(Arc::new(move |conn: &mut Conn| {
        let condition = with_search_index(conn, Purpose::Count, &*condition)?;
        ComplaintSort::count(conn, condition)
    }));
    Ok(assemble::<Complaint>(edges, Beyond::window(&window, more), counter))
}

/// The rows of a page with their sort keys: from the cache, else from the database. A complaint that no longer belongs
/// to the list since its id was read is left out.
async fn with_missing_rows(
    ctx: &Context<'_>,
    selections: &Arc<CachedSelections>,
    stubs: Vec<models::ComplaintStub>,
    order: &[(ComplaintSort, Direction)],
    condition: &Arc<impl Fn() -> OptionalCondition<complaints::table> + Send + Sync + 'static>,
) -> Result<Vec<(Vec<Key>, ListNode<Complaint>)>> {
    let request = request(ctx)?;
    let with_node = |stub: models::ComplaintStub| (selections.node(stub.id, stub.version), stub);
    let mut page: Vec<(ListNode<Complaint>, models::ComplaintStub)> = stubs.into_iter().map(with_node).collect();
    let missing: Vec<Id> = page.iter().filter(|(node, _)| node.lacks_row()).map(|(_, stub)| stub.id).collect();
    let mut read: HashMap<Id, models::Complaint> = HashMap::new();
    if !missing.is_empty() {
        let (wanted, ids) = (Arc::clone(condition), missing.clone());
        read = request.read(move |conn: &mut Conn| queries::complaints_by_id(conn, &ids, || wanted())).await?;
        page.retain(|(node, stub)| !node.lacks_row() || read.contains_key(&stub.id));
        let in_order: Vec<models::Complaint> = missing.iter().filter_map(|id| read.get(id).cloned()).collect();
        Complaint::prepare(ctx, &in_order).await?;
    }
    request.note_complaints(page.iter().map(|(_, stub)| stub.id));
    let with_keys = page.into_iter().map(|(mut node, stub)| match read.remove(&stub.id) {
        Some(row) => {
            let (keys, version) = (ComplaintSort::keys(order, &row), row.version);
            node.set_row(Complaint(row), version);
            (keys, node)
        }
        None => (ComplaintSort::stub_keys(order, &stub), node),
    });
    Ok(with_keys.collect())
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
