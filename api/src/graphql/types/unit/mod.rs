//! Units: the type, its lists, filter and order.

mod filter;
mod list;
mod order;

pub use filter::{UnitFilter, unit_of, unit_of_within};
pub use list::UnitQueries;
pub use order::UnitOrder;

use crate::graphql::connection::connection;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::{Locale, PeerGroup, UnitKind};
use crate::graphql::error::from_job;
use crate::graphql::loaders::{
    LatestRecurrence, ParentsKey, UnitKey, UnitRevisionKey, VisibleFlagKey, loaders, one, reference_row,
};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::scalars::id;
use crate::graphql::statistics_cache::StatisticKey;
use crate::graphql::types::complaint::{complaints_of, complaints_where};
use crate::graphql::types::history::{Recorded, ReferenceHistoryConnection, history_of_reference};
use crate::graphql::types::statistics;
use crate::graphql::types::{ComplaintConnection, ComplaintFilter, ComplaintOrder, CusumSeries, Flag, Scorecard};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::analyses::scorecard::{rows_of_unit, scorecard};
use jobs::facts::days::day_number;
use schema::enums::SubjectKind;
use schema::models;
use schema::models::UNKNOWN_START;
use schema::queries::Parent;
use std::sync::Arc;

connection!(Unit by UnitSort, UnitConnection, UnitEdge);

pub struct Unit(pub models::Unit);

impl From<models::Unit> for Unit {
    fn from(row: models::Unit) -> Self {
        Self(row)
    }
}

/// A first day; None for [`UNKNOWN_START`].
fn since(day: NaiveDate) -> Option<NaiveDate> {
    (day != UNKNOWN_START).then_some(day)
}

/// A customs unit.
#[Object]
impl Unit {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name in `locale`, by default the language of `Accept-Language`. Vietnamese without an English
    /// name.
    async fn name(&self, ctx: &Context<'_>, locale: Option<Locale>) -> Result<&str> {
        let locale = locale.map(Into::into);
        Ok(request(ctx)?.name_in(locale, &self.0.name_vi, self.0.name_en.as_deref()))
    }

    async fn name_vi(&self) -> &str {
        &self.0.name_vi
    }

    /// Null without an English name.
    async fn name_en(&self) -> Option<&str> {
        self.0.name_en.as_deref()
    }

    async fn kind(&self) -> UnitKind {
        self.0.kind.into()
    }

    /// The group of units that this unit is compared with; null if it has none.
    async fn peer_group(&self) -> Option<PeerGroup> {
        self.0.peer_group.map(Into::into)
    }

    /// The field of work of a headquarters unit; null for other units.
    async fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The first day of the unit; null if it has no known beginning.
    async fn valid_from(&self) -> Option<NaiveDate> {
        since(self.0.valid_from)
    }

