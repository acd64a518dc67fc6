//! The parameters of a world. They have their own file because the demonstration mark of the register holds them.

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
    /// Complaints without those of planted bursts.
    pub complaints: usize,
    pub seed: u64,
    /// The last day; the world begins five years earlier.
    pub until: NaiveDate,
    /// Worlds without bursts keep the mark that they had before there were bursts.
    #[serde(default, skip_serializing_if = "Bursts::is_none")]
    pub bursts: Bursts,
}

impl Parameters {
    /// All complaints of the world.
    pub fn total(self) -> usize {
        self.complaints + self.bursts.number as usize * self.bursts.size as usize
    }
}

/// Planted bursts of technical complaints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bursts {
    pub number: u32,
    /// The complaints of each.
    pub size: u32,
}

impl Bursts {
    fn is_none(&self) -> bool {
        self.number == 0
    }
}
