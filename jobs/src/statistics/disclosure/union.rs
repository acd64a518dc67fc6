//! A union of fixed cells, estimated from what is shown of them.

use super::Thresholds;
use super::fixed::{Fixed, significant, steps};

/// What is shown of several cells together: nothing in it depends on anything that is not shown. Counts and sums are added up; a
/// cell that is hidden has a part in the count, and sums are raised in the proportion of counts for cells that show none, or are not
/// shown where these are too many. It is hidden where all its cells are.
pub fn together(cells: &[Fixed], thresholds: Thresholds) -> Fixed {
    let complaints = sum(cells.iter().map(|cell| cell.complaints));
    let shown: Vec<&Fixed> = cells.iter().filter(|cell| cell.is_shown).collect();
    let of_shown = sum(shown.iter().map(|cell| cell.complaints));
    let raised = |part: f64, of: u32| part * f64::from(complaints) / f64::from(of.max(1));
    let whole = |value: &dyn Fn(&Fixed) -> Option<f64>| -> Option<f64> {
        let with: Vec<(f64, u32)> = shown.iter().filter_map(|cell| Some((value(cell)?, cell.complaints))).collect();
        let of = sum(with.iter().map(|(_, complaints)| *complaints));
        is_enough(of, complaints).then(|| significant(raised(with.iter().map(|(value, _)| value).sum(), of)))
    };
    let episodes = raised(f64::from(sum(shown.iter().map(|cell| cell.episodes))), of_shown);
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

/// Whether the cells that show a sum have enough of the complaints, three quarters, to stand for all.
fn is_enough(of: u32, complaints: u32) -> bool {
    of > 0 && u64::from(of) * 4 >= u64::from(complaints) * 3
}

fn sum(numbers: impl Iterator<Item = u32>) -> u32 {
    numbers.fold(0, u32::saturating_add)
}

/// The mean of some values by their weights.
fn mean(values: impl Iterator<Item = (f64, u32)>) -> Option<f64> {
    let (whole, weight) =
        values.fold((0.0, 0.0), |(whole, weight), (value, of)| (whole + value * f64::from(of), weight + f64::from(of)));
    (weight > 0.0).then(|| whole / weight)
}

/// The middle of the medians, by complaints.
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

/// How many enterprises made the complaints of all cells, if complaints came from a number of enterprises at random (occupancy; the
/// number is that which explains the enterprises of each cell). At least as many as in any of them, and no more than all of these
/// together.
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
        let all = together(&[fixed(100, 60), Fixed { cost: None, ..fixed(20, 12) }, hidden.clone()], THRESHOLDS);
        assert_eq!((all.complaints, all.cost), (125, Some(125_000_000)), "as much a complaint as elsewhere");
        let all = together(&[fixed(100, 60), Fixed { cost: None, ..fixed(50, 30) }, hidden], THRESHOLDS);
        assert_eq!((all.complaints, all.cost, all.delay), (155, None, Some(155.0)), "too many for that");
        assert_eq!((all.in_time, all.median_days), (Some((10, 20)), Some(100.0)));
        assert!((63..=90).contains(&all.enterprises) && all.enterprises.is_multiple_of(3), "{all:?}");
    }

    #[test]
    fn enterprises_of_a_union_lie_between_the_most_and_the_sum() {
        // 200 of 1,000 at random, twice: 181 each; together 330.
        let all = together(&[fixed(200, 180), fixed(200, 180)], THRESHOLDS);
        assert!((300..=350).contains(&all.enterprises), "{all:?}");
        let few = together(&[fixed(5_000, 30), fixed(5_000, 30)], THRESHOLDS);
        assert_eq!(few.enterprises, 30, "all of them complain all the time");
        let others = together(&[fixed(30, 30), fixed(30, 30)], THRESHOLDS);
        assert!((57..=60).contains(&others.enterprises), "nobody complained twice: {others:?}");
    }
}
