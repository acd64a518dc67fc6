//! Links between complaints that say the same: a person decides, both stay in the register, and only the original
//! counts.

use super::complaints::{self, Case};
use super::reference::version_conflict;
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::each;
use crate::events::Fields;
use crate::models::ComplaintLink;
use crate::sql_types::Id;
use crate::tables::complaint_links;
use diesel::prelude::*;
use serde_json::Value;

/// Links a complaint that is still at `expected_version` to another one that says the same. If that one is a duplicate
/// itself, the link goes to its original: there are no chains.
///
/// # Errors
/// `NotFound` if one of the two does not exist; `Conflict` if the complaint is at another version, or others are linked
/// to it; `Rule` if it would be linked to itself.
pub fn link_duplicate(
    tx: &mut WriteTx<'_>,
    complaint: Id,
    expected_version: i32,
    of: Id,
    reason: &str,
) -> Result<Case, StoreError> {
    let mut case = locked(tx, complaint, expected_version, Some(of))?;
    // The lock on `of` keeps its own link as it is until the commit.
    let original_id = link_of(tx.conn, of)?.map_or(of, |link| link.original_id);
    if original_id == complaint {
        return Err(StoreError::Rule("of: a complaint is no duplicate of itself, nor of its own duplicate".into()));
    }
    let linked = complaint_links::table.filter(complaint_links::original_id.eq(complaint)).count();
    if linked.get_result::<i64>(tx.conn)? > 0 {
        return Err(StoreError::Conflict(
            "other complaints are linked to this one as its duplicates: unlink them, or link the other one to this one"
                .into(),
        ));
    }
    let earlier = link_of(tx.conn, complaint)?;
    if earlier.as_ref().is_some_and(|link| link.original_id == original_id) {
        return Ok(case);
    }
    let row = ComplaintLink {
        complaint_id: complaint,
        original_id,
        linked_at: tx.now,
        actor: tx.actor.to_owned(),
        reason: reason.to_owned(),
    };
    match &earlier {
        Some(_) => each!(&mut *tx.conn, c => {
            diesel::update(complaint_links::table.find(complaint)).set(&row).execute(c)?
        }),
        None => each!(&mut *tx.conn, c => diesel::insert_into(complaint_links::table).values(&row).execute(c)?),
    };
    let before = duplicate_of(earlier.map(|link| link.original_id));
    let mut after = duplicate_of(Some(original_id));
    after.insert("reason".into(), reason.into());
    complaints::record_beside(tx, &mut case.complaint, before, after)?;
    Ok(case)
}

/// Undoes the link of a complaint that is still at `expected_version`.
///
/// # Errors
/// `NotFound` if the complaint does not exist; `Conflict` if it is at another version or not linked.
pub fn unlink_duplicate(
    tx: &mut WriteTx<'_>,
    complaint: Id,
    expected_version: i32,
    reason: &str,
) -> Result<Case, StoreError> {
    let mut case = locked(tx, complaint, expected_version, None)?;
    let Some(link) = link_of(tx.conn, complaint)? else {
        return Err(StoreError::Conflict("the complaint is not linked to another one".into()));
    };
    diesel::delete(complaint_links::table.find(complaint)).execute(tx.conn)?;
    let mut after = duplicate_of(None);
    after.insert("reason".into(), reason.into());
    complaints::record_beside(tx, &mut case.complaint, duplicate_of(Some(link.original_id)), after)?;
    Ok(case)
}

/// Loads a complaint that is still at a version, and locks it and the other one until the transaction ends.
fn locked(tx: &mut WriteTx<'_>, id: Id, expected_version: i32, other: Option<Id>) -> Result<Case, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let ids: Vec<Id> = std::iter::once(id).chain(other).collect();
    let mut found = complaints::load_for_update(tx.conn, &ids)?;
    if let Some(missing) = ids.iter().find(|id| !found.contains_key(*id)) {
        return Err(StoreError::no_such("complaint", missing, "complaints"));
    }
    let case = found.remove(&id).ok_or_else(|| StoreError::no_such("complaint", &id, "complaints"))?;
    if case.complaint.version != expected_version {
        return Err(version_conflict("complaint", case.complaint.version, expected_version));
    }
    Ok(case)
}

fn link_of(conn: &mut Conn, complaint: Id) -> Result<Option<ComplaintLink>, StoreError> {
    Ok(complaint_links::table.find(complaint).select(ComplaintLink::as_select()).first(conn).optional()?)
}

/// The field of events that says of which complaint one is a duplicate.
fn duplicate_of(original: Option<Id>) -> Fields {
    let original = original.map_or(Value::Null, |id| id.to_string().into());
    Fields::from_iter([(DUPLICATE_OF.to_owned(), original)])
}

/// The event field with the original of a linked complaint; null for a complaint that is not linked.
pub const DUPLICATE_OF: &str = "duplicate_of";
