//! Reference data (units, officers, enterprises, categories, routing rules, holidays, workload, incidents): upserts
//! that record an event for each changed row. Also the optimistic locking that other modules use.

use super::clock::recompute;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::enums::ReferenceEventKind;
use crate::events::{Entity, Fields, ReferenceEvent, changed_fields, fields_of};
use crate::models::{Enterprise, HolidayYear, IssueCategory, Officer, RoutingRule, SystemIncident, Unit, Workload};
use crate::refusal::CodeRefusal;
use crate::sql_types::Id;
use crate::tables;
use crate::{each, insert_all};
use diesel::prelude::*;
use std::collections::HashMap;

/// A row of reference data.
pub trait Stored: Clone + PartialEq + serde::Serialize + Sized {
    const ENTITY: Entity;
    fn id(&self) -> Id;
    /// The stored rows among some ids.
    ///
    /// # Errors
    /// If the database cannot be read.
    fn load(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Self>, StoreError>;
    /// Inserts rows.
    ///
    /// # Errors
    /// If the database refuses a row, for example one that exists.
    fn insert(conn: &mut Conn, rows: &[Self]) -> Result<(), StoreError>;
    /// Overwrites the row with the same id.
    ///
    /// # Errors
    /// If the database refuses the row.
    fn update(conn: &mut Conn, row: &Self) -> Result<(), StoreError>;
    /// Locks rows until the transaction ends. A no-op on SQLite, which has one writer at a time.
    ///
    /// # Errors
    /// If a lock is not granted in time.
    fn lock(conn: &mut Conn, ids: &[Id]) -> Result<(), StoreError>;
}

macro_rules! stored {
    ($model:ident, $table:ident, $entity:ident) => {
        impl Stored for $model {
            const ENTITY: Entity = Entity::$entity;

            fn id(&self) -> Id {
                self.id
            }

            fn load(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Self>, StoreError> {
                let mut found = HashMap::with_capacity(ids.len());
                for chunk in ids.chunks(KEYS_PER_QUERY) {
                    let rows: Vec<Self> = tables::$table::table
                        .filter(tables::$table::id.eq_any(chunk))
                        .select(Self::as_select())
                        .load(conn)?;
                    found.extend(rows.into_iter().map(|row| (row.id, row)));
                }
                Ok(found)
            }

            fn insert(conn: &mut Conn, rows: &[Self]) -> Result<(), StoreError> {
                insert_all!(&mut *conn, tables::$table::table, rows.iter());
                Ok(())
            }

            fn lock(conn: &mut Conn, ids: &[Id]) -> Result<(), StoreError> {
                if let Conn::Pg(c) = conn {
                    for chunk in ids.chunks(KEYS_PER_QUERY) {
                        // Lock in id order, so that two transactions cannot deadlock.
                        tables::$table::table
                            .filter(tables::$table::id.eq_any(chunk))
                            .order(tables::$table::id)
                            .select(tables::$table::id)
                            .for_no_key_update()
                            .load::<Id>(c)?;
                    }
                }
                Ok(())
            }

            fn update(conn: &mut Conn, row: &Self) -> Result<(), StoreError> {
                each!(conn, c => diesel::update(tables::$table::table.find(row.id)).set(row).execute(c)?);
                Ok(())
            }
        }
    };
}

stored!(Unit, units, Unit);
stored!(Officer, officers, Officer);
stored!(Enterprise, enterprises, Enterprise);
stored!(IssueCategory, issue_categories, Category);
stored!(RoutingRule, routing_rules, RoutingRule);
stored!(HolidayYear, holiday_years, HolidayYear);
stored!(Workload, workload, Workload);
stored!(SystemIncident, system_incidents, Incident);

/// The effect of an upsert on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Created,
    Updated,
    Unchanged,
}

/// A placeholder for an officer of whom only the code is known, until the officer is imported.
pub fn unknown_officer(id: Id, code: &str) -> Officer {
    Officer { id, code: code.to_owned(), name: None, rank: None, appointed_on: None, unknown: true }
}

/// Inserts new rows and updates changed ones, by id, and records an event for each. Returns one [`Change`] for each
/// row, in the order of `rows`.
///
/// # Errors
/// If the database cannot be read, or refuses a row.
pub fn upsert<M: Stored>(tx: &mut WriteTx<'_>, rows: Vec<M>) -> Result<Vec<Change>, StoreError> {
    upsert_keeping(tx, rows, |_, _| ())
}

/// Like [`upsert`]; `keep(row, stored)` copies the stored values that an update must not overwrite.
///
/// # Errors
/// If the database cannot be read, or refuses a row.
pub fn upsert_keeping<M: Stored>(
    tx: &mut WriteTx<'_>,
    mut rows: Vec<M>,
    keep: impl Fn(&mut M, &M),
) -> Result<Vec<Change>, StoreError> {
    let mut ids: Vec<Id> = rows.iter().map(Stored::id).collect();
    ids.sort_unstable();
    M::lock(tx.conn, &ids)?;
    let existing = M::load(tx.conn, &ids)?;
    for row in &mut rows {
        if let Some(stored) = existing.get(&row.id()) {
            keep(row, stored);
        }
    }
    let mut changes = Vec::with_capacity(rows.len());
    let mut other_deadlines: Vec<Id> = Vec::new();
    // Insert new rows first: changed rows may refer to them.
    let new: Vec<M> = rows.iter().filter(|row| !existing.contains_key(&row.id())).cloned().collect();
    M::insert(tx.conn, &new)?;
    for row in rows {
        let id = row.id();
        match existing.get(&id) {
            None => {
                tx.record_reference(event::<M>(tx, id, ReferenceEventKind::Created, None, Some(fields_of(&row))));
                changes.push(Change::Created);
            }
            Some(stored) if *stored == row => changes.push(Change::Unchanged),
            Some(stored) => {
                let (before, after) = changed_fields(&fields_of(stored), &fields_of(&row)).unwrap_or_default();
                M::update(tx.conn, &row)?;
                if M::ENTITY == Entity::Category && DEADLINE.iter().any(|field| after.contains_key(*field)) {
                    other_deadlines.push(id);
                }
                tx.record_reference(event::<M>(tx, id, ReferenceEventKind::Updated, Some(before), Some(after)));
                changes.push(Change::Updated);
            }
        }
    }
    if M::ENTITY == Entity::Category {
        tx.clock = None;
    }
    if !other_deadlines.is_empty() {
        recompute(tx, &other_deadlines)?;
    }
    Ok(changes)
}

/// The fields of a category from which the deadlines of complaints follow. Who changes them holds the exclusive lock on
/// the tree of units ([`lock_tree_exclusive`](crate::db::dialect::lock_tree_exclusive)): no complaint is written
/// meanwhile.
const DEADLINE: [&str; 2] = ["deadline_days", "deadline_unit"];

fn event<M: Stored>(
    tx: &WriteTx<'_>,
    entity_id: Id,
    kind: ReferenceEventKind,
    before: Option<Fields>,
    after: Option<Fields>,
) -> ReferenceEvent {
    ReferenceEvent { entity: M::ENTITY, entity_id, kind, effective_at: tx.now, before, after }
}

/// Records the event of one entity that was created (`before` is None) or changed; no event if nothing differs.
pub(super) fn change<T: serde::Serialize>(
    tx: &mut WriteTx<'_>,
    entity: Entity,
    entity_id: Id,
    before: Option<&T>,
    after: &T,
) {
    let (kind, before, after) = match before {
        None => (ReferenceEventKind::Created, None, fields_of(after)),
        Some(before) => {
            let Some((before, after)) = changed_fields(&fields_of(before), &fields_of(after)) else { return };
            (ReferenceEventKind::Updated, Some(before), after)
        }
    };
    tx.record_reference(ReferenceEvent { entity, entity_id, kind, effective_at: tx.now, before, after: Some(after) });
}

/// Optimistic locking: true if the row is at the given version. The second of two updates to one version gets false.
/// The no-op UPDATE locks the row until the transaction ends.
macro_rules! lock_at_version {
    ($tx:expr, $table:ident, $id:expr, $version:expr) => {
        diesel::update($table::table)
            .filter($table::id.eq($id))
            .filter($table::version.eq($version))
            .set($table::version.eq($version))
            .execute($tx.conn)?
            == 1
    };
}
pub(super) use lock_at_version;

/// The conflict of a row that is no longer at the expected version.
pub(super) fn version_conflict(what: &str, actual: i32, expected: i32) -> StoreError {
    CodeRefusal::OtherVersion { what: what.to_owned(), actual, expected }.into()
}

/// The id of a code of reference data.
///
/// # Errors
/// `Rule` names `field` if the code is unknown.
pub(super) fn existing_id<M: Stored>(
    tx: &mut WriteTx<'_>,
    field: &str,
    code: Option<&str>,
) -> Result<Option<Id>, StoreError> {
    let Some(code) = code else { return Ok(None) };
    let id = reference_id(M::ENTITY, code);
    if M::load(tx.conn, &[id])?.is_empty() {
        return Err(CodeRefusal::UnknownCode { field: field.to_owned(), code: code.to_owned() }.into());
    }
    Ok(Some(id))
}
