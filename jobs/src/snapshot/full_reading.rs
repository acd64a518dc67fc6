//! Reads a snapshot from the database: all of the register, or some parts of it.

use super::columns::{Allegation, Columns, Row};
use super::episodes::number_all;
use super::load::{ALLEGATION, clock_rows, next_names_version, transaction_at};
use super::parts::{IfRead, Parts};
use super::people::{read_enterprises, read_officers};
use super::pieces::Pieces;
use super::{Reference, Snapshot, next_contents_version};
use crate::JobError;
use crate::row_by_row::for_each;
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use polars_core::runtime::THREAD_POOL;
use schema::db::cancellation::check_cancelled;
use schema::db::dialect::{current_position, scanning};
use schema::domain::calendar::local_date;
use schema::queries::linked_complaints;
use schema::register::demonstration;
use schema::tables::{complaint_officers, complaints};
use schema::{Conn, Id, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of a full reading of the register, from 1.
fn next_reading() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Reads parts of the register, into pieces of at most `most` rows.
///
/// # Errors
/// If the database cannot be read, the operation is cancelled, or columns cannot be made.
pub(super) fn load_all(conn: &mut Conn, as_of: Timestamp, most: usize, parts: Parts) -> Result<Snapshot, JobError> {
    scanning(conn, |conn| read_all(conn, as_of, most, parts))
}

fn read_all(conn: &mut Conn, as_of: Timestamp, most: usize, parts: Parts) -> Result<Snapshot, JobError> {
    let position = current_position(conn)?;
    let reference = Reference::load(conn)?;
    let enterprises = if parts.has(Parts::ENTERPRISES) { read_enterprises(conn)? } else { Default::default() };
    let officers = if parts.has(Parts::OFFICERS) { read_officers(conn)? } else { Default::default() };
    let (enterprises, officers) = THREAD_POOL
        .join(|| enterprises.in_order(&[]).unwrap_or_default(), || officers.in_order(&[]).unwrap_or_default());
    let mut clocks = if parts.has(Parts::CLOCK) { clock_rows(conn, None)? } else { Default::default() };
    let allegations = complaint_officers::table
        .order((complaint_officers::complaint_id, complaint_officers::ordinal))
        .select(ALLEGATION);
    let reads_complaints = parts.has(Parts::COMPLAINTS);
    // A duplicate counts by its original.
    let linked = if reads_complaints { linked_complaints(conn)? } else { Vec::new() };
    let linked: HashSet<Id> = linked.into_iter().collect();
    let rows = if reads_complaints { complaints::table.count().get_result::<i64>(conn)? } else { 0 };
    let mut rows = usize::try_from(rows).unwrap_or(0);
    let mut columns = Columns::new(rows.min(most), local_date(as_of), &reference);
    let mut duplicates = Columns::new(linked.len(), local_date(as_of), &reference);
    let mut pieces = Pieces::new(most);
    let mut named: Vec<(Id, u32)> = Vec::new();
    if parts.has(Parts::OFFICERS) {
        // What is reserved takes no memory before it is used, and a list that grows is copied.
        named.reserve(rows + rows / 2);
        for_each!(conn, allegations, Allegation, |row| named.push((row.0, columns.word_of(&row, &officers))));
    }
    // Both lists are ordered by complaint, which allows a merge join. Few complaints have rows of the clock.
    let (mut rest, mut words) = (named.as_slice(), Vec::new());
    let [units, categories, amounts, clock, enterprise, finding] =
        [Parts::UNITS, Parts::CATEGORIES, Parts::AMOUNTS, Parts::CLOCK, Parts::ENTERPRISES, Parts::OFFICERS]
            .map(|part| parts.has(part));
    // In the order of the fields of `Row`.
    let fields = (
        complaints::id,
        complaints::received_at,
        IfRead::new(complaints::department_id, units),
        IfRead::new(complaints::branch_id, units),
        IfRead::new(complaints::team_id, units),
        IfRead::new(complaints::unit_id, units),
        IfRead::new(complaints::responsible_unit_id, units),
        IfRead::new(complaints::category_id, categories),
        complaints::legal_form,
        complaints::channel,
        complaints::state,
        complaints::state_since,
        IfRead::new(complaints::enterprise_id, enterprise),
        IfRead::new(complaints::cost_vnd, amounts),
        IfRead::new(complaints::delay_hours, amounts),
        complaints::blames_system,
        complaints::confidential,
        IfRead::new(complaints::finding, finding),
        IfRead::new(complaints::decided_on, finding),
        complaints::version,
        IfRead::new(complaints::due_on, clock),
        IfRead::new(complaints::answered_on, clock),
    );
    if reads_complaints {
        for_each!(conn, complaints::table.order(complaints::id).select(fields), Row, |row| {
            words.clear();
            words.extend(next_of(&mut rest, row.id));
            let clock = clocks.remove(&row.id).unwrap_or_default();
            if linked.contains(&row.id) {
                duplicates.push(&row, &clock, &words, &reference, &enterprises);
            } else {
                columns.push(&row, &clock, &words, &reference, &enterprises);
                if columns.height() == most {
                    check_cancelled()?;
                    rows = rows.saturating_sub(most);
                    pieces.push(columns.take_frame(rows.min(most))?)?;
                }
            }
        });
    }
    let mut later = columns.take_later();
    later.extend(duplicates.take_later());
    pieces.push(columns.into_frame()?)?;
    // The numbering of episodes needs memory, too.
    drop((named, clocks));
    if parts.has(Parts::ALL) {
        number_all(&mut pieces)?;
    }
    Ok(Snapshot {
        later: Arc::new(later),
        facts: pieces.facts()?,
        pieces: Arc::new(pieces),
        duplicates: Arc::new(Pieces::new(most).changed(&[], &duplicates.into_frame()?)?),
        reference: Arc::new(reference),
        position,
        as_of,
        demonstration: demonstration::mark(conn)?.is_some(),
        enterprises: Arc::new(enterprises),
        officers: Arc::new(officers),
        names_version: next_names_version(),
        contents_version: next_contents_version(),
        transaction: transaction_at(conn, position)?,
        reading: next_reading(),
        parts,
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
