//! The reach of a simple rule "k events in w days": which subjects ever met it, and in which year first.

use super::episodes::with_episodes;
use super::{Rules, counted, subject_column};
use crate::facts::frames::Frames;
use chrono::{Datelike, Days, NaiveDate};
use polars::prelude::*;
use schema::enums::SubjectKind;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The events that a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Every complaint, whatever its kind, state and finding.
    Complaints,
    /// Episodes of the complaints that count (docs/statistics.md, "What is counted").
    Episodes,
    /// Distinct enterprises of the complaints that count.
    Enterprises,
}

/// The subjects that met a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    pub subjects: u32,
    pub by_year: Vec<YearReach>,
    /// Each of these subjects, sorted by day and code; None unless a list was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<Vec<Reached>>,
}

/// A subject that met a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reached {
    /// The first day on which it did.
    pub on: NaiveDate,
    pub code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct YearReach {
    pub year: i32,
    pub subjects: u32,
}

/// Counts the subjects with `k` events of which the last is less than `days` days after the first, by the
/// year in which they first had them; with `list` also names them.
///
/// # Errors
/// If a frame lacks a column.
pub fn reach(
    frames: &Frames,
    kind: SubjectKind,
    count: Count,
    k: u32,
    days: u32,
    rules: &Rules,
    list: bool,
) -> PolarsResult<Reach> {
    let k = i64::from(k.max(1));
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    let first = match count {
        Count::Complaints => {
            let subject = subject_column(kind);
            let events = frames
                .allegations
                .clone()
                .lazy()
                .filter(col(subject).is_not_null())
                .group_by([col(subject).alias("subject"), col("complaint")])
                .agg([col("day").first()]);
            first_reached(events, k, days)?
        }
        Count::Episodes => {
            let rows = with_episodes(&counted(frames, kind, rules)?, rules.episode_days)?;
            first_reached(rows.lazy().filter(col("opens")), k, days)?
        }
        Count::Enterprises => first_reached_by_enterprises(&counted(frames, kind, rules)?, k, days)?,
    };
    let mut by_year: BTreeMap<i32, u32> = BTreeMap::new();
    let date = |day: i32| NaiveDate::default() + Days::new(u64::try_from(day).unwrap_or(0));
    for (_, day) in &first {
        *by_year.entry(date(*day).year()).or_default() += 1;
    }
    let subjects = match kind {
        SubjectKind::Officer => &frames.officers,
        SubjectKind::Branch => &frames.branches,
    };
    let reached = list.then(|| {
        let named = first.iter().filter_map(|(place, day)| {
            Some(Reached { on: date(*day), code: subjects.get(*place as usize)?.code.clone() })
        });
        let mut reached: Vec<Reached> = named.collect();
        reached.sort();
        reached
    });
    Ok(Reach {
        subjects: u32::try_from(first.len()).unwrap_or(u32::MAX),
        by_year: by_year.into_iter().map(|(year, subjects)| YearReach { year, subjects }).collect(),
        reached,
    })
}

/// (subject, day) of each subject that meets the rule, with the day on which it first does. `events` have
/// `subject` (u32) and `day` (i32).
fn first_reached(events: LazyFrame, k: i64, days: i32) -> PolarsResult<Vec<(u32, i32)>> {
    let reached = events
        .select([col("subject"), col("day")])
        .sort(["subject", "day"], SortMultipleOptions::default())
        .with_column((col("day") - col("day").shift(lit(k - 1)).over([col("subject")])?).alias("span"))
        .filter(col("span").lt(lit(days)))
        .group_by([col("subject")])
        .agg([col("day").min()])
        .collect()?;
    let (subjects, days) = (reached.column("subject")?.u32()?, reached.column("day")?.i32()?);
    Ok(subjects.iter().zip(days.iter()).filter_map(|(subject, day)| subject.zip(day)).collect())
}

/// The same for distinct enterprises, by a sliding window over the complaints of each subject. The distinct
/// count changes at both ends of the window, hence a scan and no polars expression.
fn first_reached_by_enterprises(rows: &DataFrame, k: i64, days: i32) -> PolarsResult<Vec<(u32, i32)>> {
    let rows = rows
        .clone()
        .lazy()
        .filter(col("enterprise").is_not_null())
        .sort(["subject", "day", "enterprise"], SortMultipleOptions::default())
        .collect()?;
    let subjects = rows.column("subject")?.u32()?;
    let enterprises = rows.column("enterprise")?.u32()?;
    let all_days = rows.column("day")?.i32()?;
    let mut found = Vec::new();
    let mut at = None;
    let mut reached = false;
    let mut window: VecDeque<(i32, u32)> = VecDeque::new();
    let mut inside: HashMap<u32, u32> = HashMap::new();
    for ((subject, enterprise), day) in subjects.iter().zip(enterprises.iter()).zip(all_days.iter()) {
        let (Some(enterprise), Some(day)) = (enterprise, day) else { continue };
        if at != subject {
            at = subject;
            reached = false;
            window.clear();
            inside.clear();
        }
        if reached {
            continue;
        }
        while let Some((_, gone)) = window.pop_front_if(|(first, _)| day - *first >= days) {
            if let Some(n) = inside.get_mut(&gone) {
                *n -= 1;
                if *n == 0 {
                    inside.remove(&gone);
                }
            }
        }
        window.push_back((day, enterprise));
        *inside.entry(enterprise).or_default() += 1;
        if i64::try_from(inside.len()).unwrap_or(i64::MAX) >= k {
            reached = true;
            found.extend(subject.map(|subject| (subject, day)));
        }
    }
    Ok(found)
}
