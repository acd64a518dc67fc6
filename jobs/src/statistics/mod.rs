//! Aggregates of complaints from the snapshot, by any of its dimensions.
//!
//! Every measure of every group is computed from the rows of that group: distinct counts and medians are
//! never put together from those of smaller groups, and no limit on groups changes a number.

mod calendar;
mod count_fast_path;
mod dimension;
mod disclosure;
mod groups;
mod measure_groups;
mod measures;
mod top_groups;

pub use calendar::{Bucket, Shift, Span, date};
pub use dimension::Dimension;
pub use disclosure::{Disclosure, Editions, NoiseKey, Thresholds};
pub use measures::{Measure, Measures, Wanted};

use crate::JobError;
use crate::snapshot::Snapshot;
use calendar::Calendar;
use chrono_tz::Tz;
use disclosure::disclosed;
use groups::{Grouped, group};
use polars::prelude::Expr;
use schema::db::cancellation::check_cancelled;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use top_groups::first_groups;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// A condition over the columns of the snapshot.
    pub filter: Option<Expr>,
    /// The day (days since 1970) by whose end something was answered or not; today unless told. What was received later is the
    /// filter's to leave out.
    pub as_of: Option<i32>,
    /// Only what is said of these officers, and only with these findings: places.
    pub officers: Option<Vec<u32>>,
    pub findings: Option<Vec<u32>>,
    pub group_by: Vec<Dimension>,
    pub zone: Tz,
    /// What is computed; measures that are not wanted are nothing.
    pub wanted: Wanted,
    /// Whether the measures of all together are asked for.
    pub totals: bool,
    /// Which groups are kept, by their measures.
    pub having: Option<Having>,
    /// By measures, then by the dimensions as they stand.
    pub order_by: Vec<(Order, bool)>,
    /// All buckets from the first to before the second day, also those without complaints; from the first,
    /// or to the last that has some where a day is not given.
    pub fill: Option<(Option<i32>, Option<i32>)>,
    /// The same question about another time, whose groups are those of this one moved by the shift.
    pub compare: Option<(Option<Expr>, Shift)>,
    pub limit: usize,
    /// After this group.
    pub after: Option<Cursor>,
    /// Whether the groups that the limit cuts off come back as one.
    pub other: bool,
    /// How the numbers are protected, for who sees aggregates alone; the snapshot is an edition then.
    pub disclosure: Option<Disclosure>,
    pub disguise: Option<Disguise>,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            filter: None,
            as_of: None,
            officers: None,
            findings: None,
            group_by: Vec::new(),
            zone: Tz::Asia__Ho_Chi_Minh,
            wanted: Wanted::ALL,
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

/// By what places are ordered instead, where their own order would tell what they stand for.
#[derive(Clone)]
pub struct Disguise(pub std::sync::Arc<dyn Fn(Dimension, i64) -> i64 + Send + Sync>);

impl std::fmt::Debug for Disguise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another order")
    }
}

/// What groups are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Measure(Measure),
    /// The n-th of the dimensions.
    Dimension(usize),
}

/// Where a page of groups ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// The places of the last group.
    pub places: Vec<Option<i64>>,
    /// How many groups came before it and with it: where it stands if it is not there any more.
    pub rank: usize,
}

/// One group: the places of its dimensions, in the order asked for, and its measures.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupResult {
    /// Places in the reference data, or the day on which a bucket begins; None where complaints have none.
    pub places: Vec<Option<i64>>,
    pub measures: Measures,
    /// The same group in the time that it is compared with.
    pub before: Option<Box<GroupResult>>,
    /// Whether it is too small to be shown: it has no measures then.
    pub suppressed: bool,
    /// Whether one enterprise has so much of a sum that the sum would tell its part.
    pub cost_hidden: bool,
    pub delay_hidden: bool,
    /// All groups that the limit cut off.
    pub is_other: bool,
}

/// The groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub cells: Vec<GroupResult>,
    /// Whether the limit cut any off.
    pub truncated: bool,
    /// How many groups there are, whatever the limit.
    pub groups: usize,
    /// Of all complaints that the filter chooses, whatever was kept; None where it is too small to be shown.
    pub totals: Option<GroupResult>,
    pub totals_before: Option<GroupResult>,
    pub end: Option<Cursor>,
}

/// The most groups that `fill` makes.
const MOST_FILLED: usize = 200_000;

