//! Merges of officers or of enterprises that are the same, their splits, and moves of single complaints between two.
//!
//! A merge moves all that the register says of the first to the second, in one transaction; each changed complaint has
//! an event, which names the merge. The first stays known: what comes in under its code is about the second. A split
//! reads from these events what the merge moved, and takes back exactly that.

mod moves;
mod postings;
mod restored;

pub use moves::{move_allegations, move_complaints};

use super::aliases::Aliases;
use super::complaints::{self, Case, MERGE};
use super::corrections::{move_rows, settle};
use super::reference::{Stored, change, upsert};
use super::routing::Routing;
use super::tree::load_tree;
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::domain::calendar::local_date;
use crate::domain::ids::{random_id, reference_id};
use crate::domain::tax_code;
use crate::each;
use crate::enums::{ComplaintEventKind, MeasureKind};
use crate::events::Entity;
use crate::models::{Enterprise, Measure, Merge, Officer, Workload};
use crate::sql_types::Id;
use crate::tables::{complaint_officers, complaints as complaint_table, measures, merges, workload};
use diesel::prelude::*;
use unicode_normalization::UnicodeNormalization;

/// Complaints that one merge, split or move changes, at most: until it has ended, all other writers wait.
const MOST: usize = 10_000;

/// Merges an officer into another one: complaints, postings, workload and measures. Flags are not moved: the next
/// recurrence run retracts those whose evidence is gone, and assesses the other officer with it.
///
/// # Errors
/// `Rule` if a code is unknown, both are the same, or too many complaints name the officer; `Conflict` if one of them
/// was merged before, or both have the same measure.
pub fn merge_officers(tx: &mut WriteTx<'_>, from: &str, into: &str, reason: &str) -> Result<Merge, StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    let (from_id, into_id) = (officer(tx.conn, "from", from)?, officer(tx.conn, "into", into)?);
    let code = |conn: &mut Conn, id: Id| Ok(Officer::load(conn, &[id])?.remove(&id).map(|officer| officer.code));
    refuse_merged((from, from_id), (into, into_id), Aliases::officer, code, tx.conn)?;
    let mut ids: Vec<Id> = complaint_officers::table
        .filter(complaint_officers::officer_id.eq(from_id))
        .select(complaint_officers::complaint_id)
        .distinct()
        .order(complaint_officers::complaint_id)
        .limit(i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(1))
        .load(tx.conn)?;
    ids.sort_unstable();
    refuse_too_many(ids.len())?;
    let id = random_id();
    let cases = complaints::load_for_update(tx.conn, &ids)?;
    for before in ids.iter().filter_map(|id| cases.get(id)) {
        let mut after = before.clone();
        move_rows(&mut after, from_id, into_id, |_| true);
        store(tx, before, &mut after, Some(id), reason)?;
    }
    postings::move_postings(tx, from_id, into_id)?;
    let mut rows: Vec<Workload> =
        workload::table.filter(workload::officer_id.eq(from_id)).select(Workload::as_select()).load(tx.conn)?;
    rows.iter_mut().for_each(|row| row.officer_id = Some(into_id));
    upsert(tx, rows)?;
    let measures = measures_of(tx.conn, from_id)?;
    refuse_same_measure(&measures, &measures_of(tx.conn, into_id)?)?;
    for measure in &measures {
        set_officer(tx, measure, into_id)?;
    }
    let merge = new(tx, id, reason, ids.len());
    stored(tx, Merge { from_officer_id: Some(from_id), into_officer_id: Some(into_id), ..merge })
}

