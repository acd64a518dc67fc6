//! The dimensions of `complaintStatistics`: what groups can be formed by, how a row shows it, and the conditions on
//! those whose values are words.

use super::word_sets::{Places, words};
use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding, LegalForm, PeerGroup};
use crate::graphql::execute::Inline;
use crate::graphql::filter::{CategoryKindOps, ChannelOps, ComplaintStateOps, LegalFormOps, PeerGroupOps};
use crate::graphql::loaders::{EnterpriseKey, OfficerKey, reference_row};
use crate::graphql::types::{Enterprise, IssueCategory, Officer, Unit};
use async_graphql::{Context, Enum, InputObject, Object, Result};
use chrono::{Datelike, NaiveDate};
use jobs::snapshot::{IndexColumn, IndexList, Snapshot};
use jobs::statistics::{Bucket, Dimension, date};
use schema::enums as stored;
use std::str::FromStr;
use std::sync::Arc;

/// The content of the field of a dimension in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Unit,
    Category,
    Officer,
    Enterprise,
    /// A word of an enum.
    Word,
    Day,
    /// A month or a quarter, as text.
    Period,
    Year,
}

impl Shown {
    /// Whether it is an object with fields of its own.
    pub const fn is_object(self) -> bool {
        matches!(self, Self::Unit | Self::Category | Self::Officer | Self::Enterprise)
    }
}

