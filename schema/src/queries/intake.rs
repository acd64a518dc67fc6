//! Additions of complainants, links between duplicates, and candidates for links.

use super::keyset::Pred;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::models::{Attachment, ComplaintAddition, ComplaintLink, ComplaintSource};
use crate::sql_types::{Id, Timestamp};
use crate::tables::{attachments, complaint_additions, complaint_links, complaint_sources, complaints};
use diesel::prelude::*;
use std::collections::HashMap;

/// The additions to complaints, in the order of receipt.
///
/// # Errors
/// If the database cannot be read.
pub fn additions_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Vec<ComplaintAddition>>, StoreError> {
    let mut found: HashMap<Id, Vec<ComplaintAddition>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ComplaintAddition> = complaint_additions::table
            .filter(complaint_additions::complaint_id.eq_any(chunk))
            .order((complaint_additions::complaint_id, complaint_additions::ordinal))
            .select(ComplaintAddition::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The attachments of complaints: those that came with the complaint, then those of its additions.
///
/// # Errors
/// If the database cannot be read.
pub fn attachments_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Vec<Attachment>>, StoreError> {
    let mut found: HashMap<Id, Vec<Attachment>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Attachment> = attachments::table
            .filter(attachments::complaint_id.eq_any(chunk))
            .select(Attachment::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    // The databases do not agree where nulls come.
    found.values_mut().for_each(|rows| rows.sort_by_key(|row| (row.addition, row.ordinal)));
    Ok(found)
}

/// The original of each of these complaints that is linked to one.
///
/// # Errors
/// If the database cannot be read.
pub fn originals_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Id>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ComplaintLink> = complaint_links::table
            .filter(complaint_links::complaint_id.eq_any(chunk))
            .select(ComplaintLink::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.complaint_id, row.original_id)));
    }
    Ok(found)
}

/// The originals of complaints with ids from the first to the last.
///
/// # Errors
/// If the database cannot be read.
pub fn originals_between(conn: &mut Conn, ids: [Id; 2]) -> Result<HashMap<Id, Id>, StoreError> {
    let rows: Vec<(Id, Id)> = complaint_links::table
        .filter(complaint_links::complaint_id.ge(ids[0]))
        .filter(complaint_links::complaint_id.le(ids[1]))
        .select((complaint_links::complaint_id, complaint_links::original_id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The complaints that are linked to these, the first linked first.
///
/// # Errors
/// If the database cannot be read.
pub fn duplicates_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Vec<Id>>, StoreError> {
    let mut found: HashMap<Id, Vec<Id>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Id)> = complaint_links::table
            .filter(complaint_links::original_id.eq_any(chunk))
            .order((complaint_links::linked_at, complaint_links::complaint_id))
            .select((complaint_links::original_id, complaint_links::complaint_id))
            .load(conn)?;
        for (original, duplicate) in rows {
            found.entry(original).or_default().push(duplicate);
        }
    }
    Ok(found)
}

/// All complaints that are linked to another one: only their originals count.
///
/// # Errors
/// If the database cannot be read.
pub fn linked_complaints(conn: &mut Conn) -> Result<Vec<Id>, StoreError> {
    Ok(complaint_links::table.select(complaint_links::complaint_id).load(conn)?)
}

/// The sources of complaints, those of submissions included, which tell their sender: see
/// [`source_of`](crate::register::source_of).
///
/// # Errors
/// If the database cannot be read.
pub fn senders_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, String>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ComplaintSource> = complaint_sources::table
            .filter(complaint_sources::complaint_id.eq_any(chunk))
            .select(ComplaintSource::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.complaint_id, row.source)));
    }
    Ok(found)
}

/// The properties that two complaints must share to say the same, and the time at which each was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct Alike {
    pub id: Id,
    pub enterprise_id: Id,
    pub unit_id: Option<Id>,
    pub received_at: Timestamp,
}

/// The complaints among `ids` that name an enterprise.
///
/// # Errors
/// If the database cannot be read.
pub fn alike_of(conn: &mut Conn, ids: &[Id]) -> Result<Vec<Alike>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Alike> = complaints::table
            .filter(complaints::id.eq_any(chunk))
            .filter(complaints::enterprise_id.is_not_null())
            .select((
                complaints::id,
                complaints::enterprise_id.assume_not_null(),
                complaints::unit_id,
                complaints::received_at,
            ))
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The complaints of named enterprises received in [`from`, `until`), of all or of these enterprises, that meet a
/// condition. The condition is built again for each statement.
///
/// # Errors
/// If the condition is wrong, or the database cannot be read.
pub fn of_enterprises(
    conn: &mut Conn,
    enterprises: Option<&[Id]>,
    (from, until): (Timestamp, Timestamp),
    condition: impl Fn() -> Option<Pred<complaints::table>>,
) -> Result<Vec<Alike>, StoreError> {
    let query = || {
        let query = complaints::table
            .into_boxed::<MultiBackend>()
            .filter(complaints::enterprise_id.is_not_null().nullable())
            .filter(complaints::received_at.ge(from).nullable())
            .filter(complaints::received_at.lt(until).nullable())
            .order((complaints::received_at, complaints::id))
            .select((
                complaints::id,
                complaints::enterprise_id.assume_not_null(),
                complaints::unit_id,
                complaints::received_at,
            ));
        match condition() {
            Some(condition) => query.filter(condition),
            None => query,
        }
    };
    let Some(enterprises) = enterprises else { return Ok(query().load(conn)?) };
    let mut found = Vec::new();
    for chunk in enterprises.chunks(KEYS_PER_QUERY) {
        let of_these = complaints::enterprise_id.eq_any(chunk.to_vec());
        found.extend(query().filter(of_these).load::<Alike>(conn)?);
    }
    Ok(found)
}
