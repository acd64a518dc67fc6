//! The queries `complaints` and `complaint`.

use super::cacheable::COMPLAINT;
use super::overdue_page::{CountedList, OverdueList};
use super::snapshot_page::{SnapshotList, keys};
use super::{Complaint, ComplaintConnection, ComplaintFilter, ComplaintOrder, complaint_order};
use crate::access::Scope;
use crate::graphql::connection::{COUNTS, Counter, ListItem, assemble, assemble_rows, only_counts};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::from_store;
use crate::graphql::exact_snapshots::PageSource;
use crate::graphql::execute::{CachedSelections, ListNode};
use crate::graphql::filter::{Filter, OptionalCondition, ReferenceData};
use crate::graphql::loaders::{AllegationsKey, ResponsesKey, loaders};
use crate::graphql::page::{Beyond, PageArgs, Place, limit_of_count};
use crate::graphql::scalars::parse_id;
use crate::graphql::statistics_cache::StatisticKey;
use crate::graphql::types::response::end_of_responses;
use async_graphql::{Context, Error, ID, Object, Result};
use futures_util::future::BoxFuture;
use jobs::snapshot::{Listed, Snapshot};
use schema::queries::{
    ComplaintSort, Direction, Key, ListOrder, Pred, Purpose, Slice, Window, count_up_to, with_search_index,
};
use schema::tables::complaints;
use schema::{Conn, Id, StoreError, models, queries};
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
        if let Some((number, beyond)) = Box::pin(count_alone(ctx, filter.as_ref(), &page)).await? {
            return Ok(assemble::<Complaint>(std::iter::empty(), beyond, Counter::Known(number)));
        }
        let cacheable = if only_counts(ctx, &page) { None } else { CachedSelections::of_list(ctx, &COMPLAINT) };
        let Some(selections) = cacheable else {
            return Box::pin(complaints_where(ctx, filter, order_by, page)).await;
        };
        let order = complaint_order(request(ctx)?, order_by);
        let snapshot_list = match &request(ctx)?.exact {
            Some(snapshot) => SnapshotList::of(snapshot, viewer(ctx)?, filter.as_ref(), &order),
            None => None,
        };
        Box::pin(cached_list(ctx, &selections, page, order, snapshot_list, Selected::new(ctx, filter)?)).await
    }

    /// One complaint by id; null if none exists, or you may not see it.
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
///
/// # Errors
/// If an argument is refused, or the database fails.
pub async fn complaints_where(
    ctx: &Context<'_>,
    filter: Option<ComplaintFilter>,
    order_by: Option<Vec<ComplaintOrder>>,
    page: PageArgs,
) -> Result<ComplaintConnection> {
    let request = request(ctx)?;
    let order = complaint_order(request, order_by);
    let window = page.window(request.limits.page_size, request.cursors())?;
    let only_counts = only_counts(ctx, &page);
    let (listed, number) = match &request.exact {
        Some(snapshot) => in_columns(ctx, snapshot, filter.as_ref(), &order, (!only_counts).then_some(&window))?,
        None => (None, None),
    };
    if listed.is_some() {
        request.app.exact_snapshots.count_page(PageSource::Snapshot);
    }
    let selected = Selected::new(ctx, filter)?;
    if only_counts {
        // A wrong filter is an error of the list, as it is with a page.
        selected.condition(&selected.scope).map_err(from_store)?;
        let counter = number.map_or_else(|| counter(selected), Counter::Known);
        return Ok(assemble::<Complaint>(std::iter::empty(), Beyond::window(&window, false), counter));
    }
    let (wanted, list_order, list_window) = (Arc::clone(&selected), order.clone(), window.clone());
    let read = move |conn: &mut Conn| match listed {
        // A complaint that no longer belongs to the list since its id was read is left out.
        Some(Slice { rows: ids, more }) => {
            let mut found = wanted.among(conn, &ids)?;
            Ok(Slice { rows: ids.iter().filter_map(|id| found.remove(id)).collect(), more })
        }
        None => {
            let parts = wanted.conditions(conn)?;
            ComplaintSort::list_parts(conn, parts, &list_order, &list_window)
        }
    };
    let slice = request.read(read).await?;
    Complaint::prepare(ctx, &slice.rows).await?;
    let counter = number.map_or_else(|| counter(selected), Counter::Known);
    Ok(assemble_rows::<Complaint>(request.cursors(), slice, &order, &window, counter))
}

