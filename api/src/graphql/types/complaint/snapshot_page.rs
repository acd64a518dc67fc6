//! Pages of complaints from the columns of the snapshot, if it is at the register's position.

use super::filter::ComplaintFilter;
use super::snapshot_filter::column_condition;
use crate::access::Viewer;
use jobs::JobError;
use jobs::snapshot::{ColumnCondition, Listed, Reading, Snapshot};
use schema::queries::{ComplaintSort, Direction, Key, Slice, Window};
use schema::{Id, Timestamp};
use std::sync::Arc;

/// Rows that are scanned for a page at most. A scan of so many takes about as long as a statement. A page that takes
/// more, because its condition selects one row in many thousands, comes by an index of the database.
const MOST_ROWS: usize = 200_000;

/// Comparisons for a row at most. A condition with more takes an index or a hash table of the database, and a statement
/// that can be cancelled.
pub const MOST_COMPARISONS: usize = 64;

/// A list of complaints whose order and condition are those of columns.
pub struct SnapshotList {
    snapshot: Arc<Snapshot>,
    condition: ColumnCondition,
    direction: Direction,
}

impl SnapshotList {
    /// The list that a filter selects within the row scope of the viewer. None if the columns do not hold what it
    /// asks for.
    pub fn of(
        snapshot: &Arc<Snapshot>,
        viewer: &Viewer,
        filter: Option<&ComplaintFilter>,
        order: &[(ComplaintSort, Direction)],
    ) -> Option<Self> {
        let [(ComplaintSort::ReceivedAt, direction)] = order else { return None };
        Some(Self { direction: *direction, ..Self::unordered(snapshot, viewer, filter)? })
    }

    /// The same for a count, whatever the order.
    pub fn unordered(snapshot: &Arc<Snapshot>, viewer: &Viewer, filter: Option<&ComplaintFilter>) -> Option<Self> {
        let scope = viewer.scope(&snapshot.reference.tree).column_condition(snapshot)?;
        let condition = match filter {
            None => scope,
            // The filter selects fewer rows in most lists, so that the scope is compared with few.
            Some(filter) => ColumnCondition::All(vec![column_condition(filter, &snapshot.reference)?, scope]),
        };
        let is_short = condition.comparisons() <= MOST_COMPARISONS;
        is_short.then(|| Self { snapshot: Arc::clone(snapshot), condition, direction: Direction::Desc })
    }

    /// A page of the list. None if it is better read from the database, which also says if a cursor is wrong.
    pub fn page(&self, window: &Window) -> Option<Slice<Listed>> {
        let (after, before) = (bound(window.after.as_deref())?, bound(window.before.as_deref())?);
        let (after, before) = if window.backward { (before, after) } else { (after, before) };
        let upwards = self.direction.reversed_if(window.backward) == Direction::Asc;
        let reading = Reading { upwards, after, before, limit: window.limit };
        let (mut rows, more) = found(self.snapshot.first_rows(&self.condition, &reading, MOST_ROWS))?;
        if window.backward {
            rows.reverse();
        }
        Some(Slice { rows, more })
    }

    /// The number of complaints in the list.
    pub fn count(&self) -> Option<i64> {
        i64::try_from(found(self.snapshot.count(&self.condition))?).ok()
    }

    /// Whether [`Self::count`] takes no longer than a page.
    pub fn counts_quickly(&self) -> bool {
        self.condition.selects_all() || self.snapshot.facts.height() <= MOST_ROWS
    }
}

/// The place of a cursor, if there is one. None if the cursor belongs to another list.
fn bound(keys: Option<&[Key]>) -> Option<Option<(Timestamp, Id)>> {
    match keys {
        None => Some(None),
        Some([Key::Time(at), Key::Id(id)]) => Some(Some((*at, *id))),
        Some(_) => None,
    }
}

/// The sort keys of a row.
pub fn keys(row: &Listed) -> Vec<Key> {
    vec![Key::Time(row.received_at), Key::Id(row.id)]
}

/// The result of a read. A failure is logged, and the database answers.
pub fn found<T>(read: Result<Option<T>, JobError>) -> Option<T> {
    read.unwrap_or_else(|error| {
        tracing::error!(%error, "the columns of the snapshot cannot be read");
        None
    })
}
