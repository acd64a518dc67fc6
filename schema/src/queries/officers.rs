//! The postings of officers, and the complaints that name them.

use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, StoreError};
use crate::enums::{CategoryKind, Finding};
use crate::models::Posting;
use crate::sql_types::Id;
use crate::tables::{complaint_officers, issue_categories, postings};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

/// The postings of officers, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn postings_of(conn: &mut Conn, officers: &[Id]) -> Result<HashMap<Id, Vec<Posting>>, StoreError> {
    let mut found: HashMap<Id, Vec<Posting>> = HashMap::new();
    for chunk in officers.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Posting> = postings::table
            .filter(postings::officer_id.eq_any(chunk))
            .order((postings::officer_id, postings::valid_from, postings::unit_id))
            .select(Posting::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.officer_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The postings that began on a day or earlier, those that have ended since included.
///
/// # Errors
/// If the database cannot be read.
pub fn postings_begun_by(conn: &mut Conn, day: NaiveDate) -> Result<Vec<Posting>, StoreError> {
    Ok(postings::table.filter(postings::valid_from.le(day)).select(Posting::as_select()).load(conn)?)
}

/// Reads the complaints that name each officer, each with whether an allegation about conduct remains: not found
/// UNFOUNDED or EXONERATED by `as_of`.
///
/// # Errors
/// If the database cannot be read.
pub fn complaints_of_officers(
    conn: &mut Conn,
    ids: &[Id],
    as_of: NaiveDate,
) -> Result<HashMap<Id, Vec<(Id, bool)>>, StoreError> {
    let mut found: HashMap<Id, Vec<(Id, bool)>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        type Row = (Id, Id, Finding, Option<NaiveDate>, Option<CategoryKind>);
        let rows: Vec<Row> = complaint_officers::table
            .left_join(issue_categories::table.on(issue_categories::id.nullable().eq(complaint_officers::category_id)))
            .filter(complaint_officers::officer_id.eq_any(chunk))
            .order((complaint_officers::officer_id, complaint_officers::complaint_id))
            .select((
                complaint_officers::officer_id,
                complaint_officers::complaint_id,
                complaint_officers::finding,
                complaint_officers::decided_on,
                issue_categories::kind.nullable(),
            ))
            .load(conn)?;
        for (officer, complaint, finding, decided_on, kind) in rows {
            let decided = decided_on.is_none_or(|day| day <= as_of);
            let cleared = decided && matches!(finding, Finding::Unfounded | Finding::Exonerated);
            let is_uncleared_conduct = kind == Some(CategoryKind::Conduct) && !cleared;
            let complaints = found.entry(officer).or_default();
            match complaints.last_mut() {
                Some((last, conduct)) if *last == complaint => *conduct |= is_uncleared_conduct,
                _ => complaints.push((complaint, is_uncleared_conduct)),
            }
        }
    }
    Ok(found)
}
