//! The answer of `complaintStatistics`: groups with their measures.

use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding};
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{EnterpriseKey, OfficerKey, reference_row};
use crate::graphql::page::Cursors;
use crate::graphql::scalars::{Decimal, Moment};
use crate::graphql::types::{Enterprise, IssueCategory, Officer, Unit};
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{Datelike, NaiveDate};
use jobs::snapshot::Snapshot;
use jobs::statistics::{Answer, Bucket, Dimension, GroupResult, Measures, date};
use schema::enums as stored;
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
    /// When the snapshot was taken.
    pub as_of: Moment,
    /// The position of the register that the snapshot holds; for a DASHBOARD rounded down to a hundred.
    pub position: i64,
    pub rows: Vec<Inline<ComplaintStatisticsRow>>,
    /// Whether more groups exist than `first` allows. The measures of a group do not depend on `first`.
    pub truncated: bool,
    /// The number of all groups, whatever `first` is.
    pub group_count: i32,
    /// Pass it as `after` to get the next groups; null if there are none here.
    pub end_cursor: Option<String>,
    /// The measures of all complaints that the filter selects, each counted once. For a DASHBOARD null if they
    /// are none or too few to be shown.
    pub totals: Option<StatisticsMeasures>,
    /// The totals of the earlier period; null without `compare`, else as for `totals`.
    pub totals_before: Option<StatisticsMeasures>,
}

/// The measures of a group.
#[derive(SimpleObject)]
pub struct StatisticsMeasures {
    pub complaints: u32,
    /// Episodes: the complaints of one enterprise about one branch within a week of the first count as one.
    pub episodes: u32,
    /// Enterprises that complained. Those of one group, and the branches of one, count once; anonymous
    /// complaints count as none.
    pub distinct_enterprises: u32,
    /// Officers that the complaints name.
    pub distinct_officers: u32,
    /// Sum of stated costs in VND. For a DASHBOARD null if one enterprise has more than half of it.
    pub cost_vnd: Option<Decimal>,
    /// Sum of stated delays in hours. For a DASHBOARD null if one enterprise has more than half of it.
    pub delay_hours: Option<f64>,
    /// Share answered by the deadline, from 0 to 1, of the complaints whose deadline has passed; null if there
    /// are none.
    pub share_answered_in_time: Option<f64>,
    /// Median days to the first response (Kaplan and Meier; complaints without a response are censored); null
    /// if the estimate never reaches half.
    pub median_days_to_response: Option<f64>,
}

impl StatisticsMeasures {
    fn new(measures: &Measures, cost_hidden: bool, delay_hidden: bool) -> Self {
        Self {
            complaints: measures.complaints,
            episodes: measures.episodes,
            distinct_enterprises: measures.distinct_enterprises,
            distinct_officers: measures.distinct_officers,
            cost_vnd: (!cost_hidden).then_some(Decimal(measures.cost_vnd)),
            delay_hours: (!delay_hidden).then_some(measures.delay_hours),
            share_answered_in_time: measures.share_in_time(),
            median_days_to_response: measures.median_days,
        }
    }

    fn of(cell: &GroupResult) -> Option<Self> {
        (!cell.suppressed).then(|| Self::new(&cell.measures, cell.cost_hidden, cell.delay_hidden))
    }
}

pub struct ComplaintStatisticsRow {
    cell: GroupResult,
    group_by: Arc<Vec<Dimension>>,
    snapshot: Arc<Snapshot>,
}

impl ComplaintStatistics {
    pub fn new(snapshot: &Arc<Snapshot>, answer: Answer, group_by: Vec<Dimension>, cursors: &Cursors) -> Self {
        let group_by = Arc::new(group_by);
        Self {
            as_of: snapshot.as_of.into(),
            position: snapshot.position,
            truncated: answer.truncated,
            group_count: i32::try_from(answer.groups).unwrap_or(i32::MAX),
            end_cursor: answer.end.as_ref().map(|end| cursors.encode(end)),
            totals: answer.totals.as_ref().and_then(StatisticsMeasures::of),
            totals_before: answer.totals_before.as_ref().and_then(StatisticsMeasures::of),
            rows: answer
                .cells
                .into_iter()
                .map(|cell| ComplaintStatisticsRow {
                    cell,
                    group_by: Arc::clone(&group_by),
                    snapshot: Arc::clone(snapshot),
                })
                .map(Inline)
                .collect(),
        }
    }
}

impl ComplaintStatisticsRow {
    fn place(&self, dimension: Dimension) -> Option<i64> {
        let at = self.group_by.iter().position(|other| *other == dimension)?;
        self.cell.places[at]
    }

    fn small(&self, dimension: Dimension) -> Option<u32> {
        u32::try_from(self.place(dimension)?).ok()
    }

    fn unit_at(&self, dimension: Dimension) -> Option<Inline<Unit>> {
        self.snapshot.reference.units.get(self.small(dimension)? as usize).cloned().map(Unit).map(Inline)
    }

    /// The first day of a time bucket.
    fn start(&self, bucket: Bucket) -> Option<NaiveDate> {
        i32::try_from(self.place(Dimension::Time(bucket))?).ok().map(date)
    }

    fn word<T: std::str::FromStr>(&self, dimension: Dimension, words: &[&str]) -> Option<T> {
        words.get(self.small(dimension)? as usize)?.parse().ok()
    }

    fn measures(&self) -> Option<StatisticsMeasures> {
        StatisticsMeasures::of(&self.cell)
    }
}

