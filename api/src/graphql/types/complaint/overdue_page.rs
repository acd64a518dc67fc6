//! Lists of overdue complaints from the columns of the snapshot, if it is at the register's position: how many there are,
//! and which of them are overdue longest. No index of the database has them in this order, because the deadline of a
//! complaint whose clock is stopped moves on with the days.

use super::filter::ComplaintFilter;
use super::snapshot_filter::overdue_condition;
use super::snapshot_page::{MOST_COMPARISONS, SnapshotList, found};
use crate::access::Viewer;
use jobs::facts::days::day_number;
use jobs::snapshot::{ColumnCondition, Listed, Overdue, Reading, Snapshot};
use schema::Id;
use schema::queries::{ComplaintSort, Direction, Key, Slice, Window};
use std::sync::Arc;

/// A list of overdue complaints.
pub struct OverdueList {
    snapshot: Arc<Snapshot>,
    condition: ColumnCondition,
    overdue: Overdue,
}

impl OverdueList {
    /// The list that a filter selects within the row scope of the viewer. None if it is not one of overdue complaints, or
    /// the columns do not hold what it asks for.
    pub fn of(snapshot: &Arc<Snapshot>, viewer: &Viewer, filter: &ComplaintFilter) -> Option<Self> {
        let (at_least, condition) = overdue_condition(filter, &snapshot.reference)?;
        let scope = viewer.scope(&snapshot.reference.tree).column_condition(snapshot)?;
        let condition = ColumnCondition::All(vec![condition, scope]);
        let overdue = Overdue { today: day_number(viewer.today()), at_least };
        let is_short = condition.comparisons() <= MOST_COMPARISONS;
        is_short.then(|| Self { snapshot: Arc::clone(snapshot), condition, overdue })
    }

    /// A page of the list in an order. None if the database has to read it, which also says if a cursor is wrong.
    pub fn page(&self, order: &[(ComplaintSort, Direction)], window: &Window) -> Option<Slice<Listed>> {
        let [(ComplaintSort::OverdueDays(_), direction)] = order else { return None };
        let (after, before) = (bound(window.after.as_deref())?, bound(window.before.as_deref())?);
        let (after, before) = if window.backward { (before, after) } else { (after, before) };
        let upwards = direction.reversed_if(window.backward) == Direction::Asc;
        let reading = Reading { upwards, after, before, limit: window.limit };
        let (mut rows, more) = found(self.snapshot.first_overdue(&self.condition, self.overdue, &reading))?;
        if window.backward {
            rows.reverse();
        }
        Some(Slice { rows, more })
    }

    /// The number of complaints in the list.
    pub fn count(&self) -> Option<i64> {
        i64::try_from(found(self.snapshot.count_overdue(&self.condition, self.overdue))?).ok()
    }
}

/// A list whose complaints the columns count, overdue ones or others.
pub enum CountedList {
    Overdue(OverdueList),
    Other(SnapshotList),
}

impl CountedList {
    /// The list that a filter selects within the row scope of the viewer. None if the columns do not hold what it asks
    /// for.
    pub fn of(snapshot: &Arc<Snapshot>, viewer: &Viewer, filter: Option<&ComplaintFilter>) -> Option<Self> {
        match filter.and_then(|filter| OverdueList::of(snapshot, viewer, filter)) {
            Some(overdue) => Some(Self::Overdue(overdue)),
            None => SnapshotList::unordered(snapshot, viewer, filter).map(Self::Other),
        }
    }

    /// The number of complaints in the list.
    pub fn count(&self) -> Option<i64> {
        match self {
            Self::Overdue(list) => list.count(),
            Self::Other(list) => list.count(),
        }
    }
}

/// The place of a cursor, if there is one. None if the cursor belongs to another list.
fn bound(keys: Option<&[Key]>) -> Option<Option<(i32, Id)>> {
    match keys {
        None => Some(None),
        Some([Key::Date(day), Key::Id(id)]) => Some(Some((day_number(*day), *id))),
        Some(_) => None,
    }
}
