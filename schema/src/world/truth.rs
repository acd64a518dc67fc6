//! The ground truth of a generated world, against which the statistics are tested.

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

/// The truth file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Truth {
    pub as_of: NaiveDate,
    pub planted: Vec<Planted>,
    pub officers: Vec<TrueOfficer>,
}
