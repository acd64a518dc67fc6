//! Import of enterprises, one row each.

use super::{Group, RowOutcome, keep_unmapped, read_each, store};
use crate::db::{StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::row::Cells;
use crate::models::Enterprise;

fields! {
    TAX_CODE = "tax_code", TaxCode, true, "10 digits, 13 for a branch, or the 12-digit number of a household business";
    NAME = "name", Text, false, "the enterprise's name";
    GROUP = "group", Code, false, "a code that enterprises of one owner, or of one customs broker, share";
}

/// The tax code of a row, which identifies the enterprise.
///
/// # Errors
/// A rejection of the row if the tax code is blank or wrong.
pub fn key(cells: &Cells<'_>) -> Result<String, Reject> {
    cells.tax_code(TAX_CODE)?.ok_or_else(|| cells.reject(TAX_CODE, "is blank"))
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    let keep = keep_unmapped!(Enterprise, context, NAME => name, GROUP => group_code);
    store(tx, read_each(context, batch, read), keep)
}

fn read(cells: &Cells<'_>) -> Result<Enterprise, Reject> {
    let tax_code = key(cells)?;
    Ok(Enterprise {
        id: reference_id(Entity::Enterprise, &tax_code),
        tax_code,
        name: cells.text(NAME)?.map(Into::into),
        group_code: cells.code(GROUP)?,
    })
}
