//! Aggregates of complaints from the snapshot, grouped by any of its dimensions.
//!
//! Every measure of a group is computed from the rows of that group: distinct counts and medians are never
//! combined from those of smaller groups, and a limit on groups changes no number. The *places* of a group
//! are its dimension values as indices into the reference data.

mod allegations;
mod by_group;
mod calendar;
mod columns;
mod count_fast_path;
mod dimension;
mod disclosure;
mod entries;
mod groups;
mod measures;
mod ordering;
mod top_groups;

pub use allegations::Allegations;
pub use calendar::{Bucket, DayRange, Shift, Span, date};
pub use dimension::Dimension;
pub use disclosure::{Disclosure, Editions, NoiseKey, Thresholds, attributes as disclosed_attributes};
pub use measures::{Measure, Measures, SelectedMeasures};
pub use ordering::answer_of_groups;

use crate::JobError;
use crate::snapshot::Snapshot;
use calendar::Calendar;
use chrono_tz::Tz;
use disclosure::disclosed;
use groups::{Grouped, group};
use ordering::{arrange, skipped};
use polars::prelude::Expr;
use schema::db::cancellation::check_cancelled;
use std::collections::{HashMap, HashSet};
use top_groups::top_groups;

/// An aggregation query.
#[derive(Debug, Clone)]
pub struct Question {
    /// A condition over the columns of the snapshot.
    pub filter: Option<Expr>,
    /// Day (days since 1970) at whose end complaints count as answered or not; None is the day of the snapshot. The
    /// filter has to exclude complaints received later.
    pub as_of: Option<i32>,
    /// The allegations that count.
    pub allegations: Allegations,
    pub group_by: Vec<Dimension>,
    pub zone: Tz,
    /// The measures to compute; all others keep their defaults.
    pub wanted: SelectedMeasures,
    /// Whether to compute the measures of all groups together.
    pub totals: bool,
    /// Conditions on the measures of the groups to keep.
    pub having: Option<Having>,
    /// Sort keys as (order, descending), most significant first; ties are ordered by places.
    pub order_by: Vec<(Order, bool)>,
    /// Adds the buckets without complaints from the first day (inclusive) to the second (exclusive), in days
    /// since 1970. A missing day means the first or the last bucket with complaints.
    pub fill: Option<DayRange>,
    /// A comparison period: its filter, and the shift that moves its days to those of this question.
    pub compare: Option<(Option<Expr>, Shift)>,
    pub limit: usize,
    /// Returns the groups after this one.
    pub after: Option<Cursor>,
    /// Whether to return the groups beyond the limit as one group.
    pub other: bool,
    /// Disclosure control, for readers who see only aggregates; the snapshot must then be an edition.
    pub disclosure: Option<Disclosure>,
    pub disguise: Option<PseudonymOrder>,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            filter: None,
            as_of: None,
            allegations: Allegations::default(),
            group_by: Vec::new(),
            zone: Tz::Asia__Ho_Chi_Minh,
            wanted: SelectedMeasures::ALL,
            totals: true,
            having: None,
            order_by: Vec::new(),
            fill: None,
            compare: None,
            limit: usize::MAX,
            after: None,
            other: false,
            disclosure: None,
            disguise: None,
        }
    }
}

/// A condition on the measures of a group.
#[derive(Clone)]
pub struct Having(pub std::sync::Arc<dyn Fn(&GroupResult) -> bool + Send + Sync>);

impl std::fmt::Debug for Having {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a condition on groups")
    }
}

/// Replaces places as sort keys of pseudonymised dimensions, where their own order would reveal who is meant.
#[derive(Clone)]
pub struct PseudonymOrder(pub std::sync::Arc<dyn Fn(Dimension, i64) -> i64 + Send + Sync>);

impl std::fmt::Debug for PseudonymOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another order")
    }
}

/// A sort key of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Measure(Measure),
    /// Index in `group_by`.
    Dimension(usize),
}

/// The end of a page of groups.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// The places of the last group.
    pub places: Vec<Option<i64>>,
    /// Number of groups up to and including it: the position to continue from if the group no longer exists.
    pub rank: usize,
}

