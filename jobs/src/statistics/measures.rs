//! What can be asked of a group, and what it is computed from.

use super::disclosure::{ATTRIBUTES, CELL_KEY, DECISION_WEIGHT, NOISED_COST, NOISED_DELAY, SharedAttributes};
use super::groups::values;
use crate::JobError;
use polars::prelude::*;

/// What can be asked of a group.
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

/// Which measures are computed, beside the number of complaints.
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

/// The numbers of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measures {
    pub complaints: u32,
    pub episodes: u32,
    /// Of complaints that are not anonymous.
    pub distinct_enterprises: u32,
    pub distinct_officers: u32,
    pub cost_vnd: i64,
    pub delay_hours: f64,
    /// Complaints whose deadline has passed, and those of them that were answered by then.
    pub due: u32,
    pub in_time: u32,
    /// Days until half are answered, open ones censored; None where less than half ever are.
    pub median_days: Option<f64>,
    /// Of fixed cells alone, whose sums, shares and medians are those of complaints that are not confidential.
    pub cell: CellMeasures,
}

/// What decides how a fixed cell is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellMeasures {
    /// The sum of the keys of its complaints, and what these have in common.
    pub key: u64,
    pub shared: SharedAttributes,
    /// Complaints that are not confidential, the sum of their keys, and what they have in common.
    pub open: u32,
    pub open_key: u64,
    pub open_shared: SharedAttributes,
    /// The largest share that one enterprise has of the weighed cost, and of the weighed delay.
    pub cost_dominance: f64,
    pub delay_dominance: f64,
}

impl Measures {
    /// So many complaints, of which nothing else is known.
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

/// What measures are computed from: complaints, and where officers matter what each says of whom.
pub struct Rows {
    pub(super) height: usize,
    pub(super) enterprise: Vec<u32>,
    pub(super) episode: Vec<u32>,
    pub(super) cost: Vec<i64>,
    pub(super) delay: Vec<f64>,
    /// The keys of complaints, and their costs and delays as they count where they are disclosed.
    pub(super) cell_key: Vec<u64>,
    pub(super) attributes: Vec<u128>,
    pub(super) decision_weight: Vec<u32>,
    pub(super) open: Vec<bool>,
    pub(super) noised: Vec<(i64, f64)>,
    /// Days waited with whether that ended in an answer, and what is due and in time.
    pub(super) waited: Vec<(i32, bool)>,
    pub(super) due: Vec<(bool, bool)>,
    /// The rows of the entries, in order; None where each row is one entry.
    pub(super) entries: Option<Vec<u32>>,
    pub(super) people: Vec<(Option<u32>, u32)>,
}

/// No enterprise.
pub(super) const NOBODY: u32 = u32::MAX;

/// The places of a column, and nobody's where there is none.
fn places(column: &UInt32Chunked) -> Vec<u32> {
    let mut all = Vec::with_capacity(column.len());
    for chunk in column.downcast_iter() {
        match chunk.validity() {
            None => all.extend_from_slice(chunk.values()),
            Some(valid) => {
                all.extend(
                    chunk.values().iter().zip(valid.iter()).map(|(place, valid)| if valid { *place } else { NOBODY }),
                );
            }
        }
    }
    all
}

impl Rows {
    /// The columns that it reads; `disclosed`: those of an edition, too.
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

    pub fn read(table: &DataFrame, wanted: Wanted, as_of: Option<i32>, disclosed: bool) -> Result<Self, JobError> {
        let mut rows = Self {
            height: table.height(),
            enterprise: Vec::new(),
            episode: Vec::new(),
            cost: Vec::new(),
            delay: Vec::new(),
            cell_key: Vec::new(),
            attributes: Vec::new(),
            decision_weight: Vec::new(),
            open: Vec::new(),
            noised: Vec::new(),
            waited: Vec::new(),
            due: Vec::new(),
            entries: None,
            people: Vec::new(),
        };
        if disclosed {
            rows.cell_key = values(table.column(CELL_KEY)?.u64()?);
            let [high, low] = ATTRIBUTES.map(|name| table.column(name).and_then(|half| half.u64().map(values)));
            rows.attributes =
                high?.into_iter().zip(low?).map(|(high, low)| u128::from(high) << 64 | u128::from(low)).collect();
            rows.open = table.column("confidential")?.bool()?.iter().map(|secret| secret == Some(false)).collect();
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
            let today =
                || crate::facts::frames::day_number(schema::domain::calendar::local_date(schema::Timestamp::now()));
            let as_of = as_of.unwrap_or_else(today);
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

    /// Replaces rows by what they say of officers: `entries` are rows, in order.
    pub fn explode(&mut self, entries: Vec<u32>, people: Vec<(Option<u32>, u32)>) {
        self.entries = Some(entries);
        self.people = people;
    }

    /// Whether its entries are what rows say, and not rows.
    pub fn is_exploded(&self) -> bool {
        self.entries.is_some()
    }

    pub fn people(&self) -> &[(Option<u32>, u32)] {
        &self.people
    }

    pub fn entries(&self) -> usize {
        self.entries.as_ref().map_or(self.height, Vec::len)
    }

    /// Something of the row of each entry.
    pub fn of_entries<T>(&self, of_row: impl Fn(usize) -> T) -> Vec<T> {
        match &self.entries {
            None => (0..self.height).map(of_row).collect(),
            Some(entries) => entries.iter().map(|row| of_row(*row as usize)).collect(),
        }
    }

    /// Each (group, row) once, in the order of rows; entries of the group `u32::MAX` belong to none.
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
