//! The complaints of each of several parents (the units, officers, enterprises or categories of a page), read together.

use super::{Complaint, ComplaintConnection, ComplaintFilter, ComplaintOrder, complaint_order};
use crate::access::Scope;
use crate::graphql::connection::{Counter, assemble_rows};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::ReferenceData;
use crate::graphql::loaders::{Loaders, loaders, one};
use crate::graphql::page::PageArgs;
use async_graphql::Error;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Result};
use futures_util::future::BoxFuture;
use schema::queries::Page;
use schema::queries::{ComplaintSort, Direction, Parent, Pred, Slice, Window};
use schema::tables::complaints;
use schema::{Id, StoreError, queries};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The arguments of the field: which part of the list of each parent to load.
pub struct ListArguments {
    filter: Option<Box<ComplaintFilter>>,
    scope: Scope,
    reference: ReferenceData,
    order: Vec<(ComplaintSort, Direction)>,
    window: Window,
    /// The arguments as text; equal texts mean equal arguments.
    fingerprint: String,
}

impl ListArguments {
    fn condition(&self) -> Result<Option<Pred<complaints::table>>, StoreError> {
        let own = self.filter.condition(&self.reference)?;
        Ok(self.scope.and(own))
    }
}

/// The complaints of one parent, for some arguments.
#[derive(Clone)]
pub struct ComplaintsKey {
    pub parent: Parent,
    pub id: Id,
    pub arguments: Arc<ListArguments>,
}

impl PartialEq for ComplaintsKey {
    fn eq(&self, other: &Self) -> bool {
        (self.parent, self.id, &self.arguments.fingerprint) == (other.parent, other.id, &other.arguments.fingerprint)
    }
}

impl Eq for ComplaintsKey {}

impl Hash for ComplaintsKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.parent, self.id, &self.arguments.fingerprint).hash(state);
    }
}

/// The number of complaints of a parent that the filter selects.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ComplaintCountKey(pub ComplaintsKey);

/// Groups keys by kind of parent and arguments.
fn group_by_arguments<'k>(keys: impl Iterator<Item = &'k ComplaintsKey>) -> Vec<(Parent, Arc<ListArguments>, Vec<Id>)> {
    let mut lists: HashMap<_, (Arc<ListArguments>, Vec<Id>)> = HashMap::new();
    for key in keys {
        let list = lists.entry((key.parent, &key.arguments.fingerprint));
        list.or_insert_with(|| (Arc::clone(&key.arguments), Vec::new())).1.push(key.id);
    }
    lists.into_iter().map(|((parent, _), (arguments, ids))| (parent, arguments, ids)).collect()
}

impl Loader<ComplaintsKey> for Loaders {
    type Value = Arc<Page>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ComplaintsKey]) -> Result<HashMap<ComplaintsKey, Self::Value>, Arc<Error>> {
        let mut all = HashMap::new();
        for (parent, arguments, ids) in group_by_arguments(keys.iter()) {
            let of = Arc::clone(&arguments);
            let found = self.0.read(move |conn| {
                queries::first_complaints_of(conn, parent, &ids, &|| of.condition(), &of.order, &of.window)
            });
            let found = found.await.map_err(Arc::new)?;
            let key = |id| ComplaintsKey { parent, id, arguments: Arc::clone(&arguments) };
            all.extend(found.into_iter().map(|(id, part)| (key(id), Arc::new(part))));
        }
        Ok(all)
    }
}

impl Loader<ComplaintCountKey> for Loaders {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ComplaintCountKey]) -> Result<HashMap<ComplaintCountKey, i64>, Arc<Error>> {
        let mut all = HashMap::new();
        for (parent, arguments, ids) in group_by_arguments(keys.iter().map(|key| &key.0)) {
            let of = Arc::clone(&arguments);
            let found = self.0.read(move |conn| queries::count_complaints_of(conn, parent, &ids, &|| of.condition()));
            let found = found.await.map_err(Arc::new)?;
            let key = |id| ComplaintCountKey(ComplaintsKey { parent, id, arguments: Arc::clone(&arguments) });
            all.extend(found.into_iter().map(|(id, count)| (key(id), count)));
        }
        Ok(all)
    }
}

/// A page of the complaints of a parent. The filter is boxed, since all fields of the parent share one future
/// as large as the largest of them.
pub fn complaints_of<'c>(
    ctx: &'c Context<'_>,
    parent: Parent,
    id: Id,
    filter: Option<Box<ComplaintFilter>>,
    order_by: Option<Vec<ComplaintOrder>>,
    page: PageArgs,
) -> BoxFuture<'c, Result<ComplaintConnection>> {
    // Boxed: otherwise the future of every field of the parent would be as large.
    Box::pin(listed(ctx, parent, id, filter, order_by, page))
}

async fn listed(
    ctx: &Context<'_>,
    parent: Parent,
    id: Id,
    filter: Option<Box<ComplaintFilter>>,
    order_by: Option<Vec<ComplaintOrder>>,
    page: PageArgs,
) -> Result<ComplaintConnection> {
    let request = request(ctx)?;
    let window = page.window(request.limits.page_size, request.cursors())?;
    let order = complaint_order(request, order_by);
    let reference = snapshot(ctx)?.reference.clone();
    let scope = viewer(ctx)?.scope(&reference.tree);
    let fingerprint = format!("{filter:?} {order:?} {window:?}");
    let arguments = Arc::new(ListArguments { filter, scope, reference, order, window, fingerprint });
    let key = ComplaintsKey { parent, id, arguments: Arc::clone(&arguments) };
    let part = one(loaders(ctx)?, key.clone()).await?.unwrap_or_default();
    request.charge_texts(part.rows.iter().map(|row| row.text.as_ref()))?;
    request.note_complaints(part.rows.iter().map(|row| row.id));
    let slice = Slice { rows: part.rows.clone(), more: part.more };
    let counter = Counter::loaded(ComplaintCountKey(key));
    Ok(assemble_rows::<Complaint>(request.cursors(), slice, &arguments.order, &arguments.window, counter))
}