/// A group: the places of its dimensions, in the order asked for, and its measures.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupResult {
    /// Indices into the reference data, or the first day of a bucket (days since 1970); None for complaints
    /// without a value.
    pub places: Vec<Option<i64>>,
    pub measures: Measures,
    /// The same group in the comparison period.
    pub before: Option<Box<GroupResult>>,
    /// Whether the group is suppressed as too small: it then has no measures.
    pub suppressed: bool,
    /// Whether the sum is suppressed: one enterprise dominates it, or too few cells of a union show theirs.
    pub cost_hidden: bool,
    pub delay_hidden: bool,
    /// Whether this is the union of all groups beyond the limit.
    pub is_other: bool,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub groups: Vec<GroupResult>,
    /// Whether there are groups beyond the limit.
    pub truncated: bool,
    /// Number of groups that `having` keeps, regardless of the limit.
    pub group_count: usize,
    /// All complaints that match the filter, regardless of `having` and the limit; None if not asked for or
    /// suppressed.
    pub totals: Option<GroupResult>,
    pub totals_before: Option<GroupResult>,
    pub end: Option<Cursor>,
}

/// Maximum number of groups with `fill`.
const MOST_FILLED: usize = 200_000;

/// Maximum number of groups before the limit is applied.
pub const MOST_GROUPS: usize = 2_000_000;

/// Answers a question.
///
/// # Errors
/// `Question` if it asks for too many groups or a sum is out of range; `Cancelled` at the next stage when the
/// work of this thread is cancelled.
pub fn statistics(snapshot: &Snapshot, question: &Question) -> Result<Answer, JobError> {
    let calendar = Calendar::new(question.zone);
    let wanted = match question.disclosure {
        Some(_) => SelectedMeasures { enterprises: true, ..question.wanted },
        None => question.wanted,
    };
    if question.allows_top_groups() {
        let grouped = group(snapshot, question, question.filter.as_ref(), Shift::None, &calendar)?;
        check_cancelled()?;
        let totals = all_together(&grouped, wanted, question)?;
        return top_groups(&grouped, wanted, question, totals);
    }
    let PeriodGroups { rows: grouped, mut groups, totals } =
        groups_of_period(snapshot, question, (question.filter.as_ref(), Shift::None), wanted, &calendar)?;
    let mut before: HashMap<Vec<Option<i64>>, GroupResult> = HashMap::new();
    let mut totals_before = Vec::new();
    if let Some((filter, shift)) = &question.compare {
        check_cancelled()?;
        let earlier = groups_of_period(snapshot, question, (filter.as_ref(), *shift), wanted, &calendar)?;
        totals_before = earlier.totals;
        before = earlier.groups.into_iter().map(|one| (one.places.clone(), one)).collect();
        let existing: HashSet<&Vec<Option<i64>>> = groups.iter().map(|one| &one.places).collect();
        // Groups that exist only in the comparison period get a row, too.
        let only_before = before.keys().filter(|places| !existing.contains(places));
        let only_before: Vec<GroupResult> =
            only_before.map(|places| GroupResult::new(places.clone(), Measures::default())).collect();
        groups.extend(only_before);
    }
    check_cancelled()?;
    if let Some(range) = question.fill {
        fill(&mut groups, question, range, &calendar)?;
    }
    if question.compare.is_some() {
        for one in &mut groups {
            let earlier = before.remove(&one.places);
            one.before =
                Some(Box::new(earlier.unwrap_or_else(|| GroupResult::new(one.places.clone(), Measures::default()))));
        }
    }
    let group_count = arrange(&mut groups, question);
    let skipped = skipped(&groups, question);
    let shown = question.limit.min(group_count - skipped);
    let truncated = skipped + shown < group_count;
    let rest = groups.split_off(skipped + shown);
    groups.drain(..skipped);
    let end = groups.last().map(|one| Cursor { places: one.places.clone(), rank: skipped + shown });
    // With disclosure control `grouped` is None: there is no group of the rest.
    if let Some(grouped) = grouped.filter(|_| question.other && truncated) {
        let mut other = GroupResult::new(vec![None; question.group_by.len()], grouped.measure_union(&rest, wanted)?);
        other.is_other = true;
        groups.push(other);
    }
    let [totals, totals_before] = [totals, totals_before].map(|mut totals| totals.pop());
    Ok(Answer { groups, truncated, group_count, totals, totals_before, end })
}

/// The totals, if asked for: one group or none.
fn all_together(
    grouped: &Grouped,
    wanted: SelectedMeasures,
    question: &Question,
) -> Result<Vec<GroupResult>, JobError> {
    if !question.totals {
        return Ok(Vec::new());
    }
    Ok(vec![GroupResult::new(Vec::new(), grouped.totals(wanted)?)])
}

