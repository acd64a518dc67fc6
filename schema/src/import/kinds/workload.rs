//! Import of workload: declarations handled by a unit or an officer in one month, one row each.

use super::{Group, RowOutcome, read_each, refuse, store};
use crate::db::{StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::row::Cells;
use crate::models::{Officer, Unit, Workload};
use crate::register::Aliases;
use crate::register::reference::Stored;
use crate::sql_types::Id;
use chrono::Datelike;

fields! {
    UNIT = "unit", Code, true, "the code of the unit";
    OFFICER = "officer", Code, false, "the officer's number; blank for the unit as a whole";
    MONTH = "month", Date, true, "the month, or any day in it";
    DECLARATIONS = "declarations", Integer, true, "declarations handled in the month";
}

/// The unit, the officer and the month of a row, which identify it.
///
/// # Errors
/// A rejection of the row if one of these cells is blank or wrong.
pub fn key(cells: &Cells<'_>) -> Result<String, Reject> {
    let unit = super::required(cells, UNIT)?;
    let officer = cells.code(OFFICER)?.unwrap_or_default();
    let month = cells.date(MONTH)?.ok_or_else(|| cells.reject(MONTH, "is blank"))?;
    Ok(format!("{unit}\u{1f}{officer}\u{1f}{}", month.format("%Y-%m")))
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    // A merge of officers waits for it, and then moves this workload, too.
    crate::db::dialect::lock_tree_shared(tx.conn)?;
    let aliases = Aliases::load(tx.conn)?;
    let mut read = read_each(context, batch, |cells| read(cells, &aliases));
    let units: Vec<Id> = read.iter().flatten().map(|row| row.unit_id).collect();
    let units = Unit::load(tx.conn, &units)?;
    let officers: Vec<Id> = read.iter().flatten().filter_map(|row| row.officer_id).collect();
    let officers = Officer::load(tx.conn, &officers)?;
    refuse(context, batch, &mut read, |row| {
        if !units.contains_key(&row.unit_id) {
            Some((UNIT, "is not known to the register: import units first"))
        } else if row.officer_id.is_some_and(|id| !officers.contains_key(&id)) {
            Some((OFFICER, "is not known to the register: import officers first"))
        } else {
            None
        }
    });
    store(tx, read, |_, _| ())
}

fn read(cells: &Cells<'_>, aliases: &Aliases) -> Result<Workload, Reject> {
    let month = cells.date(MONTH)?.ok_or_else(|| cells.reject(MONTH, "is blank"))?;
    Ok(Workload {
        id: reference_id(Entity::Workload, &key(cells)?),
        unit_id: reference_id(Entity::Unit, &super::required(cells, UNIT)?),
        officer_id: cells.code(OFFICER)?.map(|code| aliases.officer(reference_id(Entity::Officer, &code))),
        month: month.with_day(1).unwrap_or(month),
        declarations: cells.count(DECLARATIONS)?.ok_or_else(|| cells.reject(DECLARATIONS, "is blank"))?,
    })
}
