//! The digest's part about measures: those that were decided or changed since the previous digest.

use crate::JobError;
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use schema::domain::calendar::{local_date, start_of_day};
use schema::each;
use schema::enums::{MeasureKind, MeasureState, SuspensionGround};
use schema::events::Entity;
use schema::models::Measure;
use schema::register::state_on;
use schema::tables::{complaint_officers, complaints, measures, officers, reference_events, units};
use schema::{Conn, Id, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// The most measures in the list.
const LISTED: usize = 30;
/// A digest shows the outcome of a measure from this many days after its first day …
const SHORTEST: u64 = 30;
/// … until this many days after it.
const LONGEST: u64 = 365;
/// The most days before and after the first day that an outcome compares.
const COMPARED: i64 = 90;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasuresPart {
    pub count: usize,
    /// The latest decision first.
    pub listed: Vec<MeasureLine>,
    /// Measures that began in the last year, with their outcomes. Only in digests for all units.
    #[serde(default)]
    pub outcomes: Vec<OutcomeLine>,
}

/// The complaints about an officer in equally many days before and after a measure began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeLine {
    #[serde(flatten)]
    pub measure: MeasureLine,
    pub days: i64,
    pub before: u32,
    pub after: u32,
}

/// The state of a measure on the digest's day.
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
/// digest could show in their present state; `before` is its day and its position. `visible` has the measures that the
/// reader may see; None for all.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn measures_part(
    conn: &mut Conn,
    as_of: NaiveDate,
    position: i64,
    before: Option<(NaiveDate, i64)>,
    visible: Option<&HashSet<Id>>,
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
    rows.retain(|row| visible.is_none_or(|visible| visible.contains(&row.id)));
    let count = rows.len();
    rows.truncate(LISTED);
    let outcomes = match visible {
        None => outcomes(conn, as_of, position)?,
        // Complaints about the officer may be withheld from the reader, and a count would reveal them.
        Some(_) => Vec::new(),
    };
    Ok(MeasuresPart { count, listed: lines(conn, &rows, as_of)?, outcomes })
}

fn lines(conn: &mut Conn, rows: &[Measure], as_of: NaiveDate) -> Result<Vec<MeasureLine>, JobError> {
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
    Ok(rows.iter().map(line).collect())
}

/// The measures that began in the last year and at least [`SHORTEST`] days ago, the latest first.
fn outcomes(conn: &mut Conn, as_of: NaiveDate, position: i64) -> Result<Vec<OutcomeLine>, JobError> {
    let recorded = reference_events::table
        .filter(reference_events::entity.eq(Entity::Measure.as_str()))
        .filter(reference_events::position.le(position))
        .select(reference_events::entity_id);
    let rows: Vec<Measure> = each!(conn, c => measures::table
        .filter(measures::starts_on.gt(as_of - Days::new(LONGEST)))
        .filter(measures::starts_on.le(as_of - Days::new(SHORTEST)))
        .filter(measures::void_reason.is_null())
        .filter(measures::id.eq_any(recorded))
        .order((measures::starts_on.desc(), measures::id))
        .limit(LISTED as i64)
        .select(Measure::as_select())
        .load(c)?);
    let mut outcomes = Vec::with_capacity(rows.len());
    for (line, row) in lines(conn, &rows, as_of)?.into_iter().zip(&rows) {
        let days = as_of.signed_duration_since(row.starts_on).num_days().clamp(1, COMPARED);
        let span = Days::new(days.unsigned_abs());
        // A complaint may name an officer in several allegations.
        let received: Vec<(Id, Timestamp)> = complaint_officers::table
            .inner_join(complaints::table.on(complaints::id.eq(complaint_officers::complaint_id)))
            .filter(complaint_officers::officer_id.eq(row.officer_id))
            .filter(complaints::received_at.ge(start_of_day(row.starts_on - span)))
            .filter(complaints::received_at.lt(start_of_day(row.starts_on + span)))
            .select((complaints::id, complaints::received_at))
            .load(conn)?;
        let received: HashSet<(Id, NaiveDate)> =
            received.into_iter().map(|(id, received)| (id, local_date(received))).collect();
        let (after, before): (Vec<NaiveDate>, Vec<NaiveDate>) =
            received.into_iter().map(|(_, day)| day).partition(|day| *day >= row.starts_on);
        let number = |days: &[NaiveDate]| u32::try_from(days.len()).unwrap_or(u32::MAX);
        outcomes.push(OutcomeLine { measure: line, days, before: number(&before), after: number(&after) });
    }
    Ok(outcomes)
}
