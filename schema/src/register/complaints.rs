//! Loads, inserts and updates complaints with their allegations, and records their events.

pub(crate) use super::case::DERIVED;
pub use super::case::{Case, reference_day};
use super::clock::{clock_of, first_response};
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, StoreError, WriteTx};
use crate::each;
use crate::enums::{ComplaintEventKind, ComplaintState};
use crate::events::{ComplaintEvent, Fields, Prepared, changed_fields};
use crate::insert_all;
use crate::models::{Complaint, ComplaintOfficer, ComplaintSource};
use crate::queries::{allegations_of, clocks_of, matters_of};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables::{
    complaint_clocks, complaint_events, complaint_matters, complaint_officers, complaint_sources, complaints,
};
use diesel::prelude::*;
use std::collections::HashMap;

/// The event field with the hash of the complaint's content in its source.
pub const CONTENT_HASH: &str = "content_hash";

/// The event field with the id of the merge, or of its split, that changed the complaint.
pub const MERGE: &str = "merge_id";

/// The event field with an escalation of the complaint: its level, the unit that it names and the deadline.
pub const ESCALATION: &str = "escalation";

/// Loads cases by id.
///
/// # Errors
/// If the database cannot be read.
pub fn load(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Case>, StoreError> {
    let mut cases = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Complaint> =
            complaints::table.filter(complaints::id.eq_any(chunk)).select(Complaint::as_select()).load(conn)?;
        let bare = |complaint| Case { complaint, officers: Vec::new(), matters: Vec::new(), clocks: Vec::new() };
        cases.extend(rows.into_iter().map(|complaint: Complaint| (complaint.id, bare(complaint))));
        for (id, rows) in allegations_of(conn, chunk)? {
            if let Some(case) = cases.get_mut(&id) {
                case.officers = rows;
            }
        }
        for (id, rows) in matters_of(conn, chunk)? {
            if let Some(case) = cases.get_mut(&id) {
                case.matters = rows;
            }
        }
        for (id, rows) in clocks_of(conn, chunk)? {
            if let Some(case) = cases.get_mut(&id) {
                case.clocks = rows;
            }
        }
    }
    Ok(cases)
}

/// Loads cases and locks their complaints until the transaction ends.
///
/// # Errors
/// If the database cannot be read, or a lock is not granted in time.
pub fn load_for_update(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Case>, StoreError> {
    lock(conn, ids)?;
    load(conn, ids)
}

/// Locks complaints in the order of their ids until the transaction ends. SQLite has one writer at a time: no lock
/// needed.
///
/// # Errors
/// If the database fails.
pub(super) fn lock(conn: &mut Conn, ids: &[Id]) -> Result<(), StoreError> {
    if let Conn::Pg(c) = conn {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        for chunk in ids.chunks(KEYS_PER_QUERY) {
            complaints::table
                .filter(complaints::id.eq_any(chunk))
                .order(complaints::id)
                .select(complaints::id)
                // `for_update` would block inserts of rows that refer to these.
                .for_no_key_update()
                .load::<Id>(c)?;
        }
    }
    Ok(())
}

/// Whether the responsible unit of a complaint follows the routing rules when its category or unit changes: the
/// complaint was neither assigned nor answered, and no person chose the unit.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn follows_rules(conn: &mut Conn, complaint: &Complaint) -> Result<bool, StoreError> {
    let is_routed = matches!(complaint.state, ComplaintState::Received | ComplaintState::Classified);
    Ok(is_routed && !was_transferred(conn, complaint.id)?)
}

/// Whether a person chose the responsible unit of a complaint: some event gives a reason for it.
fn was_transferred(conn: &mut Conn, id: Id) -> Result<bool, StoreError> {
    let changes: Vec<Option<JsonValue>> = complaint_events::table
        .filter(complaint_events::complaint_id.eq(id))
        .filter(complaint_events::kind.eq(ComplaintEventKind::Updated))
        .select(complaint_events::after)
        .load(conn)?;
    let has =
        |fields: &JsonValue| ["responsible_unit_id", "reason"].into_iter().all(|field| fields.0.get(field).is_some());
    Ok(changes.iter().flatten().any(has))
}

/// The rows of a source, by reference.
///
/// # Errors
/// If the database cannot be read.
pub fn load_sources(
    conn: &mut Conn,
    source: &str,
    references: &[&str],
) -> Result<HashMap<String, ComplaintSource>, StoreError> {
    let mut found = HashMap::with_capacity(references.len());
    for chunk in references.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ComplaintSource> = complaint_sources::table
            .filter(complaint_sources::source.eq(source))
            .filter(complaint_sources::reference.eq_any(chunk))
            .select(ComplaintSource::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.reference.clone(), row)));
    }
    Ok(found)
}

