//! The measures of a group, and the columns they are computed from.

use super::columns::{places, values};
use super::disclosure::{ATTRIBUTES, CELL_KEY, DECISION_WEIGHT, NOISED_COST, NOISED_DELAY, SharedAttributes};
use crate::JobError;
use polars::prelude::*;

/// A measure of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    Complaints,
    Episodes,
    DistinctEnterprises,
    DistinctOfficers,
    CostVnd,
    DelayHours,
    ShareAnsweredInTime,
    MedianDaysToResponse,
}

/// Which measures are computed, in addition to the number of complaints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    pub episodes: bool,
    pub enterprises: bool,
    pub officers: bool,
    pub sums: bool,
    pub timeliness: bool,
    pub median: bool,
}

impl Wanted {
    pub const ALL: Self =
        Self { episodes: true, enterprises: true, officers: true, sums: true, timeliness: true, median: true };

    pub fn add(&mut self, measure: Measure) {
        match measure {
            Measure::Complaints => {}
            Measure::Episodes => self.episodes = true,
            Measure::DistinctEnterprises => self.enterprises = true,
            Measure::DistinctOfficers => self.officers = true,
            Measure::CostVnd | Measure::DelayHours => self.sums = true,
            Measure::ShareAnsweredInTime => self.timeliness = true,
            Measure::MedianDaysToResponse => self.median = true,
        }
    }
}

/// The measures of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measures {
    pub complaints: u32,
    pub episodes: u32,
    /// Anonymous complaints add none.
    pub distinct_enterprises: u32,
    pub distinct_officers: u32,
    pub cost_vnd: i64,
    pub delay_hours: f64,
    /// Complaints whose deadline has passed, without those that ended unanswered, and how many of them were
    /// answered by their deadline.
    pub due: u32,
    pub in_time: u32,
    /// Kaplan–Meier median of the days to the answer; None if the estimate never falls to one half.
    pub median_days: Option<f64>,
    /// Set for fixed cells only. In these all other measures except `complaints` leave out confidential
    /// complaints.
    pub cell: CellMeasures,
}

/// The inputs of disclosure control for a fixed cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellMeasures {
    /// Sum of the record keys of all complaints, and the attributes that they share.
    pub key: u64,
    pub shared: SharedAttributes,
    /// Number of complaints that are not confidential, the sum of their keys, and the attributes that they
    /// share.
    pub non_confidential: u32,
    pub non_confidential_key: u64,
    pub non_confidential_shared: SharedAttributes,
    /// The largest share of one enterprise in the weighted cost, and in the weighted delay.
    pub cost_dominance: f64,
    pub delay_dominance: f64,
}

impl Measures {
    /// Only a number of complaints; all other measures are unset.
    pub(super) fn of(complaints: u32) -> Self {
        Self { complaints, ..Self::default() }
    }

    pub fn share_in_time(&self) -> Option<f64> {
        (self.due > 0).then(|| f64::from(self.in_time) / f64::from(self.due))
    }

    pub fn value(&self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Complaints => Some(f64::from(self.complaints)),
            Measure::Episodes => Some(f64::from(self.episodes)),
            Measure::DistinctEnterprises => Some(f64::from(self.distinct_enterprises)),
            Measure::DistinctOfficers => Some(f64::from(self.distinct_officers)),
            Measure::CostVnd => Some(self.cost_vnd as f64),
            Measure::DelayHours => Some(self.delay_hours),
            Measure::ShareAnsweredInTime => self.share_in_time(),
            Measure::MedianDaysToResponse => self.median_days,
        }
    }
}

/// The columns that measures are computed from, one value for each complaint, and optionally the entries
/// (officer, finding) of each complaint. Columns that are not wanted are empty.
pub struct Rows {
    pub(super) height: usize,
    pub(super) enterprise: Vec<u32>,
    pub(super) episode: Vec<u32>,
    pub(super) cost: Vec<i64>,
    pub(super) delay: Vec<f64>,
    /// Columns of an edition: record keys, attribute words, weights for dominance, whether the complaint is
    /// not confidential, and (cost, delay) with noise.
    pub(super) cell_key: Vec<u64>,
    pub(super) attributes: Vec<u128>,
    pub(super) decision_weight: Vec<u32>,
    pub(super) non_confidential: Vec<bool>,
    pub(super) noised: Vec<(i64, f64)>,
    /// (days waited, whether answered), and (due, answered in time).
    pub(super) waited: Vec<(i32, bool)>,
    pub(super) due: Vec<(bool, bool)>,
    /// The row of each entry, ascending; None if each row is one entry.
    pub(super) entries: Option<Vec<u32>>,
    /// (officer, finding) of each entry.
    pub(super) officer_findings: Vec<(Option<u32>, u32)>,
}