/// Merges an enterprise into another one: its complaints.
///
/// # Errors
/// Same errors as [`merge_officers`].
pub fn merge_enterprises(tx: &mut WriteTx<'_>, from: &str, into: &str, reason: &str) -> Result<Merge, StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    let (from_id, into_id) = (enterprise(tx.conn, "from", from)?, enterprise(tx.conn, "into", into)?);
    let code = |conn: &mut Conn, id: Id| Ok(Enterprise::load(conn, &[id])?.remove(&id).map(|found| found.tax_code));
    refuse_merged((from, from_id), (into, into_id), Aliases::enterprise, code, tx.conn)?;
    let ids: Vec<Id> = complaint_table::table
        .filter(complaint_table::enterprise_id.eq(from_id))
        .order(complaint_table::id)
        .select(complaint_table::id)
        .limit(i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(1))
        .load(tx.conn)?;
    refuse_too_many(ids.len())?;
    let id = random_id();
    let cases = complaints::load_for_update(tx.conn, &ids)?;
    for before in ids.iter().filter_map(|id| cases.get(id)) {
        let mut after = before.clone();
        after.complaint.enterprise_id = Some(into_id);
        store(tx, before, &mut after, Some(id), reason)?;
    }
    let merge = new(tx, id, reason, ids.len());
    stored(tx, Merge { from_enterprise_id: Some(from_id), into_enterprise_id: Some(into_id), ..merge })
}

/// Undoes the merge of an officer: takes back exactly what it moved and the other officer still has.
///
/// # Errors
/// `Rule` if the code is unknown or was not merged; `Conflict` if the other officer was itself merged later.
pub fn split_officer(tx: &mut WriteTx<'_>, code: &str, reason: &str) -> Result<(Merge, usize), StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    let from = officer(tx.conn, "officer", code)?;
    let standing: Option<Merge> = merges::table
        .filter(merges::from_officer_id.eq(from))
        .filter(merges::split_at.is_null())
        .select(Merge::as_select())
        .first(tx.conn)
        .optional()?;
    let merge = standing.ok_or_else(|| not_merged("officer", code))?;
    let Some(into) = merge.into_officer_id else { return Err(not_merged("officer", code)) };
    refuse_merged_on(Aliases::load(tx.conn)?.officer(into) == into)?;
    let position = restored::position_of(tx.conn, merge.id)?;
    let moved = restored::moved_rows(tx.conn, &merge, position, into)?;
    let ids: Vec<Id> = moved.keys().copied().collect();
    let cases = complaints::load_for_update(tx.conn, &ids)?;
    let mut number = 0;
    for (id, ordinals) in &moved {
        let Some(before) = cases.get(id) else { continue };
        let mut after = before.clone();
        move_rows(&mut after, into, from, |ordinal| ordinals.contains(&ordinal));
        number += usize::from(store(tx, before, &mut after, Some(merge.id), reason)?);
    }
    postings::take_back_postings(tx, position, from, into)?;
    restored::take_back_workload(tx, position, from, into)?;
    for measure in restored::moved_measures(tx.conn, position, from, into)? {
        set_officer(tx, &measure, from)?;
    }
    Ok((split(tx, &merge, reason)?, number))
}

/// Undoes the merge of an enterprise, as [`split_officer`].
///
/// # Errors
/// Same errors as [`split_officer`].
pub fn split_enterprise(tx: &mut WriteTx<'_>, code: &str, reason: &str) -> Result<(Merge, usize), StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    let from = enterprise(tx.conn, "taxCode", code)?;
    let standing: Option<Merge> = merges::table
        .filter(merges::from_enterprise_id.eq(from))
        .filter(merges::split_at.is_null())
        .select(Merge::as_select())
        .first(tx.conn)
        .optional()?;
    let merge = standing.ok_or_else(|| not_merged("taxCode", code))?;
    let Some(into) = merge.into_enterprise_id else { return Err(not_merged("taxCode", code)) };
    refuse_merged_on(Aliases::load(tx.conn)?.enterprise(into) == into)?;
    let position = restored::position_of(tx.conn, merge.id)?;
    let ids = restored::changed_complaints(tx.conn, &merge, position)?;
    let cases = complaints::load_for_update(tx.conn, &ids)?;
    let mut number = 0;
    for before in ids.iter().filter_map(|id| cases.get(id)).filter(|case| case.complaint.enterprise_id == Some(into)) {
        let mut after = before.clone();
        after.complaint.enterprise_id = Some(from);
        number += usize::from(store(tx, before, &mut after, Some(merge.id), reason)?);
    }
    Ok((split(tx, &merge, reason)?, number))
}

