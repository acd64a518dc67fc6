//! Reads the complaints that changed after a snapshot.

use super::columns::{Allegation, Columns, Row};
use super::episodes;
use super::pieces::IdHalves;
use super::rounds::ClockRows;
use super::{Enterprises, Officers, Reference, Snapshot, next_contents_version};
use crate::JobError;
use diesel::prelude::*;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::domain::calendar::local_date;
use schema::enums::ReferenceEventKind;
use schema::models::{ComplaintClock, Enterprise, Officer};
use schema::queries::{linked_complaints, originals_of};
use schema::tables::{
    complaint_clocks, complaint_events, complaint_officers, complaints, enterprises, escalations, officers,
    reference_events,
};
use schema::{Conn, Id, StoreError, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whether units or categories changed after a position.
fn reference_changed(conn: &mut Conn, position: i64) -> Result<bool, StoreError> {
    let changes = reference_events::table
        .filter(reference_events::position.gt(position))
        .filter(reference_events::entity.eq_any(["unit", "unit_parents", "issue_category"]))
        .count()
        .get_result::<i64>(conn)?;
    Ok(changes > 0)
}

/// Number of changes of complaints after a position.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn changes_since(conn: &mut Conn, position: i64) -> Result<u64, StoreError> {
    let changes =
        complaint_events::table.filter(complaint_events::position.gt(position)).count().get_result::<i64>(conn)?;
    Ok(u64::try_from(changes).unwrap_or(0))
}

/// Reading a complaint by its id takes about as long as reading five in a row: when more than this part of the
/// complaints changed, the whole register is read sooner.
const MOST_CHANGED: u64 = 5;

/// Whether applying the changes would take longer than reading the whole register.
pub(super) fn are_too_many(changes: u64, complaints: u64) -> bool {
    changes > (complaints / MOST_CHANGED).max(KEYS_PER_QUERY as u64)
}

/// Time and actor of a transaction, which all of its events share. Another register, and this one restored to an
/// earlier state and written on, has another at the same position.
pub(super) type Transaction = (Timestamp, String);

/// The transaction with a position. None if no event has it.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn transaction_at(conn: &mut Conn, position: i64) -> Result<Option<Transaction>, StoreError> {
    let of_complaints: Option<Transaction> = complaint_events::table
        .filter(complaint_events::position.eq(position))
        .select((complaint_events::recorded_at, complaint_events::actor))
        .first(conn)
        .optional()?;
    if of_complaints.is_some() {
        return Ok(of_complaints);
    }
    let of_reference_data: Option<Transaction> = reference_events::table
        .filter(reference_events::position.eq(position))
        .select((reference_events::recorded_at, reference_events::actor))
        .first(conn)
        .optional()?;
    Ok(of_reference_data)
}

/// The reference data of a snapshot, at a later position, with the same places.
pub(super) struct Kept {
    pub reference: Arc<Reference>,
    pub enterprises: Arc<Enterprises>,
    pub officers: Arc<Officers>,
    /// The version of all names.
    pub names_version: u64,
}

impl Kept {
    /// The present reference data of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            reference: Arc::clone(&snapshot.reference),
            enterprises: Arc::clone(&snapshot.enterprises),
            officers: Arc::clone(&snapshot.officers),
            names_version: snapshot.names_version,
        }
    }
}

/// A number that no snapshot of this process has had.
pub(super) fn next_names_version() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The units, categories, enterprises and officers of a snapshot, with later changes and new officers. None when
/// columns depend on what changed, such as when a new unit moves the places of others or an enterprise counts as
/// another one. `refreshed` reads new enterprises with the complaints that name them.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn kept_since(conn: &mut Conn, before: &Snapshot) -> Result<Option<Kept>, JobError> {
    let mut kept = Kept::of(before);
    if reference_changed(conn, before.position)? {
        let fresh = Reference::load(conn)?;
        if fresh.hash_of_columns() != before.reference.hash_of_columns() {
            return Ok(None);
        }
        // A unit that moved changes the complaints about it, each with an event.
        if are_too_many(changes_since(conn, before.position)?, before.facts.height() as u64) {
            return Ok(None);
        }
        kept.reference = Arc::new(fresh);
        kept.names_version = next_names_version();
    }
    let are_alike = people_since(conn, before.position, &mut kept)?;
    Ok(are_alike.then_some(kept))
}

