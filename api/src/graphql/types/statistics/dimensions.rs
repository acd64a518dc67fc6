//! The dimensions of `complaintStatistics`: what groups can be formed by, and how a row shows it.

use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding, LegalForm, PeerGroup};
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{EnterpriseKey, OfficerKey, reference_row};
use crate::graphql::types::{Enterprise, IssueCategory, Officer, Unit};
use async_graphql::{Context, Enum, Object, Result};
use chrono::{Datelike, NaiveDate};
use jobs::snapshot::{PlaceColumn, Snapshot};
use jobs::statistics::{Bucket, Dimension, date};
use schema::enums as stored;
use std::sync::Arc;

/// A dimension to group by. A complaint that names several officers counts once for each, and once in the
/// totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatisticsDimension {
    Department,
    Branch,
    Team,
    /// The unit under which a complaint was filed, of any level.
    Unit,
    /// The unit that has to answer, of any level.
    ResponsibleUnit,
    Officer,
    /// Enterprises of one group, and the branches of one, are one group.
    Enterprise,
    Category,
    /// The first-level category: the one above the category, or itself.
    CategoryGroup,
    Kind,
    LegalForm,
    /// The peer group of the unit, or, if it has none, of the unit above it on the day of the complaint.
    PeerGroup,
    Channel,
    State,
    /// The finding on each officer named, or on the complaint if it names none.
    Finding,
    /// The day received, in `timezone`.
    Day,
    /// The week received, from Monday.
    Week,
    Month,
    Quarter,
    Year,
}

impl From<StatisticsDimension> for Dimension {
    fn from(dimension: StatisticsDimension) -> Self {
        match dimension {
            StatisticsDimension::Department => Self::Place(PlaceColumn::Department),
            StatisticsDimension::Branch => Self::Place(PlaceColumn::Branch),
            StatisticsDimension::Team => Self::Place(PlaceColumn::Team),
            StatisticsDimension::Unit => Self::Place(PlaceColumn::Unit),
            StatisticsDimension::ResponsibleUnit => Self::Place(PlaceColumn::ResponsibleUnit),
            StatisticsDimension::Officer => Self::Officer,
            StatisticsDimension::Enterprise => Self::Place(PlaceColumn::Enterprise),
            StatisticsDimension::Category => Self::Place(PlaceColumn::Category),
            StatisticsDimension::CategoryGroup => Self::Place(PlaceColumn::CategoryGroup),
            StatisticsDimension::Kind => Self::Place(PlaceColumn::Kind),
            StatisticsDimension::LegalForm => Self::Place(PlaceColumn::LegalForm),
            StatisticsDimension::PeerGroup => Self::Place(PlaceColumn::PeerGroup),
            StatisticsDimension::Channel => Self::Place(PlaceColumn::Channel),
            StatisticsDimension::State => Self::Place(PlaceColumn::State),
            StatisticsDimension::Finding => Self::Finding,
            StatisticsDimension::Day => Self::Time(Bucket::Day),
            StatisticsDimension::Week => Self::Time(Bucket::Week),
            StatisticsDimension::Month => Self::Time(Bucket::Month),
            StatisticsDimension::Quarter => Self::Time(Bucket::Quarter),
            StatisticsDimension::Year => Self::Time(Bucket::Year),
        }
    }
}

/// The dimensions of a row.
pub struct RowDimensions {
    pub places: Vec<Option<i64>>,
    /// The dimension of each place.
    pub group_by: Arc<Vec<Dimension>>,
    pub snapshot: Arc<Snapshot>,
}

impl RowDimensions {
    fn place(&self, dimension: Dimension) -> Option<i64> {
        let at = self.group_by.iter().position(|other| *other == dimension)?;
        self.places[at]
    }

    fn small(&self, dimension: Dimension) -> Option<u32> {
        u32::try_from(self.place(dimension)?).ok()
    }