/// Stores a complaint that a merge, a split or a move changed.
fn store(
    tx: &mut WriteTx<'_>,
    before: &Case,
    after: &mut Case,
    merge: Option<Id>,
    reason: &str,
) -> Result<bool, StoreError> {
    // A single allegation is the lowest one, also without an officer.
    if before.officers != after.officers && after.officers.len() + after.matters.len() > 1 {
        settle(tx, before, after)?;
        let (was, is) = (&before.complaint, &after.complaint);
        if (was.unit_id, was.category_id) != (is.unit_id, is.category_id) {
            let tree = load_tree(tx.conn)?;
            after.set_ancestors(&tree);
            if complaints::follows_rules(tx.conn, was)? {
                after.route(&Routing::load(tx.conn)?, &tree, local_date(tx.now));
            }
        }
    }
    let mut notes = vec![("reason".to_owned(), serde_json::Value::from(reason))];
    notes.extend(merge.map(|id| (MERGE.to_owned(), serde_json::json!(id))));
    complaints::update_noting(tx, ComplaintEventKind::Corrected, tx.now, before, after, notes)
}

fn new(tx: &WriteTx<'_>, id: Id, reason: &str, complaints: usize) -> Merge {
    Merge {
        id,
        from_officer_id: None,
        into_officer_id: None,
        from_enterprise_id: None,
        into_enterprise_id: None,
        reason: reason.to_owned(),
        complaints: i32::try_from(complaints).unwrap_or(i32::MAX),
        merged_at: tx.now,
        actor: tx.actor.to_owned(),
        split_at: None,
        split_reason: None,
        split_actor: None,
        version: 1,
    }
}

fn stored(tx: &mut WriteTx<'_>, merge: Merge) -> Result<Merge, StoreError> {
    each!(&mut *tx.conn, c => diesel::insert_into(merges::table).values(&merge).execute(c)?);
    change(tx, Entity::Merge, merge.id, None, &merge);
    Ok(merge)
}

fn split(tx: &mut WriteTx<'_>, before: &Merge, reason: &str) -> Result<Merge, StoreError> {
    let mut now = before.clone();
    now.split_at = Some(tx.now);
    now.split_reason = Some(reason.to_owned());
    now.split_actor = Some(tx.actor.to_owned());
    now.version += 1;
    each!(&mut *tx.conn, c => diesel::update(merges::table.find(before.id)).set(&now).execute(c)?);
    change(tx, Entity::Merge, before.id, Some(before), &now);
    Ok(now)
}

fn officer(conn: &mut Conn, field: &str, code: &str) -> Result<Id, StoreError> {
    let code: String = code.trim().nfc().collect();
    let id = reference_id(Entity::Officer, &code);
    if Officer::load(conn, &[id])?.is_empty() {
        let message = format!("{field}: there is no officer {code:?}: the query `officers` lists the codes");
        return Err(StoreError::Rule(message));
    }
    Ok(id)
}

fn enterprise(conn: &mut Conn, field: &str, code: &str) -> Result<Id, StoreError> {
    let code = tax_code::parse(code).map_err(|e| StoreError::Rule(format!("{field}: {e}")))?;
    let id = reference_id(Entity::Enterprise, &code);
    if Enterprise::load(conn, &[id])?.is_empty() {
        let message = format!("{field}: there is no enterprise {code:?}: the query `enterprises` lists the tax codes");
        return Err(StoreError::Rule(message));
    }
    Ok(id)
}