/// Declares the dimensions: the value of the enum, the field of a row, its content, and the dimension of
/// [`jobs::statistics`]. A row of this table makes the dimension known to exports and to the cache of answers, too; its
/// resolver is below.
macro_rules! dimensions {
    ($( $(#[$doc:meta])* $value:ident, $field:ident, $shown:ident, $dimension:expr; )+) => {
        /// A dimension to group by. A complaint that names several officers counts once for each, and once in the
        /// totals.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum StatisticsDimension { $( $(#[$doc])* $value ),+ }

        impl StatisticsDimension {
            /// The field of a row that shows it, in snake case.
            pub const fn field(self) -> &'static str {
                match self { $( Self::$value => stringify!($field) ),+ }
            }

            /// The content of this field.
            pub const fn shown(self) -> Shown {
                match self { $( Self::$value => Shown::$shown ),+ }
            }
        }

        impl From<StatisticsDimension> for Dimension {
            fn from(dimension: StatisticsDimension) -> Self {
                match dimension { $( StatisticsDimension::$value => $dimension ),+ }
            }
        }
    };
}

dimensions! {
    Department, department, Unit, Dimension::Place(IndexColumn::Department);
    Branch, branch, Unit, Dimension::Place(IndexColumn::Branch);
    Team, team, Unit, Dimension::Place(IndexColumn::Team);
    /// The unit under which a complaint was filed, of any level.
    Unit, unit, Unit, Dimension::Place(IndexColumn::Unit);
    /// The unit that has to answer, of any level.
    ResponsibleUnit, responsible_unit, Unit, Dimension::Place(IndexColumn::ResponsibleUnit);
    Officer, officer, Officer, Dimension::Officer;
    /// Enterprises of one group, and the branches of one, are one group.
    Enterprise, enterprise, Enterprise, Dimension::Place(IndexColumn::Enterprise);
    Category, category, Category, Dimension::Place(IndexColumn::Category);
    /// The first-level category: the one above the category, or itself.
    CategoryGroup, category_group, Category, Dimension::Place(IndexColumn::CategoryGroup);
    Kind, kind, Word, Dimension::Place(IndexColumn::Kind);
    LegalForm, legal_form, Word, Dimension::Place(IndexColumn::LegalForm);
    /// The peer group of the unit, or, if it has none, of the unit above it on the day of the complaint.
    PeerGroup, peer_group, Word, Dimension::Place(IndexColumn::PeerGroup);
    Channel, channel, Word, Dimension::Place(IndexColumn::Channel);
    State, state, Word, Dimension::Place(IndexColumn::State);
    /// The finding on each officer named, or on the complaint if it names none.
    Finding, finding, Word, Dimension::Finding;
    /// The day received, in `timezone`.
    Day, day, Day, Dimension::Time(Bucket::Day);
    /// The week received, from Monday.
    Week, week, Day, Dimension::Time(Bucket::Week);
    Month, month, Period, Dimension::Time(Bucket::Month);
    Quarter, quarter, Period, Dimension::Time(Bucket::Quarter);
    Year, year, Year, Dimension::Time(Bucket::Year);
}

/// Declares the conditions on dimensions with words: the field of the filter, its operators, the enum, and the column
/// of the snapshot.
macro_rules! dimension_filter {
    ($( $(#[$doc:meta])* $field:ident, $ops:ty, $word:ident, $column:ident; )+) => {
        /// The part of the filter with conditions on dimensions with words.
        #[derive(Debug, Clone, Default, InputObject)]
        pub struct DimensionFilter { $( $(#[$doc])* pub $field: Option<$ops>, )+ }

        impl DimensionFilter {
            /// The places that each condition allows.
            pub(super) fn sets(&self) -> Vec<(IndexColumn, Places)> {
                let all = [ $( (IndexColumn::$column, words!(self.$field, $word)) ),+ ];
                all.into_iter().filter_map(|(column, places)| Some((column, places?))).collect()
            }
        }
    };
}

dimension_filter! {
    /// The kind of the category.
    kind, CategoryKindOps, CategoryKind, Kind;
    legal_form, LegalFormOps, LegalForm, LegalForm;
    /// The peer group of the unit, or, if it has none, of the unit above it on the day of the complaint.
    peer_group, PeerGroupOps, PeerGroup, PeerGroup;
    channel, ChannelOps, Channel, Channel;
    state, ComplaintStateOps, ComplaintState, State;
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

    fn unit_at(&self, column: IndexColumn) -> Option<Inline<Unit>> {
        self.snapshot.reference.units.get(self.small(Dimension::Place(column))? as usize).cloned().map(Unit).map(Inline)
    }

    fn category_at(&self, column: IndexColumn) -> Option<Inline<IssueCategory>> {
        let place = self.small(Dimension::Place(column))?;
        self.snapshot.reference.categories.get(place as usize).cloned().map(IssueCategory).map(Inline)
    }

    /// The first day of a time bucket.
    fn start(&self, bucket: Bucket) -> Option<NaiveDate> {
        i32::try_from(self.place(Dimension::Time(bucket))?).ok().map(date)
    }

    fn word<T: FromStr>(&self, dimension: Dimension) -> Option<T> {
        let words = match dimension {
            Dimension::Finding => stored::Finding::WORDS,
            Dimension::Place(column) => match column.list() {
                IndexList::Words(words) => words,
                IndexList::Units | IndexList::Categories | IndexList::Enterprises => return None,
            },
            Dimension::Officer | Dimension::Time(_) | Dimension::Part(_) => return None,
        };
        words.get(self.small(dimension)? as usize)?.parse().ok()
    }

    /// The word of a column.
    fn word_at<T: FromStr>(&self, column: IndexColumn) -> Option<T> {
        self.word(Dimension::Place(column))
    }
}

#[Object]
impl RowDimensions {
    async fn department(&self) -> Option<Inline<Unit>> {
        self.unit_at(IndexColumn::Department)
    }

    async fn branch(&self) -> Option<Inline<Unit>> {
        self.unit_at(IndexColumn::Branch)
    }

    async fn team(&self) -> Option<Inline<Unit>> {
        self.unit_at(IndexColumn::Team)
    }

    /// The unit under which the complaints were filed.
    async fn unit(&self) -> Option<Inline<Unit>> {
        self.unit_at(IndexColumn::Unit)
    }

    /// The unit that has to answer the complaints.
    async fn responsible_unit(&self) -> Option<Inline<Unit>> {
        self.unit_at(IndexColumn::ResponsibleUnit)
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
            self.small(Dimension::Place(IndexColumn::Enterprise)).and_then(|place| self.snapshot.enterprises.at(place));
        let Some(id) = id else { return Ok(None) };
        Ok(reference_row(ctx, EnterpriseKey(id)).await?.map(Enterprise).map(Inline))
    }

    async fn category(&self) -> Option<Inline<IssueCategory>> {
        self.category_at(IndexColumn::Category)
    }

    /// The first-level category.
    async fn category_group(&self) -> Option<Inline<IssueCategory>> {
        self.category_at(IndexColumn::CategoryGroup)
    }

    async fn kind(&self) -> Option<CategoryKind> {
        self.word_at::<stored::CategoryKind>(IndexColumn::Kind).map(Into::into)
    }

    async fn legal_form(&self) -> Option<LegalForm> {
        self.word_at::<stored::LegalForm>(IndexColumn::LegalForm).map(Into::into)
    }

    /// The peer group of the unit, or, if it has none, of the unit above it.
    async fn peer_group(&self) -> Option<PeerGroup> {
        self.word_at::<stored::PeerGroup>(IndexColumn::PeerGroup).map(Into::into)
    }

    async fn channel(&self) -> Option<Channel> {
        self.word_at::<stored::Channel>(IndexColumn::Channel).map(Into::into)
    }

    async fn state(&self) -> Option<ComplaintState> {
        self.word_at::<stored::ComplaintState>(IndexColumn::State).map(Into::into)
    }

    async fn finding(&self) -> Option<Finding> {
        self.word::<stored::Finding>(Dimension::Finding).map(Into::into)
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