    /// The last day of the unit; null while it exists.
    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }

    /// The successor after the last day of this unit: it answers later complaints about this unit, and those that
    /// waited. Null if none is named.
    async fn successor(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(successor) = self.0.successor_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(successor)).await?.map(Unit))
    }

    /// Whether an import created the unit from its code alone, and no description has followed.
    async fn unknown(&self) -> bool {
        self.0.unknown
    }

    /// The position of the register at the last change of the unit or its parents. Pass it as
    /// `expectedRevision`.
    async fn revision(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(one(loaders(ctx)?, UnitRevisionKey(self.0.id)).await?.unwrap_or(0))
    }

    /// Complaints of the last `days` days (1 to 36,500) that this unit or one below it has to answer, and how they
    /// were answered.
    async fn scorecard(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 365)] days: i32,
        #[graphql(
            desc = "A past day (Vietnam): counts what had happened by its end, as the register knows it now. Default: today. A future day gives BAD_USER_INPUT."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<Scorecard> {
        let days = statistics::days(days)?;
        let today = request(ctx)?.today();
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let answered = scope.expression_answered(&snapshot, self.0.id, today);
        let as_of = day_number(statistics::past_day(&snapshot, as_of)?);
        let key = StatisticKey::of(ctx, &snapshot, viewer(ctx)?, today, format!("{:?}", self.0.id));
        let of = Arc::clone(&snapshot);
        let computing = request(ctx)?.compute_once(key, move || {
            let rows = rows_of_unit(&of.facts, answered).map_err(JobError::from);
            rows.and_then(|rows| scorecard(&rows, as_of, Some(days))).map_err(from_job)
        });
        let card = Box::pin(computing).await?;
        Ok(Scorecard::new(&snapshot, Some(days), &card))
    }

    /// Complaints about this unit and the units below it on the day of each complaint. The latest comes first
    /// by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ComplaintFilter>>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        let page = PageArgs { first, after, last, before };
        let reference = snapshot(ctx)?.reference.clone();
        let parent = match self.0.kind {
            schema::enums::UnitKind::ProvincialDepartment => Parent::Department,
            schema::enums::UnitKind::Branch => Parent::Branch,
            schema::enums::UnitKind::Team => Parent::Team,
            _ => Parent::Unit,
        };
        // A unit below that complaints do not store as an ancestor is not found by one column.
        if reference.tree.descendants_without_stored_ancestor(self.0.id).is_empty() {
            return complaints_of(ctx, parent, self.0.id, filter, order_by, page).await;
        }
        let within = UnitFilter { within: Some(self.0.code.clone()), ..UnitFilter::default() };
        let here = ComplaintFilter {
            unit: Some(within),
            and: filter.map(|filter| vec![*filter]),
            ..ComplaintFilter::default()
        };
        Box::pin(complaints_where(ctx, Some(here), order_by, page)).await
    }

    /// Complaints that this unit itself has to answer, without those of the units below it. The latest comes first by
    /// default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn responsible_for(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ComplaintFilter>>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        let page = PageArgs { first, after, last, before };
        complaints_of(ctx, Parent::ResponsibleUnit, self.0.id, filter, order_by, page).await
    }

    /// The flag on this branch; null if none exists, or you are an officer who served here.
    async fn flag(&self, ctx: &Context<'_>) -> Result<Option<Flag>> {
        let id = jobs::flags::flag_id(SubjectKind::Branch, self.0.id);
        Ok(one(loaders(ctx)?, VisibleFlagKey(id)).await?.map(Flag))
    }

    /// The weekly CUSUM of this branch from the latest recurrence run. Null for other units, where no exposure
    /// is known, and if you are an officer: it counts complaints that name you.
    async fn cusum(&self, ctx: &Context<'_>) -> Result<Option<CusumSeries>> {
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let found = one(loaders(ctx)?, LatestRecurrence).await?;
        let series = found.as_deref().into_iter().flat_map(|document| &document.cusum);
        Ok(series.into_iter().find(|series| series.code == self.0.code).cloned().map(Into::into))
    }

    /// The parent units over time, the oldest first.
    async fn parents(&self, ctx: &Context<'_>) -> Result<Vec<UnitParent>> {
        let rows = one(loaders(ctx)?, ParentsKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(UnitParent).collect())
    }

    /// Every step that changed the unit or its parents, the oldest first by default.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "SortDirection::Asc")] direction: SortDirection,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ReferenceHistoryConnection> {
        let page = PageArgs { first, after, last, before };
        Box::pin(history_of_reference(ctx, Recorded::Unit, self.0.id, direction, page)).await
    }
}

pub struct UnitParent(models::UnitParent);

/// A parent of a unit for some time.
#[Object]
impl UnitParent {
    /// The parent unit.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(reference_row(ctx, UnitKey(self.0.parent_id)).await?.map(Unit))
    }

    /// The first day; null if it has no known beginning.
    async fn valid_from(&self) -> Option<NaiveDate> {
        since(self.0.valid_from)
    }

    /// The last day; null if the parent is the present one.
    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }
}
