//! Orders of lists of complaints.

use crate::graphql::context::RequestContext;
use crate::graphql::types::order::order;
use chrono::NaiveDate;
use schema::queries::{ComplaintSort, Direction};

order!(ComplaintOrderField, ComplaintOrder, ComplaintSort {
    ReceivedAt, RecordedAt, StateSince, CostVnd, DelayHours, DueOn, Overdue(today), OverdueDays(today)
} given today: NaiveDate, default ReceivedAt Desc);

/// The order of a list of complaints. Ties are broken by id, or by a secret order for a viewer who must not
/// learn ids.
pub fn complaint_order(
    request: &RequestContext,
    order_by: Option<Vec<ComplaintOrder>>,
) -> Vec<(ComplaintSort, Direction)> {
    let mut order = ComplaintOrder::list(order_by, request.today());
    // Its key is the deadline: the more days, the earlier.
    for (sort, direction) in &mut order {
        *direction = direction.reversed_if(matches!(sort, ComplaintSort::OverdueDays(_)));
    }
    if let Some(by) = request.ordering_pseudonyms() {
        let last = order.last().map_or(Direction::Asc, |(_, direction)| *direction);
        order.push((ComplaintSort::Shuffled(by.shuffle()), last));
    }
    order
}
