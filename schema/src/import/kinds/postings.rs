//! Import of postings: where an officer served, and when. All rows of one officer are grouped. An officer serves in one
//! unit at a time: rows that overlap are refused.

mod overlaps;

use super::reference_resolver::ReferenceResolver;
use super::{Group, RowOutcome};
use crate::db::{StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::mapping::OnMissing;
use crate::models::{Officer, Posting, UNKNOWN_START, Unit};
use crate::register::Aliases;
use crate::register::reference::{Stored, unknown_officer};
use crate::register::replace_postings;
use crate::sql_types::Id;
use crate::tables::postings;
use diesel::prelude::*;
use overlaps::overlaps;
use std::collections::{BTreeMap, HashMap, HashSet};

fields! {
    OFFICER = "officer", Code, true, "the officer's number";
    UNIT = "unit", Code, true, "the code of the unit";
    VALID_FROM = "valid_from", Date, false, "the first day, inclusive; blank: no start";
    VALID_TO = "valid_to", Date, false, "the last day, inclusive; blank: no end";
}

/// The postings of an officer before and after the rows of the file.
struct Change {
    officer: Id,
    before: Vec<Posting>,
    after: Vec<Posting>,
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    // A merge of officers waits for it, and then moves these postings, too.
    crate::db::dialect::lock_tree_shared(tx.conn)?;
    let mut officers = ReferenceResolver::<Officer>::default();
    let mut units = ReferenceResolver::<Unit>::default();
    let mut read: Vec<Result<Vec<Posting>, Vec<Reject>>> = batch
        .iter()
        .map(|group| {
            let officer_id = officers.want(&group.key, |id| unknown_officer(id, &group.key), |_, _| ());
            read(context, group, officer_id, &mut units).map_err(|reject| vec![reject])
        })
        .collect();
    officers.look_up(tx.conn)?;
    units.look_up(tx.conn)?;
    for (group, rows) in batch.iter().zip(&mut read) {
        let missing = context.mapping.missing.officer == OnMissing::Reject
            && !officers.knows(reference_id(Entity::Officer, &group.key));
        let unit = rows.as_ref().ok().and_then(|rows| rows.iter().position(|row| !units.knows(row.unit_id)));
        let unit = unit.filter(|_| context.mapping.missing.unit == OnMissing::Reject);
        if missing {
            let cells = context.columns.of(&group.rows[0]);
            *rows = Err(vec![cells.reject(OFFICER, "is not known to the register: import officers first")]);
        } else if let Some(at) = unit {
            let cells = context.columns.of(&group.rows[at]);
            *rows = Err(vec![cells.reject(UNIT, "is not known to the register: import units first")]);
        }
    }

    // Postings under a merged code are those of the officer whom it was merged into.
    let aliases = Aliases::load(tx.conn)?;
    read.iter_mut().flatten().flatten().for_each(|row| row.officer_id = aliases.officer(row.officer_id));
    let mut stored = stored(tx, &read)?;
    let by_id = known_units(tx, &stored)?;
    let code = |id: Id| {
        let unit = by_id.get(&id).or_else(|| units.row_if_missing(id));
        unit.map_or_else(|| "?".to_owned(), |unit| unit.code.clone())
    };
    let mut changes: Vec<Result<Option<Change>, Vec<Reject>>> = Vec::with_capacity(batch.len());
    for (group, rows) in batch.iter().zip(read) {
        changes.push(rows.and_then(|rows| {
            let Some(officer) = rows.first().map(|row| row.officer_id) else { return Ok(None) };
            let before = stored.get(&officer).cloned().unwrap_or_default();
            // A file has the rows of each code apart: one of them does not replace those of the other.
            let complete = context.mapping.complete && !aliases.concerns_officer(officer);
            let after = joined(&before, &rows, complete);
            let rejects = overlaps(context, group, &rows, (before.as_slice(), after.as_slice()), &code);
            if !rejects.is_empty() {
                return Err(rejects);
            }
            stored.insert(officer, after.clone());
            Ok(Some(Change { officer, before, after }))
        }));
    }

    // A refused row creates nothing.
    let mut used: HashSet<Id> = HashSet::new();
    for (group, change) in batch.iter().zip(&changes) {
        let Ok(Some(change)) = change else { continue };
        used.insert(reference_id(Entity::Officer, &group.key));
        used.extend(change.after.iter().map(|row| row.unit_id));
    }
    context.record_created(
        officers.create_missing(tx, &used, |_| false)?.into_iter().map(|row| (Entity::Officer, row.id, row.code)),
    );
    context.record_created(
        units.create_missing(tx, &used, |_| false)?.into_iter().map(|row| (Entity::Unit, row.id, row.code)),
    );
    changes
        .into_iter()
        .map(|change| match change {
            Err(rejects) => Ok(RowOutcome::Rejected(rejects)),
            Ok(Some(change)) => store(tx, &change),
            Ok(None) => Ok(RowOutcome::Unchanged),
        })
        .collect()
}

/// The stored postings of the officers of a batch, each officer's in order. A lock keeps other writers from them until
/// the transaction ends.
fn stored(
    tx: &mut WriteTx<'_>,
    read: &[Result<Vec<Posting>, Vec<Reject>>],
) -> Result<HashMap<Id, Vec<Posting>>, StoreError> {
    let mut ids: Vec<Id> = read.iter().flatten().filter_map(|rows| rows.first()).map(|row| row.officer_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Officer::lock(tx.conn, &ids)?;
    let rows: Vec<Posting> = postings::table
        .filter(postings::officer_id.eq_any(&ids))
        .order((postings::officer_id, postings::valid_from, postings::unit_id))
        .select(Posting::as_select())
        .load(tx.conn)?;
    let mut stored: HashMap<Id, Vec<Posting>> = HashMap::new();
    for row in rows {
        stored.entry(row.officer_id).or_default().push(row);
    }
    Ok(stored)
}

/// The units of stored postings.
fn known_units(tx: &mut WriteTx<'_>, stored: &HashMap<Id, Vec<Posting>>) -> Result<HashMap<Id, Unit>, StoreError> {
    let ids: HashSet<Id> = stored.values().flatten().map(|row| row.unit_id).collect();
    let ids: Vec<Id> = ids.into_iter().collect();
    Unit::load(tx.conn, &ids)
}

fn read(
    context: &Context<'_>,
    group: &Group,
    officer_id: Id,
    units: &mut ReferenceResolver<Unit>,
) -> Result<Vec<Posting>, Reject> {
    group
        .rows
        .iter()
        .map(|row| {
            let cells = context.columns.of(row);
            let code = super::required(&cells, UNIT)?;
            let valid_from = cells.date(VALID_FROM)?.unwrap_or(UNKNOWN_START);
            let valid_to = cells.date(VALID_TO)?;
            if valid_to.is_some_and(|to| to < valid_from) {
                return Err(cells.reject(VALID_TO, "is before valid_from"));
            }
            let unit_id = units.want(&code, |id| super::units::unknown_unit(id, &code, None, None), |_, _| ());
            Ok(Posting { officer_id, unit_id, valid_from, valid_to })
        })
        .collect()
}

/// The postings of an officer after an import: a row of the file replaces the stored posting with the same unit and
/// first day. With `complete`, the rows of the file replace all stored ones.
fn joined(before: &[Posting], file: &[Posting], complete: bool) -> Vec<Posting> {
    let mut after = BTreeMap::new();
    if !complete {
        after.extend(before.iter().map(|row| ((row.valid_from, row.unit_id), row.clone())));
    }
    after.extend(file.iter().map(|row| ((row.valid_from, row.unit_id), row.clone())));
    after.into_values().collect()
}

fn store(tx: &mut WriteTx<'_>, change: &Change) -> Result<RowOutcome, StoreError> {
    let Change { officer, before, after } = change;
    if before == after {
        return Ok(RowOutcome::Unchanged);
    }
    replace_postings(tx, *officer, before, after)?;
    Ok(if before.is_empty() { RowOutcome::Imported } else { RowOutcome::Updated })
}
