//! The measures of a group: their names, the columns that they are computed from, and their computation from the
//! rows of the group.

use super::by_group::{ByGroup, distinct, each_part};
use super::columns::{NO_ENTERPRISE, places, values};
use super::disclosure::{ATTRIBUTES, CELL_KEY, DECISION_WEIGHT, NOISED_COST, NOISED_DELAY, SharedAttributes};
use super::entries::{Entries, Pairs};
use crate::JobError;
use crate::analyses::timeliness::median_survival;
use crate::snapshot::Handlings;
use crate::sums::{cost_of, delay_of};
use polars::prelude::*;
use schema::db::cancellation::check_cancelled;

/// Declares the measures: the fields of [`SelectedMeasures`] by which each is computed, if it is not always, and its
/// value as a number.
macro_rules! measures {
    ($( $measure:ident [$($wanted:ident)*] $value:expr; )+) => {
        /// A measure of a group.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Measure { $( $measure ),+ }

        impl SelectedMeasures {
            pub fn add(&mut self, measure: Measure) {
                match measure { $( Measure::$measure => { $( self.$wanted = true; )* } )+ }
            }
        }

        impl Measures {
            pub fn value(&self, measure: Measure) -> Option<f64> {
                match measure {
                    $( Measure::$measure => {
                        let value: fn(&Self) -> Option<f64> = $value;
                        value(self)
                    } )+
                }
            }
        }
    };
}

measures! {
    Complaints [] |of| Some(f64::from(of.complaints));
    Episodes [episodes] |of| Some(f64::from(of.episodes));
    DistinctEnterprises [enterprises] |of| Some(f64::from(of.distinct_enterprises));
    DistinctOfficers [officers] |of| Some(f64::from(of.distinct_officers));
    CostVnd [sums] |of| Some(of.cost_vnd as f64);
    DelayHours [sums] |of| Some(of.delay_hours);
    ShareAnsweredInTime [timeliness] |of| of.share_in_time();
    MedianDaysToResponse [median] |of| of.median_days;
    Open [status] |of| Some(f64::from(of.open));
    Overdue [status] |of| Some(f64::from(of.overdue));
    Escalated [status] |of| Some(f64::from(of.escalated));
    Reopened [status] |of| Some(f64::from(of.reopened));
}

/// The measures to compute, in addition to the number of complaints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelectedMeasures {
    pub episodes: bool,
    pub enterprises: bool,
    pub officers: bool,
    pub sums: bool,
    pub timeliness: bool,
    pub median: bool,
    /// Open, overdue, escalated and reopened.
    pub status: bool,
}

impl SelectedMeasures {
    pub const ALL: Self = Self {
        episodes: true,
        enterprises: true,
        officers: true,
        sums: true,
        timeliness: true,
        median: true,
        status: true,
    };
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
    pub open: u32,
    /// Open, not answered in the present round, and after the deadline.
    pub overdue: u32,
    /// Escalated at least once.
    pub escalated: u32,
    /// Reopened at least once.
    pub reopened: u32,
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
    /// Measures with a number of complaints only; all others are unset.
    pub(super) fn of(complaints: u32) -> Self {
        Self { complaints, ..Self::default() }
    }

    pub fn share_in_time(&self) -> Option<f64> {
        (self.due > 0).then(|| f64::from(self.in_time) / f64::from(self.due))
    }
}

/// Whether a deadline of a complaint has passed, and whether each that passed was met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) was_due: bool,
    pub(super) in_time: bool,
}

/// The entries to measure, and the columns that measures are computed from, one value for each complaint. Columns
/// that are not wanted are empty.
#[derive(Default)]
pub struct Rows {
    pub(super) entries: Entries,
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
    /// (days waited, whether answered).
    pub(super) waited: Vec<(i32, bool)>,
    pub(super) due: Vec<Due>,
    /// Whether open, overdue, escalated and reopened.
    pub(super) status: Vec<[bool; 4]>,
}

impl Rows {
    /// The columns that [`Self::read`] needs; with `disclosed` also those of an edition.
    pub fn columns(wanted: SelectedMeasures, disclosed: bool) -> Vec<&'static str> {
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
        if wanted.timeliness || wanted.median || wanted.status {
            columns.extend(Handlings::COLUMNS);
        }
        if wanted.status {
            columns.push("escalated");
        }
        columns
    }

    /// Reads the columns of complaints that measures need; `as_of` is in days since 1970.
    ///
    /// # Errors
    /// `Polars` if a column is missing or of another type.
    pub fn read(table: &DataFrame, wanted: SelectedMeasures, as_of: i32, disclosed: bool) -> Result<Self, JobError> {
        let mut rows = Self { entries: Entries::of_rows(table.height()), ..Self::default() };
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
        if wanted.timeliness || wanted.median || wanted.status {
            let handled = Handlings::of(table, as_of)?;
            rows.waited = handled.iter().map(|row| (row.waited, row.answered)).collect();
            rows.due = handled.iter().map(|row| Due { was_due: row.was_due, in_time: row.in_time }).collect();
            if wanted.status {
                let escalated = table.column("escalated")?.i32()?;
                let status = handled.iter().zip(escalated.iter()).map(|(row, escalated)| {
                    [row.open, row.overdue, escalated.is_some_and(|day| day <= as_of), row.reopened]
                });
                rows.status = status.collect();
            }
        }
        Ok(rows)
    }
}

/// A buffer for (enterprise, weighted cost, weighted delay).
pub type Shares = Vec<(u32, f64, f64)>;

/// Computes the measures of a fixed cell except the number of complaints. Arguments: the rows of all cells, the
/// indices of those of this one, a buffer, the measures, and which are wanted.
pub type FixedCell = fn(&Rows, &[u32], &mut Shares, &mut Measures, SelectedMeasures);

