use super::{IssueCategory, Unit};
use crate::graphql::connection::connection;
use crate::graphql::context::{loaders, request, snapshot, viewer};
use crate::graphql::enums::ProposalState;
use crate::graphql::error::from_job;
use crate::graphql::loaders::{CategoryKey, ProposalCategoriesKey, ProposalUnitsKey, UnitKey, known, one};
use crate::graphql::scalars::{Moment, id};
use crate::graphql::statistics;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::analyses::before_after::{self, Span, effect};
use jobs::facts::frames::day_number;
use jobs::numeric::rates::RateRatio;
use schema::models;

/// What the Board advises the General Department to do about categories of issues, or in units.
pub struct Proposal(pub models::Proposal);

impl From<models::Proposal> for Proposal {
    fn from(row: models::Proposal) -> Self {
        Self(row)
    }
}

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

    async fn state_since(&self) -> Moment {
        self.0.state_since.into()
    }

    async fn proposed_at(&self) -> Moment {
        self.0.proposed_at.into()
    }

    /// Since when it is in force.
    async fn implemented_on(&self) -> Option<NaiveDate> {
        self.0.implemented_on
    }

    /// Why it was rejected or withdrawn.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    async fn version(&self) -> i32 {
        self.0.version
    }

    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// What it is to help with; all categories where none is named.
    async fn categories(&self, ctx: &Context<'_>) -> Result<Vec<IssueCategory>> {
        let ids = one(loaders(ctx)?, ProposalCategoriesKey(self.0.id)).await?.unwrap_or_default();
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(known(ctx, CategoryKey(id)).await?.map(IssueCategory));
        }
        Ok(found)
    }

    /// The units that it is about; all where none is named.
    async fn units(&self, ctx: &Context<'_>) -> Result<Vec<Unit>> {
        let ids = one(loaders(ctx)?, ProposalUnitsKey(self.0.id)).await?.unwrap_or_default();
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(known(ctx, UnitKey(id)).await?.map(Unit));
        }
        Ok(found)
    }

    /// The complaints that it is about, of so many days before it came into force, as far back as the register goes, and since,
    /// up to yesterday, of what you may see; null where there are no such days. Complaints are counted one by one: a campaign
    /// is as many as it has, which the limits do not know.
    async fn effect(&self, ctx: &Context<'_>, #[graphql(default = 90)] days: i32) -> Result<Option<ProposalEffect>> {
        let Some(day) = self.0.implemented_on else { return Ok(None) };
        let days = statistics::days(days)?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let categories = one(loaders(ctx)?, ProposalCategoriesKey(self.0.id)).await?.unwrap_or_default();
        let units = one(loaders(ctx)?, ProposalUnitsKey(self.0.id)).await?.unwrap_or_default();
        let made = request(ctx)?.compute(move || {
            let seen = statistics::scoped(&snapshot, &scope);
            let concerned = statistics::about(&snapshot, &categories, &units);
            let today = statistics::today(&snapshot);
            let first = statistics::first_day(&snapshot, &scope)?;
            let found =
                effect(&snapshot.facts, first, seen, concerned, day_number(day), days, today).map_err(from_job)?;
            Ok(found.map(|found| ProposalEffect {
                as_of: snapshot.as_of.into(),
                position: snapshot.position,
                before: period(found.before, found.concerned.0, found.elsewhere.0),
                after: period(found.after, found.concerned.1, found.elsewhere.1),
                rate_ratio: found.ratio.map(Into::into),
                rate_ratio_elsewhere: found.elsewhere_ratio.map(Into::into),
            }))
        });
        Box::pin(made).await
    }
}

/// What changed when a proposal came into force. It says what happened, not why: whatever else changed on the day, and
/// complaints that became fewer after a peak all by themselves, are in it.
#[derive(SimpleObject)]
pub struct ProposalEffect {
    /// When the snapshot was taken.
    pub as_of: Moment,
    pub position: i64,
    pub before: EffectPeriod,
    /// Since the day itself, as far as the days have passed.
    pub after: EffectPeriod,
    /// Complaints a day since against before; null where there were none at all.
    pub rate_ratio: Option<RateRatioWithLimits>,
    /// The same of all other complaints.
    pub rate_ratio_elsewhere: Option<RateRatioWithLimits>,
}

/// Some days, both ends included.
#[derive(SimpleObject)]
pub struct EffectPeriod {
    pub from: NaiveDate,
    pub until: NaiveDate,
    pub days: i32,
    /// Complaints that the proposal is about.
    pub complaints: i32,
    /// All others.
    pub complaints_elsewhere: i32,
}

/// The ratio of two rates with exact limits of 95 % (Przyborowski and Wilenski 1940).
#[derive(SimpleObject)]
pub struct RateRatioWithLimits {
    /// Null where there were none before.
    pub ratio: Option<f64>,
    pub lower: f64,
    /// Null where there were none before.
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

connection!(Proposal, ProposalConnection, ProposalEdge);