/// The groups of one period.
struct PeriodGroups {
    /// The rows of the groups; None with disclosure control.
    rows: Option<Grouped>,
    groups: Vec<GroupResult>,
    /// The totals, if asked for: one group or none.
    totals: Vec<GroupResult>,
}

/// The groups and totals of one period. Disclosure control perturbs numbers before groups are filtered,
/// sorted or cut off, since these steps would otherwise reveal true values; the rows are not returned.
fn groups_of_period(
    snapshot: &Snapshot,
    question: &Question,
    (filter, shift): (Option<&Expr>, Shift),
    wanted: SelectedMeasures,
    calendar: &Calendar,
) -> Result<PeriodGroups, JobError> {
    if let Some(disclosure) = &question.disclosure {
        let (groups, totals) = disclosed(snapshot, question, disclosure, (filter, shift), wanted, calendar)?;
        return Ok(PeriodGroups { rows: None, groups, totals });
    }
    let grouped = group(snapshot, question, filter, shift, calendar)?;
    check_cancelled()?;
    let totals = all_together(&grouped, wanted, question)?;
    let measured = grouped.measured(wanted, None)?;
    let each = grouped.places().into_iter().zip(measured);
    let groups = each.map(|(places, measures)| GroupResult::new(places, measures)).collect();
    check_cancelled()?;
    Ok(PeriodGroups { rows: Some(grouped), groups, totals })
}

impl GroupResult {
    pub fn new(places: Vec<Option<i64>>, measures: Measures) -> Self {
        Self {
            places,
            measures,
            before: None,
            suppressed: false,
            cost_hidden: false,
            delay_hidden: false,
            is_other: false,
        }
    }

    /// A measure as a sort key; None if it has no value or is suppressed.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        let hidden = match measure {
            Measure::CostVnd => self.suppressed || self.cost_hidden,
            Measure::DelayHours => self.suppressed || self.delay_hidden,
            _ => self.suppressed,
        };
        if hidden { None } else { self.measures.value(measure) }
    }
}

/// Adds the buckets without complaints, for each combination of the other dimensions.
///
/// # Errors
/// `Question` if there would be more than `MOST_FILLED` groups.
fn fill(
    groups: &mut Vec<GroupResult>,
    question: &Question,
    DayRange { from, before }: DayRange,
    calendar: &Calendar,
) -> Result<(), JobError> {
    let at = question.group_by.iter().position(|dimension| matches!(dimension, Dimension::Time(_)));
    let Some((at, Dimension::Time(bucket))) = at.map(|at| (at, question.group_by[at])) else { return Ok(()) };
    let bucket_days = || groups.iter().filter_map(|one| i32::try_from(one.places[at]?).ok());
    let (Some(from), Some(before)) =
        (from.or_else(|| bucket_days().min()), before.or_else(|| Some(bucket_days().max()? + 1)))
    else {
        return Ok(());
    };
    let too_many = |all: usize| {
        Err(JobError::Question(format!(
            "fill would make {all} groups, more than {MOST_FILLED}: use fewer dimensions, longer buckets or a \
             shorter period"
        )))
    };
    // The shortest bucket is a day.
    let days = usize::try_from(i64::from(before) - i64::from(from)).unwrap_or_default();
    if days / bucket.longest() > MOST_FILLED {
        return too_many(days / bucket.longest());
    }
    let buckets = calendar.buckets(bucket, from, before);
    let mut others: Vec<Vec<Option<i64>>> = groups
        .iter()
        .map(|one| {
            let mut places = one.places.clone();
            places[at] = None;
            places
        })
        .collect();
    others.sort_unstable();
    others.dedup();
    if others.is_empty() && question.group_by.len() == 1 {
        others.push(vec![None]);
    }
    let all = others.len().saturating_mul(buckets.len());
    if all > MOST_FILLED {
        return too_many(all);
    }
    let existing: HashSet<Vec<Option<i64>>> = groups.iter().map(|one| one.places.clone()).collect();
    for other in others {
        for bucket in &buckets {
            let mut places = other.clone();
            places[at] = Some(i64::from(*bucket));
            if !existing.contains(&places) {
                groups.push(GroupResult::new(places, Measures::default()));
            }
        }
    }
    Ok(())
}
