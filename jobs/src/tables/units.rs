//! The table `units`.

use super::columns::{Day, Text, declare_table};
use super::names::{Context, Emit};
use crate::JobError;
use schema::enums::PeerGroup;
use schema::models::{UNKNOWN_START, Unit};
use schema::{Conn, Id};

declare_table! {
    "units": "Units. What is above a unit is so on the day of the data; of a unit that has ended, on its last day."
    {
        code: Text = "Code of the unit.",
        name_vi: Text = "Name in Vietnamese.",
        name_en: Option<Text> = "Name in English.",
        kind: Text = "GENERAL_DEPARTMENT, HEADQUARTERS_UNIT, PROVINCIAL_DEPARTMENT, BRANCH or TEAM.",
        peer_group: Option<Text> = "SEAPORT, AIRPORT, LAND_BORDER, INLAND or OTHER.",
        parent: Option<Text> = "Code of the unit above.",
        department: Option<Text> = "Code of the provincial department above, or of the unit itself.",
        branch: Option<Text> = "Code of the branch above, or of the unit itself.",
        team: Option<Text> = "Code of the unit itself if it is a team.",
        valid_from: Option<Day> = "First day; null for no known beginning.",
        valid_to: Option<Day> = "Last day; null while it lasts.",
        successor: Option<Text> = "Code of the unit that goes on after the last day.",
    }
}

/// The units.
///
/// # Errors
/// When the rows do not fit the columns.
pub(super) fn make(of: &Context<'_>, _: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let reference = &of.snapshot.reference;
    // A unit that begins later has the parent of its first day.
    let day = |unit: &Unit| unit.valid_to.map_or(of.day, |last| last.min(of.day)).max(unit.valid_from);
    let code = |id: Option<Id>| of.unit(id?);
    let mut rows = Rows::new(reference.units.len());
    for unit in &reference.units {
        let above = reference.tree.ancestors_on(unit.id, day(unit));
        rows.push(Row {
            code: &unit.code,
            name_vi: &unit.name_vi,
            name_en: unit.name_en.as_deref(),
            kind: unit.kind.as_str(),
            peer_group: unit.peer_group.map(PeerGroup::as_str),
            parent: code(reference.tree.parent_on(unit.id, day(unit))),
            department: code(above.department),
            branch: code(above.branch),
            team: code(above.team),
            valid_from: Some(unit.valid_from).filter(|first| *first != UNKNOWN_START),
            valid_to: unit.valid_to,
            successor: code(unit.successor_id),
        });
    }
    emit(rows.finish()?)
}
