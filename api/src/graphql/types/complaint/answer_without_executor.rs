//! Answers to lists of complaints without the executor, if all that they show is in memory: the rows of a page in the
//! snapshot, which is at the register's position, and their JSON in the cache of objects.
//!
//! The executor makes a value of each field and merges the values, which takes most of the time of such a page. What
//! is not known here or not in memory, the executor answers; so it does where something is wrong. A test compares
//! the answers of both.

use super::cacheable::COMPLAINT;
use super::snapshot_page::{SnapshotList, keys};
use super::{ComplaintFilter, ComplaintOrder};
use crate::access::Viewer;
use crate::budget::bytes_of_field;
use crate::config::Limits;
use crate::graphql::AuditSubjects;
use crate::graphql::context::App;
use crate::graphql::exact_snapshots::PageSource;
use crate::graphql::execute::object_cache::{ObjectKey, SelectionHash};
use crate::graphql::execute::selection::Referenced;
use crate::graphql::execute::{dependencies, selection_hash};
use crate::graphql::page::{Beyond, Cursors, PageArgs, Place, limit_of_count};
use async_graphql::InputType;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use jobs::snapshot::{Listed, Snapshot};
use schema::enums::Locale;
use schema::queries::Slice;
use std::sync::Arc;

/// An operation that consists of lists of complaints at the root (`selects_lists_only`), has each response key once in
/// its selections and no directive, and was found valid before.
pub struct ListsWithoutExecutor<'a> {
    pub app: &'a App,
    pub viewer: &'a Viewer,
    pub locale: Locale,
    pub limits: &'a Limits,
    pub selection: &'a SelectionSet,
    pub referenced: Referenced<'a>,
    /// Whether it shows the id or the content of complaints.
    pub shows_complaints: bool,
    /// The snapshot at the register's position.
    pub snapshot: &'a Arc<Snapshot>,
}

/// An answer as the executor would give it.
#[derive(Default)]
pub struct AnswerWithoutExecutor {
    pub json: Vec<u8>,
    /// The bytes that it counts against the limit of the answer.
    pub resolved: u64,
    /// The subjects that the viewer is shown, for the audit log.
    pub seen: AuditSubjects,
    /// Lists in it.
    lists: usize,
    /// Objects of the cache in it.
    objects: u64,
}

/// The answer to an operation; None if the executor has to answer.
pub fn answer_without_executor(lists: &ListsWithoutExecutor<'_>) -> Option<AnswerWithoutExecutor> {
    // A viewer of pseudonyms gets ties in a secret order.
    if lists.viewer.sees_pseudonyms_alone() {
        return None;
    }
    let mut answer =
        AnswerWithoutExecutor { json: Vec::with_capacity(FIRST_BYTES), ..AnswerWithoutExecutor::default() };
    answer.raw("{\"data\":{");
    let audience_view = lists.app.audiences.view_for(lists.viewer.audience());
    let depends_on = dependencies(lists.app, lists.viewer, lists.locale);
    let fields = lists.fields(lists.selection)?;
    // More scans than these would hold up the other connections of this thread.
    if fields.len() > MOST_FIELDS {
        return None;
    }
    for (nth, field) in fields.into_iter().enumerate() {
        answer.key(nth, field);
        match field.name.node.as_str() {
            "complaints" => lists.list(field, &audience_view.cursors, &depends_on, &mut answer)?,
            "__typename" => answer.text("Query"),
            _ => return None,
        }
    }
    answer.raw(if lists.snapshot.demonstration { "},\"extensions\":{\"demonstration\":true}}" } else { "}}" });
    (0..answer.lists).for_each(|_| lists.app.exact_snapshots.count_page(PageSource::Memory));
    lists.app.objects.count_hits(answer.objects);
    Some(answer)
}

/// Bytes of a usual page.
const FIRST_BYTES: usize = 16 * 1024;

/// Fields of an operation that is answered here, at most.
const MOST_FIELDS: usize = 4;

