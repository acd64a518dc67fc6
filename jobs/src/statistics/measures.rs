//! The measures of groups, each from the rows of its group.

use super::Union;
use crate::JobError;
use crate::handling::median_survival;
use polars::prelude::*;
use std::collections::HashMap;

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
    /// The largest share that one enterprise has of the cost, and of the delay; computed where small groups
    /// are not shown.
    pub cost_dominance: f64,
    pub delay_dominance: f64,
}

impl Measures {
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
    height: usize,
    enterprise: Vec<u32>,
    episode: Vec<u32>,
    cost: Vec<i64>,
    delay: Vec<f64>,
    /// Days waited with whether that ended in an answer, and what is due and in time.
    waited: Vec<(i32, bool)>,
    due: Vec<(bool, bool)>,
    /// The rows of the entries, in order; None where each row is one entry.
    entries: Option<Vec<u32>>,
    people: Vec<(Option<u32>, u32)>,
}

/// No enterprise.
const NOBODY: u32 = u32::MAX;

impl Rows {
    /// The columns that it reads.
    pub fn columns(wanted: Wanted, dominance: bool) -> Vec<&'static str> {
        let mut columns = Vec::new();
        if wanted.enterprises || dominance {
            columns.push("enterprise");
        }
        if wanted.sums {
            columns.extend(["cost", "delay"]);
        }
        if wanted.timeliness || wanted.median {
            columns.extend(["day", "due", "answered", "ended"]);
        }
        columns
    }

    pub fn read(table: &DataFrame, wanted: Wanted, dominance: bool) -> Result<Self, JobError> {
        let mut rows = Self {
            height: table.height(),
            enterprise: Vec::new(),
            episode: Vec::new(),
            cost: Vec::new(),
            delay: Vec::new(),
            waited: Vec::new(),
            due: Vec::new(),
            entries: None,
            people: Vec::new(),
        };
        if wanted.enterprises || dominance {
            rows.enterprise = table.column("enterprise")?.u32()?.iter().map(|place| place.unwrap_or(NOBODY)).collect();
        }
        if wanted.episodes {
            rows.episode = table.column("episode")?.u32()?.iter().map(Option::unwrap_or_default).collect();
        }
        if wanted.sums {
            rows.cost = table.column("cost")?.i64()?.iter().map(Option::unwrap_or_default).collect();
            rows.delay = table.column("delay")?.f64()?.iter().map(Option::unwrap_or_default).collect();
        }
        if wanted.timeliness || wanted.median {
            let today = crate::frames::day_number(schema::domain::calendar::local_date(schema::Timestamp::now()));
            let column = |name: &str| table.column(name).and_then(|column| column.i32().cloned());
            let (day, due, answered, ended) = (column("day")?, column("due")?, column("answered")?, column("ended")?);
            for (((day, due), answered), ended) in day.iter().zip(due.iter()).zip(answered.iter()).zip(ended.iter()) {
                let day = day.unwrap_or_default();
                // The same as `handling::handled`, as of today.
                let answered = answered.filter(|at| *at <= today);
                let ended = ended.filter(|at| *at <= today);
                let until = answered.or(ended).unwrap_or(today);
                rows.waited.push(((until - day).max(0), answered.is_some()));
                let was_due = due.is_some_and(|due| due <= today) && (answered.is_some() || ended.is_none());
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

    /// What the rows of some entries come to together: for who hides small groups.
    pub fn union(&self, entries: Vec<u32>) -> Union {
        let of_entry = |entry: u32| self.entries.as_ref().map_or(entry, |entries| entries[entry as usize]);
        let mut rows: Vec<u32> = entries.into_iter().map(of_entry).collect();
        rows.sort_unstable();
        rows.dedup();
        let mut sums: HashMap<u32, (f64, f64)> = HashMap::new();
        for row in &rows {
            let row = *row as usize;
            let of_one = sums.entry(self.enterprise.get(row).copied().unwrap_or(NOBODY)).or_default();
            of_one.0 += self.cost.get(row).map_or(0.0, |cost| *cost as f64);
            of_one.1 += self.delay.get(row).copied().unwrap_or(0.0);
        }
        let share = |part: &dyn Fn(&(f64, f64)) -> f64| {
            let whole: f64 = sums.values().map(part).sum();
            if whole > 0.0 { sums.values().map(part).fold(0.0, f64::max) / whole } else { 0.0 }
        };
        Union {
            complaints: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            enterprises: u32::try_from(sums.keys().filter(|one| **one != NOBODY).count()).unwrap_or(u32::MAX),
            cost_dominance: share(&|sums| sums.0),
            delay_dominance: share(&|sums| sums.1),
        }
    }

    /// Each (group, row) once, in the order of rows; entries of the group `u32::MAX` belong to none.
    fn pairs(&self, groups: &[u32]) -> Vec<(u32, u32)> {
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

/// Values brought together by group: those of group `g` are `values[starts[g]..starts[g + 1]]`, in the order in
/// which they came. A count, and then each value goes to its place.
struct ByGroup {
    starts: Vec<u32>,
    values: Vec<u32>,
}

impl ByGroup {
    fn new(pairs: &[(u32, u32)], number: usize) -> Self {
        let mut starts = vec![0u32; number + 1];
        for (group, _) in pairs {
            starts[*group as usize + 1] += 1;
        }
        for at in 0..number {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut values = vec![0u32; pairs.len()];
        for (group, value) in pairs {
            let place = &mut next[*group as usize];
            values[*place as usize] = *value;
            *place += 1;
        }
        Self { starts, values }
    }

    fn of(&self, group: usize) -> &[u32] {
        &self.values[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

/// The measures of each of so many groups; `groups` says to which of them each entry belongs.
pub fn measure(
    rows: &Rows,
    groups: &[u32],
    number: usize,
    wanted: Wanted,
    dominance: bool,
) -> Result<Vec<Measures>, JobError> {
    let pairs = rows.pairs(groups);
    let mut measures = vec![Measures::default(); number];
    for (group, row) in &pairs {
        let of_group = &mut measures[*group as usize];
        of_group.complaints += 1;
        if wanted.sums {
            of_group.cost_vnd = of_group.cost_vnd.saturating_add(rows.cost[*row as usize]);
            of_group.delay_hours += rows.delay[*row as usize];
        }
        if wanted.timeliness {
            let (due, in_time) = rows.due[*row as usize];
            of_group.due += u32::from(due);
            of_group.in_time += u32::from(in_time);
        }
    }
    if wanted.enterprises || wanted.episodes || wanted.median {
        let by_group = ByGroup::new(&pairs, number);
        each_part(&mut measures, |first, part| {
            let mut values: Vec<u32> = Vec::new();
            for (nth, of_group) in part.iter_mut().enumerate() {
                let of = by_group.of(first + nth);
                if wanted.enterprises {
                    let places = of.iter().map(|row| rows.enterprise[*row as usize]);
                    of_group.distinct_enterprises = distinct(&mut values, places.filter(|place| *place != NOBODY));
                }
                if wanted.episodes {
                    of_group.episodes = distinct(&mut values, of.iter().map(|row| rows.episode[*row as usize]));
                }
                if wanted.median {
                    of_group.median_days = median_survival(of.iter().map(|row| rows.waited[*row as usize]).collect());
                }
            }
        });
    }
    if wanted.officers {
        let named = groups.iter().zip(&rows.people).filter(|(group, _)| **group != u32::MAX);
        let named: Vec<(u32, u32)> = named.filter_map(|(group, (officer, _))| Some((*group, (*officer)?))).collect();
        let by_group = ByGroup::new(&named, number);
        each_part(&mut measures, |first, part| {
            let mut values: Vec<u32> = Vec::new();
            for (nth, of_group) in part.iter_mut().enumerate() {
                of_group.distinct_officers = distinct(&mut values, by_group.of(first + nth).iter().copied());
            }
        });
    }
    if dominance && wanted.sums {
        dominant(rows, &pairs, &mut measures);
    }
    Ok(measures)
}

/// Does the same to parts of the groups, on as many threads as there are; `work` gets the place of the first
/// group of its part.
fn each_part(measures: &mut [Measures], work: impl Fn(usize, &mut [Measures]) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    // Few groups are done before a thread is there.
    if measures.len() < 256 || threads == 1 {
        return work(0, measures);
    }
    let size = measures.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for (nth, part) in measures.chunks_mut(size).enumerate() {
            let work = &work;
            scope.spawn(move || work(nth * size, part));
        }
    });
}

/// How many different values there are.
fn distinct(buffer: &mut Vec<u32>, values: impl Iterator<Item = u32>) -> u32 {
    buffer.clear();
    buffer.extend(values);
    buffer.sort_unstable();
    buffer.dedup();
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}

/// Which share of each sum comes from one enterprise. What nobody signed may all come from one.
fn dominant(rows: &Rows, pairs: &[(u32, u32)], measures: &mut [Measures]) {
    let mut sums: Vec<(u32, u32, i64, f64)> = pairs
        .iter()
        .map(|(group, row)| {
            let row = *row as usize;
            (*group, rows.enterprise[row], rows.cost[row], rows.delay[row])
        })
        .collect();
    sums.sort_unstable_by_key(|(group, enterprise, ..)| (*group, *enterprise));
    for of_one in sums.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let of_group = &mut measures[of_one[0].0 as usize];
        let cost: f64 = of_one.iter().map(|(_, _, cost, _)| *cost as f64).sum();
        let delay: f64 = of_one.iter().map(|(.., delay)| *delay).sum();
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        of_group.cost_dominance = of_group.cost_dominance.max(share(cost, of_group.cost_vnd as f64));
        of_group.delay_dominance = of_group.delay_dominance.max(share(delay, of_group.delay_hours));
    }
}
