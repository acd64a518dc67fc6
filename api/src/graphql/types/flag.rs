use super::{JobRun, Officer, Unit};
use crate::graphql::connection::connection;
use crate::graphql::context::loaders;
use crate::graphql::enums::{FlagState, SubjectKind, Tier};
use crate::graphql::loaders::{AssessmentKey, JobRunKey, OfficerKey, UnitKey, one};
use crate::graphql::scalars::{Moment, id};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use jobs::recurrence::WindowNumbers;
use schema::models;

/// Somebody or something that is complained about again and again. A flag proposes a review; it
/// does not say that anybody did wrong.
pub struct Flag(pub models::Flag);

impl From<models::Flag> for Flag {
    fn from(row: models::Flag) -> Self {
        Self(row)
    }
}

/// The numbers of a flag.
#[derive(SimpleObject)]
pub struct FlagNumbers {
    /// Whether the numbers are not adjusted for workload.
    unadjusted: bool,
    windows: Vec<FlagWindow>,
}

/// What one window shows.
#[derive(SimpleObject)]
pub struct FlagWindow {
    days: i32,
    complaints: u32,
    complaints_without_not_sustained: u32,
    episodes: u32,
    distinct_enterprises: u32,
    distinct_enterprises_confirmed: u32,
    distinct_enterprises_without_not_sustained: u32,
    anonymous: u32,
    serious: u32,
}

impl From<WindowNumbers> for FlagWindow {
    fn from(window: WindowNumbers) -> Self {
        Self {
            days: window.days,
            complaints: window.complaints,
            complaints_without_not_sustained: window.complaints_without_not_sustained,
            episodes: window.episodes,
            distinct_enterprises: window.enterprises,
            distinct_enterprises_confirmed: window.enterprises_confirmed,
            distinct_enterprises_without_not_sustained: window.enterprises_without_not_sustained,
            anonymous: window.anonymous,
            serious: window.serious,
        }
    }
}

impl Flag {
    async fn assessment(&self, ctx: &Context<'_>) -> Result<Option<models::FlagAssessment>> {
        one(loaders(ctx)?, AssessmentKey(self.0.id)).await
    }
}

#[Object]
impl Flag {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn subject_kind(&self) -> SubjectKind {
        self.0.subject_kind.into()
    }

    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        let Some(officer) = self.0.officer_id else { return Ok(None) };
        Ok(one(loaders(ctx)?, OfficerKey(officer)).await?.map(Officer))
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(one(loaders(ctx)?, UnitKey(unit)).await?.map(Unit))
    }

    async fn tier(&self) -> Tier {
        self.0.tier.into()
    }

    async fn state(&self) -> FlagState {
        self.0.state.into()
    }

    async fn opened_at(&self) -> Moment {
        self.0.opened_at.into()
    }

    async fn changed_at(&self) -> Moment {
        self.0.changed_at.into()
    }

    async fn numbers(&self, ctx: &Context<'_>) -> Result<Option<FlagNumbers>> {
        let Some(assessment) = self.assessment(ctx).await? else { return Ok(None) };
        let numbers = assessment.numbers.0;
        let windows: Vec<WindowNumbers> = serde_json::from_value(numbers["windows"].clone())?;
        Ok(Some(FlagNumbers {
            unadjusted: numbers["unadjusted"].as_bool().unwrap_or(true),
            windows: windows.into_iter().map(Into::into).collect(),
        }))
    }

    async fn reason_vi(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.assessment(ctx).await?.map(|assessment| assessment.reason_vi))
    }

    async fn reason_en(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.assessment(ctx).await?.map(|assessment| assessment.reason_en))
    }

    /// The ids of the complaints behind it.
    async fn evidence_ids(&self, ctx: &Context<'_>) -> Result<Vec<ID>> {
        let Some(assessment) = self.assessment(ctx).await? else { return Ok(Vec::new()) };
        let ids: Vec<schema::Id> = serde_json::from_value(assessment.evidence.0)?;
        Ok(ids.into_iter().map(id).collect())
    }

    /// The last run that flagged it, with its rules, code version and hash.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<JobRun>> {
        Ok(one(loaders(ctx)?, JobRunKey(self.0.run_id)).await?.map(JobRun))
    }
}

connection!(Flag, FlagConnection, FlagEdge);
