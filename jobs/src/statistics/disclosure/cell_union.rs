//! Estimates a union of fixed cells from the shown values of the cells.

use super::Thresholds;
use super::fixed_cell::{Fixed, significant, steps};

/// The shown values of several cells together; they depend only on shown values. Counts and sums are added
/// up. A suppressed cell contributes to the count. Sums are scaled up by counts for the cells that show none,
/// or suppressed if these have too many of the complaints. The union is suppressed if all its cells are.
pub fn estimate_union(cells: &[Fixed], thresholds: Thresholds) -> Fixed {
    let complaints = sum(cells.iter().map(|cell| cell.complaints));
    let shown: Vec<&Fixed> = cells.iter().filter(|cell| cell.is_shown).collect();
    let of_shown = sum(shown.iter().map(|cell| cell.complaints));
    let scaled = |part: f64, covered: u32| part * f64::from(complaints) / f64::from(covered.max(1));
    let whole = |value: &dyn Fn(&Fixed) -> Option<f64>| -> Option<f64> {
        let with: Vec<(f64, u32)> = shown.iter().filter_map(|cell| Some((value(cell)?, cell.complaints))).collect();
        let covered = sum(with.iter().map(|(_, complaints)| *complaints));
        is_enough(covered, complaints).then(|| significant(scaled(with.iter().map(|(value, _)| value).sum(), covered)))
    };
    let episodes = scaled(f64::from(sum(shown.iter().map(|cell| cell.episodes))), of_shown);
    let steps = steps(complaints, thresholds.complaints);
    let in_time = mean(shown.iter().filter_map(|cell| {
        let (in_time, of) = cell.in_time?;
        Some((f64::from(in_time) / f64::from(of.max(1)), cell.complaints))
    }));
    Fixed {
        is_shown: !shown.is_empty(),
        complaints,
        episodes: episodes.round() as u32,
        enterprises: enterprises(&shown, complaints, thresholds.enterprises),
        cost: whole(&|cell| Some(cell.cost? as f64)).map(|cost| cost as i64),
        delay: whole(&|cell| cell.delay),
        in_time: in_time.map(|share| ((share * f64::from(steps)).round() as u32, steps)),
        median_days: median(&shown),
    }
}

/// Whether the cells that show a sum have at least three quarters of the complaints.
fn is_enough(covered: u32, complaints: u32) -> bool {
    covered > 0 && u64::from(covered) * 4 >= u64::from(complaints) * 3
}

fn sum(numbers: impl Iterator<Item = u32>) -> u32 {
    numbers.fold(0, u32::saturating_add)
}

/// The weighted mean of (value, weight); None if all weights are 0.
fn mean(values: impl Iterator<Item = (f64, u32)>) -> Option<f64> {
    let (whole, weight) =
        values.fold((0.0, 0.0), |(whole, weight), (value, of)| (whole + value * f64::from(of), weight + f64::from(of)));
    (weight > 0.0).then(|| whole / weight)
}

/// The median of the cells' medians, weighted by complaints.
fn median(shown: &[&Fixed]) -> Option<f64> {
    let mut medians: Vec<(f64, u32)> =
        shown.iter().filter_map(|cell| Some((cell.median_days?, cell.complaints))).collect();
    medians.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = f64::from(sum(medians.iter().map(|(_, of)| *of))) / 2.0;
    let mut below = 0.0;
    medians.into_iter().find_map(|(days, of)| {
        below += f64::from(of);
        (below >= half).then_some(days)
    })
}

/// Estimates the distinct enterprises of all cells by an occupancy model: complaints come at random from a
/// pool of enterprises, whose size is fitted to the shown enterprises of the cells. The result lies between
/// the largest number of a cell and the sum of all numbers, rounded to a multiple of `base`.
fn enterprises(shown: &[&Fixed], complaints: u32, base: u32) -> u32 {
    let most = f64::from(sum(shown.iter().map(|cell| cell.enterprises)));
    let least = f64::from(shown.iter().map(|cell| cell.enterprises).max().unwrap_or(0));
    let found = |number: f64, complaints: u32| number * (1.0 - (1.0 - 1.0 / number).powf(f64::from(complaints)));
    let explained = |number: f64| shown.iter().map(|cell| found(number, cell.complaints)).sum::<f64>();
    let (mut low, mut high) = (least.max(1.0), most.max(1.0) * 1_000.0);
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        if explained(middle) < most { low = middle } else { high = middle }
    }
    let all = found(low, complaints).clamp(least, most.max(least));
    let base = f64::from(base);
    ((all / base).round() * base).clamp(0.0, f64::from(complaints)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { complaints: 5, enterprises: 3 };

    fn fixed(complaints: u32, enterprises: u32) -> Fixed {
        Fixed {
            is_shown: true,
            complaints,
            episodes: complaints,
            enterprises,
            cost: Some(i64::from(complaints) * 1_000_000),
            delay: Some(f64::from(complaints)),
            in_time: Some((2, 4)),
            median_days: Some(f64::from(complaints)),
        }
    }

    #[test]
    fn a_union_is_estimated_from_what_is_shown() {
        let hidden =
            Fixed { is_shown: false, cost: None, delay: None, in_time: None, median_days: None, ..fixed(5, 0) };
        let all = estimate_union(&[fixed(100, 60), Fixed { cost: None, ..fixed(20, 12) }, hidden.clone()], THRESHOLDS);
        assert_eq!((all.complaints, all.cost), (125, Some(125_000_000)), "scaled up by complaints");
        let all = estimate_union(&[fixed(100, 60), Fixed { cost: None, ..fixed(50, 30) }, hidden], THRESHOLDS);
        assert_eq!((all.complaints, all.cost, all.delay), (155, None, Some(155.0)), "too few cells show a cost");
        assert_eq!((all.in_time, all.median_days), (Some((10, 20)), Some(100.0)));
        assert!((63..=90).contains(&all.enterprises) && all.enterprises.is_multiple_of(3), "{all:?}");
    }

    #[test]
    fn enterprises_of_a_union_lie_between_the_most_and_the_sum() {
        // 200 of 1,000 at random, twice: 181 each; together 330.
        let all = estimate_union(&[fixed(200, 180), fixed(200, 180)], THRESHOLDS);
        assert!((300..=350).contains(&all.enterprises), "{all:?}");
        let few = estimate_union(&[fixed(5_000, 30), fixed(5_000, 30)], THRESHOLDS);
        assert_eq!(few.enterprises, 30, "each one complains in both cells");
        let others = estimate_union(&[fixed(30, 30), fixed(30, 30)], THRESHOLDS);
        assert!((57..=60).contains(&others.enterprises), "no enterprise repeats: {others:?}");
    }
}
