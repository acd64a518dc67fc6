//! The parameters of a world. They stand apart because the demonstration mark of the register holds them.

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
