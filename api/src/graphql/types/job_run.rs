use crate::graphql::connection::connection;
use crate::graphql::context::viewer;
use crate::graphql::enums::{RunOrigin, RunState};
use crate::graphql::scalars::{Json, Moment, id};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use schema::models;

/// A run of a job.
pub struct JobRun(pub models::JobRun);

impl From<models::JobRun> for JobRun {
    fn from(row: models::JobRun) -> Self {
        Self(row)
    }
}

#[Object]
impl JobRun {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn job(&self) -> &str {
        &self.0.job
    }

    async fn state(&self) -> RunState {
        self.0.state.into()
    }

    /// What began it: its schedule, or a person.
    async fn origin(&self) -> RunOrigin {
        self.0.origin.into()
    }

    /// Which attempt it was, from 1.
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }

    /// When a failed run is tried again; null where it is not.
    async fn retry_at(&self) -> Option<Moment> {
        self.0.retry_at.map(Into::into)
    }

    async fn scheduled_at(&self) -> Moment {
        self.0.scheduled_at.into()
    }

    async fn started_at(&self) -> Moment {
        self.0.started_at.into()
    }

    async fn finished_at(&self) -> Option<Moment> {
        self.0.finished_at.map(Into::into)
    }

    /// The day for which it was run.
    async fn as_of(&self) -> Option<NaiveDate> {
        self.0.as_of
    }

    /// The position of the register that it knew.
    async fn known_at(&self) -> Option<i64> {
        self.0.known_at
    }

    async fn rules(&self) -> Option<Json<&serde_json::Value>> {
        self.0.rules.as_ref().map(|rules| Json(&rules.0))
    }

    async fn code_version(&self) -> &str {
        &self.0.code_version
    }

    /// The hash over its canonical inputs and outputs; null where you are an officer.
    async fn hash(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let shown = shows_all(ctx)?;
        Ok(self.0.result_hash.as_deref().filter(|_| shown))
    }

    /// How many of what it found; null where you are an officer: it counts complaints that name you.
    async fn summary(&self, ctx: &Context<'_>) -> Result<Option<Json<&serde_json::Value>>> {
        let shown = shows_all(ctx)?;
        Ok(self.0.summary.as_ref().filter(|_| shown).map(|summary| Json(&summary.0)))
    }

    /// Why it failed; null where you are an officer.
    async fn error(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let shown = shows_all(ctx)?;
        Ok(self.0.error.as_deref().filter(|_| shown))
    }
}

/// Whether the viewer is shown what a run says of all complaints.
fn shows_all(ctx: &Context<'_>) -> Result<bool> {
    Ok(!viewer(ctx)?.is_an_officer())
}

connection!(JobRun, JobRunConnection, JobRunEdge);
