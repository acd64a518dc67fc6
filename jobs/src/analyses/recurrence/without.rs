//! Computes the numbers of a subject without the complaints of one enterprise about it. All else, as the prior, E, the
//! cut-off of q and campaigns, stays as with all complaints (docs/statistics.md, "Robustness").

use super::compared::Compared;
use super::comparisons::SubjectComparisons;
use super::episodes::with_episodes;
use super::significance::Rest;
use super::tiers::{Test, comparisons, rule_of};
use super::windows::{WindowNumbers, leave_out, windows};
use super::{Rules, combined};
use crate::facts::days::day_number;
use crate::facts::frames::Frames;
use crate::facts::lookback::WINDOWS;
use chrono::NaiveDate;
use polars::prelude::*;
use schema::Id;
use schema::enums::{SubjectKind, Tier};

/// The complaints to leave out: those of an enterprise about a subject.
#[derive(Debug, Clone, Copy)]
pub struct LeftOut {
    pub kind: SubjectKind,
    /// Index into `officers` or `branches` of [`Frames`].
    pub subject: u32,
    /// Index into `enterprises` of [`Frames`].
    pub enterprise: u32,
}

/// The numbers of a subject without an enterprise, rounded as they are stored with all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WithoutEnterprise {
    /// The shortest window first, without those that the flag leaves out.
    pub windows: Vec<WindowWithout>,
    /// Whether q and EB05 still meet the limits of the tier, as its rule tests `robust`. None if they are not adjusted
    /// for exposure.
    pub holds: Option<bool>,
    /// The complaints of the enterprise in the longest window.
    pub complaints: Vec<Id>,
}

/// The numbers of one window without an enterprise.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowWithout {
    pub days: i32,
    /// The complaints that are left out.
    pub left_out: u32,
    /// The rest, as in [`WindowNumbers`].
    pub complaints: u32,
    pub episodes: u32,
    pub enterprises: u32,
    pub serious: u32,
    /// Numbers adjusted for exposure, in the windows that a tier uses; None without exposure.
    pub adjusted: Option<Rest>,
    /// The same, of complaints whose attribution is CONFIRMED.
    pub adjusted_confirmed: Option<Rest>,
}

/// Computes the numbers of a subject without an enterprise; `tier` is the one that the subject has with it.
///
/// # Errors
/// If a frame lacks a column.
pub fn without_enterprise(
    frames: &Frames,
    left_out: LeftOut,
    tier: Tier,
    as_of: NaiveDate,
    rules: &Rules,
) -> PolarsResult<WithoutEnterprise> {
    let LeftOut { kind, subject, .. } = left_out;
    let subjects = match kind {
        SubjectKind::Officer => &frames.officers,
        SubjectKind::Branch => &frames.branches,
    };
    let Some(id) = subjects.get(subject as usize).map(|subject| subject.id) else {
        return Ok(WithoutEnterprise::default());
    };
    let compared = Compared::new(frames, kind, rules)?;
    let kept = comparisons(&compared, rules, [(subject, id)]);
    let Some(comparisons) = kept.of(id) else { return Ok(WithoutEnterprise::default()) };
    let confirmed = compared.confirmed.as_ref().map(|rows| of_subject(rows, subject)).transpose()?;
    let counting = Counting { all: of_subject(&compared.rows, subject)?, confirmed, as_of: day_number(as_of), rules };
    rest_of(frames, left_out, tier, &counting, comparisons)
}

/// The same with the comparisons that a run stored. `frames` need only the complaints about the subject, without
/// exposure.
///
/// # Errors
/// If a frame lacks a column.
pub fn without_enterprise_as_compared(
    frames: &Frames,
    left_out: LeftOut,
    tier: Tier,
    as_of: NaiveDate,
    rules: &Rules,
    comparisons: SubjectComparisons<'_>,
) -> PolarsResult<WithoutEnterprise> {
    let rows = of_subject(&combined(frames, left_out.kind, rules)?, left_out.subject)?;
    let confirmed = if comparisons.all_confirmed() {
        None
    } else {
        Some(with_episodes(&rows.clone().lazy().filter(col("confirmed")).collect()?, rules.episode_days)?)
    };
    let all = with_episodes(&rows, rules.episode_days)?;
    let counting = Counting { all, confirmed, as_of: day_number(as_of), rules };
    rest_of(frames, left_out, tier, &counting, comparisons)
}

/// The rows that count against one subject, and how they are counted.
struct Counting<'r> {
    /// All rows, with campaigns and episodes.
    all: DataFrame,
    /// Rows with a CONFIRMED attribution, with their own episodes; None if all attributions are confirmed.
    confirmed: Option<DataFrame>,
    /// The as-of day, in days since 1970.
    as_of: i32,
    rules: &'r Rules,
}

fn of_subject(rows: &DataFrame, subject: u32) -> PolarsResult<DataFrame> {
    rows.clone().lazy().filter(col("subject").eq(lit(subject))).collect()
}

