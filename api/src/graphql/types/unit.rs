use super::{ComplaintConnection, CusumSeries, Flag, Scorecard};
use crate::graphql::complaint_children::complaints_of;
use crate::graphql::connection::connection;
use crate::graphql::context::{loaders, request, snapshot, viewer};
use crate::graphql::enums::{Locale, PeerGroup, UnitKind};
use crate::graphql::error::from_job;
use crate::graphql::filters::{ComplaintFilter, UnitFilter};
use crate::graphql::loaders::{LatestRecurrence, ParentsKey, SeenFlagKey, UnitKey, known, one};
use crate::graphql::page::PageArgs;
use crate::graphql::query::{ComplaintOrder, complaints_where};
use crate::graphql::scalars::id;
use crate::graphql::statistics;
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::analyses::scorecard::{rows_of_unit, scorecard};
use jobs::facts::frames::day_number;
use schema::enums::SubjectKind;
use schema::models::{self, SINCE_EVER};
use schema::queries::Parent;

/// A unit of customs.
pub struct Unit(pub models::Unit);

impl From<models::Unit> for Unit {
    fn from(row: models::Unit) -> Self {
        Self(row)
    }
}

/// A day that is not the beginning of all days.
fn since(day: NaiveDate) -> Option<NaiveDate> {
    (day != SINCE_EVER).then_some(day)
}

#[Object]
impl Unit {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name in a language: that of `Accept-Language` unless told, in Vietnamese where there is none in English.
    async fn name(&self, ctx: &Context<'_>, locale: Option<Locale>) -> Result<&str> {
        let locale = locale.map_or_else(|| request(ctx).map(|request| request.locale), |locale| Ok(locale.into()))?;
        let english = self.0.name_en.as_deref().filter(|_| locale == schema::enums::Locale::En);
        Ok(english.unwrap_or(&self.0.name_vi))
    }

    async fn name_vi(&self) -> &str {
        &self.0.name_vi
    }

    async fn name_en(&self) -> Option<&str> {
        self.0.name_en.as_deref()
    }

    async fn kind(&self) -> UnitKind {
        self.0.kind.into()
    }

    /// The units that it is compared with.
    async fn peer_group(&self) -> Option<PeerGroup> {
        self.0.peer_group.map(Into::into)
    }

    /// The field of a headquarters unit.
    async fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// Its first day; null for ever.
    async fn valid_from(&self) -> Option<NaiveDate> {
        since(self.0.valid_from)
    }

    /// Its last day; null until now.
    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }

    /// Made by an import that met its code before anybody described it.
    async fn unknown(&self) -> bool {
        self.0.unknown
    }

    /// What was complained about here and in everything below it in the last days, and how it was answered.
    async fn scorecard(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 365)] days: i32,
        #[graphql(
            desc = "By the end of this past day, in Vietnam: what had happened by then, as the register knows it now. Today unless told."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<Scorecard> {
        let days = statistics::days(days)?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let within = statistics::scoped_within(&snapshot, &scope, self.0.id);
        let as_of = day_number(statistics::past_day(&snapshot, as_of)?);
        let made = request(ctx)?.compute(move || {
            let card = rows_of_unit(&snapshot.facts, within).map_err(JobError::from);
            let card = card.and_then(|rows| scorecard(&rows, as_of, Some(days))).map_err(from_job)?;
            Ok(Scorecard::new(&snapshot, Some(days), &card))
        });
        Box::pin(made).await
    }

    /// Complaints about the unit and everything below it, on their own day; the latest first.
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
        // What lies below it without being stored with complaints is not found by one column.
        if reference.tree.below_beside_ancestors(self.0.id).is_empty() {
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

    /// The flag on this branch, if there ever was one; null also where you are an officer who served here.
    async fn flag(&self, ctx: &Context<'_>) -> Result<Option<Flag>> {
        let id = jobs::flags::flag_id(SubjectKind::Branch, self.0.id);
        Ok(one(loaders(ctx)?, SeenFlagKey(id)).await?.map(Flag))
    }

    /// The weekly CUSUM of this branch, from the latest run of the recurrence job; null for other units,
    /// where no exposure is known, and where you are an officer: it counts complaints that name you.
    async fn cusum(&self, ctx: &Context<'_>) -> Result<Option<CusumSeries>> {
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let found = one(loaders(ctx)?, LatestRecurrence).await?;
        let series = found.as_deref().into_iter().flat_map(|document| &document.cusum);
        Ok(series.into_iter().find(|series| series.code == self.0.code).cloned().map(Into::into))
    }

    /// The units above it in time, oldest first.
    async fn parents(&self, ctx: &Context<'_>) -> Result<Vec<UnitParent>> {
        let rows = one(loaders(ctx)?, ParentsKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(UnitParent).collect())
    }
}

/// The unit above a unit for some time.
pub struct UnitParent(models::UnitParent);

#[Object]
impl UnitParent {
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(known(ctx, UnitKey(self.0.parent_id)).await?.map(Unit))
    }

    async fn valid_from(&self) -> Option<NaiveDate> {
        since(self.0.valid_from)
    }

    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }
}

connection!(Unit, UnitConnection, UnitEdge);