impl<'a> ListsWithoutExecutor<'a> {
    /// The fields of a selection in document order, those of fragments in place.
    fn fields(&self, selection: &'a SelectionSet) -> Option<Vec<&'a Field>> {
        let mut fields = Vec::with_capacity(selection.items.len());
        self.collect(selection, &mut fields)?;
        Some(fields)
    }

    fn collect(&self, selection: &'a SelectionSet, fields: &mut Vec<&'a Field>) -> Option<()> {
        for selection in &selection.items {
            match &selection.node {
                Selection::Field(field) => fields.push(&field.node),
                Selection::InlineFragment(fragment) => self.collect(&fragment.node.selection_set.node, fields)?,
                Selection::FragmentSpread(spread) => {
                    let fragment = self.referenced.fragments.get(&spread.node.fragment_name.node)?;
                    self.collect(&fragment.node.selection_set.node, fields)?;
                }
            }
        }
        Some(())
    }

    /// The value of an argument, if it is given; None if it cannot be parsed.
    fn argument<T: InputType>(&self, field: &Field, name: &str) -> Option<Option<T>> {
        let given = match field.get_argument(name) {
            None => None,
            Some(value) => {
                let value = value.node.clone();
                let known = value.into_const_with(|name| self.referenced.variables.get(&name).cloned().ok_or(()));
                Some(known.ok()?)
            }
        };
        Option::<T>::parse(given).ok()
    }

    fn list(
        &self,
        field: &'a Field,
        cursors: &Cursors,
        depends_on: &str,
        to: &mut AnswerWithoutExecutor,
    ) -> Option<()> {
        let page = PageArgs {
            first: self.argument(field, "first")?,
            after: self.argument(field, "after")?,
            last: self.argument(field, "last")?,
            before: self.argument(field, "before")?,
        };
        let window = page.window(self.limits.page_size, cursors).ok()?;
        let filter: Option<ComplaintFilter> = self.argument(field, "filter")?;
        let order = ComplaintOrder::list(self.argument(field, "orderBy")?, self.viewer.today());
        let list = SnapshotList::of(self.snapshot, self.viewer, filter.as_ref(), &order)?;
        let Slice { rows, more } = list.page(&window)?;
        let beyond = Beyond::window(&window, more);
        if self.shows_complaints {
            rows.iter().for_each(|row| to.seen.complaints.add(row.id));
        }
        to.lists += 1;
        to.raw("{");
        for (nth, field) in self.fields(&field.selection_set.node)?.into_iter().enumerate() {
            to.key(nth, field);
            match field.name.node.as_str() {
                "nodes" => {
                    let selection = self.hash(field, depends_on)?;
                    to.all(&rows, |to, row| self.object(selection, row, to))?;
                }
                "edges" => self.edges(field, &rows, cursors, depends_on, to)?,
                "pageInfo" => self.page_info(field, &rows, beyond, cursors, to)?,
                // A count may take longer than a page, and nothing else runs on this thread meanwhile.
                "totalCount" if list.counts_quickly() => to.raw(&list.count()?.to_string()),
                "totalCountUpTo" if list.counts_quickly() => {
                    let most = limit_of_count(self.argument(field, "limit")??).ok()?;
                    to.raw(&list.count()?.min(most).to_string());
                }
                "__typename" => to.text("ComplaintConnection"),
                _ => return None,
            }
        }
        to.raw("}");
        Some(())
    }

    fn hash(&self, field: &Field, depends_on: &str) -> Option<SelectionHash> {
        selection_hash(depends_on, self.referenced, &field.selection_set.node, &COMPLAINT)
    }

    /// Writes the JSON of a row; None if it is not in the cache.
    fn object(&self, selection: SelectionHash, row: &Listed, to: &mut AnswerWithoutExecutor) -> Option<()> {
        let object = self.app.objects.look_up(&ObjectKey { selection, id: row.id, version: row.version })?;
        to.json.extend_from_slice(&object.json);
        to.resolved += object.resolved_bytes;
        to.seen.extend(&object.subjects);
        to.objects += 1;
        Some(())
    }

    fn edges(
        &self,
        field: &'a Field,
        rows: &[Listed],
        cursors: &Cursors,
        depends_on: &str,
        to: &mut AnswerWithoutExecutor,
    ) -> Option<()> {
        let with_hash = |field: &'a Field| match field.name.node.as_str() {
            "node" => Some((field, Some(self.hash(field, depends_on)?))),
            _ => Some((field, None)),
        };
        let fields = self.fields(&field.selection_set.node)?.into_iter().map(with_hash);
        let fields = fields.collect::<Option<Vec<_>>>()?;
        to.all(rows, |to, row| {
            to.raw("{");
            for (nth, (field, selection)) in fields.iter().enumerate() {
                to.key(nth, field);
                match (field.name.node.as_str(), selection) {
                    ("node", Some(selection)) => {
                        to.count(field, 0);
                        self.object(*selection, row, to)?;
                    }
                    ("cursor", None) => to.counted_text(field, &cursors.encode(&Place::Keys(keys(row)))),
                    ("__typename", None) => to.counted_text(field, "ComplaintEdge"),
                    _ => return None,
                }
            }
            to.raw("}");
            Some(())
        })
    }