fn rest_of(
    frames: &Frames,
    left_out: LeftOut,
    tier: Tier,
    counting: &Counting<'_>,
    comparisons: SubjectComparisons<'_>,
) -> PolarsResult<WithoutEnterprise> {
    let Counting { all: rows, confirmed, as_of, rules } = counting;
    let (as_of, enterprise) = (*as_of, left_out.enterprise);
    let (mut found, recent) = windows(rows, as_of)?;
    leave_out(&mut found, &recent, &frames.by_month)?;
    let Some((_, whole)) = found.into_iter().next() else { return Ok(WithoutEnterprise::default()) };

    let rest = counts(&others_than(enterprise, rows, rules)?, as_of)?;
    let episodes = episodes_of(enterprise, rows, as_of, rules)?;
    let confirmed_episodes = match confirmed {
        Some(confirmed) => episodes_of(enterprise, confirmed, as_of, rules)?,
        None => episodes,
    };
    let mut windows: Vec<WindowWithout> = whole
        .iter()
        .zip(&rest)
        .zip(episodes.into_iter().zip(confirmed_episodes))
        .filter(|((whole, _), _)| !whole.left_out)
        .map(|((whole, rest), (all, confirmed))| WindowWithout {
            days: whole.days,
            left_out: whole.complaints.saturating_sub(rest.complaints),
            complaints: rest.complaints,
            episodes: rest.episodes,
            enterprises: rest.enterprises,
            serious: rest.serious,
            adjusted: comparisons.without(whole.days, false, all),
            adjusted_confirmed: comparisons.without(whole.days, true, confirmed),
        })
        .collect();
    // Only numbers that are adjusted are tested.
    let test = Test { rule: rule_of(rules, tier), adjusted: true, cut_off: comparisons.cut_off(tier) };
    let holds = still_holds(&test, &windows);
    for window in &mut windows {
        for numbers in [&mut window.adjusted, &mut window.adjusted_confirmed] {
            *numbers = numbers.as_ref().map(Rest::rounded);
        }
    }
    Ok(WithoutEnterprise { windows, holds, complaints: complaints_of(enterprise, frames, &recent)? })
}

/// The rows of all but one enterprise, with episodes formed anew. A campaign stays one without it.
fn others_than(enterprise: u32, rows: &DataFrame, rules: &Rules) -> PolarsResult<DataFrame> {
    let others = col("own").is_null().or(col("own").neq(lit(enterprise)));
    let rest = rows.drop("episode_day")?.drop("opens")?.lazy().filter(others).collect()?;
    with_episodes(&rest, rules.episode_days)
}

/// The counts of the one subject of `rows`; zeros without rows.
fn counts(rows: &DataFrame, as_of: i32) -> PolarsResult<[WindowNumbers; 4]> {
    let (found, _) = windows(rows, as_of)?;
    let none = || WINDOWS.map(|days| WindowNumbers { days, ..WindowNumbers::default() });
    Ok(found.into_iter().next().map_or_else(none, |(_, windows)| windows))
}

/// Number of episodes in each window that are of one enterprise alone.
fn episodes_of(enterprise: u32, rows: &DataFrame, as_of: i32, rules: &Rules) -> PolarsResult<[u32; 4]> {
    let (all, rest) = (counts(rows, as_of)?, counts(&others_than(enterprise, rows, rules)?, as_of)?);
    Ok(std::array::from_fn(|at| all[at].episodes.saturating_sub(rest[at].episodes)))
}

/// Whether the numbers meet the limits of a tier on q and EB05. None without numbers adjusted for exposure.
fn still_holds(test: &Test<'_>, windows: &[WindowWithout]) -> Option<bool> {
    let window = windows.iter().find(|window| window.days == test.rule.days)?;
    let numbers = if test.rule.confirmed { &window.adjusted_confirmed } else { &window.adjusted };
    let numbers = numbers.as_ref()?;
    Some(test.holds_of(numbers.p, numbers.eb05, numbers.eb95 > numbers.eb05))
}

