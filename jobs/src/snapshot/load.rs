//! Reads a snapshot from the database: whole, or the complaints that changed after an earlier one.

use super::columns::{Allegation, Columns, Row};
use super::episodes::{self, number_all};
use super::pieces::{IdHalves, Pieces};
use super::rounds::ClockRows;
use super::{Enterprises, Officers, Reference, Snapshot};
use crate::JobError;
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use schema::db::dialect::{KEYS_PER_QUERY, current_position};
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

/// Whether units or categories changed after a position, so that places of the snapshot may have moved.
pub(super) fn reference_changed(conn: &mut Conn, position: i64) -> Result<bool, StoreError> {
    let changes = reference_events::table
        .filter(reference_events::position.gt(position))
        .filter(reference_events::entity.eq_any(["unit", "unit_parents", "issue_category"]))
        .count()
        .get_result::<i64>(conn)?;
    Ok(changes > 0)
}

/// Time and actor of a transaction, which all of its events share. Another register, and this one restored to an earlier
/// state and written on, has another at the same position.
pub(super) type Transaction = (Timestamp, String);

/// The transaction with a position. None if no event has it.
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

/// Enterprises, officers, and the version of all names.
pub(super) type People = (Arc<Enterprises>, Arc<Officers>, u64);

/// A number that no snapshot of this process has had.
pub(super) fn next_names_version() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The number of a full reading of the register, from 1.
fn next_reading() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The enterprises and officers of a snapshot, with later changes and new officers. None when an enterprise counts as
/// another one now, which moves places. `refreshed` reads new enterprises with the complaints that name them.
pub(super) fn people_changed(conn: &mut Conn, before: &Snapshot) -> Result<Option<People>, JobError> {
    let changed = |conn: &mut Conn, entity: &str, kinds: &[ReferenceEventKind]| {
        reference_events::table
            .filter(reference_events::position.gt(before.position))
            .filter(reference_events::entity.eq(entity.to_owned()))
            .filter(reference_events::kind.eq_any(kinds.to_vec()))
            .select(reference_events::entity_id)
            .distinct()
            .load::<Id>(conn)
    };
    let [created, updated] = [ReferenceEventKind::Created, ReferenceEventKind::Updated];
    let (mut enterprises, mut officers) = (Arc::clone(&before.enterprises), Arc::clone(&before.officers));
    let mut names_version = before.names_version;
    for chunk in changed(conn, "enterprise", &[updated])?.chunks(KEYS_PER_QUERY) {
        let found = enterprises::table.filter(enterprises::id.eq_any(chunk)).select(Enterprise::as_select());
        for enterprise in found.load(conn)? {
            names_version = next_names_version();
            if !Arc::make_mut(&mut enterprises).update_unless_moved(&enterprise) {
                return Ok(None);
            }
        }
    }
    let described = changed(conn, "officer", &[updated])?;
    if !described.is_empty() {
        names_version = next_names_version();
    }
    for chunk in changed(conn, "officer", &[created, updated])?.chunks(KEYS_PER_QUERY) {
        let found = officers::table.filter(officers::id.eq_any(chunk)).select(Officer::as_select());
        for officer in found.load(conn)? {
            Arc::make_mut(&mut officers).put(&officer);
        }
    }
    Ok(Some((enterprises, officers, names_version)))
}

/// Runs a body for each row of a query, holding one row in memory at a time.
macro_rules! for_each {
    ($conn:expr, $query:expr, $row:ty, |$one:ident| $body:expr) => {
        match $conn {
            Conn::Pg(conn) => {
                for row in $query.load_iter::<$row, PgRowByRowLoadingMode>(conn)? {
                    let $one = row?;
                    $body;
                }
            }
            Conn::Sqlite(conn) => {
                for row in $query.load_iter::<$row, DefaultLoadingMode>(conn)? {
                    let $one = row?;
                    $body;
                }
            }
        }
    };
}
pub(super) use for_each;

