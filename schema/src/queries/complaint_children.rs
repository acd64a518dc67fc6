//! Batched loads of what belongs to the complaints of a page: one statement for each kind (and chunk of ids).

use super::source_reference::of_a_register;
use crate::db::{Conn, StoreError, dialect::KEYS_PER_QUERY};
use crate::models::{ComplaintClock, ComplaintMatter, ComplaintOfficer, ComplaintSource, NamedOfficer, Redaction};
use crate::sql_types::Id;
use crate::tables::{complaint_clocks, complaint_matters, complaint_officers, complaint_sources, redactions};
use diesel::prelude::*;
use std::collections::HashMap;

/// The allegations of complaints, in the order of (officer, ordinal).
///
/// # Errors
/// If the database cannot be read.
pub fn allegations_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<ComplaintOfficer>>, StoreError> {
    let load = |conn: &mut Conn, chunk: &[Id]| {
        complaint_officers::table
            .filter(complaint_officers::complaint_id.eq_any(chunk))
            .order((complaint_officers::complaint_id, complaint_officers::officer_id, complaint_officers::ordinal))
            .select(ComplaintOfficer::as_select())
            .load(conn)
    };
    by_complaint(conn, complaints, load, |row: &ComplaintOfficer| row.complaint_id)
}

/// The officers that complaints name, each with the finding, in no order.
///
/// # Errors
/// If the database cannot be read.
pub fn named_officers_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<NamedOfficer>>, StoreError> {
    let load = |conn: &mut Conn, chunk: &[Id]| {
        complaint_officers::table
            .filter(complaint_officers::complaint_id.eq_any(chunk))
            .select(NamedOfficer::as_select())
            .load(conn)
    };
    by_complaint(conn, complaints, load, |row: &NamedOfficer| row.complaint_id)
}

/// The officers that complaints with ids from the first to the last name, in any order: cheaper than
/// [`named_officers_of`] where nearly all of these complaints are wanted.
///
/// # Errors
/// If the database cannot be read.
pub fn named_officers_between(conn: &mut Conn, ids: [Id; 2]) -> Result<Vec<NamedOfficer>, StoreError> {
    Ok(complaint_officers::table
        .filter(complaint_officers::complaint_id.ge(ids[0]))
        .filter(complaint_officers::complaint_id.le(ids[1]))
        .select(NamedOfficer::as_select())
        .load(conn)?)
}

/// The allegations of complaints against no named officer, if a complaint has several.
///
/// # Errors
/// If the database cannot be read.
pub fn matters_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<ComplaintMatter>>, StoreError> {
    let load = |conn: &mut Conn, chunk: &[Id]| {
        complaint_matters::table
            .filter(complaint_matters::complaint_id.eq_any(chunk))
            .order((complaint_matters::complaint_id, complaint_matters::ordinal))
            .select(ComplaintMatter::as_select())
            .load(conn)
    };
    by_complaint(conn, complaints, load, |row: &ComplaintMatter| row.complaint_id)
}

/// The rounds of the legal clock of complaints, in order; none for a complaint in its first round whose clock is
/// unchanged.
///
/// # Errors
/// If the database cannot be read.
pub fn clocks_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<ComplaintClock>>, StoreError> {
    let load = |conn: &mut Conn, chunk: &[Id]| {
        complaint_clocks::table
            .filter(complaint_clocks::complaint_id.eq_any(chunk))
            .order((complaint_clocks::complaint_id, complaint_clocks::round))
            .select(ComplaintClock::as_select())
            .load(conn)
    };
    by_complaint(conn, complaints, load, |row: &ComplaintClock| row.complaint_id)
}

/// The references of complaints in imported registers, in the order of (source, reference).
///
/// # Errors
/// If the database cannot be read.
pub fn sources_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<ComplaintSource>>, StoreError> {
    let load = |conn: &mut Conn, chunk: &[Id]| {
        complaint_sources::table
            .filter(complaint_sources::complaint_id.eq_any(chunk))
            .filter(of_a_register())
            .order((complaint_sources::source, complaint_sources::reference))
            .select(ComplaintSource::as_select())
            .load(conn)
    };
    by_complaint(conn, complaints, load, |row: &ComplaintSource| row.complaint_id)
}

/// The redacted texts of confidential complaints.
///
/// # Errors
/// If the database cannot be read.
pub fn redactions_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Redaction>, StoreError> {
    let mut found = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Redaction> = redactions::table
            .filter(redactions::complaint_id.eq_any(chunk))
            .select(Redaction::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.complaint_id, row)));
    }
    Ok(found)
}

/// The rows of some complaints, by their complaint. `load` reads those of a chunk of ids.
fn by_complaint<R>(
    conn: &mut Conn,
    complaints: &[Id],
    load: impl Fn(&mut Conn, &[Id]) -> QueryResult<Vec<R>>,
    complaint: impl Fn(&R) -> Id,
) -> Result<HashMap<Id, Vec<R>>, StoreError> {
    let mut found: HashMap<Id, Vec<R>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        for row in load(conn, chunk)? {
            found.entry(complaint(&row)).or_default().push(row);
        }
    }
    Ok(found)
}