/// The measures of each of `number` groups. `groups` has the group of each entry, `u32::MAX` for none. With
/// `fixed_cell`, those that disclosure control needs of fixed cells.
///
/// # Errors
/// `Question` if a sum is out of range; `Cancelled` when the work of this thread is cancelled.
pub fn measure(
    rows: &Rows,
    groups: &[u32],
    number: usize,
    wanted: SelectedMeasures,
    fixed_cell: Option<FixedCell>,
) -> Result<Vec<Measures>, JobError> {
    let pairs = rows.entries.pairs(groups);
    let mut measures = vec![Measures::default(); number];
    // Counts and sums scan all rows once, the other measures sort rows by group: both run in parallel.
    let brought = std::thread::scope(|scope| {
        let brought = scope.spawn(|| {
            let enterprises = wanted.enterprises.then(|| {
                let named = pairs.map(&rows.enterprise).filter(|(_, index)| *index != NO_ENTERPRISE);
                ByGroup::new(named, number)
            });
            // `fixed_cell` counts the episodes.
            let counted = wanted.episodes && fixed_cell.is_none();
            let episodes = counted.then(|| ByGroup::new(pairs.map(&rows.episode), number));
            let by_row = (wanted.median || fixed_cell.is_some()).then(|| ByGroup::new(pairs.iter(), number));
            (enterprises, episodes, by_row)
        });
        let summed = sum(rows, &pairs, &mut measures, wanted);
        summed.map(|()| brought.join())
    });
    let (enterprises, episodes, by_row) =
        brought?.map_err(|_| JobError::Panicked("rows could not be sorted by group".into()))?;
    check_cancelled()?;
    if enterprises.is_some() || episodes.is_some() || by_row.is_some() {
        each_part(&mut measures, |first, part| {
            let (mut values, mut shares): (Vec<u32>, Shares) = (Vec::new(), Vec::new());
            for (nth, of_group) in part.iter_mut().enumerate() {
                let group = first + nth;
                if let Some(by_group) = &enterprises {
                    of_group.distinct_enterprises = distinct(&mut values, by_group.values_of(group).iter().copied());
                }
                if let Some(by_group) = &episodes {
                    of_group.episodes = distinct(&mut values, by_group.values_of(group).iter().copied());
                }
                if let (Some(by_group), Some(fixed_cell)) = (&by_row, fixed_cell) {
                    fixed_cell(rows, by_group.values_of(group), &mut shares, of_group, wanted);
                }
                if let Some(by_group) = by_row.as_ref().filter(|_| wanted.median && fixed_cell.is_none()) {
                    let waited = by_group.values_of(group).iter().map(|row| rows.waited[*row as usize]);
                    of_group.median_days = median_survival(waited.collect());
                }
            }
        });
    }
    check_cancelled()?;
    if wanted.officers {
        let named = groups.iter().zip(rows.entries.officer_findings()).filter(|(group, _)| **group != u32::MAX);
        let named: Vec<(u32, u32)> = named.filter_map(|(group, (officer, _))| Some((*group, (*officer)?))).collect();
        let by_group = ByGroup::new(named.iter().copied(), number);
        each_part(&mut measures, |first, part| {
            let mut values: Vec<u32> = Vec::new();
            for (nth, of_group) in part.iter_mut().enumerate() {
                of_group.distinct_officers = distinct(&mut values, by_group.values_of(first + nth).iter().copied());
            }
        });
    }
    Ok(measures)
}

/// Fills in the counts and sums.
fn sum(rows: &Rows, pairs: &Pairs<'_>, measures: &mut [Measures], wanted: SelectedMeasures) -> Result<(), JobError> {
    // A dense array for cache locality: groups come in random order.
    let mut counts = vec![0u32; measures.len()];
    match pairs {
        Pairs::All(groups) => groups.iter().for_each(|group| counts[*group as usize] += 1),
        Pairs::Listed(pairs) => pairs.iter().for_each(|(group, _)| counts[*group as usize] += 1),
    }
    if wanted.sums {
        let mut sums = vec![(0i128, 0f64); measures.len()];
        for (group, row) in pairs.iter() {
            let of_group = &mut sums[group as usize];
            of_group.0 += i128::from(rows.cost[row as usize]);
            of_group.1 += rows.delay[row as usize];
        }
        for (of_group, (cost, delay)) in measures.iter_mut().zip(sums) {
            (of_group.cost_vnd, of_group.delay_hours) = (cost_of(cost)?, delay_of(delay)?);
        }
    }
    if wanted.timeliness {
        let mut answered = vec![(0u32, 0u32); measures.len()];
        for (group, row) in pairs.iter() {
            let Due { was_due, in_time } = rows.due[row as usize];
            let of_group = &mut answered[group as usize];
            of_group.0 += u32::from(was_due);
            of_group.1 += u32::from(in_time);
        }
        for (of_group, (due, in_time)) in measures.iter_mut().zip(answered) {
            (of_group.due, of_group.in_time) = (due, in_time);
        }
    }
    if wanted.status {
        let mut counted = vec![[0u32; 4]; measures.len()];
        for (group, row) in pairs.iter() {
            let of_group = &mut counted[group as usize];
            for (number, is_so) in of_group.iter_mut().zip(rows.status[row as usize]) {
                *number += u32::from(is_so);
            }
        }
        for (of_group, counted) in measures.iter_mut().zip(counted) {
            [of_group.open, of_group.overdue, of_group.escalated, of_group.reopened] = counted;
        }
    }
    measures.iter_mut().zip(counts).for_each(|(of_group, count)| of_group.complaints = count);
    Ok(())
}