/// The most groups that are made before any are cut off.
pub const MOST_GROUPS: usize = 2_000_000;

/// Answers a question.
///
/// # Errors
/// `Question` where it cannot be answered as it is, and why; `Cancelled` after a stage in which whoever waited for this
/// thread stopped waiting.
pub fn statistics(snapshot: &Snapshot, question: &Question) -> Result<Answer, JobError> {
    let calendar = Calendar::new(question.zone);
    let wanted = match question.disclosure {
        Some(_) => Wanted { enterprises: true, ..question.wanted },
        None => question.wanted,
    };
    if question.shows_few() {
        let now = group(snapshot, question, question.filter.as_ref(), Shift::None, &calendar)?;
        check_cancelled()?;
        let totals = all_together(&now, wanted, question)?;
        return first_groups(&now, wanted, question, totals);
    }
    let (now, mut cells, totals) =
        cells(snapshot, question, (question.filter.as_ref(), Shift::None), wanted, &calendar)?;
    let mut before: HashMap<Vec<Option<i64>>, GroupResult> = HashMap::new();
    let mut totals_before = Vec::new();
    if let Some((filter, shift)) = &question.compare {
        check_cancelled()?;
        let (_, earlier, then) = self::cells(snapshot, question, (filter.as_ref(), *shift), wanted, &calendar)?;
        totals_before = then;
        before = earlier.into_iter().map(|cell| (cell.places.clone(), cell)).collect();
        let known: HashSet<&Vec<Option<i64>>> = cells.iter().map(|cell| &cell.places).collect();
        // What there was then and is not any more has a row, too.
        let gone = before.keys().filter(|places| !known.contains(places));
        let gone: Vec<GroupResult> = gone.map(|places| GroupResult::new(places.clone(), Measures::default())).collect();
        cells.extend(gone);
    }
    check_cancelled()?;
    if let Some(range) = question.fill {
        fill(&mut cells, question, range, &calendar)?;
    }
    if question.compare.is_some() {
        for cell in &mut cells {
            let earlier = before.remove(&cell.places);
            cell.before =
                Some(Box::new(earlier.unwrap_or_else(|| GroupResult::new(cell.places.clone(), Measures::default()))));
        }
    }
    if let Some(having) = &question.having {
        cells.retain(|cell| (having.0)(cell));
    }
    if let Some(disguise) = &question.disguise {
        // A stable sort leaves groups that are alike in this order.
        cells.sort_by_cached_key(|cell| {
            let places = cell.places.iter().zip(&question.group_by);
            places.map(|(place, dimension)| place.map(|place| (disguise.0)(*dimension, place))).collect::<Vec<_>>()
        });
    }
    let groups = cells.len();
    if question.disguise.is_some() {
        cells.sort_by(|a, b| compare(a, b, &question.order_by));
    } else {
        let order =
            |a: &GroupResult, b: &GroupResult| compare(a, b, &question.order_by).then_with(|| a.places.cmp(&b.places));
        // Of very many groups few are shown: the others need no order among themselves.
        if question.after.is_none() && !question.other && question.limit < groups / 4 {
            cells.select_nth_unstable_by(question.limit, order);
            cells[..question.limit].sort_unstable_by(order);
        } else {
            cells.sort_unstable_by(order);
        }
    }
    let skipped = question.after.as_ref().map_or(0, |after| {
        cells.iter().position(|cell| cell.places == after.places).map_or(after.rank.min(groups), |at| at + 1)
    });
    let shown = question.limit.min(groups - skipped);
    let truncated = skipped + shown < groups;
    let rest = cells.split_off(skipped + shown);
    cells.drain(..skipped);
    let end = cells.last().map(|cell| Cursor { places: cell.places.clone(), rank: skipped + shown });
    // Who sees fixed cells alone sees no rest: it is none.
    if let Some(now) = now.filter(|_| question.other && truncated) {
        let mut other = GroupResult::new(vec![None; question.group_by.len()], now.together(&rest, wanted)?);
        other.is_other = true;
        cells.push(other);
    }
    let [totals, totals_before] = [totals, totals_before].map(|mut totals| totals.pop());
    Ok(Answer { cells, truncated, groups, totals, totals_before, end })
}

