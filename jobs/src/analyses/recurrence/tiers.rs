//! Assigns tiers to subjects. If exposure is missing or covers too few of the episodes, tiers fall back to
//! the number of distinct enterprises alone, and the flags say so: `unadjusted`.

use super::compared::Compared;
use super::comparisons::Comparisons;
use super::episodes::largest_and_anonymous;
use super::significance::{Adjusted, Comparison, Dispersion};
use super::windows::{SubjectWindows, WindowNumbers, leave_out, windows};
use super::{Rules, TierRule};
use crate::facts::Subject;
use crate::facts::days::day_number;
use crate::facts::exposure::Basis;
use crate::facts::frames::Frames;
use chrono::NaiveDate;
use polars::prelude::*;
use polars_core::runtime::RAYON;
use schema::Id;
use schema::enums::{SubjectKind, Tier};
use std::collections::{HashMap, HashSet};

/// A subject that reaches a tier.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    pub kind: SubjectKind,
    pub subject: Subject,
    pub tier: Tier,
    pub windows: [WindowNumbers; 4],
    /// The measure of exposure; [`Basis::None`]: the numbers are not adjusted.
    pub basis: Basis,
    /// The complaints counted in the tier's window, sorted by id.
    pub evidence: Vec<Id>,
    /// The complainants.
    pub complainants: Complainants,
}

/// The complainants of an assessment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Complainants {
    /// Distinct known enterprises; a campaign counts as one.
    pub enterprises: u32,
    /// Complaints that name no enterprise.
    pub anonymous: u32,
}

/// The assessment of all subjects of a kind.
pub struct Assessed {
    /// The subjects that reach a tier, sorted by code.
    pub found: Vec<Assessment>,
    pub basis: Basis,
    /// Variation of the rates in each window that a tier uses.
    pub scatter: Vec<Dispersion>,
    /// Codes of subjects with as many distinct enterprises as REVIEW requires but no expectation, so that
    /// they cannot be assessed.
    pub without_exposure: Vec<String>,
    /// The longest window compared, over all attributions: for the funnel plot.
    pub longest: Option<Comparison>,
    /// The comparisons of the subjects that reach a tier.
    pub comparisons: Comparisons,
    /// The rows that count, over the whole history, with campaigns and episodes. One for each
    /// (subject, complaint), sorted by (subject, enterprise, day, complaint):
    ///
    /// | column | type | meaning |
    /// | --- | --- | --- |
    /// | `subject` | u32 | index into `officers` or `branches` of [`Frames`] |
    /// | `complaint` | u32 | index into `complaints` of [`Frames`] |
    /// | `day` | i32 | local date of receipt, days since 1970 |
    /// | `enterprise` | u32? | number of the enterprise, one for all rows of a campaign; null: counts as none |
    /// | `own` | u32? | number of the enterprise without regard to campaigns |
    /// | `campaign` | u32? | number of the campaign; null outside campaigns |
    /// | `episode_day` | i32 | day of the first complaint of the row's episode, days since 1970 |
    /// | `opens` | bool | whether the row is that first complaint |
    /// | `anonymous` | bool | no enterprise is known |
    /// | `serious` | bool | an allegation against the subject is of a serious category |
    /// | `serious_confirmed` | bool | serious, by an allegation against the subject whose attribution is CONFIRMED |
    /// | `confirmed` | bool | an attribution to the subject is CONFIRMED; always true of a branch |
    /// | `not_sustained` | bool | all allegations against the subject were found NOT_SUSTAINED |
    /// | `group` | i32 | peer group of the branch, −1 for none |
    /// | `text` | u32? | index into `sketches` of [`Frames`]; null when the text was not read |
    pub rows: DataFrame,
}

/// Assesses all officers and branches as of a day; returns those that reach a tier, sorted by (kind, code).
///
/// # Errors
/// If a frame lacks a column.
pub fn assess(frames: &Frames, as_of: NaiveDate, rules: &Rules) -> PolarsResult<Vec<Assessment>> {
    let mut all = assess_kind(frames, SubjectKind::Officer, as_of, rules)?.found;
    all.extend(assess_kind(frames, SubjectKind::Branch, as_of, rules)?.found);
    Ok(all)
}

