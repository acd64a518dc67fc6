//! Runs of jobs: the type, its list, filter and order.

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::enums::{RunOrigin, RunState};
use crate::graphql::filter::{DateOps, DateTimeOps, Filter, IdOps, RunStateOps, StringOps, filter};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Json, Moment, id};
use crate::graphql::types::order::order;
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use schema::models;
use schema::queries::JobRunSort;
use schema::tables::job_runs;

connection!(JobRun by JobRunSort, JobRunConnection, JobRunEdge);

pub struct JobRun(pub models::JobRun);

impl From<models::JobRun> for JobRun {
    fn from(row: models::JobRun) -> Self {
        Self(row)
    }
}

/// A run of a job.
#[Object]
impl JobRun {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name of the job, such as `recurrence`.
    async fn job(&self) -> &str {
        &self.0.job
    }

    async fn state(&self) -> RunState {
        self.0.state.into()
    }

    /// Whether the schedule or a person started the run.
    async fn origin(&self) -> RunOrigin {
        self.0.origin.into()
    }

    /// The number of the attempt, from 1.
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }

    /// The time at which a failed run is retried; null if it is not.
    async fn retry_at(&self) -> Option<Moment> {
        self.0.retry_at.map(Into::into)
    }

    async fn scheduled_at(&self) -> Moment {
        self.0.scheduled_at.into()
    }

    async fn started_at(&self) -> Moment {
        self.0.started_at.into()
    }

    /// Null while the run is going on.
    async fn finished_at(&self) -> Option<Moment> {
        self.0.finished_at.map(Into::into)
    }

    /// The day that the run computes results for; null if the job has none.
    async fn as_of(&self) -> Option<NaiveDate> {
        self.0.as_of
    }

    /// The position of the register that the run read; null if the run read none.
    async fn known_at(&self) -> Option<i64> {
        self.0.known_at
    }

    /// The rules that the run applied; null if the job has none.
    async fn rules(&self) -> Option<Json<&serde_json::Value>> {
        self.0.rules.as_ref().map(|rules| Json(&rules.0))
    }

    /// The version of the program.
    async fn code_version(&self) -> &str {
        &self.0.code_version
    }

    /// A hash over the canonical inputs and outputs of the run; null if the run stored none, or you are an
    /// officer.
    async fn hash(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let shown = shows_all(ctx)?;
        Ok(self.0.result_hash.as_deref().filter(|_| shown))
    }

    /// Counts of what the run found, by name. Null if the run stored none, or you are an officer: it counts
    /// complaints that name you.
    async fn summary(&self, ctx: &Context<'_>) -> Result<Option<Json<&serde_json::Value>>> {
        let shown = shows_all(ctx)?;
        Ok(self.0.summary.as_ref().filter(|_| shown).map(|summary| Json(&summary.0)))
    }

    /// The error of the run; null if it did not fail, or you are an officer.
    async fn error(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let shown = shows_all(ctx)?;
        Ok(self.0.error.as_deref().filter(|_| shown))
    }
}

/// Whether the viewer may read what a run says about all complaints.
fn shows_all(ctx: &Context<'_>) -> Result<bool> {
    Ok(!viewer(ctx)?.is_an_officer())
}

filter! {
    /// Conditions on job runs, joined by AND.
    JobRunFilter over job_runs {
        id: IdOps => id(job_runs::id),
        job: StringOps => text(job_runs::job),
        state: RunStateOps => word(job_runs::state),
        as_of: DateOps => value(job_runs::as_of),
        started_at: DateTimeOps => time(job_runs::started_at),
    }
}

order!(JobRunOrderField, JobRunOrder, JobRunSort { StartedAt } default StartedAt Desc);

#[derive(Default)]
pub struct JobRunQueries;

#[Object]
impl JobRunQueries {
    /// Runs of jobs, the latest first by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn job_runs(
        &self,
        ctx: &Context<'_>,
        filter: Option<JobRunFilter>,
        order_by: Option<Vec<JobRunOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<JobRunConnection> {
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        list::<JobRun>(ctx, page, JobRunOrder::list(order_by), move || filter.condition(&reference)).await
    }
}
