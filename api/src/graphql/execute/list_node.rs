//! The rows of a list as GraphQL objects: resolved from the stored row, or taken from the cache of objects.
//!
//! An object is cached if its selection consists of [`Cacheable`] fields. Its JSON depends on the version of the row,
//! the selection, the rights of the viewer, and the names of units, categories, officers and enterprises in the
//! snapshot ([`Snapshot::names_version`]). Whatever an object shows besides, such as a flag, is in no [`Cacheable`]
//! type.
//!
//! [`Snapshot::names_version`]: jobs::snapshot::Snapshot::names_version

use super::Inline;
use super::field_order::in_document_order;
use super::object_cache::{CachedObject, ObjectCache, ObjectKey, SelectionHash};
use super::selection::{Cacheable, Referenced, text_of_selection};
use crate::access::Viewer;
use crate::budget::bytes_of_fields;
use crate::graphql::audit_subjects::shown_by;
use crate::graphql::context::{App, RequestContext};
use crate::graphql::json::write_value;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContainerType, Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use bytes::Bytes;
use schema::Id;
use schema::enums::Locale;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::{Arc, PoisonError};

/// The cacheable selections of the rows of one list.
pub struct CachedSelections {
    cache: Arc<ObjectCache>,
    /// The address of each selection in the document, and its hash.
    selections: Vec<(usize, SelectionHash)>,
}

impl CachedSelections {
    /// The selections of the rows of the list that this field resolves to. None if one of them is not cacheable.
    pub fn of_list(ctx: &Context<'_>, of: &'static Cacheable) -> Option<Arc<Self>> {
        let request = ctx.data_opt::<RequestContext>()?;
        let cache = Arc::clone(&request.app.objects);
        // A field that is selected twice is merged, which takes values instead of JSON.
        let is_cacheable = request.is_query && !request.catches_panics && request.selects_each_field_once;
        if !is_cacheable || !cache.is_enabled() {
            return None;
        }
        let mut rows = Vec::new();
        rows_of(ctx, &ctx.item.node.selection_set, &mut rows)?;
        // Read before the names themselves, which may be newer: an entry never keeps old names under a new version.
        let depends_on = dependencies(&request.app, request.viewer.as_ref()?, request.locale);
        let referenced = Referenced { fragments: &ctx.query_env.fragments, variables: &ctx.query_env.variables };
        let selections = rows
            .into_iter()
            .map(|selection| Some((address(selection), selection_hash(&depends_on, referenced, &selection.node, of)?)));
        let selections = selections.collect::<Option<Vec<_>>>()?;
        Some(Arc::new(Self { cache, selections }))
    }

    /// Whether the cache may hold rows of this list. If not, all rows are read at once, without a look at their
    /// versions first.
    pub fn are_known(&self) -> bool {
        // No short cut: `has_selection` has to note each selection.
        self.selections.iter().fold(true, |all, (_, hash)| self.cache.has_selection(*hash) && all)
    }

    /// A row that was read.
    pub fn node_of<N>(self: &Arc<Self>, row: N, id: Id, version: i32) -> ListNode<N> {
        ListNode { row: Some(row), cached: Vec::new(), caching: Some(Caching { list: Arc::clone(self), id, version }) }
    }

    /// The JSON of a row in the cache.
    pub fn node<N>(self: &Arc<Self>, id: Id, version: i32) -> ListNode<N> {
        let get = |selection| self.cache.get(&ObjectKey { selection, id, version });
        let cached = self.selections.iter().filter_map(|(at, hash)| Some((*at, get(*hash)?))).collect();
        ListNode { row: None, cached, caching: Some(Caching { list: Arc::clone(self), id, version }) }
    }
}

/// Collects the selections of the rows below a connection.
fn rows_of<'a>(
    ctx: &Context<'a>,
    connection: &'a Positioned<SelectionSet>,
    rows: &mut Vec<&'a Positioned<SelectionSet>>,
) -> Option<()> {
    for selection in &connection.node.items {
        match &selection.node {
            Selection::Field(field) => match field.node.name.node.as_str() {
                "nodes" | "node" => rows.push(&field.node.selection_set),
                "edges" => rows_of(ctx, &field.node.selection_set, rows)?,
                _ => {}
            },
            Selection::InlineFragment(fragment) => rows_of(ctx, &fragment.node.selection_set, rows)?,
            Selection::FragmentSpread(spread) => {
                let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node)?;
                rows_of(ctx, &fragment.node.selection_set, rows)?;
            }
        }
    }
    Some(())
}

fn address(selection: &Positioned<SelectionSet>) -> usize {
    std::ptr::from_ref(selection).addr()
}