/// Assesses all subjects of a kind as of a day.
///
/// # Errors
/// If a frame lacks a column.
pub fn assess_kind(frames: &Frames, kind: SubjectKind, as_of: NaiveDate, rules: &Rules) -> PolarsResult<Assessed> {
    let as_of = day_number(as_of);
    let (subjects, exposure) = match kind {
        SubjectKind::Officer => (&frames.officers, &frames.exposure[0]),
        SubjectKind::Branch => (&frames.branches, &frames.exposure[1]),
    };
    let compared = Compared::new(frames, kind, rules)?;
    let (mut numbers, recent) = windows(&compared.rows, as_of)?;
    leave_out(&mut numbers, &recent, &frames.by_month)?;
    for ((days, confirmed), of_window) in &compared.comparisons {
        let parts = largest_and_anonymous(compared.rows_of(*confirmed), as_of, *days)?;
        let set = |(index, windows): &mut SubjectWindows| {
            // Posterior quantiles are the costliest step: skip subjects that cannot reach a tier.
            if !may_reach(windows, rules) {
                return;
            }
            let (largest, anonymous) = parts.get(index).copied().unwrap_or((0, 0));
            let adjusted = of_window.numbers_of(*index, largest, anonymous);
            if let Some(window) = windows.iter_mut().find(|window| window.days == *days) {
                if *confirmed {
                    window.adjusted_confirmed = adjusted;
                } else {
                    window.adjusted = adjusted;
                }
            }
        };
        for_all(&mut numbers, &set);
    }
    if compared.confirmed.is_none() {
        for window in numbers.iter_mut().flat_map(|(_, windows)| windows) {
            window.adjusted_confirmed.clone_from(&window.adjusted);
        }
    }
    let basis = if compared.adjusted { exposure.basis } else { Basis::None };
    let tests: Vec<(Tier, Test<'_>)> = TIERS.into_iter().map(|tier| (tier, Test::of(tier, rules, &compared))).collect();
    let mut without_exposure = Vec::new();
    let mut reached: Vec<(SubjectWindows, Tier)> = Vec::new();
    for row in numbers {
        let tier = tests.iter().find(|(_, test)| test.holds(&row.1)).map(|(tier, _)| *tier);
        if let Some(tier) = tier {
            reached.push((row, tier));
        } else if basis != Basis::None && unknown(&row.1, &rules.review) {
            without_exposure.extend(subjects.get(row.0 as usize).map(|subject| subject.code.clone()));
        }
    }
    let of_reached = reached.iter().filter_map(|((index, _), _)| Some((*index, subjects.get(*index as usize)?.id)));
    let kept = comparisons(&compared, rules, of_reached);
    let mut evidence = evidence(frames, &recent, as_of, &reached, rules)?;
    let mut found: Vec<Assessment> = reached
        .into_iter()
        .filter_map(|((index, windows), tier)| {
            let subject = subjects.get(index as usize)?.clone();
            let Evidence { mut complaints, enterprises, anonymous } = evidence.remove(&index).unwrap_or_default();
            complaints.sort_unstable();
            let enterprises = u32::try_from(enterprises.len()).unwrap_or(u32::MAX);
            let complainants = Complainants { enterprises, anonymous };
            let windows = windows.map(rounded);
            Some(Assessment { kind, subject, tier, windows, basis, evidence: complaints, complainants })
        })
        .collect();
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    without_exposure.sort();
    let Compared { rows, comparisons, .. } = compared;
    let scatter = comparisons.values().map(|one| one.scatter.clone()).collect();
    let longest = comparisons.into_iter().rfind(|((_, confirmed), _)| !confirmed).map(|(_, one)| one);
    Ok(Assessed { found, basis, scatter, without_exposure, longest, comparisons: kept, rows })
}

/// The comparisons of subjects, given as (index, id).
pub(super) fn comparisons(
    compared: &Compared,
    rules: &Rules,
    subjects: impl IntoIterator<Item = (u32, Id)>,
) -> Comparisons {
    let cut_off = |tier: Tier| Some((tier, Test::of(tier, rules, compared).cut_off?));
    let cut_offs = TIERS.into_iter().filter_map(cut_off).collect();
    Comparisons::new(compared, cut_offs, subjects)
}

/// The tiers, the highest first.
const TIERS: [Tier; 3] = [Tier::SuspensionReview, Tier::Review, Tier::Watch];

/// Up to this many subjects are computed on one thread.
const AT_ONCE: usize = 64;

/// Sets the numbers of all subjects on the threads of polars. No subject depends on another.
fn for_all(numbers: &mut [SubjectWindows], set: &(impl Fn(&mut SubjectWindows) + Sync)) {
    if numbers.len() <= AT_ONCE {
        numbers.iter_mut().for_each(set);
        return;
    }
    let (left, right) = numbers.split_at_mut(numbers.len() / 2);
    RAYON.join(|| for_all(left, set), || for_all(right, set));
}

/// Whether a subject has as many distinct enterprises as some tier requires.
fn may_reach(windows: &[WindowNumbers; 4], rules: &Rules) -> bool {
    rules.tiers().iter().any(|(_, tier)| {
        windows.iter().any(|window| window.days == tier.days && window.enterprises >= tier.enterprises)
    })
}

fn rounded(mut window: WindowNumbers) -> WindowNumbers {
    for adjusted in [&mut window.adjusted, &mut window.adjusted_confirmed] {
        *adjusted = adjusted.as_ref().map(Adjusted::rounded);
    }
    window
}

/// Whether a subject has enough distinct enterprises for a tier but no expectation to compare with.
fn unknown(windows: &[WindowNumbers; 4], rule: &TierRule) -> bool {
    windows
        .iter()
        .find(|window| window.days == rule.days)
        .is_some_and(|window| window.adjusted.is_none() && window.enterprises >= rule.enterprises)
}

/// The rule of a tier.
pub fn rule_of(rules: &Rules, tier: Tier) -> &TierRule {
    match tier {
        Tier::Watch => &rules.watch,
        Tier::Review => &rules.review,
        Tier::SuspensionReview => &rules.suspension_review,
    }
}

/// A tier's rule with the p-value cut-off that its limit on q corresponds to.
pub(super) struct Test<'r> {
    pub rule: &'r TierRule,
    pub adjusted: bool,
    pub cut_off: Option<f64>,
}

