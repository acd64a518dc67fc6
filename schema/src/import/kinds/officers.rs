//! Import of officers, one row each.

use super::{Group, RowOutcome, keep_unmapped, read_each, store};
use crate::db::{StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::row::Cells;
use crate::models::Officer;

fields! {
    CODE = "code", Code, true, "the officer's number";
    NAME = "name", Text, false, "the officer's name";
    RANK = "rank", Code, false, "the officer's rank";
    APPOINTED = "appointed", Date, false, "the day of appointment";
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    let keep = keep_unmapped!(Officer, context, NAME => name, RANK => rank, APPOINTED => appointed_on);
    store(tx, read_each(context, batch, read), keep)
}

fn read(cells: &Cells<'_>) -> Result<Officer, Reject> {
    let code = super::required(cells, CODE)?;
    Ok(Officer {
        id: reference_id(Entity::Officer, &code),
        code,
        name: cells.text(NAME)?.map(Into::into),
        rank: cells.code(RANK)?,
        appointed_on: cells.date(APPOINTED)?,
        unknown: false,
    })
}
