//! Links between complaints that say the same: a person decides, both stay in the register, and only the original
//! counts. Where the original is withdrawn or rejected, the first received of the others counts in its place, and the
//! former original is linked to that one: should an import revive it, what they say still counts once.

use super::complaints::{self, Case};
use super::reference::version_conflict;
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::domain::ids::human_reference;
use crate::domain::state::is_void;
use crate::each;
use crate::enums::ComplaintState;
use crate::events::Fields;
use crate::models::{Complaint, ComplaintLink};
use crate::queries::{duplicates_of, originals_of};
use crate::refusal::LinkRefusal;
use crate::sql_types::Id;
use crate::tables::complaint_links;
use diesel::prelude::*;
use serde_json::Value;

/// Links a complaint that is still at `expected_version` to another one that says the same. If that one is a duplicate
/// itself, the link goes to its original: there are no chains.
///
/// # Errors
/// `NotFound` if one of the two does not exist; `Conflict` if the complaint is at another version, others are linked to
/// it, or the other one was withdrawn or rejected; `Rule` if it would be linked to itself.
pub fn link_duplicate(
    tx: &mut WriteTx<'_>,
    complaint: Id,
    expected_version: i32,
    of: Id,
    reason: &str,
) -> Result<Case, StoreError> {
    let mut case = locked(tx, complaint, expected_version, Some(of))?;
    let original_id = link_of(tx.conn, of)?.map_or(of, |link| link.original_id);
    if original_id == complaint {
        return Err(LinkRefusal::ToItself.into());
    }
    let linked = complaint_links::table.filter(complaint_links::original_id.eq(complaint)).count();
    if linked.get_result::<i64>(tx.conn)? > 0 {
        return Err(LinkRefusal::HasDuplicates.into());
    }
    let earlier = link_of(tx.conn, complaint)?;
    if earlier.as_ref().is_some_and(|link| link.original_id == original_id) {
        return Ok(case);
    }
    let original = complaints::load(tx.conn, &[original_id])?.remove(&original_id);
    let state = original.ok_or_else(|| StoreError::no_such("complaint", &original_id, "complaints"))?.complaint.state;
    if is_void(state) {
        return Err(LinkRefusal::OriginalVoid { state }.into());
    }
    put(tx, &mut case.complaint, earlier.as_ref(), original_id, reason)?;
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
        return Err(LinkRefusal::NotLinked.into());
    };
    remove(tx, &mut case.complaint, &link, reason)?;
    Ok(case)
}

/// Locks complaints of which some may become void, or count again, with all that are linked with them, until the
/// transaction ends. A lock keeps other writers from links meanwhile.
///
/// # Errors
/// If the database fails.
pub(crate) fn lock_with_linked(conn: &mut Conn, ids: &[Id]) -> Result<(), StoreError> {
    dialect::lock_links(conn)?;
    let mut group = ids.to_vec();
    group.extend(originals_of(conn, ids)?.into_values());
    let linked = duplicates_of(conn, &group)?;
    group.extend(linked.into_values().flatten());
    group.sort_unstable();
    group.dedup();
    complaints::lock(conn, &group)
}

/// Changes the links of a complaint of which the state has changed, so that what several complaints say counts once.
/// Lock them before by [`lock_with_linked`]. `now` gets the version that a link to its substitute gives it.
///
/// # Errors
/// If the database fails.
pub(crate) fn follow_state(
    tx: &mut WriteTx<'_>,
    before: ComplaintState,
    now: &mut Complaint,
) -> Result<(), StoreError> {
    match (is_void(before), is_void(now.state)) {
        (false, true) => {
            if let Some(version) = replace_original(tx, now.id)? {
                now.version = version;
            }
        }
        // An import revives a complaint. Its own original may be void still.
        (true, false) => {
            let Some(link) = link_of(tx.conn, now.id)? else { return Ok(()) };
            replace_original(tx, link.original_id)?;
        }
        _ => {}
    }
    Ok(())
}

/// Lets the first received of the duplicates of an original count if the original is void, and makes it the original of
/// all others. If all of them are void, the links stay. Returns the version of the former original if it was linked.
fn replace_original(tx: &mut WriteTx<'_>, id: Id) -> Result<Option<i32>, StoreError> {
    let mut linked = duplicates_of(tx.conn, &[id])?.remove(&id).unwrap_or_default();
    if linked.is_empty() {
        return Ok(None);
    }
    // Another complaint of the same import may have given it a new version.
    let Some(mut original) = complaints::load(tx.conn, &[id])?.remove(&id).map(|case| case.complaint) else {
        return Ok(None);
    };
    if !is_void(original.state) {
        return Ok(None);
    }
    let mut cases = complaints::load(tx.conn, &linked)?;
    let counting = cases.values().map(|case| &case.complaint).filter(|complaint| !is_void(complaint.state));
    let Some(next) = counting.min_by_key(|one| (one.received_at, one.id)).map(|one| one.id) else { return Ok(None) };
    let reason = format!(
        "the original, {}, is {}: {} counts in its place",
        human_reference(id),
        original.state,
        human_reference(next)
    );
    // First the one that counts: no link leads to a complaint that is linked itself.
    linked.sort_by_key(|id| *id != next);
    for id in linked {
        let (Some(mut case), Some(link)) = (cases.remove(&id), link_of(tx.conn, id)?) else { continue };
        if id == next {
            remove(tx, &mut case.complaint, &link, &reason)?;
        } else {
            put(tx, &mut case.complaint, Some(&link), next, &reason)?;
        }
    }
    put(tx, &mut original, None, next, &reason)?;
    Ok(Some(original.version))
}

/// Links a complaint to an original, in place of an earlier link, with an event.
fn put(
    tx: &mut WriteTx<'_>,
    complaint: &mut Complaint,
    earlier: Option<&ComplaintLink>,
    original_id: Id,
    reason: &str,
) -> Result<(), StoreError> {
    let row = ComplaintLink {
        complaint_id: complaint.id,
        original_id,
        linked_at: tx.now,
        actor: tx.actor.to_owned(),
        reason: reason.to_owned(),
    };
    match earlier {
        Some(_) => each!(&mut *tx.conn, c => {
            diesel::update(complaint_links::table.find(row.complaint_id)).set(&row).execute(c)?
        }),
        None => each!(&mut *tx.conn, c => diesel::insert_into(complaint_links::table).values(&row).execute(c)?),
    };
    let mut after = duplicate_of(Some(original_id));
    after.insert("reason".into(), reason.into());
    complaints::record_beside(tx, complaint, duplicate_of(earlier.map(|link| link.original_id)), after)
}

/// Removes the link of a complaint, with an event.
fn remove(
    tx: &mut WriteTx<'_>,
    complaint: &mut Complaint,
    link: &ComplaintLink,
    reason: &str,
) -> Result<(), StoreError> {
    diesel::delete(complaint_links::table.find(complaint.id)).execute(tx.conn)?;
    let mut after = duplicate_of(None);
    after.insert("reason".into(), reason.into());
    complaints::record_beside(tx, complaint, duplicate_of(Some(link.original_id)), after)
}

/// Loads a complaint that is still at a version, and locks it, the other one and all that are linked with them until
/// the transaction ends.
fn locked(tx: &mut WriteTx<'_>, id: Id, expected_version: i32, other: Option<Id>) -> Result<Case, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let ids: Vec<Id> = std::iter::once(id).chain(other).collect();
    lock_with_linked(tx.conn, &ids)?;
    let mut found = complaints::load(tx.conn, &ids)?;
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
