//! The measures of groups, each from the rows of its group.

use super::measures::{Measures, NOBODY, Rows, Wanted};
use crate::JobError;
use crate::analyses::timeliness::median_survival;
use crate::sums::{cost_of, delay_of};
use schema::db::cancellation::check_cancelled;

/// Values brought together by group: those of group `g` are `values[starts[g]..starts[g + 1]]`, in the order in
/// which they came. A count, and then each value goes to its place.
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

    fn of(&self, group: usize) -> &[u32] {
        &self.values[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

/// The measures of each of so many groups; `groups` says to which of them each entry belongs. `disclosed`: of fixed cells.
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
    // Counts and sums read all rows once, and the rest brings rows together: neither waits for the other.
    let brought = std::thread::scope(|scope| {
        let brought = scope.spawn(|| {
            let enterprises = wanted.enterprises.then(|| {
                let named = pairs.map(&rows.enterprise).filter(|(_, place)| *place != NOBODY);
                ByGroup::new(named, number)
            });
            // Those of fixed cells are counted with what else is disclosed of them.
            let counted = wanted.episodes && !disclosed;
            let episodes = counted.then(|| ByGroup::new(pairs.map(&rows.episode), number));
            let by_row = (wanted.median || disclosed).then(|| ByGroup::new(pairs.iter(), number));
            (enterprises, episodes, by_row)
        });
        let summed = sum(rows, &pairs, &mut measures, wanted);
        summed.map(|()| brought.join())
    });
    let (enterprises, episodes, by_row) =
        brought?.map_err(|_| JobError::Panicked("rows could not be brought together".into()))?;
    check_cancelled()?;
    if enterprises.is_some() || episodes.is_some() || by_row.is_some() {
        each_part(&mut measures, |first, part| {
            let (mut values, mut shares): (Vec<u32>, Vec<_>) = (Vec::new(), Vec::new());
            for (nth, of_group) in part.iter_mut().enumerate() {
                let group = first + nth;
                if let Some(of) = &enterprises {
                    of_group.distinct_enterprises = distinct(&mut values, of.of(group).iter().copied());
                }
                if let Some(of) = &episodes {
                    of_group.episodes = distinct(&mut values, of.of(group).iter().copied());
                }
                if let Some(of) = by_row.as_ref().filter(|_| disclosed) {
                    disclose(rows, of.of(group), &mut shares, of_group, wanted);
                }
                if let Some(of) = by_row.as_ref().filter(|_| wanted.median && !disclosed) {
                    let waited = of.of(group).iter().map(|row| rows.waited[*row as usize]);
                    of_group.median_days = median_survival(waited.collect());
                }
            }
        });
    }
    check_cancelled()?;
    if wanted.officers {
        let named = groups.iter().zip(&rows.people).filter(|(group, _)| **group != u32::MAX);
        let named: Vec<(u32, u32)> = named.filter_map(|(group, (officer, _))| Some((*group, (*officer)?))).collect();
        let by_group = ByGroup::new(named.iter().copied(), number);
        each_part(&mut measures, |first, part| {
            let mut values: Vec<u32> = Vec::new();
            for (nth, of_group) in part.iter_mut().enumerate() {
                of_group.distinct_officers = distinct(&mut values, by_group.of(first + nth).iter().copied());
            }
        });
    }
    Ok(measures)
}

/// The (group, row) that are measured.
enum Pairs<'a> {
    /// Each row is of one group.
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

    /// Each group with the value of its row.
    fn map<'s>(&'s self, of_row: &'s [u32]) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.iter().map(|(group, row)| (group, of_row[row as usize]))
    }
}

/// Counts and adds up.
fn sum(rows: &Rows, pairs: &Pairs<'_>, measures: &mut [Measures], wanted: Wanted) -> Result<(), JobError> {
    // Small numbers side by side: groups are met in no order.
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

/// What decides how a fixed cell is shown, and its measures but the number of complaints: those of complaints that are not
/// confidential, so that the head of a unit, who knows all others, learns nothing of these. What nobody signed may all come from one
/// enterprise.
fn disclose(rows: &Rows, of: &[u32], shares: &mut Vec<(u32, f64, f64)>, measures: &mut Measures, wanted: Wanted) {
    let open = || of.iter().map(|row| *row as usize).filter(|row| rows.open[*row]);
    let cell = &mut measures.cell;
    for row in of {
        cell.key = cell.key.wrapping_add(rows.cell_key[*row as usize]);
        cell.shared.add(rows.attributes[*row as usize]);
    }
    for row in open() {
        cell.open += 1;
        cell.open_key = cell.open_key.wrapping_add(rows.cell_key[row]);
        cell.open_shared.add(rows.attributes[row]);
    }
    if wanted.episodes {
        measures.episodes = distinct(&mut Vec::new(), open().map(|row| rows.episode[row]));
    }
    if wanted.timeliness {
        let due = || open().map(|row| rows.due[row]);
        measures.due = count(due().filter(|(due, _)| *due));
        measures.in_time = count(due().filter(|(_, in_time)| *in_time));
    }
    if wanted.median {
        measures.median_days = median_survival(open().map(|row| rows.waited[row]).collect());
    }
    if !wanted.sums {
        return;
    }
    shares.clear();
    shares.extend(open().map(|row| {
        // From 0.8 to 1.2, always the same for one enterprise. Without it, whoever adds complaints with costs of its own until
        // the sum vanishes would know the cost of the others to the dong.
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
    for row in of {
        let (cost, delay) = rows.noised[*row as usize];
        // Noise may take a sum beyond what was checked.
        measures.cost_vnd = measures.cost_vnd.saturating_add(cost);
        measures.delay_hours += delay;
    }
}

fn count(of: impl Iterator) -> u32 {
    u32::try_from(of.count()).unwrap_or(u32::MAX)
}
