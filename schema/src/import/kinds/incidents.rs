//! Import of system incidents, one row each.

use super::{Group, RowOutcome, keep_unmapped, read_each, refuse, store};
use crate::db::{StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::row::Cells;
use crate::models::{SystemIncident, Unit};
use crate::register::reference::Stored;
use crate::sql_types::Id;

fields! {
    REFERENCE = "reference", Code, true, "the identifier of the incident in its source";
    UNIT = "unit", Code, false, "the code of the affected unit; blank: the whole country";
    STARTED = "started", Time, true, "when it began";
    ENDED = "ended", Time, false, "when it ended; blank while it lasts";
    DESCRIPTION = "description", Text, false, "what failed";
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    let mut read = read_each(context, batch, |cells| read(context, cells));
    let units: Vec<Id> = read.iter().flatten().filter_map(|incident| incident.unit_id).collect();
    let units = Unit::load(tx.conn, &units)?;
    refuse(context, batch, &mut read, |incident| {
        let is_known = incident.unit_id.is_none_or(|unit| units.contains_key(&unit));
        (!is_known).then_some((UNIT, "is not known to the register: import units first"))
    });
    store(
        tx,
        read,
        keep_unmapped!(SystemIncident, context, UNIT => unit_id, ENDED => ended_at, DESCRIPTION => description),
    )
}

fn read(context: &Context<'_>, cells: &Cells<'_>) -> Result<SystemIncident, Reject> {
    let reference = format!("{}:{}", context.mapping.source, super::required(cells, REFERENCE)?);
    let started_at = cells.time(STARTED)?.ok_or_else(|| cells.reject(STARTED, "is blank"))?;
    let ended_at = cells.time(ENDED)?;
    if ended_at.is_some_and(|ended| ended < started_at) {
        return Err(cells.reject(ENDED, "is before `started`"));
    }
    Ok(SystemIncident {
        id: reference_id(Entity::Incident, &reference),
        reference,
        unit_id: cells.code(UNIT)?.map(|code| reference_id(Entity::Unit, &code)),
        started_at,
        ended_at,
        description: cells.text(DESCRIPTION)?.map(Into::into),
    })
}
