//! Loads the tree of units, and rewrites the ancestors stored with complaints when the tree is corrected.

use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::tree::{Ancestors, UnitTree};
use crate::each;
use crate::enums::{ComplaintEventKind, ReferenceEventKind};
use crate::events::{ComplaintEvent, Entity, Fields, ReferenceEvent};
use crate::models::{Unit, UnitParent};
use crate::register::complaints::reference_day;
use crate::register::reference::Stored;
use crate::sql_types::{Id, Timestamp};
use crate::tables::{complaints, unit_parents, units};
use diesel::prelude::*;
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// Loads all units and the periods of their parents.
///
/// # Errors
/// If the database cannot be read.
pub fn load_tree(conn: &mut Conn) -> Result<UnitTree, StoreError> {
    let all: Vec<Unit> = units::table.select(Unit::as_select()).load(conn)?;
    let parents: Vec<UnitParent> = unit_parents::table.select(UnitParent::as_select()).load(conn)?;
    Ok(UnitTree::new(&all, &parents))
}

type Placed = (Id, Timestamp, Option<Timestamp>, Option<Id>, Option<Id>, Option<Id>, Option<Id>, i32);

/// Replaces the parents of a unit over time, and records the event.
///
/// # Errors
/// If the database refuses a row.
pub(crate) fn replace_parents(
    tx: &mut WriteTx<'_>,
    unit: Id,
    before: &[UnitParent],
    after: &[UnitParent],
) -> Result<(), StoreError> {
    diesel::delete(unit_parents::table.filter(unit_parents::unit_id.eq(unit))).execute(tx.conn)?;
    each!(&mut *tx.conn, c => diesel::insert_into(unit_parents::table).values(after).execute(c)?);
    let kind = if before.is_empty() { ReferenceEventKind::Created } else { ReferenceEventKind::Updated };
    let fields = |parents: &[UnitParent]| Fields::from_iter([("parents".to_owned(), json!(parents))]);
    tx.record_reference(ReferenceEvent {
        entity: Entity::UnitParents,
        entity_id: unit,
        kind,
        effective_at: tx.now,
        before: Some(fields(before)),
        after: Some(fields(after)),
    });
    Ok(())
}

/// Refuses circles in the stored tree, and rewrites the stored ancestors of the complaints of some units and of the
/// units below them, now or in the tree before the change. Returns the number of changed complaints.
///
/// # Errors
/// `Rule` if a unit is above itself.
pub(crate) fn rewrite_ancestors(
    tx: &mut WriteTx<'_>,
    before: &UnitTree,
    affected: &HashSet<Id>,
) -> Result<usize, StoreError> {
    let now = load_tree(tx.conn)?;
    if let Err(circle) = now.check_no_circle() {
        let unit = Unit::load(tx.conn, &[circle.unit])?.remove(&circle.unit);
        let code = unit.map_or_else(|| "?".to_owned(), |unit| unit.code);
        return Err(StoreError::Rule(format!(
            "the parents of unit {code:?} form a circle on {}: correct one of them",
            circle.day
        )));
    }
    let below: HashSet<Id> =
        affected.iter().flat_map(|unit| [before.ever_below(*unit), now.ever_below(*unit)]).flatten().collect();
    correct_ancestors(tx, &now, &below)
}

/// Rewrites the stored ancestors of the complaints of some units, with an event for each changed complaint. Where the
/// branch above the unit was responsible (or the department, without a branch), the one above it now is. Returns the
/// number of changed complaints.
fn correct_ancestors(tx: &mut WriteTx<'_>, tree: &UnitTree, affected: &HashSet<Id>) -> Result<usize, StoreError> {
    let mut affected: Vec<Id> = affected.iter().copied().collect();
    affected.sort_unstable();
    let mut corrected = 0;
    for unit in affected {
        let rows: Vec<Placed> = complaints::table
            .filter(complaints::unit_id.eq(unit))
            .order(complaints::id)
            .select((
                complaints::id,
                complaints::received_at,
                complaints::occurred_at,
                complaints::department_id,
                complaints::branch_id,
                complaints::team_id,
                complaints::responsible_unit_id,
                complaints::version,
            ))
            .load(tx.conn)?;
        let mut moved: HashMap<(Ancestors, Option<Id>), Vec<Id>> = HashMap::new();
        for (id, received_at, occurred_at, department, branch, team, responsible, version) in rows {
            let was = Ancestors { department, branch, team };
            let is = tree.ancestors_on(unit, reference_day(received_at, occurred_at));
            if was == is {
                continue;
            }
            corrected += 1;
            let place = |ancestors: Ancestors| ancestors.branch.or(ancestors.department).unwrap_or(unit);
            let follows = responsible == Some(place(was));
            let now_responsible = if follows { Some(place(is)) } else { responsible };
            moved.entry((is, now_responsible)).or_default().push(id);
            let [mut before, mut after] = [placed(was, version), placed(is, version + 1)];
            if now_responsible != responsible {
                before.insert("responsible_unit_id".into(), json!(responsible));
                after.insert("responsible_unit_id".into(), json!(now_responsible));
            }
            tx.record(ComplaintEvent {
                complaint_id: id,
                kind: ComplaintEventKind::UnitTreeCorrected,
                effective_at: tx.now,
                before: Some(before),
                after: Some(after),
            });
        }
        for ((Ancestors { department, branch, team }, responsible), ids) in moved {
            for chunk in ids.chunks(KEYS_PER_QUERY) {
                diesel::update(complaints::table.filter(complaints::id.eq_any(chunk)))
                    .set((
                        complaints::department_id.eq(department),
                        complaints::branch_id.eq(branch),
                        complaints::team_id.eq(team),
                        complaints::responsible_unit_id.eq(responsible),
                        complaints::version.eq(complaints::version + 1),
                    ))
                    .execute(tx.conn)?;
            }
        }
    }
    Ok(corrected)
}

fn placed(ancestors: Ancestors, version: i32) -> Fields {
    let mut fields = Fields::new();
    fields.insert("department_id".into(), json!(ancestors.department));
    fields.insert("branch_id".into(), json!(ancestors.branch));
    fields.insert("team_id".into(), json!(ancestors.team));
    fields.insert("version".into(), json!(version));
    fields
}