impl Rows {
    /// The columns that [`Self::read`] needs; with `disclosed` also those of an edition.
    pub fn columns(wanted: Wanted, disclosed: bool) -> Vec<&'static str> {
        let mut columns = Vec::new();
        if wanted.enterprises || disclosed {
            columns.push("enterprise");
        }
        if disclosed {
            columns.extend([CELL_KEY, ATTRIBUTES[0], ATTRIBUTES[1], "confidential"]);
        }
        if wanted.sums {
            columns.extend(["cost", "delay"]);
            if disclosed {
                columns.extend([NOISED_COST, NOISED_DELAY, DECISION_WEIGHT]);
            }
        }
        if wanted.timeliness || wanted.median {
            columns.extend(["day", "due", "answered", "ended"]);
        }
        columns
    }

    /// Reads the columns of complaints that measures need; `as_of` is in days since 1970.
    ///
    /// # Errors
    /// `Polars` if a column is missing or of another type.
    pub fn read(table: &DataFrame, wanted: Wanted, as_of: i32, disclosed: bool) -> Result<Self, JobError> {
        let mut rows = Self {
            height: table.height(),
            enterprise: Vec::new(),
            episode: Vec::new(),
            cost: Vec::new(),
            delay: Vec::new(),
            cell_key: Vec::new(),
            attributes: Vec::new(),
            decision_weight: Vec::new(),
            non_confidential: Vec::new(),
            noised: Vec::new(),
            waited: Vec::new(),
            due: Vec::new(),
            entries: None,
            officer_findings: Vec::new(),
        };
        if disclosed {
            rows.cell_key = values(table.column(CELL_KEY)?.u64()?);
            let [high, low] = ATTRIBUTES.map(|name| table.column(name).and_then(|half| half.u64().map(values)));
            rows.attributes =
                high?.into_iter().zip(low?).map(|(high, low)| u128::from(high) << 64 | u128::from(low)).collect();
            rows.non_confidential =
                table.column("confidential")?.bool()?.iter().map(|secret| secret == Some(false)).collect();
        }
        if wanted.enterprises || disclosed {
            rows.enterprise = places(table.column("enterprise")?.u32()?);
        }
        if wanted.episodes {
            rows.episode = values(table.column("episode")?.u32()?);
        }
        if wanted.sums {
            rows.cost = values(table.column("cost")?.i64()?);
            rows.delay = values(table.column("delay")?.f64()?);
            if disclosed {
                rows.decision_weight = values(table.column(DECISION_WEIGHT)?.u32()?);
                let costs = values(table.column(NOISED_COST)?.i64()?);
                rows.noised = costs.into_iter().zip(values(table.column(NOISED_DELAY)?.f64()?)).collect();
            }
        }
        if wanted.timeliness || wanted.median {
            let column = |name: &str| table.column(name).and_then(|column| column.i32().cloned());
            let (day, due, answered, ended) = (column("day")?, column("due")?, column("answered")?, column("ended")?);
            for (((day, due), answered), ended) in day.iter().zip(due.iter()).zip(answered.iter()).zip(ended.iter()) {
                let day = day.unwrap_or_default();
                // The same as `analyses::timeliness::handled`.
                let answered = answered.filter(|at| *at <= as_of);
                let ended = ended.filter(|at| *at <= as_of);
                let until = answered.or(ended).unwrap_or(as_of);
                rows.waited.push(((until - day).max(0), answered.is_some()));
                let was_due = due.is_some_and(|due| due <= as_of) && (answered.is_some() || ended.is_none());
                rows.due.push((was_due, was_due && answered <= due && answered.is_some()));
            }
        }
        Ok(rows)
    }

    /// Sets the entries: `entries` has the row of each, ascending, and `officer_findings` its (officer, finding).
    pub fn explode(&mut self, entries: Vec<u32>, officer_findings: Vec<(Option<u32>, u32)>) {
        self.entries = Some(entries);
        self.officer_findings = officer_findings;
    }

    /// Whether entries are the (officer, finding) of rows instead of rows.
    pub fn is_exploded(&self) -> bool {
        self.entries.is_some()
    }

    pub fn officer_findings(&self) -> &[(Option<u32>, u32)] {
        &self.officer_findings
    }

    pub fn entries(&self) -> usize {
        self.entries.as_ref().map_or(self.height, Vec::len)
    }

    /// A value of the row of each entry.
    pub fn of_entries<T>(&self, of_row: impl Fn(usize) -> T) -> Vec<T> {
        match &self.entries {
            None => (0..self.height).map(of_row).collect(),
            Some(entries) => entries.iter().map(|row| of_row(*row as usize)).collect(),
        }
    }

    /// Each distinct (group, row), in the order of rows; entries of the group `u32::MAX` are left out.
    pub(super) fn pairs(&self, groups: &[u32]) -> Vec<(u32, u32)> {
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(groups.len());
        match &self.entries {
            None => pairs.extend(groups.iter().copied().zip(0u32..).filter(|(group, _)| *group != u32::MAX)),
            Some(entries) => {
                for (group, row) in groups.iter().copied().zip(entries.iter().copied()) {
                    let of_row = pairs.iter().rev().take_while(|(_, other)| *other == row);
                    let seen = of_row.map(|(group, _)| *group).any(|other| other == group);
                    if group != u32::MAX && !seen {
                        pairs.push((group, row));
                    }
                }
            }
        }
        pairs
    }
}