impl<'r> Test<'r> {
    fn of(tier: Tier, rules: &'r Rules, compared: &Compared) -> Self {
        let rule = rule_of(rules, tier);
        let comparison = compared.comparison(rule.days, rule.confirmed);
        let cut_off = rule.q.and_then(|limit| comparison?.cut_off(limit));
        Self { rule, adjusted: compared.adjusted, cut_off }
    }
}

impl Test<'_> {
    pub fn holds(&self, windows: &[WindowNumbers; 4]) -> bool {
        let rule = self.rule;
        let Some(window) = windows.iter().find(|window| window.days == rule.days && !window.left_out) else {
            return false;
        };
        let (enterprises, serious, adjusted) = if rule.confirmed {
            (window.enterprises_confirmed, window.serious_confirmed, &window.adjusted_confirmed)
        } else {
            (window.enterprises, window.serious, &window.adjusted)
        };
        let by_enterprises = enterprises >= rule.enterprises && (!rule.serious || serious > 0);
        if !by_enterprises || !self.adjusted {
            return by_enterprises;
        }
        let Some(adjusted) = adjusted else { return false };
        // With a point prior all differences are chance, so no subject stands out.
        let differs = adjusted.eb95 > adjusted.eb05;
        let whole = rule.q.is_none_or(|limit| adjusted.q <= limit) && self.is_large(adjusted.eb05, differs);
        let without_largest = self.holds_of(adjusted.p_without_largest, adjusted.eb05_without_largest, differs);
        let without_anonymous = self.holds_of(adjusted.p_without_anonymous, adjusted.eb05_without_anonymous, differs);
        whole && (!rule.robust || without_largest && without_anonymous)
    }

    /// Whether p and EB05 of a part of the episodes still meet the limits on q and EB05. `differs`: the prior is no
    /// point.
    pub fn holds_of(&self, p: f64, eb05: f64, differs: bool) -> bool {
        let surprising = self.rule.q.is_none() || self.cut_off.is_some_and(|cut_off| p <= cut_off);
        surprising && self.is_large(eb05, differs)
    }

    fn is_large(&self, eb05: f64, differs: bool) -> bool {
        self.rule.eb05.is_none_or(|limit| differs && eb05 >= limit)
    }
}

/// The complaints behind a tier, and who made them.
#[derive(Default)]
struct Evidence {
    complaints: Vec<Id>,
    enterprises: HashSet<u32>,
    anonymous: u32,
}

/// The complaints behind each tier reached.
fn evidence(
    frames: &Frames,
    rows: &DataFrame,
    as_of: i32,
    reached: &[(SubjectWindows, Tier)],
    rules: &Rules,
) -> PolarsResult<HashMap<u32, Evidence>> {
    let rule: HashMap<u32, &TierRule> =
        reached.iter().map(|((index, _), tier)| (*index, rule_of(rules, *tier))).collect();
    let mut found: HashMap<u32, Evidence> = HashMap::new();
    let subjects = rows.column("subject")?.u32()?;
    let complaints = rows.column("complaint")?.u32()?;
    let days = rows.column("day")?.i32()?;
    let confirmed = rows.column("confirmed")?.bool()?;
    let enterprises = rows.column("enterprise")?.u32()?;
    let anonymous = rows.column("anonymous")?.bool()?;
    let who = enterprises.iter().zip(anonymous.iter());
    for ((((subject, complaint), day), confirmed), (enterprise, anonymous)) in
        subjects.iter().zip(complaints.iter()).zip(days.iter()).zip(confirmed.iter()).zip(who)
    {
        let (Some(subject), Some(complaint), Some(day)) = (subject, complaint, day) else { continue };
        let Some(rule) = rule.get(&subject) else { continue };
        let counts = day > as_of - rule.days && (!rule.confirmed || confirmed == Some(true));
        let Some(id) = frames.complaints.get(complaint as usize).filter(|_| counts) else { continue };
        let evidence = found.entry(subject).or_default();
        evidence.complaints.push(*id);
        if anonymous == Some(true) {
            evidence.anonymous += 1;
        } else {
            evidence.enterprises.extend(enterprise);
        }
    }
    Ok(found)
}
