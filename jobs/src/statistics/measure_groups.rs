//! Computes the measures of each group from the rows of the group.

use super::columns::NO_ENTERPRISE;
use super::measures::{Measures, Rows, Wanted};
use crate::JobError;
use crate::analyses::timeliness::median_survival;
use crate::sums::{cost_of, delay_of};
use schema::db::cancellation::check_cancelled;

/// Values sorted by group with a stable counting sort. Those of group `g` are
/// `values[starts[g]..starts[g + 1]]`.
struct ByGroup {
    starts: Vec<u32>,
    values: Vec<u32>,
}

impl ByGroup {
    fn new(pairs: impl Iterator<Item = (u32, u32)> + Clone, number: usize) -> Self {
        let mut starts = vec![0u32; number + 1];
        let mut all = 0;
        for (group, _) in pairs.clone() {
            starts[group as usize + 1] += 1;
            all += 1;
        }
        for at in 0..number {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut values = vec![0u32; all];
        for (group, value) in pairs {
            let place = &mut next[group as usize];
            values[*place as usize] = value;
            *place += 1;
        }
        Self { starts, values }
    }

    fn values_of(&self, group: usize) -> &[u32] {
        &self.values[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

/// The measures of each of `number` groups. `groups` has the group of each entry, `u32::MAX` for none. With
/// `disclosed`, those that disclosure control needs of fixed cells.
///
/// # Errors
/// `Question` if a sum is out of range; `Cancelled` when the work of this thread is cancelled.
pub fn measure(
    rows: &Rows,
    groups: &[u32],
    number: usize,
    wanted: Wanted,
    disclosed: bool,
) -> Result<Vec<Measures>, JobError> {
    let pairs: Pairs<'_> = if rows.is_exploded() || groups.contains(&u32::MAX) {
        Pairs::Listed(rows.pairs(groups))
    } else {
        Pairs::All(groups)
    };
    let mut measures = vec![Measures::default(); number];
    // Counts and sums scan all rows once, the other measures sort rows by group: both run in parallel.
    let brought = std::thread::scope(|scope| {
        let brought = scope.spawn(|| {
            let enterprises = wanted.enterprises.then(|| {
                let named = pairs.map(&rows.enterprise).filter(|(_, place)| *place != NO_ENTERPRISE);
                ByGroup::new(named, number)
            });
            // `disclose` counts the episodes of fixed cells.
            let counted = wanted.episodes && !disclosed;
            let episodes = counted.then(|| ByGroup::new(pairs.map(&rows.episode), number));
            let by_row = (wanted.median || disclosed).then(|| ByGroup::new(pairs.iter(), number));
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
            let (mut values, mut shares): (Vec<u32>, Vec<_>) = (Vec::new(), Vec::new());
            for (nth, of_group) in part.iter_mut().enumerate() {
                let group = first + nth;
                if let Some(by_group) = &enterprises {
                    of_group.distinct_enterprises = distinct(&mut values, by_group.values_of(group).iter().copied());
                }
                if let Some(by_group) = &episodes {
                    of_group.episodes = distinct(&mut values, by_group.values_of(group).iter().copied());
                }
                if let Some(by_group) = by_row.as_ref().filter(|_| disclosed) {
                    disclose(rows, by_group.values_of(group), &mut shares, of_group, wanted);
                }
                if let Some(by_group) = by_row.as_ref().filter(|_| wanted.median && !disclosed) {
                    let waited = by_group.values_of(group).iter().map(|row| rows.waited[*row as usize]);
                    of_group.median_days = median_survival(waited.collect());
                }
            }
        });
    }
    check_cancelled()?;
    if wanted.officers {
        let named = groups.iter().zip(&rows.officer_findings).filter(|(group, _)| **group != u32::MAX);
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

/// The (group, row) pairs to measure.
enum Pairs<'a> {
    /// The group of each row; each row belongs to exactly one.
    All(&'a [u32]),
    Listed(Vec<(u32, u32)>),
}

impl Pairs<'_> {
    fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        let (all, listed): (&[u32], &[(u32, u32)]) = match self {
            Self::All(groups) => (groups, &[]),
            Self::Listed(pairs) => (&[], pairs),
        };
        all.iter().copied().zip(0u32..).chain(listed.iter().copied())
    }

    /// Each group with a value of the row.
    fn map<'s>(&'s self, of_row: &'s [u32]) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.iter().map(|(group, row)| (group, of_row[row as usize]))
    }
}

/// Fills in the counts and sums.
fn sum(rows: &Rows, pairs: &Pairs<'_>, measures: &mut [Measures], wanted: Wanted) -> Result<(), JobError> {
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
            let (due, in_time) = rows.due[row as usize];
            let of_group = &mut answered[group as usize];
            of_group.0 += u32::from(due);
            of_group.1 += u32::from(in_time);
        }
        for (of_group, (due, in_time)) in measures.iter_mut().zip(answered) {
            (of_group.due, of_group.in_time) = (due, in_time);
        }
    }
    measures.iter_mut().zip(counts).for_each(|(of_group, count)| of_group.complaints = count);
    Ok(())
}

/// Runs `work` on parts of the groups in parallel, on up to 8 threads. `work` gets the index of the first
/// group of its part.
fn each_part(measures: &mut [Measures], work: impl Fn(usize, &mut [Measures]) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    // Few groups take less time than starting a thread.
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

/// The number of distinct values.
fn distinct(buffer: &mut Vec<u32>, values: impl Iterator<Item = u32>) -> u32 {
    buffer.clear();
    buffer.extend(values);
    buffer.sort_unstable();
    buffer.dedup();
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}

/// Computes what decides how a fixed cell is shown, and its measures except the number of complaints. They
/// cover only complaints that are not confidential, so that a unit head, who knows all of those, learns
/// nothing about confidential ones. For dominance all anonymous complaints count as one enterprise, since
/// they may come from one.
fn disclose(
    rows: &Rows,
    group_rows: &[u32],
    shares: &mut Vec<(u32, f64, f64)>,
    measures: &mut Measures,
    wanted: Wanted,
) {
    let non_confidential = || group_rows.iter().map(|row| *row as usize).filter(|row| rows.non_confidential[*row]);
    let cell = &mut measures.cell;
    for row in group_rows {
        cell.key = cell.key.wrapping_add(rows.cell_key[*row as usize]);
        cell.shared.add(rows.attributes[*row as usize]);
    }
    for row in non_confidential() {
        cell.non_confidential += 1;
        cell.non_confidential_key = cell.non_confidential_key.wrapping_add(rows.cell_key[row]);
        cell.non_confidential_shared.add(rows.attributes[row]);
    }
    if wanted.episodes {
        measures.episodes = distinct(&mut Vec::new(), non_confidential().map(|row| rows.episode[row]));
    }
    if wanted.timeliness {
        let due = || non_confidential().map(|row| rows.due[row]);
        measures.due = count(due().filter(|(due, _)| *due));
        measures.in_time = count(due().filter(|(_, in_time)| *in_time));
    }
    if wanted.median {
        measures.median_days = median_survival(non_confidential().map(|row| rows.waited[row]).collect());
    }
    if !wanted.sums {
        return;
    }
    shares.clear();
    shares.extend(non_confidential().map(|row| {
        // A constant factor from 0.8 to 1.2 for each enterprise. Without it, an attacker who adds complaints
        // with known costs until the sum is suppressed would learn the cost of the others exactly.
        let weight = 0.8 + 0.4 * f64::from(rows.decision_weight[row]) / f64::from(u32::MAX);
        (rows.enterprise[row], rows.cost[row] as f64 * weight, rows.delay[row] * weight)
    }));
    shares.sort_unstable_by_key(|(enterprise, ..)| *enterprise);
    let add = |sum: (f64, f64), (_, cost, delay): &(u32, f64, f64)| (sum.0 + cost, sum.1 + delay);
    let whole = shares.iter().fold((0.0, 0.0), add);
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    for of_one in shares.chunk_by(|a, b| a.0 == b.0) {
        let part = of_one.iter().fold((0.0, 0.0), add);
        cell.cost_dominance = cell.cost_dominance.max(share(part.0, whole.0));
        cell.delay_dominance = cell.delay_dominance.max(share(part.1, whole.1));
    }
    (measures.cost_vnd, measures.delay_hours) = (0, 0.0);
    for row in group_rows {
        let (cost, delay) = rows.noised[*row as usize];
        // The range was checked for sums without noise.
        measures.cost_vnd = measures.cost_vnd.saturating_add(cost);
        measures.delay_hours += delay;
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
