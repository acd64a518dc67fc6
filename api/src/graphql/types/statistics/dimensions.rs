//! The dimensions of `complaintStatistics`: what groups can be formed by, how a row shows it, and the filter.

use crate::access::{any, within_columns};
use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding};
use crate::graphql::error::bad_input;
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{EnterpriseKey, OfficerKey, reference_row};
use crate::graphql::scalars::Moment;
use crate::graphql::types::{Enterprise, IssueCategory, Officer, Unit};
use async_graphql::{Context, Enum, InputObject, Object, Result};
use chrono::{Datelike, NaiveDate};
use jobs::facts::EnterpriseFact;
use jobs::snapshot::{PlaceColumn, Snapshot};
use jobs::statistics::{Bucket, Dimension, date};
use polars::prelude::{Expr, col, lit};
use schema::Id;
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
    Officer,
    /// Enterprises of one group, and the branches of one, are one group.
    Enterprise,
    Category,
    Kind,
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
            StatisticsDimension::Officer => Self::Officer,
            StatisticsDimension::Enterprise => Self::Place(PlaceColumn::Enterprise),
            StatisticsDimension::Category => Self::Place(PlaceColumn::Category),
            StatisticsDimension::Kind => Self::Place(PlaceColumn::Kind),
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
        let place = self.small(Dimension::Place(PlaceColumn::Category))?;
        self.snapshot.reference.categories.get(place as usize).cloned().map(IssueCategory).map(Inline)
    }

    async fn kind(&self) -> Option<CategoryKind> {
        self.word::<stored::CategoryKind>(Dimension::Place(PlaceColumn::Kind), stored::CategoryKind::WORDS)
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

/// Which complaints to count. An unknown unit or category code gives BAD_USER_INPUT.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ComplaintStatisticsFilter {
    /// The code of a unit: complaints about it and the units below it, on the day of each complaint.
    pub unit_within: Option<String>,
    /// Codes of categories.
    pub category_in: Option<Vec<String>>,
    pub kind_in: Option<Vec<CategoryKind>>,
    pub channel_in: Option<Vec<Channel>>,
    pub state_in: Option<Vec<ComplaintState>>,
    /// Complaints with one of these findings, of an officer named or of the complaint itself.
    pub finding_in: Option<Vec<Finding>>,
    /// Codes of officers named. An unknown code gives BAD_USER_INPUT if you see every complaint, else it
    /// selects nothing.
    pub officer_in: Option<Vec<String>>,
    /// Tax codes of enterprises; their groups and branches are included. An unknown code selects nothing.
    pub enterprise_in: Option<Vec<String>>,
    /// Whether the officer blamed the IT system.
    pub blames_system: Option<bool>,
    pub anonymous: Option<bool>,
    /// Received at this time or later. Not after `receivedBefore`.
    pub received_from: Option<Moment>,
    /// Received before this time.
    pub received_before: Option<Moment>,
}

impl ComplaintStatisticsFilter {
    /// The conditions except those on the period, on officers and on findings.
    ///
    /// # Errors
    /// BAD_USER_INPUT if a code is unknown.
    pub fn conditions(&self, snapshot: &Snapshot) -> Result<Vec<Expr>> {
        let reference = &snapshot.reference;
        let mut conditions = Vec::new();
        if let Some(code) = &self.unit_within {
            let unit = reference.unit_by_code(code).ok_or_else(|| {
                bad_input(format!("unitWithin: there is no unit {code:?}: the query `units` lists the codes"))
            })?;
            let below: Vec<Id> = reference.tree.descendants_without_stored_ancestor(unit.id);
            conditions.push(within_columns(snapshot, unit.id, &below));
        }
        if let Some(codes) = &self.category_in {
            let mut places = Vec::new();
            for code in codes {
                let category = reference.categories.iter().find(|category| category.code == *code);
                let place = category.and_then(|category| reference.category_place(category.id));
                places.push(place.ok_or_else(|| {
                    bad_input(format!(
                        "categoryIn: there is no category {code:?}: the query `issueCategories` lists the codes"
                    ))
                })?);
            }
            conditions.push(any("category", places));
        }
        if let Some(kinds) = &self.kind_in {
            conditions.push(any("kind", kinds.iter().map(|kind| stored::CategoryKind::from(*kind).place()).collect()));
        }
        if let Some(channels) = &self.channel_in {
            conditions
                .push(any("channel", channels.iter().map(|channel| stored::Channel::from(*channel).place()).collect()));
        }
        if let Some(states) = &self.state_in {
            conditions
                .push(any("state", states.iter().map(|state| stored::ComplaintState::from(*state).place()).collect()));
        }
        if let Some(tax_codes) = &self.enterprise_in {
            let mut places = Vec::new();
            for code in tax_codes {
                let fact = EnterpriseFact { tax_code: code.clone(), group_code: None };
                let place = snapshot
                    .enterprises
                    .place_of_tax_code(code)
                    .or_else(|| snapshot.enterprises.place_of(&fact.counts_as()));
                // An enterprise without complaints is no error: it selects nothing.
                places.extend(place);
            }
            conditions.push(any("enterprise", places));
        }
        if let Some(blames) = self.blames_system {
            conditions.push(col("blames").eq(lit(blames)));
        }
        if let Some(anonymous) = self.anonymous {
            conditions.push(if anonymous { col("enterprise").is_null() } else { col("enterprise").is_not_null() });
        }
        Ok(conditions)
    }
}