/// The complaints of one enterprise in `rows`.
fn complaints_of(enterprise: u32, frames: &Frames, rows: &DataFrame) -> PolarsResult<Vec<Id>> {
    let pairs = rows.column("complaint")?.u32()?.iter().zip(rows.column("own")?.u32()?.iter());
    let own = pairs.filter(|(_, own)| *own == Some(enterprise));
    Ok(own.filter_map(|(complaint, _)| frames.complaints.get(complaint? as usize).copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{as_of, exposed, frames, row};
    use super::*;
    use crate::facts::minhash::TextSketch;
    use crate::numeric::poisson::mid_p_upper_tail;
    use std::sync::Arc;

    fn without(frames: &Frames, enterprise: u32) -> WithoutEnterprise {
        let left_out = LeftOut { kind: SubjectKind::Officer, subject: 0, enterprise };
        without_enterprise(frames, left_out, Tier::Watch, as_of(), &Rules::default()).expect("numbers")
    }

    #[test]
    fn the_complaints_of_one_enterprise_are_left_out_and_the_rest_is_compared_as_before() {
        // Enterprise 1 made four complaints in three episodes. Complaint 5 is anonymous. Later ones are about officer 1.
        let mut rows =
            vec![row(0, 10, 1), row(1, 40, 1), row(2, 42, 1), row(3, 100, 1), row(4, 20, 2), row(5, 50, None)];
        rows.extend((6u32..10).map(|n| {
            let mut other = row(n, 5 * n.cast_signed(), n);
            other.officer = Some(1);
            other
        }));
        let mut frames = frames(&rows);
        let found = without(&frames, 1);
        let counts: Vec<_> = found
            .windows
            .iter()
            .map(|one| (one.days, one.left_out, one.complaints, one.episodes, one.enterprises))
            .collect();
        // Complaint 3 is 100 days old; of the two days 40 and 42 days ago the earlier one opens the episode.
        assert_eq!(counts, [(30, 1, 1, 1, 1), (90, 3, 2, 2, 1), (180, 4, 2, 2, 1), (365, 4, 2, 2, 1)]);
        assert_eq!(found.complaints.len(), 4);
        assert!(found.holds.is_none() && found.windows.iter().all(|one| one.adjusted.is_none()), "no exposure");

        frames.exposure[0] = exposed(&[(0, 1.0), (1, 3.0), (2, 0.5)]);
        let found = without(&frames, 1);
        let year = found.windows[3].adjusted.clone().expect("numbers");
        let compared = Compared::new(&frames, SubjectKind::Officer, &Rules::default()).expect("comparisons");
        let whole = compared.comparison(365, false).and_then(|one| one.numbers_of(0, 3, 1)).expect("numbers").rounded();
        assert_eq!((whole.observed, year.observed, year.expected), (5, 2, whole.expected));
        assert_eq!((year.p, year.eb05), (whole.p_without_largest, whole.eb05_without_largest));
        assert!((year.p - mid_p_upper_tail(2, year.expected)).abs() < 1e-5 && year.p > whole.p, "{year:?}");
        assert_eq!(found.windows[3].adjusted_confirmed.as_ref(), Some(&year), "all attributions are confirmed");
        assert!(found.windows[0].adjusted.is_none() && found.holds.is_some(), "no tier uses 30 days");
        let other = without(&frames, 9);
        assert!(other.complaints.is_empty() && other.windows[3].left_out == 0, "it said nothing about this officer");
    }

    #[test]
    fn the_complaints_about_a_subject_are_enough_with_the_comparisons_of_its_run() {
        let mut rows = vec![row(0, 10, 1), row(1, 40, 1), row(2, 100, 2), row(3, 20, 3), row(4, 50, None)];
        rows[2].confirmed = false;
        let about_it = rows.len();
        rows.extend((5u32..12).map(|n| {
            let mut other = row(n, 7 * n.cast_signed(), n);
            other.officer = Some(1 + n % 2);
            other
        }));
        let mut all = frames(&rows);
        all.exposure[0] = exposed(&[(0, 1.0), (1, 3.0), (2, 0.5)]);
        let (kind, rules, id) = (SubjectKind::Officer, Rules::default(), all.officers[0].id);
        let compared = Compared::new(&all, kind, &rules).expect("comparisons");
        let kept = comparisons(&compared, &rules, [(0, id)]);
        let alone = frames(&rows[..about_it]);
        for enterprise in [1, 2, 3] {
            let left_out = LeftOut { kind, subject: 0, enterprise };
            let kept = kept.of(id).expect("comparisons");
            let found = without_enterprise_as_compared(&alone, left_out, Tier::Review, as_of(), &rules, kept);
            let found = found.expect("numbers");
            assert_eq!(found, without_enterprise(&all, left_out, Tier::Review, as_of(), &rules).expect("numbers"));
            let year = &found.windows[3];
            assert!(year.adjusted.is_some() && year.adjusted_confirmed.is_some() && found.holds.is_some(), "{found:?}");
            assert!(enterprise == 2 || year.adjusted != year.adjusted_confirmed, "{found:?}");
        }
    }

    #[test]
    fn a_campaign_stays_one_without_one_of_its_enterprises() {
        let mut rows = vec![row(0, 30, 1), row(1, 20, 2), row(2, 10, 3), row(3, 5, 1)];
        for of_campaign in &mut rows[..3] {
            of_campaign.text = Some(0);
        }
        let mut frames = frames(&rows);
        let text =
            "Cán bộ yêu cầu nộp thêm chứng từ đã có trên hệ thống, giữ hồ sơ nhiều ngày và không trả lời bằng văn bản.";
        frames.sketches = vec![Arc::new(TextSketch::of(text))];
        let year = |enterprise| without(&frames, enterprise).windows[3].clone();
        let (first, second) = (year(1), year(2));
        assert_eq!((first.left_out, first.complaints, first.episodes, first.enterprises), (2, 2, 1, 1));
        assert_eq!((second.left_out, second.complaints, second.episodes, second.enterprises), (1, 3, 2, 2));
    }
}
