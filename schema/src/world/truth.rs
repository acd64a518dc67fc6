//! The ground truth of a generated world, against which the statistics are tested.

use crate::sql_types::{Id, Timestamp};
use chrono::NaiveDate;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    Recurrent,
    Busy,
    Feud,
    Campaign,
    BlamesSystem,
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubjectWord {
    Officer,
    Branch,
}

/// An effect planted on an officer or a branch.
#[derive(Debug, Clone, Serialize)]
pub struct Planted {
    pub kind: Kind,
    pub subject: SubjectWord,
    pub code: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrueOfficer {
    pub code: String,
    /// The true rate relative to an average officer with the same workload, on the last day.
    pub ratio: f64,
    /// The expected conduct episodes a year at the rate of the last day, without feuds and campaigns.
    pub expected_per_year: f64,
}

/// A planted burst of technical complaints.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrueBurst {
    /// The code of the branch.
    pub unit: String,
    /// The hours in which all of its complaints come: from `from` to before `until`.
    pub from: Timestamp,
    pub until: Timestamp,
    /// The code of the category.
    pub category: &'static str,
    pub complaints: u32,
    /// The technical complaints that the branch has in so many working hours, by the mean of the whole world.
    pub usual: f64,
    /// The complaints of the burst over the usual ones; None where the branch has no others.
    pub multiple: Option<f64>,
    /// The branch and its department.
    #[serde(skip)]
    pub units: [Id; 2],
}

/// The truth file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Truth {
    pub as_of: NaiveDate,
    pub planted: Vec<Planted>,
    pub officers: Vec<TrueOfficer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bursts: Vec<TrueBurst>,
}