/// Refuses to merge something with itself, and what was merged before, which would make merges a circle. `last` is what
/// an id means after all merges, and `code` the code of an id.
fn refuse_merged(
    (from, from_id): (&str, Id),
    (into, into_id): (&str, Id),
    last: impl Fn(&Aliases, Id) -> Id,
    code: impl Fn(&mut Conn, Id) -> Result<Option<String>, StoreError>,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    if from_id == into_id {
        return Err(StoreError::Rule(format!("into: {into:?} is the same as from: name another one")));
    }
    let aliases = Aliases::load(conn)?;
    let (from_last, into_last) = (last(&aliases, from_id), last(&aliases, into_id));
    if from_last != from_id {
        let standing = code(conn, from_last)?.unwrap_or_default();
        return Err(StoreError::Conflict(format!(
            "{from:?} was merged into {standing:?} already: split that merge first"
        )));
    }
    if into_last != into_id {
        let standing = code(conn, into_last)?.unwrap_or_default();
        return Err(StoreError::Conflict(format!("{into:?} was merged itself: name {standing:?} instead")));
    }
    Ok(())
}

fn not_merged(field: &str, code: &str) -> StoreError {
    StoreError::Rule(format!(
        "{field}: {code:?} was not merged: the query `merges` lists the merges; to move some complaints only, name \
         them (complaintIds) and where they belong (to)"
    ))
}

fn refuse_merged_on(is_last: bool) -> Result<(), StoreError> {
    if is_last {
        return Ok(());
    }
    Err(StoreError::Conflict("its target was itself merged later: split that later merge first".into()))
}

fn refuse_too_many(complaints: usize) -> Result<(), StoreError> {
    if complaints <= MOST {
        return Ok(());
    }
    Err(StoreError::Rule(format!(
        "from: more than {MOST} complaints would change at once: move the oldest first (splitOfficer and \
         splitEnterprise with complaintIds and to), until that many are left"
    )))
}

fn measures_of(conn: &mut Conn, officer: Id) -> Result<Vec<Measure>, StoreError> {
    Ok(measures::table
        .filter(measures::officer_id.eq(officer))
        .order(measures::id)
        .select(Measure::as_select())
        .load(conn)?)
}

/// The register holds a measure once, and an officer has one suspension at a time.
fn refuse_same_measure(of_from: &[Measure], of_into: &[Measure]) -> Result<(), StoreError> {
    let key = |measure: &Measure| (measure.kind, measure.decided_on, measure.starts_on, measure.recorded_by_unit_id);
    let stands = |measure: &&Measure| measure.void_reason.is_none();
    let same =
        of_from.iter().filter(stands).find(|one| of_into.iter().filter(stands).any(|other| key(one) == key(other)));
    if let Some(measure) = same {
        return Err(StoreError::Conflict(format!(
            "both officers have the {} decided on {}: its unit has to void one of the two measures first",
            measure.kind, measure.decided_on
        )));
    }
    let overlap = |one: &Measure, other: &Measure| {
        one.kind == MeasureKind::Suspension
            && other.kind == MeasureKind::Suspension
            && one.ends_on.is_none_or(|end| other.starts_on <= end)
            && other.ends_on.is_none_or(|end| one.starts_on <= end)
    };
    let twice =
        of_from.iter().filter(stands).find(|one| of_into.iter().filter(stands).any(|other| overlap(one, other)));
    match twice {
        None => Ok(()),
        Some(measure) => Err(StoreError::Conflict(format!(
            "both officers are suspended at the same time, one from {} on: its unit has to lift or void one of the two \
             suspensions first",
            measure.starts_on
        ))),
    }
}

fn set_officer(tx: &mut WriteTx<'_>, measure: &Measure, officer: Id) -> Result<(), StoreError> {
    let mut now = measure.clone();
    now.officer_id = officer;
    now.version += 1;
    each!(&mut *tx.conn, c => diesel::update(measures::table.find(measure.id)).set(&now).execute(c)?);
    change(tx, Entity::Measure, measure.id, Some(measure), &now);
    Ok(())
}