/// The inputs of every object besides its row and its selection.
pub fn dependencies(app: &App, viewer: &Viewer, locale: Locale) -> String {
    format!(
        "{:?} {:?} {:?} {} {:?} {:?} {} ",
        viewer.role,
        viewer.unit_id,
        viewer.officer_id,
        viewer.outside,
        app.keys.as_ref().map(|keys| keys.version()),
        locale,
        app.snapshots.current().names_version,
    )
}

/// The hash of a selection of rows and of what their JSON depends on ([`dependencies`]). None if the selection is not
/// cacheable.
pub fn selection_hash(
    depends_on: &str,
    referenced: Referenced<'_>,
    selection: &SelectionSet,
    of: &'static Cacheable,
) -> Option<SelectionHash> {
    let mut text = depends_on.to_owned();
    text_of_selection(referenced, selection, of, &mut text)?;
    let mut hash = SelectionHash::default();
    hash.copy_from_slice(&Sha256::digest(text)[..16]);
    Some(hash)
}

/// A row of a list.
pub struct ListNode<N> {
    /// None if the JSON of all selections is cached.
    row: Option<N>,
    /// The address of a selection in the document, and its cached object.
    cached: Vec<(usize, Arc<CachedObject>)>,
    /// None if the list is not cached.
    caching: Option<Caching>,
}

/// The key of a row in the cache.
struct Caching {
    list: Arc<CachedSelections>,
    id: Id,
    version: i32,
}

impl<N> From<N> for ListNode<N> {
    /// A row that is not cached.
    fn from(row: N) -> Self {
        Self { row: Some(row), cached: Vec::new(), caching: None }
    }
}

impl<N> ListNode<N> {
    /// Whether the row has to be read.
    pub fn lacks_row(&self) -> bool {
        let selections = self.caching.as_ref().map_or(1, |caching| caching.list.selections.len());
        self.row.is_none() && self.cached.len() < selections
    }

    /// Sets the row, which has this version by now.
    pub fn set_row(&mut self, row: N, version: i32) {
        self.row = Some(row);
        self.cached.clear();
        if let Some(caching) = &mut self.caching {
            caching.version = version;
        }
    }
}

impl<N: ContainerType> OutputType for ListNode<N> {
    fn type_name() -> Cow<'static, str> {
        N::type_name()
    }

    fn qualified_type_name() -> String {
        N::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.row.as_ref().map_or_else(N::type_name, OutputType::introspection_type_name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        N::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let at = address(ctx.item);
        let request = ctx.data_opt::<RequestContext>();
        if let (Some((_, object)), Some(request)) = (self.cached.iter().find(|(other, _)| *other == at), request) {
            request.note_all_shown(&object.subjects);
            request.budget.resolved_bytes(object.resolved_bytes);
            return Ok(if request.budget.is_spent() { Value::Null } else { Value::Binary(object.json.clone()) });
        }
        let Some(row) = &self.row else { return Ok(Value::Null) };
        let key = self.caching.as_ref().and_then(|caching| {
            let (_, selection) = caching.list.selections.iter().find(|(other, _)| *other == at)?;
            Some(ObjectKey { selection: *selection, id: caching.id, version: caching.version })
        });
        let (Some(key), Some(caching)) = (key, &self.caching) else { return Inline(row).resolve(ctx, field).await };
        Box::pin(resolved_and_cached(&caching.list.cache, key, row, ctx, field)).await
    }
}

/// Resolves an object and inserts it into the cache, unless a field failed.
async fn resolved_and_cached<N: ContainerType>(
    cache: &ObjectCache,
    key: ObjectKey,
    row: &N,
    ctx: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<Value> {
    let errors = || ctx.query_env.errors.lock().unwrap_or_else(PoisonError::into_inner).len();
    let errors_before = errors();
    let (value, subjects) = shown_by(Inline(row).resolve(ctx, field)).await;
    let mut value = value?;
    in_document_order(&mut value, &[&ctx.item.node], &ctx.query_env.fragments);
    let is_spent = ctx.data_opt::<RequestContext>().is_none_or(|request| request.budget.is_spent());
    let mut json = Vec::with_capacity(1_024);
    // A field that failed is missing from the value, and a spent budget makes objects null.
    if is_spent || errors() != errors_before || write_value(&value, &mut json).is_err() {
        return Ok(value);
    }
    // A copy has no more capacity than bytes.
    let json = Bytes::copy_from_slice(&json);
    cache.insert(key, CachedObject { json: json.clone(), resolved_bytes: bytes_of_fields(&value) as u64, subjects });
    Ok(Value::Binary(json))
}