    fn unit_at(&self, column: PlaceColumn) -> Option<Inline<Unit>> {
        self.snapshot.reference.units.get(self.small(Dimension::Place(column))? as usize).cloned().map(Unit).map(Inline)
    }

    fn category_at(&self, column: PlaceColumn) -> Option<Inline<IssueCategory>> {
        let place = self.small(Dimension::Place(column))?;
        self.snapshot.reference.categories.get(place as usize).cloned().map(IssueCategory).map(Inline)
    }

    /// The first day of a time bucket.
    fn start(&self, bucket: Bucket) -> Option<NaiveDate> {
        i32::try_from(self.place(Dimension::Time(bucket))?).ok().map(date)
    }

    fn word<T: std::str::FromStr>(&self, dimension: Dimension, words: &[&str]) -> Option<T> {
        words.get(self.small(dimension)? as usize)?.parse().ok()
    }
}

#[Object]
impl RowDimensions {
    async fn department(&self) -> Option<Inline<Unit>> {
        self.unit_at(PlaceColumn::Department)
    }

    async fn branch(&self) -> Option<Inline<Unit>> {
        self.unit_at(PlaceColumn::Branch)
    }

    async fn team(&self) -> Option<Inline<Unit>> {
        self.unit_at(PlaceColumn::Team)
    }

    /// The unit under which the complaints were filed.
    async fn unit(&self) -> Option<Inline<Unit>> {
        self.unit_at(PlaceColumn::Unit)
    }

    /// The unit that has to answer the complaints.
    async fn responsible_unit(&self) -> Option<Inline<Unit>> {
        self.unit_at(PlaceColumn::ResponsibleUnit)
    }

    /// The officer named; null for complaints that name none.
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Inline<Officer>>> {
        let id = self.small(Dimension::Officer).and_then(|place| self.snapshot.officers.at(place));
        let Some(id) = id else { return Ok(None) };
        Ok(reference_row(ctx, OfficerKey(id)).await?.map(Officer).map(Inline))
    }

    /// One enterprise of those that count as one; null for anonymous complaints.
    async fn enterprise(&self, ctx: &Context<'_>) -> Result<Option<Inline<Enterprise>>> {
        let id =
            self.small(Dimension::Place(PlaceColumn::Enterprise)).and_then(|place| self.snapshot.enterprises.at(place));
        let Some(id) = id else { return Ok(None) };
        Ok(reference_row(ctx, EnterpriseKey(id)).await?.map(Enterprise).map(Inline))
    }

    async fn category(&self) -> Option<Inline<IssueCategory>> {
        self.category_at(PlaceColumn::Category)
    }

    /// The first-level category.
    async fn category_group(&self) -> Option<Inline<IssueCategory>> {
        self.category_at(PlaceColumn::CategoryGroup)
    }

    async fn kind(&self) -> Option<CategoryKind> {
        self.word::<stored::CategoryKind>(Dimension::Place(PlaceColumn::Kind), stored::CategoryKind::WORDS)
            .map(Into::into)
    }

    async fn legal_form(&self) -> Option<LegalForm> {
        self.word::<stored::LegalForm>(Dimension::Place(PlaceColumn::LegalForm), stored::LegalForm::WORDS)
            .map(Into::into)
    }

    /// The peer group of the unit, or, if it has none, of the unit above it.
    async fn peer_group(&self) -> Option<PeerGroup> {
        self.word::<stored::PeerGroup>(Dimension::Place(PlaceColumn::PeerGroup), stored::PeerGroup::WORDS)
            .map(Into::into)
    }

    async fn channel(&self) -> Option<Channel> {
        self.word::<stored::Channel>(Dimension::Place(PlaceColumn::Channel), stored::Channel::WORDS).map(Into::into)
    }

    async fn state(&self) -> Option<ComplaintState> {
        self.word::<stored::ComplaintState>(Dimension::Place(PlaceColumn::State), stored::ComplaintState::WORDS)
            .map(Into::into)
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
}
