//! Overdue complaints: which ones, for how long, which units have to answer them, and to which they are escalated. Pure
//! functions of a snapshot and an as-of day.

use crate::JobError;
use crate::analyses::timeliness::handled;
use crate::facts::days::day_number;
use crate::snapshot::{Places, Snapshot};
use chrono::{Days, NaiveDate};
use polars::prelude::{Column, PolarsResult, col};
use schema::Id;
use schema::enums::UnitKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Units listed in the result, those with the most overdue complaints.
const LISTED: usize = 20;

/// A unit and its overdue complaints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitOverdue {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub overdue: u32,
    /// Days by which the oldest one exceeds its deadline.
    pub oldest_days: i32,
}

/// A unit whose head has to see to overdue complaints, and how many escalations newly name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitEscalated {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub escalated: u32,
}

/// Sums up escalations by unit, the most first.
pub fn sum_by_unit(units: impl IntoIterator<Item = UnitEscalated>) -> Vec<UnitEscalated> {
    let mut by_code: BTreeMap<String, UnitEscalated> = BTreeMap::new();
    for unit in units {
        match by_code.get_mut(&unit.code) {
            Some(known) => known.escalated += unit.escalated,
            None => {
                by_code.insert(unit.code.clone(), unit);
            }
        }
    }
    let mut summed: Vec<UnitEscalated> = by_code.into_values().collect();
    summed.sort_by(|a, b| b.escalated.cmp(&a.escalated).then_with(|| a.code.cmp(&b.code)));
    summed
}

/// The units that some escalations name, each with their number.
pub fn named_by(snapshot: &Snapshot, escalations: impl IntoIterator<Item = Id>) -> Vec<UnitEscalated> {
    sum_by_unit(escalations.into_iter().filter_map(|id| {
        let unit = snapshot.reference.unit(id)?;
        Some(UnitEscalated {
            code: unit.code.clone(),
            name_vi: unit.name_vi.clone(),
            name_en: unit.name_en.clone(),
            escalated: 1,
        })
    }))
}

/// Overdue complaints as of a day: the result that the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverdueDocument {
    pub overdue: u32,
    /// Complaints escalated for the first time: to the unit above the responsible one, and to the level above that.
    pub newly_escalated: [u32; 2],
    /// The units that new escalations name, those with the most first.
    #[serde(default)]
    pub escalated_to: Vec<UnitEscalated>,
    /// The units that have to answer most of them, of any level.
    pub branches: Vec<UnitOverdue>,
}

/// An overdue complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    pub complaint: Id,
    /// The unit that has to answer: an index into the units of the snapshot's reference data.
    pub responsible: Option<u32>,
    /// Escalation targets: the unit above it on the as-of day (the department of a branch, the General Department of a
    /// department or headquarters unit), and the one above that. None for the Board.
    pub above: Option<Id>,
    pub top: Option<Id>,
    pub due_on: NaiveDate,
    pub days_over: i32,
    /// Whether twice the time allowed has passed since the round began.
    pub twice: bool,
    /// The round of the legal clock, from 1.
    pub round: i32,
}

/// The complaints that are overdue on a day, in the order of the snapshot.
///
/// # Errors
/// If the facts lack a column that it reads, or a column has another type.
pub fn overdue(snapshot: &Snapshot, as_of: NaiveDate) -> Result<Vec<Late>, JobError> {
    let today = day_number(as_of);
    let rows = handled(&snapshot.facts, today)?.filter(col("overdue")).collect()?;
    let place = |column: &str| -> PolarsResult<Vec<Option<u32>>> { Ok(Places::of(&rows, column)?.iter().collect()) };
    let responsible = place("responsible_unit")?;
    let (high, low) = (rows.column("id_high")?.u64()?, rows.column("id_low")?.u64()?);
    let number = |column: &str| rows.column(column).and_then(Column::i32);
    let (began, due, over, round) = (number("began")?, number("due_by")?, number("days_over")?, number("round")?);
    let (units, tree) = (&snapshot.reference.units, &snapshot.reference.tree);
    let general = units.iter().find(|unit| unit.kind == UnitKind::GeneralDepartment).map(|unit| unit.id);
    let mut late = Vec::with_capacity(rows.height());
    for (at, responsible) in responsible.into_iter().enumerate() {
        let (Some(high), Some(low), Some(began), Some(due)) = (high.get(at), low.get(at), began.get(at), due.get(at))
        else {
            continue;
        };
        let days_over = over.get(at).unwrap_or_default();
        let unit = responsible.and_then(|place| units.get(place as usize)).map(|unit| unit.id);
        let above = unit.and_then(|unit| tree.parent_on(unit, as_of));
        let top = above.and_then(|above| tree.parent_on(above, as_of)).or(general);
        late.push(Late {
            complaint: Id(Uuid::from_u64_pair(high, low)),
            responsible,
            above,
            // The Board is above the General Department.
            top: top.filter(|top| above != Some(*top)),
            due_on: NaiveDate::default() + Days::new(u64::try_from(due).unwrap_or(0)),
            days_over,
            twice: days_over >= due - began,
            round: round.get(at).unwrap_or(1),
        });
    }
    Ok(late)
}

/// The units that have to answer the most overdue complaints, at most 20, the worst first.
pub fn by_responsible_unit(snapshot: &Snapshot, overdue: &[Late]) -> Vec<UnitOverdue> {
    let mut by_unit: BTreeMap<u32, (u32, i32)> = BTreeMap::new();
    for late in overdue {
        let Some(unit) = late.responsible else { continue };
        let (count, oldest) = by_unit.entry(unit).or_default();
        *count += 1;
        *oldest = (*oldest).max(late.days_over);
    }
    let mut listed: Vec<UnitOverdue> = by_unit
        .into_iter()
        .filter_map(|(place, (overdue, oldest_days))| {
            let unit = snapshot.reference.units.get(place as usize)?;
            Some(UnitOverdue {
                code: unit.code.clone(),
                name_vi: unit.name_vi.clone(),
                name_en: unit.name_en.clone(),
                overdue,
                oldest_days,
            })
        })
        .collect();
    listed.sort_by(|a, b| (b.overdue, b.oldest_days, &a.code).cmp(&(a.overdue, a.oldest_days, &b.code)));
    listed.truncate(LISTED);
    listed
}
