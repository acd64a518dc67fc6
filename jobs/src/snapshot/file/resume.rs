//! Checks whether a file belongs to the present state of a register, and brings its snapshot up to date.

use super::layout::Contents;
use super::{FROM_A_FILE, Failed, PROGRAM, doubt, hash_of, people};
use crate::snapshot::load::{next_names_version, reference_changed, refreshed, transaction_at};
use crate::snapshot::{Reference, Snapshot};
use diesel::prelude::*;
use schema::db::dialect::{KEYS_PER_QUERY, current_position};
use schema::domain::calendar::local_date;
use schema::register::demonstration;
use schema::tables::complaint_events;
use schema::{Conn, StoreError, Timestamp};
use std::sync::Arc;

/// Reading a complaint by its id takes about as long as reading five in a row: when more than this part of the
/// complaints changed, the whole register is read sooner.
const MOST_CHANGED: u64 = 5;

/// How many changes of complaints came after a position.
pub(super) fn changes_since(conn: &mut Conn, position: i64) -> Result<i64, StoreError> {
    Ok(complaint_events::table.filter(complaint_events::position.gt(position)).count().get_result(conn)?)
}

/// The snapshot of a file as of `now`, with what was written since.
pub(super) fn resumed(conn: &mut Conn, mut contents: Contents, now: Timestamp) -> Result<Snapshot, Failed> {
    let position = current_position(conn)?;
    let described = &contents.description;
    let (from, as_of, rows) = (described.position, described.as_of, described.rows);
    if Some(described.program.as_str()) != PROGRAM.as_deref() {
        return doubt("another version of the program wrote it");
    }
    if from > position {
        return doubt("it is newer than the register, which was restored or is another one");
    }
    if transaction_at(conn, from)?.as_ref() != Some(&described.transaction) {
        return doubt("the register was restored or is another one");
    }
    // Its findings count from days that have not come.
    if local_date(as_of) > local_date(now) {
        return doubt("it is of a later day than today");
    }
    let reference = Reference::load(conn)?;
    if reference_changed(conn, from)? || described.reference != hash_of(&reference) {
        return doubt("units or categories changed since it was written");
    }
    let changed = u64::try_from(changes_since(conn, from)?).unwrap_or(0);
    if changed > (rows / MOST_CHANGED).max(KEYS_PER_QUERY as u64) {
        return doubt(format!("{changed} changes since are too many to catch up with"));
    }
    let later = Arc::new(described.later.clone());
    let transaction = Some(described.transaction.clone());
    let (enterprises, officers) = (contents.entries()?, contents.entries()?);
    // The file and the database are read at the same time.
    let (people, pieces) = std::thread::scope(|scope| {
        let pieces = scope.spawn(|| contents.pieces());
        (people::load(conn, &enterprises, &officers), pieces.join())
    });
    let (enterprises, officers) = people?;
    let Ok(pieces) = pieces else { return doubt("it cannot be decoded") };
    let pieces = pieces?;
    let before = Snapshot {
        facts: pieces.facts()?,
        pieces: Arc::new(pieces),
        // `refreshed` reads them.
        duplicates: Arc::default(),
        reference: Arc::new(reference),
        position: from,
        as_of,
        demonstration: demonstration::mark(conn)?.is_some(),
        enterprises: Arc::new(enterprises),
        officers: Arc::new(officers),
        names_version: next_names_version(),
        transaction,
        reading: FROM_A_FILE,
        later,
        episodes: Arc::default(),
    };
    let people = (Arc::clone(&before.enterprises), Arc::clone(&before.officers), before.names_version);
    Ok(refreshed(conn, &before, people, position, now)?)
}