/// Brings enterprises and officers up to date. False when an enterprise counts as another one now.
fn people_since(conn: &mut Conn, position: i64, kept: &mut Kept) -> Result<bool, JobError> {
    let changed = |conn: &mut Conn, entity: &str, kinds: &[ReferenceEventKind]| {
        reference_events::table
            .filter(reference_events::position.gt(position))
            .filter(reference_events::entity.eq(entity.to_owned()))
            .filter(reference_events::kind.eq_any(kinds.to_vec()))
            .select(reference_events::entity_id)
            .distinct()
            .load::<Id>(conn)
    };
    let [created, updated] = [ReferenceEventKind::Created, ReferenceEventKind::Updated];
    for chunk in changed(conn, "enterprise", &[updated])?.chunks(KEYS_PER_QUERY) {
        let found = enterprises::table.filter(enterprises::id.eq_any(chunk)).select(Enterprise::as_select());
        for enterprise in found.load(conn)? {
            kept.names_version = next_names_version();
            if !Arc::make_mut(&mut kept.enterprises).update_unless_moved(&enterprise) {
                return Ok(false);
            }
        }
    }
    let described = changed(conn, "officer", &[updated])?;
    if !described.is_empty() {
        kept.names_version = next_names_version();
    }
    for chunk in changed(conn, "officer", &[created, updated])?.chunks(KEYS_PER_QUERY) {
        let found = officers::table.filter(officers::id.eq_any(chunk)).select(Officer::as_select());
        for officer in found.load(conn)? {
            Arc::make_mut(&mut kept.officers).put(&officer);
        }
    }
    Ok(true)
}

pub(super) const ALLEGATION: (
    complaint_officers::complaint_id,
    complaint_officers::officer_id,
    complaint_officers::finding,
    complaint_officers::decided_on,
    complaint_officers::attribution,
) = (
    complaint_officers::complaint_id,
    complaint_officers::officer_id,
    complaint_officers::finding,
    complaint_officers::decided_on,
    complaint_officers::attribution,
);

/// The rounds and the first escalation of complaints: of some, or of all that have any.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn clock_rows(conn: &mut Conn, of: Option<&[Id]>) -> Result<HashMap<Id, ClockRows>, JobError> {
    let mut found: HashMap<Id, ClockRows> = HashMap::new();
    let rounds = complaint_clocks::table
        .order((complaint_clocks::complaint_id, complaint_clocks::round))
        .select(ComplaintClock::as_select());
    let escalated = escalations::table.select((escalations::complaint_id, escalations::escalated_at));
    let (rounds, escalated): (Vec<ComplaintClock>, Vec<(Id, Timestamp)>) = match of {
        None => (rounds.load(conn)?, escalated.load(conn)?),
        Some(of) => (
            rounds.filter(complaint_clocks::complaint_id.eq_any(of)).load(conn)?,
            escalated.filter(escalations::complaint_id.eq_any(of)).load(conn)?,
        ),
    };
    for row in rounds {
        found.entry(row.complaint_id).or_default().rounds.push(row);
    }
    for (id, at) in escalated {
        let first = &mut found.entry(id).or_default().escalated_on;
        let day = local_date(at);
        *first = Some(first.map_or(day, |earliest| earliest.min(day)));
    }
    Ok(found)
}

