//! Checks whether a file belongs to the present state of a register, and brings its snapshot up to date.

use super::layout::Contents;
use super::{FROM_A_FILE, Failed, PROGRAM, doubt};
use crate::snapshot::load::{Kept, are_too_many, changes_since, next_names_version, refreshed, transaction_at};
use crate::snapshot::people::{read_enterprises, read_officers};
use crate::snapshot::{Enterprises, Officers, Parts, Reference, Snapshot, next_contents_version};
use polars_core::runtime::THREAD_POOL;
use schema::db::dialect::{current_position, scanning};
use schema::domain::calendar::local_date;
use schema::register::demonstration;
use schema::{Conn, Id, Timestamp};
use std::sync::Arc;

/// The snapshot of a file as of `now`, with what was written since.
///
/// # Errors
/// `Doubt` if the file does not fit the register; else if the database or the file cannot be read.
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
    if described.reference != reference.hash_of_columns() {
        return doubt("units or categories changed since it was written");
    }
    let changed = changes_since(conn, from)?;
    if are_too_many(changed, rows) {
        return doubt(format!("{changed} changes since are too many to catch up with"));
    }
    let later = Arc::new(described.later.clone());
    let transaction = Some(described.transaction.clone());
    let (enterprises, officers) = (contents.entries()?, contents.entries()?);
    // The file and the database are read at the same time.
    let (found, pieces) = std::thread::scope(|scope| {
        let pieces = scope.spawn(|| contents.pieces(&reference));
        (scanning(conn, |conn| people(conn, &enterprises, &officers)), pieces.join())
    });
    let (enterprises, officers) = found?;
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
        contents_version: next_contents_version(),
        transaction,
        reading: FROM_A_FILE,
        parts: Parts::ALL,
        later,
        episodes: Arc::default(),
    };
    let kept = Kept::of(&before);
    Ok(refreshed(conn, &before, kept, position, now)?)
}

/// Reads all enterprises and officers, as they are now, to the places that they have in the file.
fn people(
    conn: &mut Conn,
    enterprise_places: &[(Id, u32)],
    officer_places: &[(Id, u32)],
) -> Result<(Enterprises, Officers), Failed> {
    let (enterprises, officers) = (read_enterprises(conn)?, read_officers(conn)?);
    // Neither list needs the other, and each takes about as long as reading its rows.
    let (enterprises, officers) = THREAD_POOL.join(
        || {
            let enterprises = enterprises.in_order(enterprise_places)?;
            let are_same = enterprise_places.iter().all(|(id, place)| enterprises.place(*id) == Some(*place));
            Some((enterprises, are_same))
        },
        || {
            let officers = officers.in_order(officer_places)?;
            let are_same = officer_places.iter().all(|(id, place)| officers.place(*id) == Some(*place));
            Some((officers, are_same))
        },
    );
    let Some(((enterprises, are_same), (officers, are_same_officers))) = enterprises.zip(officers) else {
        return doubt("it names an enterprise or officer that the register lacks");
    };
    // A changed tax code or group may have merged or split enterprises, which renumbers their places.
    if !are_same || !are_same_officers {
        return doubt("some enterprises count as others since it was written");
    }
    Ok((enterprises, officers))
}
