//! The legal clock as the events have it: what verification computes derived columns from.

use crate::db::readable::Readable;
use crate::db::{Conn, StoreError};
use crate::domain::legal_clock::{Clock, ClockRules, Deadline};
use crate::domain::working_days::{YearDays, Years};
use crate::enums::DeadlineUnit;
use crate::events::{Entity, Fields};
use crate::models::{Complaint, ComplaintClock};
use crate::register::complaints::DERIVED;
use crate::register::{ClockInput, clock_rules_with, clock_state};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables::reference_events;
use diesel::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// The rules of the register, with the holidays and the deadlines that events give. Rules that cannot be read are
/// reported with their row; this function uses those of the program in their place.
///
/// # Errors
/// If the database fails.
pub fn clock_by_events(conn: &mut Conn) -> Result<Clock, StoreError> {
    let holidays = holidays_by_events(conn)?;
    let rules = clock_rules_with(conn, holidays).unwrap_or_else(|_| Arc::new(ClockRules::shipped().clone()));
    let rows: Vec<Readable<(Id, Option<JsonValue>)>> = reference_events::table
        .filter(reference_events::entity.eq(Entity::Category.as_str()))
        .filter(reference_events::position.gt(0))
        .order((reference_events::position, reference_events::ordinal))
        .select((reference_events::entity_id, reference_events::after))
        .load(conn)?;
    let mut columns: HashMap<Id, (Option<i32>, Option<DeadlineUnit>)> = HashMap::new();
    for (id, after) in rows.into_iter().filter_map(|row| row.0.ok()) {
        let Some(Value::Object(after)) = after.map(|after| after.0) else { continue };
        let (days, unit) = columns.entry(id).or_default();
        if let Some(value) = after.get("deadline_days") {
            *days = value.as_i64().and_then(|days| i32::try_from(days).ok());
        }
        if let Some(value) = after.get("deadline_unit") {
            *unit = value.as_str().and_then(|unit| unit.parse().ok());
        }
    }
    let deadlines = columns.into_iter().filter_map(|(id, (days, unit))| Some((id, Deadline::of(days, unit)?)));
    Ok(Clock { rules, deadlines: deadlines.collect() })
}

/// The years of holidays that the register has itself, as the events have them.
fn holidays_by_events(conn: &mut Conn) -> Result<Years, StoreError> {
    let rows: Vec<Readable<(Id, Option<JsonValue>)>> = reference_events::table
        .filter(reference_events::entity.eq(Entity::HolidayYear.as_str()))
        .filter(reference_events::position.gt(0))
        .order((reference_events::position, reference_events::ordinal))
        .select((reference_events::entity_id, reference_events::after))
        .load(conn)?;
    let mut stored: HashMap<Id, Fields> = HashMap::new();
    for (id, after) in rows.into_iter().filter_map(|row| row.0.ok()) {
        let Some(Value::Object(after)) = after.map(|after| after.0) else { continue };
        stored.entry(id).or_default().extend(after);
    }
    let year = |fields: &Fields| {
        let year = fields.get("year")?.as_i64().and_then(|year| i32::try_from(year).ok())?;
        let days = |field: &str| serde_json::from_value(fields.get(field)?.clone()).ok();
        Some((year, YearDays { off: days("days_off")?, worked: days("days_worked")? }))
    };
    Ok(stored.values().filter_map(year).collect())
}

/// The inputs of the clock of a complaint, from its events; None if they lack some.
fn expected_input(fields: &Fields) -> Option<ClockInput> {
    fn value<T: DeserializeOwned>(fields: &Fields, name: &str) -> Option<T> {
        serde_json::from_value(fields.get(name)?.clone()).ok()
    }
    Some(ClockInput {
        legal_form: value(fields, "legal_form")?,
        received_at: value(fields, "received_at")?,
        category_id: value(fields, "category_id"),
        state: value(fields, "state")?,
        state_since: value(fields, "state_since")?,
    })
}

/// The columns that follow from the clock, without null ones: by the fields, the rounds and the responses that the
/// events give. None if `row` differs from its events in what they follow from.
pub fn derived_columns<'f>(
    clock: &Clock,
    id: Id,
    row: &Complaint,
    fields: &Fields,
    rounds: Option<&Value>,
    responses: impl Iterator<Item = &'f Fields>,
) -> Option<Fields> {
    let input = expected_input(fields).filter(|input| *input == ClockInput::of(row))?;
    let rounds = rounds.and_then(Value::as_array).into_iter().flatten().filter_map(|round| {
        let mut round = round.as_object()?.clone();
        round.insert("complaint_id".into(), json!(id));
        serde_json::from_value::<ComplaintClock>(Value::Object(round)).ok()
    });
    let rounds: Vec<ComplaintClock> = rounds.collect();
    let responses = responses
        // Statements of units that need not answer end no round.
        .filter(|response| response.get("statement").and_then(Value::as_bool) != Some(true))
        .filter_map(|response| response.get("responded_at"))
        .filter_map(|at| serde_json::from_value::<Timestamp>(at.clone()).ok());
    let now = clock_state(clock, input, &rounds, responses);
    let days = DERIVED.into_iter().zip([now.due_on, now.answered_on, now.stopped_since]);
    Some(days.filter_map(|(column, day)| Some((column.to_owned(), json!(day?)))).collect())
}
