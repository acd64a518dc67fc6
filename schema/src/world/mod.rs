//! A world to try the register on: an invented customs service with officers, enterprises and
//! complaints, and what is true of it.
//!
//! It shares nothing with the statistics but the domain rules, and they cannot read its truth.

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
pub use write::{Progress, generate, true_of};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The last day of a world unless told otherwise.
pub const UNTIL: NaiveDate = match NaiveDate::from_ymd_opt(2025, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// What a world is made of: the same parameters make the same world on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    pub complaints: usize,
    pub seed: u64,
    /// The last day; the world begins five years before.
    pub until: NaiveDate,
}
