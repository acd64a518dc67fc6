//! Responses as children of complaints: those that a filter finds, in either order, or another part of their list than
//! one end of it. Those of all complaints of a page are read together.

use super::connection::Counter;
use super::context::{loaders, request, snapshot};
use super::filters::ResponseFilter;
use super::loaders::{Loaders, one};
use super::page::{Cursor, PageArgs, PageInfo, Place};
use super::query::UnitResponseOrder;
use super::types::{UnitResponse, UnitResponseConnection, UnitResponseEdge};
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, Result};
use jobs::snapshot::Reference;
use schema::models;
use schema::queries::{self, Direction, Pred, ResponseSort, Slice, Window};
use schema::tables::unit_responses;
use schema::{Id, StoreError};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Which part of the list of each complaint: the arguments of the field.
pub struct Wanted {
    filter: Option<Box<ResponseFilter>>,
    known: Arc<Reference>,
    direction: Direction,
    window: Window,
    /// Alike for arguments that are alike.
    written: String,
}

impl Wanted {
    fn condition(&self) -> Result<Option<Pred<unit_responses::table>>, StoreError> {
        self.filter.as_ref().map_or(Ok(None), |filter| filter.condition(&self.known))
    }
}

/// The responses to one complaint.
#[derive(Clone)]
pub struct SomeResponsesKey {
    complaint: Id,
    wanted: Arc<Wanted>,
}

impl PartialEq for SomeResponsesKey {
    fn eq(&self, other: &Self) -> bool {
        (self.complaint, &self.wanted.written) == (other.complaint, &other.wanted.written)
    }
}

impl Eq for SomeResponsesKey {}

impl Hash for SomeResponsesKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.complaint, &self.wanted.written).hash(state);
    }
}

/// How many of them the filter finds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SomeResponsesCountKey(pub SomeResponsesKey);

/// Keys with the same arguments go together.
fn together<'k>(keys: impl Iterator<Item = &'k SomeResponsesKey>) -> Vec<(Arc<Wanted>, Vec<Id>)> {
    let mut lists: HashMap<&String, (Arc<Wanted>, Vec<Id>)> = HashMap::new();
    for key in keys {
        let list = lists.entry(&key.wanted.written);
        list.or_insert_with(|| (Arc::clone(&key.wanted), Vec::new())).1.push(key.complaint);
    }
    lists.into_values().collect()
}

impl Loader<SomeResponsesKey> for Loaders {
    type Value = Arc<Slice<models::UnitResponse>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SomeResponsesKey]) -> Result<HashMap<SomeResponsesKey, Self::Value>, Arc<Error>> {
        let mut all = HashMap::new();
        for (wanted, ids) in together(keys.iter()) {
            let of = Arc::clone(&wanted);
            let found = self
                .0
                .read(move |conn| queries::some_responses_of(conn, &ids, &|| of.condition(), of.direction, &of.window));
            let found = found.await.map_err(Arc::new)?;
            let key = |complaint| SomeResponsesKey { complaint, wanted: Arc::clone(&wanted) };
            all.extend(found.into_iter().map(|(complaint, slice)| (key(complaint), Arc::new(slice))));
        }
        Ok(all)
    }
}

impl Loader<SomeResponsesCountKey> for Loaders {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SomeResponsesCountKey]) -> Result<HashMap<SomeResponsesCountKey, i64>, Arc<Error>> {
        let mut all = HashMap::new();
        for (wanted, ids) in together(keys.iter().map(|key| &key.0)) {
            let of = Arc::clone(&wanted);
            let found = self.0.read(move |conn| queries::count_some_responses_of(conn, &ids, &|| of.condition()));
            let found = found.await.map_err(Arc::new)?;
            let key = |complaint| SomeResponsesCountKey(SomeResponsesKey { complaint, wanted: Arc::clone(&wanted) });
            all.extend(found.into_iter().map(|(complaint, count)| (key(complaint), count)));
        }
        Ok(all)
    }
}

/// A part of the responses to a complaint. Without an order the oldest come first.
pub async fn some_responses(
    ctx: &Context<'_>,
    complaint: Id,
    filter: Option<Box<ResponseFilter>>,
    order_by: Option<Vec<UnitResponseOrder>>,
    mut page: PageArgs,
) -> Result<UnitResponseConnection> {
    let request = request(ctx)?;
    if page.first.is_none() && page.last.is_none() {
        page.first = Some(5);
    }
    let window = page.window(request.limits.page_size, request.cursors())?;
    let order = order_by.filter(|order| !order.is_empty()).map(|order| UnitResponseOrder::list(Some(order)));
    // There is but one field to order by.
    let direction = order.map_or(Direction::Asc, |order| order[0].1);
    let known = snapshot(ctx)?.reference.clone();
    let written = format!("{filter:?} {direction:?} {window:?}");
    let wanted = Arc::new(Wanted { filter, known, direction, window, written });
    let key = SomeResponsesKey { complaint, wanted: Arc::clone(&wanted) };
    let slice =
        one(loaders(ctx)?, key.clone()).await?.unwrap_or_else(|| Arc::new(Slice { rows: Vec::new(), more: false }));
    request.copies(slice.rows.iter().map(|row| Some(&row.text)))?;
    let order = [(ResponseSort::RespondedAt, direction)];
    let sealer = request.cursors();
    let cursors: Vec<Cursor> =
        slice.rows.iter().map(|row| sealer.at(Place::Keys(ResponseSort::keys(&order, row)))).collect();
    let page_info = PageInfo::new(&*slice, &wanted.window, &cursors);
    let nodes = slice.rows.iter().cloned().map(UnitResponse);
    let edges = nodes.zip(cursors).map(|(node, cursor)| UnitResponseEdge { cursor, node }).collect();
    Ok(UnitResponseConnection { edges, page_info, counter: Counter::SomeResponsesOf(key) })
}
