//! Complaints as children: of a unit, an officer, an enterprise, a category. Those of all parents of a page
//! are read together.

use super::connection::Counter;
use super::context::{loaders, request, snapshot, viewer};
use super::filters::ComplaintFilter;
use super::loaders::{Loaders, one};
use super::page::{Cursor, PageArgs, PageInfo, Place};
use super::query::{ComplaintOrder, complaint_order, scoped};
use super::types::{Complaint, ComplaintConnection, ComplaintEdge};
use crate::auth::Scope;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, Result};
use futures_util::future::BoxFuture;
use jobs::snapshot::Reference;
use schema::queries::{self, ComplaintSort, Direction, Parent, Part, Pred, Slice, Window};
use schema::tables::complaints;
use schema::{Id, StoreError};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Which part of the list of each parent: the arguments of the field.
pub struct Wanted {
    filter: Option<Box<ComplaintFilter>>,
    scope: Scope,
    known: Arc<Reference>,
    order: Vec<(ComplaintSort, Direction)>,
    window: Window,
    /// Alike for arguments that are alike.
    written: String,
}

impl Wanted {
    fn condition(&self) -> Result<Option<Pred<complaints::table>>, StoreError> {
        let own = self.filter.as_ref().map_or(Ok(None), |filter| filter.condition(&self.known))?;
        Ok(scoped(&self.scope, own))
    }
}

/// The complaints of one parent.
#[derive(Clone)]
pub struct ComplaintsKey {
    pub parent: Parent,
    pub id: Id,
    pub wanted: Arc<Wanted>,
}

impl PartialEq for ComplaintsKey {
    fn eq(&self, other: &Self) -> bool {
        (self.parent, self.id, &self.wanted.written) == (other.parent, other.id, &other.wanted.written)
    }
}

impl Eq for ComplaintsKey {}

impl Hash for ComplaintsKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.parent, self.id, &self.wanted.written).hash(state);
    }
}

/// How many complaints a parent has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ComplaintCountKey(pub ComplaintsKey);

/// Keys of the same kind of parent and the same arguments go together.
fn together<'k>(keys: impl Iterator<Item = &'k ComplaintsKey>) -> Vec<(Parent, Arc<Wanted>, Vec<Id>)> {
    let mut lists: HashMap<_, (Arc<Wanted>, Vec<Id>)> = HashMap::new();
    for key in keys {
        let list = lists.entry((key.parent, &key.wanted.written));
        list.or_insert_with(|| (Arc::clone(&key.wanted), Vec::new())).1.push(key.id);
    }
    lists.into_iter().map(|((parent, _), (wanted, ids))| (parent, wanted, ids)).collect()
}

impl Loader<ComplaintsKey> for Loaders {
    type Value = Arc<Part>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ComplaintsKey]) -> Result<HashMap<ComplaintsKey, Self::Value>, Arc<Error>> {
        let mut all = HashMap::new();
        for (parent, wanted, ids) in together(keys.iter()) {
            let of = Arc::clone(&wanted);
            let found = self.0.read(move |conn| {
                queries::first_complaints_of(conn, parent, &ids, &|| of.condition(), &of.order, &of.window)
            });
            let found = found.await.map_err(Arc::new)?;
            let key = |id| ComplaintsKey { parent, id, wanted: Arc::clone(&wanted) };
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
        for (parent, wanted, ids) in together(keys.iter().map(|key| &key.0)) {
            let of = Arc::clone(&wanted);
            let found = self.0.read(move |conn| queries::count_complaints_of(conn, parent, &ids, &|| of.condition()));
            let found = found.await.map_err(Arc::new)?;
            let key = |id| ComplaintCountKey(ComplaintsKey { parent, id, wanted: Arc::clone(&wanted) });
            all.extend(found.into_iter().map(|(id, count)| (key(id), count)));
        }
        Ok(all)
    }
}

/// The complaints of a parent. The filter comes in a box, since every field of the parent shares one future as large as
/// the largest of them.
pub fn complaints_of<'c>(
    ctx: &'c Context<'_>,
    parent: Parent,
    id: Id,
    filter: Option<Box<ComplaintFilter>>,
    order_by: Option<Vec<ComplaintOrder>>,
    page: PageArgs,
) -> BoxFuture<'c, Result<ComplaintConnection>> {
    // On the heap: every field of the parent would be as large otherwise.
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
    let known = snapshot(ctx)?.reference.clone();
    let scope = viewer(ctx)?.scope(&known.tree);
    let written = format!("{filter:?} {order:?} {window:?}");
    let wanted = Arc::new(Wanted { filter, scope, known, order, window, written });
    let key = ComplaintsKey { parent, id, wanted: Arc::clone(&wanted) };
    let part = one(loaders(ctx)?, key.clone()).await?.unwrap_or_default();
    request.copies(part.rows.iter().map(|row| row.text.as_ref()))?;
    let slice = Slice { rows: part.rows.clone(), more: part.more };
    let sealer = request.cursors();
    let cursors: Vec<Cursor> =
        slice.rows.iter().map(|row| sealer.at(Place::Keys(ComplaintSort::keys(&wanted.order, row)))).collect();
    let page_info = PageInfo::new(&slice, &wanted.window, &cursors);
    request.saw_complaints(slice.rows.iter().map(|row| row.id));
    let nodes = slice.rows.into_iter().map(Complaint);
    let edges = nodes.zip(cursors).map(|(node, cursor)| ComplaintEdge { cursor, node }).collect();
    Ok(ComplaintConnection { edges, page_info, counter: Counter::ComplaintsOf(key) })
}