/// Number of cases from which a second thread prepares their events.
const CASES_FOR_A_THREAD: usize = 100;

/// Inserts new cases with their sources and events, and sets their deadlines. Each event takes effect when the
/// complaint was received.
///
/// # Errors
/// If the database refuses a row: an id or a reference that exists, a key that refers to nothing.
pub fn insert(tx: &mut WriteTx<'_>, cases: &mut [Case], sources: &[ComplaintSource]) -> Result<(), StoreError> {
    let clock = clock_of(tx)?;
    cases.iter_mut().for_each(|case| case.set_clock(&clock, None));
    let cases: &[Case] = cases;
    let hashes: HashMap<Id, &str> =
        sources.iter().map(|source| (source.complaint_id, source.content_hash.as_str())).collect();
    let prepare = || -> Vec<Prepared> {
        cases.iter().map(|case| received(case, hashes.get(&case.complaint.id).copied()).prepare()).collect()
    };
    if cases.len() < CASES_FOR_A_THREAD {
        insert_rows(tx.conn, cases, sources)?;
        tx.record_prepared(prepare());
        return Ok(());
    }
    // The database is busy with the rows for longer than it takes to make JSON and commitments of them.
    let prepared = std::thread::scope(|scope| -> Result<Vec<Prepared>, StoreError> {
        let prepared = scope.spawn(prepare);
        insert_rows(tx.conn, cases, sources)?;
        Ok(prepared.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    tx.record_prepared(prepared);
    Ok(())
}

/// Inserts one new case as [`insert`] does; its event also stores notes, which are not fields of the complaint.
///
/// # Errors
/// Same errors as [`insert`].
pub(super) fn insert_noting(
    tx: &mut WriteTx<'_>,
    case: &mut Case,
    source: &ComplaintSource,
    notes: impl IntoIterator<Item = (String, serde_json::Value)>,
) -> Result<(), StoreError> {
    let clock = clock_of(tx)?;
    case.set_clock(&clock, None);
    let mut event = received(case, Some(&source.content_hash));
    event.after.get_or_insert_default().extend(notes);
    insert_rows(tx.conn, std::slice::from_ref(case), std::slice::from_ref(source))?;
    tx.record(event);
    Ok(())
}

/// The event of a new case; `content_hash` is its source's.
pub(crate) fn received(case: &Case, content_hash: Option<&str>) -> ComplaintEvent {
    let mut after = case.fields();
    after.extend(content_hash.map(|hash| (CONTENT_HASH.to_owned(), hash.into())));
    ComplaintEvent {
        complaint_id: case.complaint.id,
        kind: ComplaintEventKind::Received,
        effective_at: case.complaint.received_at,
        before: None,
        after: Some(after),
    }
}

/// Inserts new cases without events.
///
/// # Errors
/// If the database cannot be written, for example because a row exists already.
pub(crate) fn insert_rows(conn: &mut Conn, cases: &[Case], sources: &[ComplaintSource]) -> Result<(), StoreError> {
    insert_all!(&mut *conn, complaints::table, cases.iter().map(|case| &case.complaint));
    insert_all!(&mut *conn, complaint_sources::table, sources.iter());
    let officers: Vec<&ComplaintOfficer> = cases.iter().flat_map(|case| &case.officers).collect();
    insert_officers(conn, &officers)?;
    insert_all!(&mut *conn, complaint_matters::table, cases.iter().flat_map(|case| &case.matters));
    insert_all!(&mut *conn, complaint_clocks::table, cases.iter().flat_map(|case| &case.clocks));
    Ok(())
}

/// Stores a changed case, increments its version and records the event. Returns false if nothing differs.
///
/// # Errors
/// If the database refuses the write.
pub fn update(
    tx: &mut WriteTx<'_>,
    kind: ComplaintEventKind,
    effective_at: Timestamp,
    before: &Case,
    after: &mut Case,
) -> Result<bool, StoreError> {
    update_because(tx, kind, effective_at, before, after, None)
}

/// Like [`update`]; the event also stores the reason.
///
/// # Errors
/// If the database refuses the write.
pub fn update_because(
    tx: &mut WriteTx<'_>,
    kind: ComplaintEventKind,
    effective_at: Timestamp,
    before: &Case,
    after: &mut Case,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let reason = reason.map(|reason| ("reason".to_owned(), serde_json::Value::from(reason)));
    update_noting(tx, kind, effective_at, before, after, reason)
}

/// Like [`update`]; the event also stores notes, which are not fields of the complaint.
///
/// # Errors
/// If the database refuses the write.
pub(super) fn update_noting(
    tx: &mut WriteTx<'_>,
    kind: ComplaintEventKind,
    effective_at: Timestamp,
    before: &Case,
    after: &mut Case,
    notes: impl IntoIterator<Item = (String, serde_json::Value)>,
) -> Result<bool, StoreError> {
    let Some((old, mut new)) = store(tx, before, after)? else { return Ok(false) };
    new.extend(notes);
    let complaint_id = after.complaint.id;
    tx.record(ComplaintEvent { complaint_id, kind, effective_at, before: Some(old), after: Some(new) });
    Ok(true)
}

/// Records a change that concerns a complaint and is not in its row: gives it a new version, and stores an event with
/// the fields before and after.
///
/// # Errors
/// If the database refuses the write.
pub(super) fn record_beside(
    tx: &mut WriteTx<'_>,
    complaint: &mut Complaint,
    mut before: Fields,
    mut after: Fields,
) -> Result<(), StoreError> {
    before.insert("version".into(), complaint.version.into());
    complaint.version += 1;
    after.insert("version".into(), complaint.version.into());
    diesel::update(complaints::table.find(complaint.id))
        .set(complaints::version.eq(complaint.version))
        .execute(tx.conn)?;
    let (complaint_id, effective_at) = (complaint.id, tx.now);
    let kind = ComplaintEventKind::Updated;
    tx.record(ComplaintEvent { complaint_id, kind, effective_at, before: Some(before), after: Some(after) });
    Ok(())
}

/// Stores a complaint that a file describes anew, and the new content hash. The event stores the hash even if the
/// complaint itself is unchanged; then it returns false.
///
/// # Errors
/// If the database refuses the write.
pub fn update_from_source(
    tx: &mut WriteTx<'_>,
    effective_at: Timestamp,
    before: &Case,
    after: &mut Case,
    source: &ComplaintSource,
    content_hash: &str,
) -> Result<bool, StoreError> {
    let changed = store(tx, before, after)?;
    diesel::update(complaint_sources::table.find((&source.source, &source.reference)))
        .set(complaint_sources::content_hash.eq(content_hash))
        .execute(tx.conn)?;
    let is_changed = changed.is_some();
    let (mut old, mut new) = changed.unwrap_or_default();
    old.insert(CONTENT_HASH.to_owned(), source.content_hash.as_str().into());
    new.insert(CONTENT_HASH.to_owned(), content_hash.into());
    let (complaint_id, kind) = (after.complaint.id, ComplaintEventKind::Updated);
    tx.record(ComplaintEvent { complaint_id, kind, effective_at, before: Some(old), after: Some(new) });
    Ok(is_changed)
}

/// Writes the rows of a changed case; returns the fields that differ, before and after.
fn store(tx: &mut WriteTx<'_>, before: &Case, after: &mut Case) -> Result<Option<(Fields, Fields)>, StoreError> {
    after.complaint.version = before.complaint.version;
    after.begin_round_if_reopened(&before.complaint);
    let clock = clock_of(tx)?;
    after.correct_rounds(&clock, &before.complaint);
    let state = |case: &Case| (case.complaint.state, case.complaint.state_since);
    let is_waiting = before.complaint.answered_on.is_none();
    let is_same = is_waiting && state(before) == state(after) && before.clocks == after.clocks;
    let first = if is_same { None } else { first_response(tx.conn, after)? };
    after.set_clock(&clock, first);
    if before == after {
        return Ok(None);
    }
    after.complaint.version += 1;
    let id = after.complaint.id;
    let row = &after.complaint;
    each!(&mut *tx.conn, c => diesel::update(complaints::table.find(id)).set(row).execute(c)?);
    if before.officers != after.officers {
        diesel::delete(complaint_officers::table.filter(complaint_officers::complaint_id.eq(id))).execute(tx.conn)?;
        let officers: Vec<&ComplaintOfficer> = after.officers.iter().collect();
        insert_officers(tx.conn, &officers)?;
    }
    if before.matters != after.matters {
        diesel::delete(complaint_matters::table.filter(complaint_matters::complaint_id.eq(id))).execute(tx.conn)?;
        insert_all!(&mut *tx.conn, complaint_matters::table, after.matters.iter());
    }
    if before.clocks != after.clocks {
        diesel::delete(complaint_clocks::table.filter(complaint_clocks::complaint_id.eq(id))).execute(tx.conn)?;
        insert_all!(&mut *tx.conn, complaint_clocks::table, after.clocks.iter());
    }
    Ok(Some(changed_fields(&before.fields(), &after.fields()).unwrap_or_default()))
}

fn insert_officers(conn: &mut Conn, officers: &[&ComplaintOfficer]) -> Result<(), StoreError> {
    insert_all!(&mut *conn, complaint_officers::table, officers.iter().copied());
    Ok(())
}
