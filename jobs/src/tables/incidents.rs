//! The table `incidents`.

use super::columns::{Instant, Text, declare_table};
use super::names::{Context, Emit};
use crate::JobError;
use diesel::prelude::*;
use schema::Conn;
use schema::models::SystemIncident;
use schema::tables::system_incidents;

declare_table! {
    "incidents": "Incidents of information systems."
    {
        unit: Option<Text> = "Code of the unit; null for the whole country.",
        begins_at: Instant = "Time of the beginning.",
        ends_at: Option<Instant> = "Time of the end; null while it lasts.",
        description: Option<Text> = "What failed.",
    }
}

/// The incidents, the earliest first.
///
/// # Errors
/// When the database fails.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let stored: Vec<SystemIncident> = system_incidents::table
        .order((system_incidents::started_at, system_incidents::id))
        .select(SystemIncident::as_select())
        .load(conn)?;
    let mut rows = Rows::new(stored.len());
    for one in &stored {
        let unit = one.unit_id.and_then(|id| of.unit(id));
        // A unit that is newer than the snapshot comes with the next one: the incident is not one of the country.
        if unit.is_none() && one.unit_id.is_some() {
            continue;
        }
        let description = one.description.as_deref();
        rows.push(Row { unit, begins_at: one.started_at, ends_at: one.ended_at, description });
    }
    emit(rows.finish()?)
}
