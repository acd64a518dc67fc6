use super::{Enterprise, IssueCategory, Officer, Unit};
use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding};
use crate::graphql::inline_resolver::Inline;
use crate::graphql::loaders::{EnterpriseKey, OfficerKey, known};
use crate::graphql::page::Cursors;
use crate::graphql::scalars::{Decimal, Moment};
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{Datelike, NaiveDate};
use jobs::snapshot::Snapshot;
use jobs::statistics::{Answer, Bucket, Dimension, GroupResult, Measures, date};
use schema::enums as stored;
use std::sync::Arc;

/// Counts of complaints by groups.
///
/// To the role DASHBOARD each number is shown with noise that is fixed by a keyed hash of the complaints it counts (the cell-key
/// method): the same complaints are always shown as the same number. Complaints and episodes are multiples of `limits.smallestGroup` (5),
/// less than one and a half of it from the truth; enterprises are multiples of `limits.smallestGroupEnterprises` (3), likewise. Each complaint counts in sums for
/// a half to one and a half of what it has. What a filter lists, and times other than whole months, quarters and years, are
/// added up from such numbers. Its numbers are those of an edition of the register, a state that stays for `limits.editionMinutes`.
#[derive(SimpleObject)]
pub struct ComplaintStatistics {
    /// When the snapshot was taken from which this was answered.
    pub as_of: Moment,
    /// The position of the register that the snapshot knows; for a DASHBOARD rounded down to a hundred.
    pub position: i64,
    pub rows: Vec<Inline<ComplaintStatisticsRow>>,
    /// Whether there are more groups than were asked for. Measures are never cut.
    pub truncated: bool,
    /// How many groups there are, whatever was asked for.
    pub group_count: i32,
    /// For `after`: the next groups.
    pub end_cursor: Option<String>,
    /// Of all complaints that the filter chooses, each counted once; for a DASHBOARD null where they are too few to be shown, or none.
    pub totals: Option<StatisticsMeasures>,
    /// The same of the time that it is compared with.
    pub totals_before: Option<StatisticsMeasures>,
}

/// The measures of a group. For a DASHBOARD a sum is null where one enterprise has more than half of it.
#[derive(SimpleObject)]
pub struct StatisticsMeasures {
    pub complaints: u32,
    /// Complaints of one enterprise about one branch within a week of the first are one.
    pub episodes: u32,
    /// Enterprises of one group, and the branches of one, count once; anonymous ones not at all.
    pub distinct_enterprises: u32,
    pub distinct_officers: u32,
    pub cost_vnd: Option<Decimal>,
    pub delay_hours: Option<f64>,
    /// Of complaints whose deadline has passed; null where there are none.
    pub share_answered_in_time: Option<f64>,
    /// Days until half are answered, open ones counted as not answered yet (Kaplan and Meier); null where
    /// less than half ever are.
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

/// One group. Dimensions that were not asked for are null, and so are the measures of a group that is too
/// small to be shown.
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

    /// The first day of a bucket.
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

    async fn unit(&self) -> Option<Inline<Unit>> {
        self.unit_at(Dimension::Unit)
    }

    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Inline<Officer>>> {
        let id = self.small(Dimension::Officer).and_then(|place| self.snapshot.officers.at(place));
        let Some(id) = id else { return Ok(None) };
        Ok(known(ctx, OfficerKey(id)).await?.map(Officer).map(Inline))
    }

    /// One of the enterprises that count as this one.
    async fn enterprise(&self, ctx: &Context<'_>) -> Result<Option<Inline<Enterprise>>> {
        let id = self.small(Dimension::Enterprise).and_then(|place| self.snapshot.enterprises.at(place));
        let Some(id) = id else { return Ok(None) };
        Ok(known(ctx, EnterpriseKey(id)).await?.map(Enterprise).map(Inline))
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

    async fn day(&self) -> Option<NaiveDate> {
        self.start(Bucket::Day)
    }

    /// The Monday on which the week begins.
    async fn week(&self) -> Option<NaiveDate> {
        self.start(Bucket::Week)
    }

    /// The month received: `2010-12`.
    async fn month(&self) -> Option<String> {
        let start = self.start(Bucket::Month)?;
        Some(format!("{:04}-{:02}", start.year(), start.month()))
    }

    /// The quarter received: `2010-Q4`.
    async fn quarter(&self) -> Option<String> {
        let start = self.start(Bucket::Quarter)?;
        Some(format!("{:04}-Q{}", start.year(), start.month0() / 3 + 1))
    }

    /// The year received.
    async fn year(&self) -> Option<i32> {
        Some(self.start(Bucket::Year)?.year())
    }

    /// Whether the group is too small to be shown to a DASHBOARD. Such a group is listed only where its count would be rounded up.
    async fn suppressed(&self) -> bool {
        self.cell.suppressed
    }

    /// All groups that `first` cut off, together: its measures are computed from their complaints. A DASHBOARD has none.
    async fn is_other(&self) -> bool {
        self.cell.is_other
    }

    async fn complaints(&self) -> Option<u32> {
        self.measures().map(|measures| measures.complaints)
    }

    /// Complaints of one enterprise about one branch within a week of the first are one.
    async fn episodes(&self) -> Option<u32> {
        self.measures().map(|measures| measures.episodes)
    }

    /// Enterprises of one group, and the branches of one, count once; anonymous ones not at all.
    async fn distinct_enterprises(&self) -> Option<u32> {
        self.measures().map(|measures| measures.distinct_enterprises)
    }

    async fn distinct_officers(&self) -> Option<u32> {
        self.measures().map(|measures| measures.distinct_officers)
    }

    async fn cost_vnd(&self) -> Option<Decimal> {
        self.measures()?.cost_vnd
    }

    async fn delay_hours(&self) -> Option<f64> {
        self.measures()?.delay_hours
    }

    /// Of complaints whose deadline has passed.
    async fn share_answered_in_time(&self) -> Option<f64> {
        self.measures()?.share_answered_in_time
    }

    /// Days until half are answered, open ones counted as not answered yet.
    async fn median_days_to_response(&self) -> Option<f64> {
        self.measures()?.median_days_to_response
    }

    /// The same group in the time that it is compared with: buckets of time stand for those that lie as far
    /// from its beginning.
    async fn previous(&self) -> Option<StatisticsMeasures> {
        self.cell.before.as_deref().and_then(StatisticsMeasures::of)
    }
}
