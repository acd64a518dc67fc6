//! The answer of `complaintStatistics`: groups with their measures.

use super::dimensions::RowDimensions;
use super::measures::{RowMeasures, StatisticsMeasures};
use crate::graphql::execute::Inline;
use crate::graphql::page::Cursors;
use crate::graphql::scalars::Moment;
use async_graphql::SimpleObject;
use jobs::snapshot::Snapshot;
use jobs::statistics::{Answer, Dimension};
use std::sync::Arc;

/// Counts of complaints by group.
///
/// For the role DASHBOARD every number carries noise from a keyed hash of the complaints that it counts (the
/// cell-key method), so the same complaints always give the same number. Counts of complaints and episodes are
/// multiples of `limits.smallestGroup` (5) and differ from the truth by less than 1.5 times that. Counts of
/// enterprises are multiples of `limits.smallestGroupEnterprises` (3), with the same relative bound. In a sum each
/// complaint weighs 0.5 to 1.5 times its value. A filter with several values, and a time other than one month,
/// quarter or year, is answered from the sum of such numbers. The numbers are those of an edition, a state of
/// the register that is fixed for `limits.editionMinutes`.
#[derive(SimpleObject)]
pub struct ComplaintStatistics {
    /// The time of the snapshot.
    pub as_of: Moment,
    /// The position of the register that the snapshot holds; for a DASHBOARD rounded down to a hundred.
    pub position: i64,
    pub rows: Vec<Inline<ComplaintStatisticsRow>>,
    /// Whether more groups exist than `first` allows. The measures of a group do not depend on `first`.
    pub truncated: bool,
    /// The number of all groups, whatever `first` is.
    pub group_count: i32,
    /// Pass it as `after` to get the next groups; null on the last page.
    pub end_cursor: Option<String>,
    /// The measures of all complaints that the filter selects, each counted once. For a DASHBOARD null if they
    /// are none or too few to be shown.
    pub totals: Option<StatisticsMeasures>,
    /// The totals of the earlier period; null without `compare`, else as for `totals`.
    pub totals_before: Option<StatisticsMeasures>,
}

/// One group. A dimension is null if `groupBy` does not name it, or the complaints of the group have no value
/// for it. The measures of a suppressed group are null.
#[derive(SimpleObject)]
pub struct ComplaintStatisticsRow {
    #[graphql(flatten)]
    dimensions: RowDimensions,
    /// Whether the group is too small to be shown to a DASHBOARD. Such a group is listed only if its count
    /// would be rounded up.
    suppressed: bool,
    /// Whether the row sums up all groups beyond `first`; its measures are computed from their complaints. Always false
    /// for a DASHBOARD.
    is_other: bool,
    #[graphql(flatten)]
    measures: RowMeasures,
    /// The measures of the same group in the earlier period; null without `compare`. A time bucket is compared
    /// with the one at the same distance from the start of the earlier period.
    previous: Option<StatisticsMeasures>,
}

impl ComplaintStatistics {
    pub fn new(snapshot: &Arc<Snapshot>, answer: &Answer, group_by: Vec<Dimension>, cursors: &Cursors) -> Self {
        let group_by = Arc::new(group_by);
        Self {
            as_of: snapshot.as_of.into(),
            position: snapshot.position,
            truncated: answer.truncated,
            group_count: i32::try_from(answer.group_count).unwrap_or(i32::MAX),
            end_cursor: answer.end.as_ref().map(|end| cursors.encode(end)),
            totals: answer.totals.as_ref().and_then(StatisticsMeasures::of),
            totals_before: answer.totals_before.as_ref().and_then(StatisticsMeasures::of),
            rows: answer
                .groups
                .iter()
                .map(|group| ComplaintStatisticsRow {
                    suppressed: group.suppressed,
                    is_other: group.is_other,
                    measures: StatisticsMeasures::of(group).into(),
                    previous: group.before.as_deref().and_then(StatisticsMeasures::of),
                    dimensions: RowDimensions {
                        places: group.places.clone(),
                        group_by: Arc::clone(&group_by),
                        snapshot: Arc::clone(snapshot),
                    },
                })
                .map(Inline)
                .collect(),
        }
    }
}