    fn page_info(
        &self,
        field: &'a Field,
        rows: &[Listed],
        beyond: Beyond,
        cursors: &Cursors,
        to: &mut AnswerWithoutExecutor,
    ) -> Option<()> {
        let cursor = |row: Option<&Listed>| row.map(|row| cursors.encode(&Place::Keys(keys(row))));
        to.raw("{");
        for (nth, field) in self.fields(&field.selection_set.node)?.into_iter().enumerate() {
            to.key(nth, field);
            let value = match field.name.node.as_str() {
                "hasPreviousPage" => Err(beyond.before.to_string()),
                "hasNextPage" => Err(beyond.after.to_string()),
                "startCursor" => cursor(rows.first()).ok_or_else(|| "null".to_owned()),
                "endCursor" => cursor(rows.last()).ok_or_else(|| "null".to_owned()),
                "__typename" => Ok("PageInfo".to_owned()),
                _ => return None,
            };
            match value {
                Ok(text) => to.counted_text(field, &text),
                Err(word) => {
                    to.count(field, 0);
                    to.raw(&word);
                }
            }
        }
        to.raw("}");
        Some(())
    }
}

impl AnswerWithoutExecutor {
    fn raw(&mut self, json: &str) {
        self.json.extend_from_slice(json.as_bytes());
    }

    /// Writes the response key of a field, which is a name and needs no escapes.
    fn key(&mut self, nth: usize, field: &Field) {
        self.raw(if nth > 0 { ",\"" } else { "\"" });
        self.raw(field.response_key().node.as_str());
        self.raw("\":");
    }

    /// Writes a name or a cursor, which need no escapes.
    fn text(&mut self, text: &str) {
        self.raw("\"");
        self.raw(text);
        self.raw("\"");
    }

    /// Counts a scalar as the executor does in edges and page infos ([`crate::graphql::execute::Inline`]).
    fn count(&mut self, field: &Field, text: usize) {
        self.resolved += bytes_of_field(field.response_key().node.as_str(), text);
    }

    fn counted_text(&mut self, field: &Field, text: &str) {
        self.count(field, text.len());
        self.text(text);
    }

    /// Writes a list with an item for each row.
    fn all(&mut self, rows: &[Listed], item: impl Fn(&mut Self, &Listed) -> Option<()>) -> Option<()> {
        self.raw("[");
        for (nth, row) in rows.iter().enumerate() {
            if nth > 0 {
                self.raw(",");
            }
            item(self, row)?;
        }
        self.raw("]");
        Some(())
    }
}
