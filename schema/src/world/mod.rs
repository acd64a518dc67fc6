//! Generates demonstration data (a "world"): an invented customs service with officers, enterprises and complaints, and
//! its ground truth, such as the true rates of officers.
//!
//! The generator and the statistics share only the domain rules, and the statistics cannot read the ground truth.

mod cases;
mod chance;
mod enterprises;
mod incidents;
mod people;
mod phrases;
mod plan;
mod timeline;
mod truth;
mod units;
mod write;

pub use truth::{Kind, Planted, SubjectWord, TrueOfficer, Truth};
pub use write::{Progress, generate, ground_truth};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The default last day of a world.
pub const UNTIL: NaiveDate = match NaiveDate::from_ymd_opt(2025, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// The parameters of a world. The same parameters give the same world on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    pub complaints: usize,
    pub seed: u64,
    /// The last day; the world begins five years earlier.
    pub until: NaiveDate,
}
