//! What a digest about one unit adds to the document of all digests.

use super::people::UnitName;
use chrono::NaiveDate;
use schema::Id;
use serde::{Deserialize, Serialize};

/// What only the digest about one unit has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadPart {
    pub scorecard: ScorecardPart,
    /// Overdue complaints, the longest overdue first.
    pub late: Vec<LateLine>,
    /// Complaints escalated to the unit or one below it since the digest before, or in the last days, the latest first.
    pub escalated: Vec<EscalatedLine>,
}

/// How the unit answers, beside its peers: units of the same kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScorecardPart {
    /// Length in days of the period of receipt.
    pub days: i32,
    pub complaints: u32,
    pub open: u32,
    pub overdue: u32,
    pub share_in_time: Option<f64>,
    pub median_days: Option<f64>,
    /// None where too few peers have complaints that were due.
    pub peers: Option<PeersPart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeersPart {
    pub count: usize,
    /// The median of their shares, and the range of the middle eight tenths.
    pub share_in_time: f64,
    pub lowest: f64,
    pub highest: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LateLine {
    pub complaint: Id,
    /// The unit that has to answer.
    pub unit: Option<UnitName>,
    pub due_on: NaiveDate,
    pub days_over: i32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EscalatedLine {
    pub complaint: Id,
    pub unit: Option<UnitName>,
    pub due_on: NaiveDate,
}
