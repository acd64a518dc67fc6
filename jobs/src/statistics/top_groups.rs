//! Selects the first groups of very many without building the others.

use super::groups::Grouped;
use super::{Answer, Cursor, GroupResult, Order, Question, SelectedMeasures};
use crate::JobError;
use schema::db::cancellation::check_cancelled;
use std::cmp::Ordering;

impl Question {
    /// Whether it is enough to build the first groups: nothing else that the question asks for reads the others.
    pub(super) fn allows_top_groups(&self) -> bool {
        self.having.is_none()
            && self.fill.is_none()
            && self.compare.is_none()
            && self.after.is_none()
            && !self.other
            && self.disclosure.is_none()
            && self.disguise.is_none()
    }
}

/// Sorts all groups by their measures and builds only the first ones.
///
/// # Errors
/// Same errors as [`super::statistics`].
pub fn top_groups(
    grouped: &Grouped,
    wanted: SelectedMeasures,
    question: &Question,
    mut totals: Vec<GroupResult>,
) -> Result<Answer, JobError> {
    let measured = grouped.measured(wanted, None)?;
    check_cancelled()?;
    let group_count = grouped.len();
    let shown = question.limit.min(group_count);
    let mut order: Vec<u32> = (0..u32::try_from(group_count).unwrap_or(u32::MAX)).collect();
    let by_dimension = question.order_by.iter().any(|(by, _)| matches!(by, Order::Dimension(_)));
    // Keys sort like places; the places themselves are needed only if a dimension is a sort key.
    let places = if by_dimension { grouped.places() } else { Vec::new() };
    let compare = |a: &u32, b: &u32| {
        let (a, b) = (*a as usize, *b as usize);
        for (by, descending) in &question.order_by {
            let turned = |ordering: Ordering| if *descending { ordering.reverse() } else { ordering };
            let ordering = match by {
                Order::Measure(measure) => match (measured[a].value(*measure), measured[b].value(*measure)) {
                    (Some(a), Some(b)) => turned(a.total_cmp(&b)),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                },
                Order::Dimension(at) => match (places[a][*at], places[b][*at]) {
                    (Some(a), Some(b)) => turned(a.cmp(&b)),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                },
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        grouped.key(a).cmp(&grouped.key(b))
    };
    if shown < group_count / 4 {
        order.select_nth_unstable_by(shown, compare);
        order.truncate(shown);
    }
    order.sort_unstable_by(compare);
    order.truncate(shown);
    let result = |group: &u32| GroupResult::new(grouped.places_of(*group as usize), measured[*group as usize].clone());
    let groups: Vec<GroupResult> = order.iter().map(result).collect();
    let end = groups.last().map(|last| Cursor { places: last.places.clone(), rank: shown });
    let truncated = shown < group_count;
    Ok(Answer { groups, truncated, group_count, totals: totals.pop(), totals_before: None, end })
}
