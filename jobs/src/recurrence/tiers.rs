//! From numbers to tiers. Without exposure the tiers fall back to the number of distinct
//! enterprises alone, and say so: `unadjusted`.

use super::windows::{SubjectWindows, WindowNumbers, windows};
use super::{Rules, TierRule};
use crate::frames::{Frames, Subject, day_number};
use chrono::NaiveDate;
use polars::prelude::*;
use schema::Id;
use schema::enums::{SubjectKind, Tier};
use std::collections::HashMap;

/// A subject that reaches a tier.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    pub kind: SubjectKind,
    pub subject: Subject,
    pub tier: Tier,
    pub windows: [WindowNumbers; 4],
    /// The complaints of the tier's window that were counted, in the order of ids.
    pub evidence: Vec<Id>,
}

/// Assesses all officers and branches as of a day: those that reach a tier, in the order of
/// (kind, code).
pub fn assess(frames: &Frames, as_of: NaiveDate, rules: &Rules) -> PolarsResult<Vec<Assessment>> {
    let mut all = assess_kind(frames, SubjectKind::Officer, as_of, rules)?;
    all.extend(assess_kind(frames, SubjectKind::Branch, as_of, rules)?);
    Ok(all)
}

fn assess_kind(frames: &Frames, kind: SubjectKind, as_of: NaiveDate, rules: &Rules) -> PolarsResult<Vec<Assessment>> {
    let as_of = day_number(as_of);
    let (numbers, rows) = windows(frames, kind, as_of, rules)?;
    let reached: Vec<(SubjectWindows, Tier)> =
        numbers.into_iter().filter_map(|row| tier(&row.1, rules).map(|tier| (row, tier))).collect();
    let mut evidence = evidence(frames, &rows, as_of, &reached, rules)?;
    let subjects = match kind {
        SubjectKind::Officer => &frames.officers,
        SubjectKind::Branch => &frames.branches,
    };
    let mut found: Vec<Assessment> = reached
        .into_iter()
        .filter_map(|((place, windows), tier)| {
            let subject = subjects.get(place as usize)?.clone();
            let mut evidence = evidence.remove(&place).unwrap_or_default();
            evidence.sort_unstable();
            Some(Assessment { kind, subject, tier, windows, evidence })
        })
        .collect();
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(found)
}

/// The highest tier that the numbers reach.
fn tier(windows: &[WindowNumbers; 4], rules: &Rules) -> Option<Tier> {
    [Tier::SuspensionReview, Tier::Review, Tier::Watch].into_iter().find(|tier| reaches(windows, rule_of(rules, *tier)))
}

pub(super) fn rule_of(rules: &Rules, tier: Tier) -> &TierRule {
    match tier {
        Tier::Watch => &rules.watch,
        Tier::Review => &rules.review,
        Tier::SuspensionReview => &rules.suspension_review,
    }
}

fn reaches(windows: &[WindowNumbers; 4], rule: &TierRule) -> bool {
    let Some(window) = windows.iter().find(|window| window.days == rule.days) else { return false };
    let (enterprises, serious) = if rule.confirmed {
        (window.enterprises_confirmed, window.serious_confirmed)
    } else {
        (window.enterprises, window.serious)
    };
    enterprises >= rule.enterprises && (!rule.serious || serious > 0)
}

/// The complaints behind each tier reached.
fn evidence(
    frames: &Frames,
    rows: &DataFrame,
    as_of: i32,
    reached: &[(SubjectWindows, Tier)],
    rules: &Rules,
) -> PolarsResult<HashMap<u32, Vec<Id>>> {
    let rule: HashMap<u32, &TierRule> =
        reached.iter().map(|((place, _), tier)| (*place, rule_of(rules, *tier))).collect();
    let mut found: HashMap<u32, Vec<Id>> = HashMap::new();
    let subjects = rows.column("subject")?.u32()?;
    let complaints = rows.column("complaint")?.u32()?;
    let days = rows.column("day")?.i32()?;
    let confirmed = rows.column("confirmed")?.bool()?;
    for (((subject, complaint), day), confirmed) in
        subjects.iter().zip(complaints.iter()).zip(days.iter()).zip(confirmed.iter())
    {
        let (Some(subject), Some(complaint), Some(day)) = (subject, complaint, day) else { continue };
        let Some(rule) = rule.get(&subject) else { continue };
        let counts = day > as_of - rule.days && (!rule.confirmed || confirmed == Some(true));
        if let Some(id) = frames.complaints.get(complaint as usize).filter(|_| counts) {
            found.entry(subject).or_default().push(*id);
        }
    }
    Ok(found)
}
