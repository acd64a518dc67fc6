//! The digest's part about measures: those that were decided or changed since the previous digest.

use crate::JobError;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::each;
use schema::enums::{MeasureKind, MeasureState, SuspensionGround};
use schema::events::Entity;
use schema::models::Measure;
use schema::register::state_on;
use schema::tables::{measures, officers, reference_events, units};
use schema::{Conn, Id};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Most measures that are listed.
const LISTED: usize = 30;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasuresPart {
    pub count: usize,
    /// The latest decision first.
    pub listed: Vec<MeasureLine>,
}

/// A measure as it stands on the digest's day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasureLine {
    pub measure: Id,
    /// The code of the officer.
    pub officer: String,
    /// The code of the officer's unit on the day of the decision.
    pub unit: String,
    pub kind: MeasureKind,
    pub ground: Option<SuspensionGround>,
    pub decided_on: NaiveDate,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub state: MeasureState,
}

/// The measures decided up to a day and recorded up to a position of the register, without those that the previous
/// digest could tell as they are now; `before` is its day and its position.
pub(super) fn measures_part(
    conn: &mut Conn,
    as_of: NaiveDate,
    position: i64,
    before: Option<(NaiveDate, i64)>,
) -> Result<MeasuresPart, JobError> {
    // At first every measure is new.
    let (last_day, last_position) = before.unwrap_or((as_of, -1));
    let events = || {
        reference_events::table
            .filter(reference_events::entity.eq(Entity::Measure.as_str()))
            .filter(reference_events::position.le(position))
    };
    let recorded = || events().select(reference_events::entity_id);
    let changed = || events().filter(reference_events::position.gt(last_position)).select(reference_events::entity_id);
    let mut rows: Vec<Measure> = each!(conn, c => measures::table
        .filter(measures::decided_on.le(as_of))
        .filter(measures::id.eq_any(recorded()))
        .filter(measures::decided_on.gt(last_day).or(measures::id.eq_any(changed())))
        .order((measures::decided_on.desc(), measures::id))
        .select(Measure::as_select())
        .load(c)?);
    let count = rows.len();
    rows.truncate(LISTED);
    let ids: Vec<Id> = rows.iter().map(|measure| measure.officer_id).collect();
    let codes_of_officers: HashMap<Id, String> = officers::table
        .filter(officers::id.eq_any(ids))
        .select((officers::id, officers::code))
        .load::<(Id, String)>(conn)?
        .into_iter()
        .collect();
    let ids: Vec<Id> = rows.iter().map(|measure| measure.unit_id).collect();
    let codes_of_units: HashMap<Id, String> = units::table
        .filter(units::id.eq_any(ids))
        .select((units::id, units::code))
        .load::<(Id, String)>(conn)?
        .into_iter()
        .collect();
    let code = |codes: &HashMap<Id, String>, id: Id| codes.get(&id).cloned().unwrap_or_default();
    let line = |measure: &Measure| MeasureLine {
        measure: measure.id,
        officer: code(&codes_of_officers, measure.officer_id),
        unit: code(&codes_of_units, measure.unit_id),
        kind: measure.kind,
        ground: measure.ground,
        decided_on: measure.decided_on,
        starts_on: measure.starts_on,
        ends_on: measure.ends_on,
        state: state_on(measure, as_of),
    };
    Ok(MeasuresPart { count, listed: rows.iter().map(line).collect() })
}
