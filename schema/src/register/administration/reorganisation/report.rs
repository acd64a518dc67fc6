//! The report of a reorganisation, for people and programs.

use crate::enums::{Role, UnitKind};
use crate::sql_types::Id;
use chrono::NaiveDate;
use serde::Serialize;

/// The changes of a reorganisation, made or planned.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub name: String,
    pub decision: Option<String>,
    pub in_force: NaiveDate,
    pub created: Vec<CreatedUnit>,
    pub changed: Vec<ChangedUnit>,
    pub moved: Vec<MovedUnit>,
    pub closed: Vec<EndedUnit>,
    /// The postings that go on elsewhere.
    pub postings: Vec<MovedPosting>,
    /// The complaints about days from the day on that count for other units above theirs now.
    pub complaints_rewritten: usize,
    /// The tokens of heads of units that end: make new ones.
    pub principals: Vec<HeadOfEnded>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedUnit {
    pub code: String,
    pub name_vi: String,
    pub kind: UnitKind,
    pub parent: Option<String>,
}

/// A unit with another name, kind, peer group or field.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedUnit {
    pub code: String,
    /// The name before.
    pub from: String,
    /// The name now.
    pub to: String,
}

/// A unit that is below another one.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MovedUnit {
    pub code: String,
    /// The code of the unit above it before.
    pub from: Option<String>,
    /// The code of the unit above it now.
    pub to: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedUnit {
    pub code: String,
    pub name_vi: String,
    pub last_day: NaiveDate,
    pub successor: Option<String>,
    /// The complaints about the unit, which stay with it.
    pub complaints: i64,
    /// Complaints that wait for its answer.
    pub open_complaints: i64,
    /// Complaints about it that were received after its last day: correct their unit.
    pub later_complaints: i64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MovedPosting {
    /// The id of the officer, for the audit log.
    #[serde(skip)]
    pub officer_id: Id,
    pub officer: String,
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadOfEnded {
    pub name: String,
    pub role: Role,
    pub unit: String,
    pub successor: Option<String>,
}
