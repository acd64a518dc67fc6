//! The parts that a digest about one unit adds to the document of all digests.

use super::people::UnitName;
use chrono::NaiveDate;
use schema::Id;
use serde::{Deserialize, Serialize};

/// The first digest lists the escalations of this many days: older ones are not new.
pub(super) const FIRST_DAYS: u64 = 30;

/// The parts that only the digest about one unit has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadPart {
    pub scorecard: ScorecardPart,
    /// Waiting times of the complaints in the scorecard; None without complaints.
    #[serde(default)]
    pub waiting: Option<WaitingPart>,
    /// Overdue complaints, the longest overdue first.
    pub late: Vec<LateLine>,
    /// Number of overdue complaints received before the period of the scorecard, which does not count them.
    #[serde(default)]
    pub older: u32,
    /// Complaints escalated to the unit or one below it since the digest before, or in the last days, the latest first.
    pub escalated: Vec<EscalatedLine>,
}

/// The answers of the unit, compared with its peers: units of the same kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScorecardPart {
    /// Whether it counts all complaints that the reader may see, even those without a responsible unit.
    #[serde(default)]
    pub is_of_all: bool,
    /// Length in days of the period of receipt.
    pub days: i32,
    pub complaints: u32,
    pub open: u32,
    pub overdue: u32,
    pub share_in_time: Option<f64>,
    /// Its 95 % confidence limits.
    #[serde(default)]
    pub limits: Option<(f64, f64)>,
    pub median_days: Option<f64>,
    /// None where too few peers have complaints that were due.
    pub peers: Option<PeersPart>,
}

/// The share of complaints that still wait for an answer (Kaplan and Meier).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingPart {
    /// (days, share still waiting after them) at each day with an answer.
    pub steps: Vec<(f64, f64)>,
    /// The days that complaints without an answer have waited, each number once, in order.
    pub still_waiting: Vec<i32>,
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