/// Reads the whole register, into pieces of at most `most` rows.
pub(super) fn load_all(conn: &mut Conn, as_of: Timestamp, most: usize) -> Result<Snapshot, JobError> {
    let position = current_position(conn)?;
    let reference = Reference::load(conn)?;
    let mut enterprises = Enterprises::default();
    for_each!(conn, enterprises::table.select(Enterprise::as_select()).order(enterprises::id), Enterprise, |row| {
        enterprises.add(row)
    });
    let mut officers = Officers::default();
    for_each!(conn, officers::table.select(Officer::as_select()).order(officers::code), Officer, |row| officers
        .put(&row));
    let mut clocks = clock_rows(conn, None)?;
    let allegations = complaint_officers::table
        .order((complaint_officers::complaint_id, complaint_officers::ordinal))
        .select(ALLEGATION);
    // A duplicate counts by its original.
    let linked: HashSet<Id> = linked_complaints(conn)?.into_iter().collect();
    let rows = complaints::table.count().get_result::<i64>(conn)?;
    let mut rows = usize::try_from(rows).unwrap_or(0);
    let mut columns = Columns::new(rows.min(most), local_date(as_of));
    let mut duplicates = Columns::new(linked.len(), local_date(as_of));
    let mut pieces = Pieces::new(most);
    let mut named: Vec<(Id, u32)> = Vec::new();
    for_each!(conn, allegations, Allegation, |row| named.push((row.0, columns.word_of(&row, &officers))));
    // Both lists are ordered by complaint, which allows a merge join. Few complaints have rows of the clock.
    let (mut named, mut words) = (named.as_slice(), Vec::new());
    for_each!(conn, complaints::table.order(complaints::id).select(Row::as_select()), Row, |row| {
        words.clear();
        words.extend(next_of(&mut named, row.id));
        let clock = clocks.remove(&row.id).unwrap_or_default();
        if linked.contains(&row.id) {
            duplicates.push(&row, &clock, &words, &reference, &enterprises);
        } else {
            columns.push(&row, &clock, &words, &reference, &enterprises);
            if columns.height() == most {
                rows = rows.saturating_sub(most);
                pieces.push(columns.take_frame(rows.min(most))?)?;
            }
        }
    });
    let mut later = columns.take_later();
    later.extend(duplicates.take_later());
    pieces.push(columns.into_frame()?)?;
    number_all(&mut pieces)?;
    Ok(Snapshot {
        later: Arc::new(later),
        facts: pieces.facts()?,
        pieces: Arc::new(pieces),
        duplicates: Arc::new(Pieces::new(most).changed(&[], &duplicates.into_frame()?)?),
        reference: Arc::new(reference),
        position,
        as_of,
        demonstration: schema::register::demonstration::mark(conn)?.is_some(),
        enterprises: Arc::new(enterprises),
        officers: Arc::new(officers),
        names_version: next_names_version(),
        transaction: transaction_at(conn, position)?,
        reading: next_reading(),
        episodes: Arc::default(),
    })
}

/// Takes the values of a complaint from the head of a list ordered by complaint; drops those of earlier complaints.
fn next_of<T: Copy>(list: &mut &[(Id, T)], complaint: Id) -> impl Iterator<Item = T> {
    let from = list.iter().position(|(id, _)| *id >= complaint).unwrap_or(list.len());
    let count = list[from..].iter().position(|(id, _)| *id != complaint).unwrap_or(list.len() - from);
    let (found, rest) = list[from..].split_at(count);
    *list = rest;
    found.iter().map(|(_, value)| *value)
}

const ALLEGATION: (
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
fn clock_rows(conn: &mut Conn, of: Option<&[Id]>) -> Result<HashMap<Id, ClockRows>, JobError> {
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
        *first = Some(first.map_or(day, |known| known.min(day)));
    }
    Ok(found)
}

/// The snapshot at a later position: complaints that changed since are read again. It shares all pieces without any of
/// these.
pub(super) fn refreshed(
    conn: &mut Conn,
    before: &Snapshot,
    people: People,
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
    let (mut enterprises, mut officers, names_version) = people;
    let mut columns = Columns::new(changed.len(), today);
    let mut duplicates = Columns::new(0, today);
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
            found.order(enterprises::id).load(conn)?.into_iter().for_each(|one| all_enterprises.add(one));
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
            those.push(&row, &clock, words, &before.reference, &enterprises);
        }
    }
    if changed.is_empty() {
        return Ok(Snapshot { position, as_of, enterprises, officers, names_version, transaction, ..before.clone() });
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
        reference: Arc::clone(&before.reference),
        position,
        as_of,
        demonstration: before.demonstration,
        enterprises,
        officers,
        names_version,
        transaction,
        reading: before.reading,
        later: Arc::new(later),
        episodes: Arc::default(),
    })
}
