//! Officers: new ones, their names and ranks, and where they serve from when to when.

use super::checks::{code, day, day_before, name, optional_name, rule};
use super::{Seen, locked, placeholder};
use crate::db::dialect::{self, KEYS_PER_QUERY};
use crate::db::{StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::models::{Officer, Posting, UNKNOWN_START, Unit};
use crate::register::reference::{Stored, upsert};
use crate::register::{overlap, replace_postings};
use crate::sql_types::Id;
use crate::tables::postings;
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// An officer, not yet in the register.
#[derive(Debug, Clone)]
pub struct NewOfficer {
    pub code: String,
    pub name: Option<String>,
    pub rank: Option<String>,
    pub appointed_on: Option<NaiveDate>,
}

/// New values of an officer; None leaves a value as it is, and `Some(None)` removes it.
#[derive(Debug, Clone, Default)]
pub struct OfficerChange {
    pub name: Option<Option<String>>,
    pub rank: Option<Option<String>>,
    pub appointed_on: Option<Option<NaiveDate>>,
}

/// New values of a posting; None leaves a value as it is, and `Some(None)` removes it.
#[derive(Debug, Clone, Default)]
pub struct PostingChange {
    /// The code of the unit.
    pub unit: Option<String>,
    pub valid_from: Option<Option<NaiveDate>>,
    pub valid_to: Option<Option<NaiveDate>>,
}

/// Makes an officer. Completes the placeholder that a complaint or an import made of the code, if there is one.
///
/// # Errors
/// `Rule` names the invalid field; `Conflict` if there is an officer with the code, or it means another one by a
/// merge.
pub fn create_officer(tx: &mut WriteTx<'_>, new: &NewOfficer) -> Result<Officer, StoreError> {
    // A merge of the placeholder waits for it.
    dialect::lock_tree_shared(tx.conn)?;
    let officer_code = code("code", &new.code)?;
    let officer = Officer {
        id: reference_id(Entity::Officer, &officer_code),
        code: officer_code,
        name: optional_name("name", new.name.as_deref())?,
        rank: optional_name("rank", new.rank.as_deref())?,
        appointed_on: new.appointed_on.map(|on| day("appointedOn", on)).transpose()?,
        unknown: false,
    };
    placeholder::<Officer>(tx, &officer.code, |officer| officer.unknown)?;
    upsert(tx, vec![officer.clone()])?;
    Ok(officer)
}

/// Changes the name, the rank or the day of appointment of an officer.
///
/// # Errors
/// `NotFound`; `Conflict` if the officer is at another revision or was merged; `Rule` names the invalid field.
pub fn change_officer(tx: &mut WriteTx<'_>, seen: &Seen, change: OfficerChange) -> Result<Officer, StoreError> {
    // A merge of the officer waits for it.
    dialect::lock_tree_shared(tx.conn)?;
    let mut officer: Officer = locked(tx, seen)?;
    if let Some(new) = change.name {
        officer.name = new.map(|new| name("name", &new)).transpose()?;
    }
    if let Some(rank) = change.rank {
        officer.rank = optional_name("rank", rank.as_deref())?;
    }
    if let Some(appointed_on) = change.appointed_on {
        officer.appointed_on = appointed_on.map(|on| day("appointedOn", on)).transpose()?;
    }
    upsert(tx, vec![officer.clone()])?;
    Ok(officer)
}

/// Begins a posting of an officer.
///
/// # Errors
/// `NotFound`; `Conflict` if the officer is at another revision or was merged; `Rule` if the unit is unknown or does
/// not exist in that time, or the officer serves elsewhere then.
pub fn start_posting(
    tx: &mut WriteTx<'_>,
    seen: &Seen,
    unit: &str,
    from: NaiveDate,
    to: Option<NaiveDate>,
) -> Result<Officer, StoreError> {
    // A unit may not end in the meantime.
    dialect::lock_tree_shared(tx.conn)?;
    let officer: Officer = locked(tx, seen)?;
    let unit_id = unit_named(tx, unit)?.id;
    let valid_to = to.map(|to| day("to", to)).transpose()?;
    let new = Posting { officer_id: officer.id, unit_id, valid_from: day("from", from)?, valid_to };
    let before = all_postings(tx, officer.id)?;
    let mut after = before.clone();
    after.push(new);
    store(tx, officer.id, &before, after)?;
    Ok(officer)
}

/// Ends the posting of an officer to a unit that lasts on a day; the day is its last one.
///
/// # Errors
/// `NotFound`; `Conflict` if the officer is at another revision or was merged; `Rule` if the officer does not serve
/// there.
pub fn end_posting(tx: &mut WriteTx<'_>, seen: &Seen, unit: &str, on: NaiveDate) -> Result<Officer, StoreError> {
    // A unit may not end in the meantime.
    dialect::lock_tree_shared(tx.conn)?;
    let officer: Officer = locked(tx, seen)?;
    let unit_id = unit_named(tx, unit)?.id;
    let on = day("on", on)?;
    let before = all_postings(tx, officer.id)?;
    let mut after = before.clone();
    let lasts = |row: &Posting| row.unit_id == unit_id && row.valid_from <= on && row.valid_to.is_none_or(|to| to > on);
    let Some(row) = after.iter_mut().find(|row| lasts(row)) else {
        return Err(rule("unit", format!("officer {:?} has no posting to {unit:?} that lasts beyond {on}", seen.code)));
    };
    row.valid_to = Some(on);
    store(tx, officer.id, &before, after)?;
    Ok(officer)
}

/// Corrects the posting of an officer to a unit that began on a day; None if its beginning is unknown.
///
/// # Errors
/// `NotFound`; `Conflict` if the officer is at another revision or was merged; `Rule` if there is no such posting, or a
/// new value is wrong.
pub fn correct_posting(
    tx: &mut WriteTx<'_>,
    seen: &Seen,
    unit: &str,
    from: Option<NaiveDate>,
    change: &PostingChange,
) -> Result<Officer, StoreError> {
    // A unit may not end in the meantime.
    dialect::lock_tree_shared(tx.conn)?;
    let officer: Officer = locked(tx, seen)?;
    let unit_id = unit_named(tx, unit)?.id;
    let valid_from = from.unwrap_or(UNKNOWN_START);
    let new_unit = change.unit.as_deref().map(|unit| unit_named(tx, unit)).transpose()?;
    let before = all_postings(tx, officer.id)?;
    let mut after = before.clone();
    let Some(row) = after.iter_mut().find(|row| row.unit_id == unit_id && row.valid_from == valid_from) else {
        let since = from.map_or_else(|| "without a first day".to_owned(), |from| format!("from {from} on"));
        return Err(rule("unit", format!("officer {:?} has no posting to {unit:?} {since}", seen.code)));
    };
    if let Some(unit) = new_unit {
        row.unit_id = unit.id;
    }
    if let Some(valid_from) = change.valid_from {
        row.valid_from = valid_from.map(|from| day("newFrom", from)).transpose()?.unwrap_or(UNKNOWN_START);
    }
    if let Some(valid_to) = change.valid_to {
        row.valid_to = valid_to.map(|to| day("newTo", to)).transpose()?;
    }
    store(tx, officer.id, &before, after)?;
    Ok(officer)
}

fn unit_named(tx: &mut WriteTx<'_>, unit: &str) -> Result<Unit, StoreError> {
    let id = reference_id(Entity::Unit, unit);
    Unit::load(tx.conn, &[id])?
        .remove(&id)
        .ok_or_else(|| rule("unit", format!("there is no unit {unit:?}: the query `units` lists the codes")))
}

fn all_postings(tx: &mut WriteTx<'_>, officer: Id) -> Result<Vec<Posting>, StoreError> {
    Ok(postings_of(tx, &[officer])?.remove(&officer).unwrap_or_default())
}

/// The postings of officers, each officer's in order.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn postings_of(tx: &mut WriteTx<'_>, officers: &[Id]) -> Result<BTreeMap<Id, Vec<Posting>>, StoreError> {
    let mut found: BTreeMap<Id, Vec<Posting>> = BTreeMap::new();
    for chunk in officers.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Posting> = postings::table
            .filter(postings::officer_id.eq_any(chunk))
            .order((postings::officer_id, postings::valid_from, postings::unit_id))
            .select(Posting::as_select())
            .load(tx.conn)?;
        for row in rows {
            found.entry(row.officer_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// Checks the postings of an officer that are new or changed, and stores them.
fn store(tx: &mut WriteTx<'_>, officer: Id, before: &[Posting], mut after: Vec<Posting>) -> Result<(), StoreError> {
    after.sort_by_key(|row| (row.valid_from, row.unit_id));
    let ids: Vec<Id> = after.iter().map(|row| row.unit_id).collect();
    let units = Unit::load(tx.conn, &ids)?;
    let code = |id: Id| units.get(&id).map_or("?", |unit| unit.code.as_str());
    for (at, row) in after.iter().enumerate() {
        if before.contains(row) {
            continue;
        }
        let unit = code(row.unit_id);
        if let Some(to) = row.valid_to.filter(|to| *to < row.valid_from) {
            return Err(rule("to", format!("the posting to {unit:?} would end on {to}, before it begins")));
        }
        if let Some(stored) = units.get(&row.unit_id) {
            let begins = row.valid_from < stored.valid_from;
            let ends = !super::checks::lasts_until(stored.valid_to, row.valid_to);
            if begins || ends {
                let until = stored.valid_to.map(|to| format!(" to {to}")).unwrap_or_default();
                return Err(rule(
                    "unit",
                    format!("unit {unit:?} exists from {}{until}: the posting must lie within", stored.valid_from),
                ));
            }
        }
        if let Some((_, other)) = after.iter().enumerate().find(|(index, other)| *index != at && overlap(row, other)) {
            let end = day_before(row.valid_from);
            return Err(rule(
                "from",
                format!(
                    "the officer serves in {:?} in that time: end that posting first, on {end} at the latest",
                    code(other.unit_id)
                ),
            ));
        }
    }
    replace_postings(tx, officer, before, &after)
}
