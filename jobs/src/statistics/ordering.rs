//! Selects the groups of an answer (having, first) and orders them.

use super::calendar::Calendar;
use super::{Answer, Cursor, GroupResult, Order, Question, fill};
use crate::JobError;
use std::cmp::Ordering;

/// Keeps the groups that `having` keeps, and sorts those that are shown. Returns how many there are.
pub(super) fn arrange(groups: &mut Vec<GroupResult>, question: &Question) -> usize {
    if let Some(having) = &question.having {
        groups.retain(|one| (having.0)(one));
    }
    if let Some(disguise) = &question.disguise {
        // The stable sort below keeps this order among groups with equal sort keys.
        groups.sort_by_cached_key(|one| {
            let places = one.places.iter().zip(&question.group_by);
            places.map(|(index, dimension)| index.map(|index| (disguise.0)(*dimension, index))).collect::<Vec<_>>()
        });
    }
    let group_count = groups.len();
    if question.disguise.is_some() {
        groups.sort_by(|a, b| compare(a, b, &question.order_by));
    } else {
        let order =
            |a: &GroupResult, b: &GroupResult| compare(a, b, &question.order_by).then_with(|| a.places.cmp(&b.places));
        // If few of many groups are shown, the others need not be sorted.
        if question.after.is_none() && !question.other && question.limit < group_count / 4 {
            groups.select_nth_unstable_by(question.limit, order);
            groups[..question.limit].sort_unstable_by(order);
        } else {
            groups.sort_unstable_by(order);
        }
    }
    group_count
}

/// The answer to a question whose groups were measured elsewhere, such as by SQL over the lake: it fills, keeps, sorts
/// and cuts them off as [`statistics`](super::statistics) does. Comparison, disclosure control and the group of the
/// rest need the rows.
///
/// # Errors
/// `Question` if `fill` would make too many groups.
pub fn answer_of_groups(
    mut groups: Vec<GroupResult>,
    totals: Option<GroupResult>,
    question: &Question,
) -> Result<Answer, JobError> {
    if let Some(range) = question.fill {
        fill(&mut groups, question, range, &Calendar::new(question.zone))?;
    }
    let group_count = arrange(&mut groups, question);
    let skipped = skipped(&groups, question);
    let shown = question.limit.min(group_count - skipped);
    let truncated = skipped + shown < group_count;
    groups.truncate(skipped + shown);
    groups.drain(..skipped);
    let end = groups.last().map(|one| Cursor { places: one.places.clone(), rank: skipped + shown });
    Ok(Answer { groups, truncated, group_count, totals, totals_before: None, end })
}

/// Number of groups before those that are shown.
pub(super) fn skipped(groups: &[GroupResult], question: &Question) -> usize {
    question.after.as_ref().map_or(0, |after| {
        groups.iter().position(|one| one.places == after.places).map_or(after.rank.min(groups.len()), |at| at + 1)
    })
}

/// Groups without a value come last in both directions.
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
