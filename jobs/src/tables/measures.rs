//! The table `measures`.

use super::columns::{Day, Instant, Text, declare_table};
use super::names::{Context, Emit};
use crate::JobError;
use diesel::prelude::*;
use schema::Conn;
use schema::enums::{MeasureBasisKind, SuspensionGround};
use schema::models::Measure;
use schema::tables::measures;
use std::borrow::Cow;

declare_table! {
    "measures": "Measures about officers, without grounds in words. Those that are void are left out."
    {
        officer: Text = "Pseudonym of the officer.",
        unit: Text = "Code of the officer's unit on the day of the decision.",
        kind: Text = "REASSIGNMENT, DISCIPLINE, SUSPENSION or FORMAL_REVIEW.",
        decided_on: Day = "Day of the decision.",
        starts_on: Day = "First day.",
        ends_on: Option<Day> = "Last day, also after an extension or a lift; null while it lasts, and for a measure without an end.",
        ground: Option<Text> = "Ground of a suspension, such as MORAL_CONDUCT.",
        basis: Option<Text> = "What it rests on: FLAG, COMPLAINTS or NONE; null where this was not asked.",
        flag: Option<Text> = "Pseudonym of the flag that led to it.",
        extended_from: Option<Day> = "Last day before an extension.",
        lifted_on: Option<Day> = "Last day of a measure that ended early.",
        recorded_at: Instant = "Time of recording.",
    }
}

/// The measures that are not void, by the day of the decision.
///
/// # Errors
/// When the database fails.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let stored: Vec<Measure> =
        measures::table.filter(measures::void_reason.is_null()).select(Measure::as_select()).load(conn)?;
    let mut found: Vec<(&Measure, Cow<'_, str>, &str)> = Vec::with_capacity(stored.len());
    for one in stored.iter().filter(|one| !of.is_reader(Some(one.officer_id))) {
        // A unit that is newer than the snapshot comes with the next one.
        if let Some(unit) = of.unit(one.unit_id) {
            found.push((one, of.officer(one.officer_id), unit));
        }
    }
    found.sort_by(|(a, officer, unit), (b, other, other_unit)| {
        let own = (a.decided_on, officer, unit, a.kind, a.starts_on);
        own.cmp(&(b.decided_on, other, other_unit, b.kind, b.starts_on))
    });
    let mut rows = Rows::new(found.len());
    for (one, officer, unit) in &found {
        rows.push(Row {
            officer,
            unit,
            kind: one.kind.as_str(),
            decided_on: one.decided_on,
            starts_on: one.starts_on,
            ends_on: one.ends_on,
            ground: one.ground.map(SuspensionGround::as_str),
            basis: one.basis.map(MeasureBasisKind::as_str),
            flag: one.flag_id.map(|id| of.flag(id)).as_deref(),
            extended_from: one.extended_from,
            lifted_on: one.lifted_on,
            recorded_at: one.recorded_at,
        });
    }
    emit(rows.finish()?)
}