/// One group. A dimension is null if `groupBy` does not name it, or the complaints of the group have no value
/// for it. The measures of a suppressed group are null.
#[Object]
impl ComplaintStatisticsRow {
    async fn department(&self) -> Option<Inline<Unit>> {
        self.unit_at(Dimension::Department)
    }

    async fn branch(&self) -> Option<Inline<Unit>> {
        self.unit_at(Dimension::Branch)
    }

    async fn team(&self) -> Option<Inline<Unit>> {
        self.unit_at(Dimension::Team)
    }

    /// The unit under which the complaints were filed.
    async fn unit(&self) -> Option<Inline<Unit>> {
        self.unit_at(Dimension::Unit)
    }

    /// The officer named; null for complaints that name none.
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Inline<Officer>>> {
        let id = self.small(Dimension::Officer).and_then(|place| self.snapshot.officers.at(place));
        let Some(id) = id else { return Ok(None) };
        Ok(reference_row(ctx, OfficerKey(id)).await?.map(Officer).map(Inline))
    }

    /// One enterprise of those that count as one; null for anonymous complaints.
    async fn enterprise(&self, ctx: &Context<'_>) -> Result<Option<Inline<Enterprise>>> {
        let id = self.small(Dimension::Enterprise).and_then(|place| self.snapshot.enterprises.at(place));
        let Some(id) = id else { return Ok(None) };
        Ok(reference_row(ctx, EnterpriseKey(id)).await?.map(Enterprise).map(Inline))
    }

    async fn category(&self) -> Option<Inline<IssueCategory>> {
        let place = self.small(Dimension::Category)?;
        self.snapshot.reference.categories.get(place as usize).cloned().map(IssueCategory).map(Inline)
    }

    async fn kind(&self) -> Option<CategoryKind> {
        self.word::<stored::CategoryKind>(Dimension::Kind, stored::CategoryKind::WORDS).map(Into::into)
    }

    async fn channel(&self) -> Option<Channel> {
        self.word::<stored::Channel>(Dimension::Channel, stored::Channel::WORDS).map(Into::into)
    }

    async fn state(&self) -> Option<ComplaintState> {
        self.word::<stored::ComplaintState>(Dimension::State, stored::ComplaintState::WORDS).map(Into::into)
    }

    async fn finding(&self) -> Option<Finding> {
        self.word::<stored::Finding>(Dimension::Finding, stored::Finding::WORDS).map(Into::into)
    }

    /// The day received.
    async fn day(&self) -> Option<NaiveDate> {
        self.start(Bucket::Day)
    }

    /// The week received, by its Monday.
    async fn week(&self) -> Option<NaiveDate> {
        self.start(Bucket::Week)
    }

    /// The month received, such as `2010-12`.
    async fn month(&self) -> Option<String> {
        let start = self.start(Bucket::Month)?;
        Some(format!("{:04}-{:02}", start.year(), start.month()))
    }

    /// The quarter received, such as `2010-Q4`.
    async fn quarter(&self) -> Option<String> {
        let start = self.start(Bucket::Quarter)?;
        Some(format!("{:04}-Q{}", start.year(), start.month0() / 3 + 1))
    }

    /// The year received.
    async fn year(&self) -> Option<i32> {
        Some(self.start(Bucket::Year)?.year())
    }

    /// Whether the group is too small to be shown to a DASHBOARD. Such a group is listed only if its count
    /// would be rounded up.
    async fn suppressed(&self) -> bool {
        self.cell.suppressed
    }

    /// Whether the row stands for all groups beyond `first` together; its measures are computed from their
    /// complaints. Always false for a DASHBOARD.
    async fn is_other(&self) -> bool {
        self.cell.is_other
    }

    /// Null if the group is suppressed.
    async fn complaints(&self) -> Option<u32> {
        self.measures().map(|measures| measures.complaints)
    }

    /// Episodes: the complaints of one enterprise about one branch within a week of the first count as one.
    /// Null if the group is suppressed.
    async fn episodes(&self) -> Option<u32> {
        self.measures().map(|measures| measures.episodes)
    }

    /// Enterprises that complained. Those of one group, and the branches of one, count once; anonymous
    /// complaints count as none. Null if the group is suppressed.
    async fn distinct_enterprises(&self) -> Option<u32> {
        self.measures().map(|measures| measures.distinct_enterprises)
    }

    /// Officers that the complaints name.
    async fn distinct_officers(&self) -> Option<u32> {
        self.measures().map(|measures| measures.distinct_officers)
    }

    /// Sum of stated costs in VND. For a DASHBOARD null if the group is suppressed or one enterprise has more
    /// than half of the sum.
    async fn cost_vnd(&self) -> Option<Decimal> {
        self.measures()?.cost_vnd
    }

    /// Sum of stated delays in hours; null as for `costVnd`.
    async fn delay_hours(&self) -> Option<f64> {
        self.measures()?.delay_hours
    }

    /// Share answered by the deadline, from 0 to 1, of the complaints whose deadline has passed; null if there
    /// are none or the group is suppressed.
    async fn share_answered_in_time(&self) -> Option<f64> {
        self.measures()?.share_answered_in_time
    }

    /// Median days to the first response (Kaplan and Meier); null if the estimate never reaches half or the
    /// group is suppressed.
    async fn median_days_to_response(&self) -> Option<f64> {
        self.measures()?.median_days_to_response
    }

    /// The measures of the same group in the earlier period; null without `compare`. A time bucket is compared
    /// with the one at the same distance from the start of the earlier period.
    async fn previous(&self) -> Option<StatisticsMeasures> {
        self.cell.before.as_deref().and_then(StatisticsMeasures::of)
    }
}