/// Takes from the snapshot what takes long in the database: the complaints of a page that overdue ones are sorted for,
/// if there is a page, and how many complaints the list has, if that is asked for.
fn in_columns(
    ctx: &Context<'_>,
    snapshot: &Arc<Snapshot>,
    filter: Option<&ComplaintFilter>,
    order: &[(ComplaintSort, Direction)],
    window: Option<&Window>,
) -> Result<(Option<Slice<Id>>, Option<i64>)> {
    let (viewer, counts) = (viewer(ctx)?, asks_for_count(ctx));
    if let Some(overdue) = filter.and_then(|filter| OverdueList::of(snapshot, viewer, filter)) {
        let number = if counts { overdue.count() } else { None };
        let ids = |Slice { rows, more }: Slice<Listed>| Slice { rows: rows.iter().map(|row| row.id).collect(), more };
        return Ok((window.and_then(|window| overdue.page(order, window)).map(ids), number));
    }
    let number =
        if counts { SnapshotList::unordered(snapshot, viewer, filter).and_then(|list| list.count()) } else { None };
    Ok((None, number))
}

/// The complaints of a list: those that its filter selects within the row scope of the viewer. They come in the parts
/// of the scope, because each of these has an index in the order of time.
struct Selected {
    filter: Option<ComplaintFilter>,
    reference: ReferenceData,
    scope: Scope,
    parts: Vec<Scope>,
}

impl Selected {
    fn new(ctx: &Context<'_>, filter: Option<ComplaintFilter>) -> Result<Arc<Self>> {
        let reference = snapshot(ctx)?.reference.clone();
        let scope = viewer(ctx)?.scope(&reference.tree);
        let parts = scope.parts();
        Ok(Arc::new(Self { filter, reference, scope, parts }))
    }

    fn condition(&self, part: &Scope) -> OptionalCondition<complaints::table> {
        Ok(part.and(self.filter.condition(&self.reference)?))
    }

    /// The condition of each part, for a page.
    fn conditions(&self, conn: &mut Conn) -> Result<Vec<Option<Pred<complaints::table>>>, StoreError> {
        self.parts.iter().map(|part| with_search_index(conn, Purpose::Page, || self.condition(part))).collect()
    }

    /// The number of complaints, or `most` if there are more.
    fn count(&self, conn: &mut Conn, most: Option<i64>) -> Result<i64, StoreError> {
        let mut sum = 0;
        if let Some(most) = most {
            for part in &self.parts {
                if sum < most {
                    sum += count_up_to::<ComplaintSort>(conn, most - sum, || self.condition(part))?;
                }
            }
            return Ok(sum);
        }
        for part in &self.parts {
            let condition = with_search_index(conn, Purpose::Count, || self.condition(part))?;
            sum += ComplaintSort::count(conn, condition)?;
        }
        Ok(sum)
    }

    /// The complaints among some ids.
    fn among(&self, conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, models::Complaint>, StoreError> {
        queries::complaints_by_id(conn, ids, || self.condition(&self.scope))
    }
}

/// The number of complaints in a list, up to a limit if there is one, of which an operation with other fields selects
/// nothing else: kept while the register's position and the day are the same, and from the columns of the snapshot where
/// they hold what the filter asks for. None if the list is read like others.
async fn count_alone(
    ctx: &Context<'_>,
    filter: Option<&ComplaintFilter>,
    page: &PageArgs,
) -> Result<Option<(i64, Beyond)>> {
    let request = request(ctx)?;
    let Some(most) = limit_alone(ctx)? else { return Ok(None) };
    // Whole answers of lists are kept in another way, and a cursor has to be checked by the list.
    let is_kept = request.is_query && !request.selects_lists_only;
    if !is_kept || page.after.is_some() || page.before.is_some() {
        return Ok(None);
    }
    let window = page.window(request.limits.page_size, request.cursors())?;
    let Some(position) = request.app.exact_snapshots.position().await else { return Ok(None) };
    let (viewer, snapshot) = (viewer(ctx)?, snapshot(ctx)?);
    let of_columns = Some(&snapshot).filter(|snapshot| snapshot.position == position);
    let of_columns = of_columns.and_then(|snapshot| CountedList::of(snapshot, viewer, filter));
    // A replica may not have reached the position, and the primary is spared.
    let has_replica = request.app.reads.has_replica();
    if has_replica && of_columns.is_none() {
        return Ok(None);
    }
    let selected = Selected::new(ctx, filter.cloned())?;
    let key = StatisticKey::of(ctx, &snapshot, viewer, request.today(), format!("{position} {most:?}"));
    // Another snapshot may have come meanwhile.
    let key = key.filter(|_| Arc::ptr_eq(&selected.reference, &snapshot.reference));
    let Some(key) = key else { return Ok(None) };
    let counting = async {
        if let Some(number) = of_columns.and_then(|list| list.count()) {
            return Ok::<_, Error>((number, true));
        }
        let number = request.read(move |conn| selected.count(conn, most)).await?;
        Ok((number, !has_replica && request.app.exact_snapshots.position().await == Some(position)))
    };
    let number = request.app.statistics_cache.get_or_compute(key, counting).await?;
    Ok(Some((*number, Beyond::window(&window, false))))
}

/// Up to which number a list is counted of which one count is all that a query selects: `Some(None)` to the end. None if
/// it selects something else, or a limit that the count refuses.
fn limit_alone(ctx: &Context<'_>) -> Result<Option<Option<i64>>> {
    let list = ctx.field();
    let mut fields = list.selection_set();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Ok(None) };
    if field.name() == "totalCount" {
        return Ok(Some(None));
    }
    let arguments = field.arguments()?;
    let limit = arguments.iter().find(|(name, _)| field.name() == "totalCountUpTo" && name == "limit");
    let limit = limit.and_then(|(_, value)| i32::from_str(&value.to_string()).ok());
    Ok(limit.and_then(|limit| limit_of_count(limit).ok()).map(Some))
}

