//! The responses to each of several complaints (such as those of a page), read together.

use super::{ResponseFilter, UnitResponse, UnitResponseConnection, UnitResponseOrder};
use crate::graphql::connection::{Counter, assemble_rows};
use crate::graphql::context::{request, snapshot};
use crate::graphql::filter::Filter;
use crate::graphql::filter::ReferenceData;
use crate::graphql::loaders::{Loaders, ResponseCountKey, ResponsesKey, loaders, one};
use crate::graphql::page::{PageArgs, size};
use async_graphql::Error;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Result};
use schema::queries::{Direction, Pred, ResponseSort, Slice, Window};
use schema::tables::unit_responses;
use schema::{Id, StoreError, models, queries};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The arguments of the field: which part of the list of each complaint to load.
pub struct ListArguments {
    filter: Option<Box<ResponseFilter>>,
    reference: ReferenceData,
    direction: Direction,
    window: Window,
    /// The arguments as text; equal texts mean equal arguments.
    fingerprint: String,
}

impl ListArguments {
    fn condition(&self) -> Result<Option<Pred<unit_responses::table>>, StoreError> {
        self.filter.condition(&self.reference)
    }
}

/// The responses to one complaint, for some arguments.
#[derive(Clone)]
pub struct SomeResponsesKey {
    complaint: Id,
    arguments: Arc<ListArguments>,
}

impl PartialEq for SomeResponsesKey {
    fn eq(&self, other: &Self) -> bool {
        (self.complaint, &self.arguments.fingerprint) == (other.complaint, &other.arguments.fingerprint)
    }
}

impl Eq for SomeResponsesKey {}

impl Hash for SomeResponsesKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.complaint, &self.arguments.fingerprint).hash(state);
    }
}

/// The number of responses to one complaint that the filter selects.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SomeResponsesCountKey(pub SomeResponsesKey);

/// Groups keys by their arguments.
fn group_by_arguments<'k>(keys: impl Iterator<Item = &'k SomeResponsesKey>) -> Vec<(Arc<ListArguments>, Vec<Id>)> {
    let mut lists: HashMap<&String, (Arc<ListArguments>, Vec<Id>)> = HashMap::new();
    for key in keys {
        let list = lists.entry(&key.arguments.fingerprint);
        list.or_insert_with(|| (Arc::clone(&key.arguments), Vec::new())).1.push(key.complaint);
    }
    lists.into_values().collect()
}

impl Loader<SomeResponsesKey> for Loaders {
    type Value = Arc<Slice<models::UnitResponse>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SomeResponsesKey]) -> Result<HashMap<SomeResponsesKey, Self::Value>, Arc<Error>> {
        let mut all = HashMap::new();
        for (arguments, ids) in group_by_arguments(keys.iter()) {
            let of = Arc::clone(&arguments);
            let found = self
                .0
                .read(move |conn| queries::some_responses_of(conn, &ids, &|| of.condition(), of.direction, &of.window));
            let found = found.await.map_err(Arc::new)?;
            let key = |complaint| SomeResponsesKey { complaint, arguments: Arc::clone(&arguments) };
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
        for (arguments, ids) in group_by_arguments(keys.iter().map(|key| &key.0)) {
            let of = Arc::clone(&arguments);
            let found = self.0.read(move |conn| queries::count_some_responses_of(conn, &ids, &|| of.condition()));
            let found = found.await.map_err(Arc::new)?;
            let key =
                |complaint| SomeResponsesCountKey(SomeResponsesKey { complaint, arguments: Arc::clone(&arguments) });
            all.extend(found.into_iter().map(|(complaint, count)| (key(complaint), count)));
        }
        Ok(all)
    }
}

/// The responses to a complaint: those that a filter selects, in either order, or one end of the whole list.
///
/// # Errors
/// BAD_USER_INPUT if a page argument or the filter is wrong.
pub async fn responses_of(
    ctx: &Context<'_>,
    complaint: Id,
    filter: Option<Box<ResponseFilter>>,
    order_by: Option<Vec<UnitResponseOrder>>,
    page: PageArgs,
) -> Result<UnitResponseConnection> {
    let PageArgs { first, last, .. } = page;
    let is_one_end = page.after.is_none() && page.before.is_none() && (first.is_none() || last.is_none());
    if !is_one_end || filter.is_some() || order_by.is_some() {
        // Boxed: otherwise the future of every field of a complaint would be as large.
        return Box::pin(some_responses(ctx, complaint, filter, order_by, page)).await;
    }
    let number = end_of_responses(ctx, first, last)?;
    let limit = usize::try_from(number - 1).unwrap_or(0);
    let window = Window { limit, backward: last.is_some(), ..Window::default() };
    let key = ResponsesKey { complaint, number, last: window.backward };
    let all = one(loaders(ctx)?, key).await?.unwrap_or_default();
    let more = all.len() > limit;
    let beyond = all.len().saturating_sub(limit);
    let rows = if window.backward { &all[beyond..] } else { &all[..all.len() - beyond] };
    let counter = Counter::loaded(ResponseCountKey(complaint));
    connection_of(ctx, Slice { rows: rows.to_vec(), more }, Direction::Asc, &window, counter)
}

/// Another part of the list than one end of it. Without an order the oldest come first.
async fn some_responses(
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
    // There is only one sort field.
    let direction = order.map_or(Direction::Asc, |order| order[0].1);
    let reference = snapshot(ctx)?.reference.clone();
    let fingerprint = format!("{filter:?} {direction:?} {window:?}");
    let arguments = Arc::new(ListArguments { filter, reference, direction, window, fingerprint });
    let key = SomeResponsesKey { complaint, arguments: Arc::clone(&arguments) };
    let slice = one(loaders(ctx)?, key.clone()).await?;
    let slice = slice.map_or_else(|| Slice { rows: Vec::new(), more: false }, |slice| Slice::clone(&slice));
    let counter = Counter::loaded(SomeResponsesCountKey(key));
    connection_of(ctx, slice, direction, &arguments.window, counter)
}

fn connection_of(
    ctx: &Context<'_>,
    slice: Slice<models::UnitResponse>,
    direction: Direction,
    window: &Window,
    counter: Counter,
) -> Result<UnitResponseConnection> {
    request(ctx)?.charge_texts(slice.rows.iter().map(|row| Some(&row.text)))?;
    Ok(assemble_rows::<UnitResponse>(
        request(ctx)?.cursors(),
        slice,
        &[(ResponseSort::RespondedAt, direction)],
        window,
        counter,
    ))
}

/// The number of responses to load for each complaint: one more than asked for, which tells whether there are
/// more.
///
/// # Errors
/// BAD_USER_INPUT if `first` or `last` is negative or above the page size limit.
pub fn end_of_responses(ctx: &Context<'_>, first: Option<i32>, last: Option<i32>) -> Result<i64> {
    let largest = request(ctx)?.limits.page_size;
    let limit = match last {
        Some(last) => size("last", last, largest)?,
        None => size("first", first.unwrap_or(5), largest)?,
    };
    Ok(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
}
