//! Changes of reference data by those who administer the register: units and their tree, categories, officers and
//! their postings, holidays, and whole reorganisations. Each change names the revision that it was decided on.

mod categories;
mod checks;
mod holidays;
mod officers;
mod reorganisation;
mod tree_edit;
mod units;

pub use categories::{
    CategoryChange, NewCategory, breaks_levels, change_category, close_category, create_category, open_category,
};
pub use holidays::{
    CalendarYear, ChangedHolidays, HolidaySource, SeenYear, calendar_years, forget_holidays, import_holidays,
    remove_holidays, set_holidays,
};
pub use officers::{
    NewOfficer, OfficerChange, PostingChange, change_officer, correct_posting, create_officer, end_posting,
    start_posting,
};
pub use reorganisation::{Reorganisation, Report as ReorganisationReport, reorganise};
pub use units::{ClosedUnit, NewUnit, UnitChange, change_unit, close_unit, create_unit, move_unit};

use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::models::{IssueCategory, Officer, Unit};
use crate::queries::{category_revisions, officer_revisions, unit_revisions};
use crate::register::aliases::Aliases;
use crate::register::reference::Stored;
use crate::sql_types::Id;
use std::collections::HashMap;

/// A row at the revision that the client read.
#[derive(Debug, Clone)]
pub struct Seen {
    pub code: String,
    /// The revision that was seen: the position of the last change of the row.
    pub revision: i64,
}

/// Reference data that is changed by code and revision.
trait Administered: Stored {
    /// The name of a row in messages.
    const WORD: &'static str;
    /// The GraphQL query that lists the rows.
    const QUERY: &'static str;

    fn revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError>;

    /// The name, in messages, of the row into which the row with an id was merged; None if it was not merged.
    fn merged_into(_: &mut Conn, _: Id) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// Whether an ADMIN may not know of the row: it answers as one that does not exist.
    fn is_hidden(&self) -> bool {
        false
    }
}

impl Administered for Unit {
    const WORD: &'static str = "unit";
    const QUERY: &'static str = "units";

    fn revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
        unit_revisions(conn, ids)
    }
}

impl Administered for IssueCategory {
    const WORD: &'static str = "category";
    const QUERY: &'static str = "issueCategories";

    fn revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
        category_revisions(conn, ids)
    }
}

impl Administered for Officer {
    const WORD: &'static str = "officer";
    const QUERY: &'static str = "officers";

    fn revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
        officer_revisions(conn, ids)
    }

    fn merged_into(conn: &mut Conn, id: Id) -> Result<Option<String>, StoreError> {
        let into = Aliases::load(conn)?.officer(id);
        if into == id {
            return Ok(None);
        }
        let known = Self::load(conn, &[into])?.remove(&into).filter(|officer| !officer.is_hidden());
        Ok(Some(known.map_or_else(|| "another officer".to_owned(), |officer| format!("{:?}", officer.code))))
    }

    // The register has only the code of a placeholder, because a complaint may have named it.
    fn is_hidden(&self) -> bool {
        self.unknown
    }
}

/// Optimistic locking: the row that is still at the revision seen, locked until the transaction ends. A row that was
/// merged cannot be changed any more: its revision is not that of the row into which it was merged.
///
/// # Errors
/// `NotFound`; `Conflict` if the row is at another revision, or was merged into another one, which the message names.
fn locked<M: Administered>(tx: &mut WriteTx<'_>, seen: &Seen) -> Result<M, StoreError> {
    let id = reference_id(M::ENTITY, &seen.code);
    M::lock(tx.conn, &[id])?;
    let row = M::load(tx.conn, &[id])?.remove(&id).filter(|row| !row.is_hidden()).ok_or_else(|| {
        StoreError::NotFound(format!(
            "there is no {} {:?}: the query `{}` lists the codes",
            M::WORD,
            seen.code,
            M::QUERY
        ))
    })?;
    if let Some(into) = M::merged_into(tx.conn, id)? {
        return Err(StoreError::Conflict(format!(
            "the {} {:?} was merged into {into}: change that one, or let the Board split the merge",
            M::WORD,
            seen.code
        )));
    }
    let revision = M::revisions(tx.conn, &[id])?.remove(&id).unwrap_or(0);
    if revision == seen.revision {
        return Ok(row);
    }
    Err(StoreError::Conflict(format!(
        "the {} {:?} is at revision {revision}, not {}: read it again and repeat the change if it still applies",
        M::WORD,
        seen.code,
        seen.revision
    )))
}

/// Checks that a code is free. Returns the placeholder that the register has for it, if any.
///
/// # Errors
/// `Conflict` if a row with more than a code has the code, or its placeholder was merged into another row.
fn placeholder<M: Administered>(
    tx: &mut WriteTx<'_>,
    code: &str,
    is_placeholder: impl FnOnce(&M) -> bool,
) -> Result<Option<M>, StoreError> {
    let id = reference_id(M::ENTITY, code);
    M::lock(tx.conn, &[id])?;
    match M::load(tx.conn, &[id])?.remove(&id) {
        Some(row) if !is_placeholder(&row) => Err(StoreError::Conflict(format!(
            "code: there is a {} {code:?} already: change it, or choose another code",
            M::WORD
        ))),
        Some(row) => match M::merged_into(tx.conn, id)? {
            Some(into) => Err(StoreError::Conflict(format!(
                "code: {code:?} means the {} {into} since a merge: choose another code, or let the Board split it",
                M::WORD
            ))),
            None => Ok(Some(row)),
        },
        None => Ok(None),
    }
}
