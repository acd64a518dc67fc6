//! The rows that a merge moved, from its events, and their return by a split.

use crate::db::{Conn, StoreError, WriteTx};
use crate::enums::{ComplaintEventKind, ReferenceEventKind};
use crate::events::Entity;
use crate::models::{Measure, Merge, Workload};
use crate::register::complaints::MERGE;
use crate::register::reference::{Stored, upsert};
use crate::sql_types::{Id, JsonValue};
use crate::tables::{complaint_events, measures, reference_events};
use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The position of a merge.
///
/// # Errors
/// If the database cannot be read, or has no event of the merge.
pub(super) fn position_of(conn: &mut Conn, merge: Id) -> Result<i64, StoreError> {
    Ok(reference_events::table
        .filter(reference_events::entity.eq(Entity::Merge.as_str()))
        .filter(reference_events::entity_id.eq(merge))
        .filter(reference_events::kind.eq(ReferenceEventKind::Created))
        .select(reference_events::position)
        .first(conn)?)
}

type Changed = (Id, Option<JsonValue>, Option<JsonValue>);

/// The events of the complaints that a merge changed, in the order of ids.
fn changed(conn: &mut Conn, merge: &Merge, position: i64) -> Result<Vec<Changed>, StoreError> {
    let mut rows: Vec<Changed> = complaint_events::table
        .filter(complaint_events::position.eq(position))
        .filter(complaint_events::kind.eq(ComplaintEventKind::Corrected))
        .order(complaint_events::complaint_id)
        .select((complaint_events::complaint_id, complaint_events::before, complaint_events::after))
        .load(conn)?;
    let id = json!(merge.id);
    rows.retain(|(_, _, after)| after.as_ref().is_some_and(|after| after.0.get(MERGE) == Some(&id)));
    Ok(rows)
}

/// The complaints that a merge changed.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn changed_complaints(conn: &mut Conn, merge: &Merge, position: i64) -> Result<Vec<Id>, StoreError> {
    Ok(changed(conn, merge, position)?.into_iter().map(|(id, _, _)| id).collect())
}

/// The allegations that a merge gave to an officer: by complaint, their ordinals.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn moved_rows(
    conn: &mut Conn,
    merge: &Merge,
    position: i64,
    into: Id,
) -> Result<BTreeMap<Id, BTreeSet<i32>>, StoreError> {
    let into = json!(into);
    let ordinals = |document: Option<&JsonValue>| -> BTreeSet<i32> {
        let rows = document.and_then(|document| document.0.get("officers")?.as_array());
        let rows = rows.into_iter().flatten().filter(|row| row.get("officer_id") == Some(&into));
        rows.filter_map(|row| i32::try_from(row.get("ordinal")?.as_i64()?).ok()).collect()
    };
    let rows = changed(conn, merge, position)?;
    let moved = rows.iter().map(|(id, before, after)| {
        let (had, has) = (ordinals(before.as_ref()), ordinals(after.as_ref()));
        let given: BTreeSet<i32> = has.difference(&had).copied().collect();
        (*id, given)
    });
    Ok(moved.collect())
}

/// The entities of a kind that belonged to an officer before a position changed them.
fn belonged(conn: &mut Conn, position: i64, entity: Entity, officer: Id) -> Result<Vec<Id>, StoreError> {
    let rows: Vec<(Id, Option<JsonValue>)> = reference_events::table
        .filter(reference_events::position.eq(position))
        .filter(reference_events::entity.eq(entity.as_str()))
        .select((reference_events::entity_id, reference_events::before))
        .load(conn)?;
    let officer: Value = json!(officer);
    let was =
        |before: &Option<JsonValue>| before.as_ref().is_some_and(|before| before.0.get("officer_id") == Some(&officer));
    Ok(rows.into_iter().filter(|(_, before)| was(before)).map(|(id, _)| id).collect())
}

/// Takes back the workload that a merge moved.
///
/// # Errors
/// If the database fails.
pub(super) fn take_back_workload(tx: &mut WriteTx<'_>, position: i64, from: Id, into: Id) -> Result<(), StoreError> {
    let ids = belonged(tx.conn, position, Entity::Workload, from)?;
    let mut rows: Vec<Workload> = Workload::load(tx.conn, &ids)?.into_values().collect();
    rows.retain(|row| row.officer_id == Some(into));
    rows.sort_unstable_by_key(|row| row.id);
    rows.iter_mut().for_each(|row| row.officer_id = Some(from));
    upsert(tx, rows)?;
    Ok(())
}

/// The measures that a merge moved and that are still with the other officer.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn moved_measures(conn: &mut Conn, position: i64, from: Id, into: Id) -> Result<Vec<Measure>, StoreError> {
    let ids = belonged(conn, position, Entity::Measure, from)?;
    Ok(measures::table
        .filter(measures::id.eq_any(ids))
        .filter(measures::officer_id.eq(into))
        .order(measures::id)
        .select(Measure::as_select())
        .load(conn)?)
}