/// The snapshot at a later position: complaints that changed since are read again. It shares all pieces without any of
/// these.
///
/// # Errors
/// If the database cannot be read, or columns cannot be made.
pub(super) fn refreshed(
    conn: &mut Conn,
    before: &Snapshot,
    kept: Kept,
    position: i64,
    as_of: Timestamp,
) -> Result<Snapshot, JobError> {
    let today = local_date(as_of);
    let transaction = transaction_at(conn, position)?;
    let mut changed: Vec<Id> = complaint_events::table
        .filter(complaint_events::position.gt(before.position))
        .select(complaint_events::complaint_id)
        .distinct()
        .load(conn)?;
    // A finding counts from its day on, also where nothing was written since.
    changed.extend(before.later.iter().filter(|(day, _)| *day <= today).map(|(_, complaint)| *complaint));
    // The file keeps no duplicates.
    if before.duplicates.list.is_empty() {
        changed.extend(linked_complaints(conn)?);
    }
    changed.sort_unstable();
    changed.dedup();
    let Kept { reference, mut enterprises, mut officers, names_version } = kept;
    let mut columns = Columns::new(changed.len(), today, &reference);
    let mut duplicates = Columns::new(0, today, &reference);
    for chunk in changed.chunks(KEYS_PER_QUERY) {
        let linked = originals_of(conn, chunk)?;
        let rows: Vec<Row> = complaints::table
            .filter(complaints::id.eq_any(chunk))
            .order(complaints::id)
            .select(Row::as_select())
            .load(conn)?;
        let new: HashSet<Id> =
            rows.iter().filter_map(|row| row.enterprise_id).filter(|id| enterprises.place(*id).is_none()).collect();
        if !new.is_empty() {
            let new: Vec<Id> = new.into_iter().collect();
            let found = enterprises::table.filter(enterprises::id.eq_any(&new)).select(Enterprise::as_select());
            let all_enterprises = Arc::make_mut(&mut enterprises);
            found.order(enterprises::id).load(conn)?.iter().for_each(|one| all_enterprises.add(one));
        }
        let allegations: Vec<Allegation> = complaint_officers::table
            .filter(complaint_officers::complaint_id.eq_any(chunk))
            .order((complaint_officers::complaint_id, complaint_officers::ordinal))
            .select(ALLEGATION)
            .load(conn)?;
        let new: HashSet<Id> = allegations.iter().map(|row| row.1).filter(|id| officers.place(*id).is_none()).collect();
        if !new.is_empty() {
            let new: Vec<Id> = new.into_iter().collect();
            let found = officers::table.filter(officers::id.eq_any(&new)).select(Officer::as_select());
            let all_officers = Arc::make_mut(&mut officers);
            found.order(officers::code).load(conn)?.iter().for_each(|one| all_officers.put(one));
        }
        let mut named: HashMap<Id, Vec<u32>> = HashMap::new();
        for allegation in &allegations {
            named.entry(allegation.0).or_default().push(columns.word_of(allegation, &officers));
        }
        let mut clocks = clock_rows(conn, Some(chunk))?;
        for row in rows {
            let words = named.get(&row.id).map_or(&[][..], Vec::as_slice);
            let clock = clocks.remove(&row.id).unwrap_or_default();
            let those = if linked.contains_key(&row.id) { &mut duplicates } else { &mut columns };
            those.push(&row, &clock, words, &reference, &enterprises);
        }
    }
    if changed.is_empty() {
        let is_alike = names_version == before.names_version;
        return Ok(Snapshot {
            reference,
            position,
            as_of,
            enterprises,
            officers,
            names_version,
            contents_version: if is_alike { before.contents_version } else { next_contents_version() },
            transaction,
            ..before.clone()
        });
    }
    let mut later = columns.take_later();
    later.extend(duplicates.take_later());
    later.extend(before.later.iter().filter(|(_, complaint)| changed.binary_search(complaint).is_err()));
    let changed: Vec<IdHalves> = changed.iter().map(|id| id.0.as_u64_pair()).collect();
    let pieces = episodes::changed(&before.pieces, &changed, columns.into_frame()?)?;
    Ok(Snapshot {
        facts: pieces.facts()?,
        pieces: Arc::new(pieces),
        duplicates: Arc::new(before.duplicates.changed(&changed, &duplicates.into_frame()?)?),
        reference,
        position,
        as_of,
        demonstration: before.demonstration,
        enterprises,
        officers,
        names_version,
        contents_version: next_contents_version(),
        transaction,
        reading: before.reading,
        parts: before.parts,
        later: Arc::new(later),
        episodes: Arc::default(),
    })
}
