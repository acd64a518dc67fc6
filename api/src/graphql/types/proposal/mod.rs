//! Proposals of the Board: the type, its effect, list, filter, order and mutations.

mod filter;
mod list;
mod mutation;
mod order;

pub use filter::ProposalFilter;
pub use list::ProposalQueries;
pub use mutation::ProposalMutations;
pub use order::ProposalOrder;

use crate::graphql::connection::connection;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::ProposalState;
use crate::graphql::error::from_job;
use crate::graphql::loaders::{
    CategoryKey, ProposalCategoriesKey, ProposalUnitsKey, UnitKey, loaders, one, reference_row,
};
use crate::graphql::scalars::Moment;
use crate::graphql::scalars::id;
use crate::graphql::types::statistics;
use crate::graphql::types::{IssueCategory, Unit};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::analyses::before_after::{self, Span};
use jobs::facts::days::day_number;
use jobs::numeric::rates::RateRatio;
use schema::models;

connection!(Proposal by ProposalSort, ProposalConnection, ProposalEdge);

pub struct Proposal(pub models::Proposal);

impl From<models::Proposal> for Proposal {
    fn from(row: models::Proposal) -> Self {
        Self(row)
    }
}

/// A proposal of the Board to the General Department about categories of issues or units.
#[Object]
impl Proposal {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn text(&self) -> &str {
        &self.0.text
    }

    async fn state(&self) -> ProposalState {
        self.0.state.into()
    }

    /// The time at which the proposal entered its present state.
    async fn state_since(&self) -> Moment {
        self.0.state_since.into()
    }

    async fn proposed_at(&self) -> Moment {
        self.0.proposed_at.into()
    }

    /// The day from which the proposal is in force; null until it is IMPLEMENTED.
    async fn implemented_on(&self) -> Option<NaiveDate> {
        self.0.implemented_on
    }

    /// The reason given with the latest change of state, required to reject or withdraw; null if none was
    /// given.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Grows by one with each change. Pass it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The author of the proposal, `token:NAME`.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The categories that the proposal concerns, with those below them; empty means all.
    async fn categories(&self, ctx: &Context<'_>) -> Result<Vec<IssueCategory>> {
        let ids = one(loaders(ctx)?, ProposalCategoriesKey(self.0.id)).await?.unwrap_or_default();
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(reference_row(ctx, CategoryKey(id)).await?.map(IssueCategory));
        }
        Ok(found)
    }

    /// The units that the proposal concerns, with the units below them; empty means all.
    async fn units(&self, ctx: &Context<'_>) -> Result<Vec<Unit>> {
        let ids = one(loaders(ctx)?, ProposalUnitsKey(self.0.id)).await?.unwrap_or_default();
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(reference_row(ctx, UnitKey(id)).await?.map(Unit));
        }
        Ok(found)
    }

    /// Complaints before and after the proposal came into force, among those that you may see. The period
    /// before has `days` days (1 to 36,500), or fewer if the register begins later; the period after ends
    /// yesterday at the latest. Null if the proposal is not in force, or one of the periods has no day. Each
    /// complaint counts singly, also within a campaign, so the limits are too narrow where campaigns occur.
    async fn effect(&self, ctx: &Context<'_>, #[graphql(default = 90)] days: i32) -> Result<Option<ProposalEffect>> {
        let Some(day) = self.0.implemented_on else { return Ok(None) };
        let days = statistics::days(days)?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let categories = one(loaders(ctx)?, ProposalCategoriesKey(self.0.id)).await?.unwrap_or_default();
        let units = one(loaders(ctx)?, ProposalUnitsKey(self.0.id)).await?.unwrap_or_default();
        let computing = request(ctx)?.compute(move || {
            let visible = scope.expression(&snapshot);
            let concerned = statistics::concerning(&snapshot, &categories, &units);
            let today = statistics::today(&snapshot);
            let first = statistics::first_day(&snapshot, &scope)?;
            let found =
                before_after::before_after(&snapshot.facts, first, visible, concerned, day_number(day), days, today)
                    .map_err(from_job)?;
            Ok(found.map(|found| ProposalEffect {
                as_of: snapshot.as_of.into(),
                position: snapshot.position,
                before: period(found.before, found.concerned.0, found.elsewhere.0),
                after: period(found.after, found.concerned.1, found.elsewhere.1),
                rate_ratio: found.ratio.map(Into::into),
                rate_ratio_elsewhere: found.elsewhere_ratio.map(Into::into),
            }))
        });
        Box::pin(computing).await
    }
}

/// What changed when a proposal came into force. It shows no cause: other changes on that day and regression to
/// the mean are part of it.
#[derive(SimpleObject)]
pub struct ProposalEffect {
    /// The time of the snapshot.
    pub as_of: Moment,
    /// The position of the register that the snapshot holds.
    pub position: i64,
    /// The days before `implementedOn`.
    pub before: EffectPeriod,
    /// The days from `implementedOn` on.
    pub after: EffectPeriod,
    /// Complaints per day after / before; null if both periods have none.
    pub rate_ratio: Option<RateRatioWithLimits>,
    /// The same ratio of all other complaints.
    pub rate_ratio_elsewhere: Option<RateRatioWithLimits>,
}

/// A period of whole days, and its complaints.
#[derive(SimpleObject)]
pub struct EffectPeriod {
    /// The first day.
    pub from: NaiveDate,
    /// The last day, included.
    pub until: NaiveDate,
    /// Number of days.
    pub days: i32,
    /// Complaints that the proposal concerns.
    pub complaints: i32,
    /// All other complaints.
    pub complaints_elsewhere: i32,
}

/// The ratio of two rates with exact 95 % limits (Przyborowski and Wilenski 1940).
#[derive(SimpleObject)]
pub struct RateRatioWithLimits {
    /// Null if the earlier period has no complaint.
    pub ratio: Option<f64>,
    /// Lower 95 % limit.
    pub lower: f64,
    /// Upper 95 % limit; null if the earlier period has no complaint.
    pub upper: Option<f64>,
}

impl From<RateRatio> for RateRatioWithLimits {
    fn from(found: RateRatio) -> Self {
        Self { ratio: found.ratio, lower: found.lower, upper: found.upper }
    }
}

fn period(span: Span, complaints: u32, elsewhere: u32) -> EffectPeriod {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    EffectPeriod {
        from: before_after::date(span.from),
        until: before_after::date(span.until),
        days: span.days(),
        complaints: number(complaints),
        complaints_elsewhere: number(elsewhere),
    }
}