fn counter(selected: Arc<Selected>) -> Counter {
    Counter::Query(Arc::new(move |conn: &mut Conn, most| selected.count(conn, most)))
}

/// A page of a root list from the cache of objects: reads ids and versions, from the snapshot if it may, and only those
/// rows whose JSON is not cached.
///
/// Lists below other objects are not cached: what loaders have read by then may be older than the rows of the page.
async fn cached_list(
    ctx: &Context<'_>,
    selections: &Arc<CachedSelections>,
    page: PageArgs,
    order: Vec<(ComplaintSort, Direction)>,
    snapshot_list: Option<SnapshotList>,
    selected: Arc<Selected>,
) -> Result<ComplaintConnection> {
    let request = request(ctx)?;
    let window = page.window(request.limits.page_size, request.cursors())?;
    let (wanted, list_order, list_window) = (Arc::clone(&selected), order.clone(), window.clone());
    let listed = snapshot_list.as_ref().and_then(|list| list.page(&window));
    let source = if listed.is_some() { PageSource::Snapshot } else { PageSource::Database };
    request.app.exact_snapshots.count_page(source);
    let are_known = selections.are_known();
    let Slice { rows, more } = if let Some(Slice { rows: listed, more }) = listed {
        let stubs = listed.iter().map(|row| Stub { id: row.id, version: row.version, keys: keys(row) }).collect();
        Slice { rows: with_missing_rows(ctx, selections, stubs, &order, &selected).await?, more }
    } else if are_known {
        let listed = move |conn: &mut Conn| {
            let parts = wanted.conditions(conn)?;
            ComplaintSort::list_stubs(conn, parts, &list_order, &list_window)
        };
        let Slice { rows: stubs, more } = request.read(listed).await?;
        let stubs = stubs.iter().map(|stub| Stub {
            id: stub.id,
            version: stub.version,
            keys: ComplaintSort::stub_keys(&order, stub),
        });
        let stubs = stubs.collect();
        Slice { rows: with_missing_rows(ctx, selections, stubs, &order, &selected).await?, more }
    } else {
        let listed = move |conn: &mut Conn| {
            let parts = wanted.conditions(conn)?;
            ComplaintSort::list_parts(conn, parts, &list_order, &list_window)
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
    let counted = snapshot_list.filter(|_| asks_for_count(ctx)).and_then(|list| list.count());
    let counter = match counted {
        Some(number) => Counter::Known(number),
        None => counter(selected),
    };
    Ok(assemble::<Complaint>(edges, Beyond::window(&window, more), counter))
}

fn asks_for_count(ctx: &Context<'_>) -> bool {
    COUNTS.into_iter().any(|field| ctx.look_ahead().field(field).exists())
}

/// A complaint of a page, whose row may have to be read.
struct Stub {
    id: Id,
    version: i32,
    keys: Vec<Key>,
}

/// The rows of a page with their sort keys: from the cache, else from the database. A complaint that no longer belongs
/// to the list since its id was read is left out.
async fn with_missing_rows(
    ctx: &Context<'_>,
    selections: &Arc<CachedSelections>,
    stubs: Vec<Stub>,
    order: &[(ComplaintSort, Direction)],
    selected: &Arc<Selected>,
) -> Result<Vec<(Vec<Key>, ListNode<Complaint>)>> {
    let request = request(ctx)?;
    let with_node = |stub: Stub| (selections.node(stub.id, stub.version), stub);
    let mut page: Vec<(ListNode<Complaint>, Stub)> = stubs.into_iter().map(with_node).collect();
    let missing: Vec<Id> = page.iter().filter(|(node, _)| node.lacks_row()).map(|(_, stub)| stub.id).collect();
    let mut read: HashMap<Id, models::Complaint> = HashMap::new();
    if !missing.is_empty() {
        let (wanted, ids) = (Arc::clone(selected), missing.clone());
        read = request.read(move |conn: &mut Conn| wanted.among(conn, &ids)).await?;
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
        None => (stub.keys, node),
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