/// All together, where that is asked for.
fn all_together(grouped: &Grouped, wanted: Wanted, question: &Question) -> Result<Vec<GroupResult>, JobError> {
    if !question.totals {
        return Ok(Vec::new());
    }
    Ok(vec![GroupResult::new(Vec::new(), grouped.totals(wanted)?)])
}

/// What can still be asked about groups, the groups, and all together.
type Groups = (Option<Grouped>, Vec<GroupResult>, Vec<GroupResult>);

/// The groups of a time, and all together. What is disclosed is perturbed before anything is kept, ordered or cut, which would
/// tell of what is not shown; the complaints of its groups are nobody's business afterwards.
fn cells(
    snapshot: &Snapshot,
    question: &Question,
    (filter, shift): (Option<&Expr>, Shift),
    wanted: Wanted,
    calendar: &Calendar,
) -> Result<Groups, JobError> {
    if let Some(disclosure) = &question.disclosure {
        let (cells, totals) = disclosed(snapshot, question, disclosure, (filter, shift), wanted, calendar)?;
        return Ok((None, cells, totals));
    }
    let grouped = group(snapshot, question, filter, shift, calendar)?;
    check_cancelled()?;
    let totals = all_together(&grouped, wanted, question)?;
    let measured = grouped.measured(wanted, false)?;
    let each = grouped.places().into_iter().zip(measured);
    let cells = each.map(|(places, measures)| GroupResult::new(places, measures)).collect();
    check_cancelled()?;
    Ok((Some(grouped), cells, totals))
}

impl GroupResult {
    fn new(places: Vec<Option<i64>>, measures: Measures) -> Self {
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

    /// A measure as a number to order by; None where there is none, or none to be shown.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        let hidden = match measure {
            Measure::CostVnd => self.suppressed || self.cost_hidden,
            Measure::DelayHours => self.suppressed || self.delay_hidden,
            _ => self.suppressed,
        };
        if hidden { None } else { self.measures.value(measure) }
    }
}

/// Groups without a value come last, whichever way is asked for.
fn compare(a: &GroupResult, b: &GroupResult, order: &[(Order, bool)]) -> Ordering {
    for (by, descending) in order {
        let turned = |ordering: Ordering| if *descending { ordering.reverse() } else { ordering };
        let ordering = match by {
            Order::Measure(measure) => match (a.value(*measure), b.value(*measure)) {
                (Some(a), Some(b)) => turned(a.total_cmp(&b)),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
            Order::Dimension(at) => match (a.places[*at], b.places[*at]) {
                (Some(a), Some(b)) => turned(a.cmp(&b)),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

/// Adds the buckets without complaints, for each combination of the other dimensions.
fn fill(
    cells: &mut Vec<GroupResult>,
    question: &Question,
    (from, before): (Option<i32>, Option<i32>),
    calendar: &Calendar,
) -> Result<(), JobError> {
    let at = question.group_by.iter().position(|dimension| matches!(dimension, Dimension::Time(_)));
    let Some((at, Dimension::Time(bucket))) = at.map(|at| (at, question.group_by[at])) else { return Ok(()) };
    let known = || cells.iter().filter_map(|cell| i32::try_from(cell.places[at]?).ok());
    let (Some(from), Some(before)) = (from.or_else(|| known().min()), before.or_else(|| Some(known().max()? + 1)))
    else {
        return Ok(());
    };
    let too_many = |all: usize| {
        Err(JobError::Question(format!(
            "fill would make {all} groups, more than {MOST_FILLED}: ask for fewer dimensions, longer buckets or a shorter time"
        )))
    };
    // The shortest bucket is a day.
    let days = usize::try_from(i64::from(before) - i64::from(from)).unwrap_or_default();
    if days / bucket.longest() > MOST_FILLED {
        return too_many(days / bucket.longest());
    }
    let buckets = calendar.buckets(bucket, from, before);
    let mut others: Vec<Vec<Option<i64>>> = cells
        .iter()
        .map(|cell| {
            let mut places = cell.places.clone();
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
    let known: HashSet<Vec<Option<i64>>> = cells.iter().map(|cell| cell.places.clone()).collect();
    for other in others {
        for bucket in &buckets {
            let mut places = other.clone();
            places[at] = Some(i64::from(*bucket));
            if !known.contains(&places) {
                cells.push(GroupResult::new(places, Measures::default()));
            }
        }
    }
    Ok(())
}
