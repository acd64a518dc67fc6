//! Jobs: the type, its query, and the mutations that run, pause and resume them.

use crate::graphql::context::{request, viewer};
use crate::graphql::error::{bad_input, from_job, from_store, refuse};
use crate::graphql::execute::blocking;
use crate::graphql::input::{SHORT, day, optional};
use crate::graphql::scalars::Moment;
use crate::graphql::types::JobRun;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::runner::job::Job as Runnable;
use jobs::runner::ledger::{self, Pause};
use jobs::runner::on_demand::OnDemand;
use jobs::runner::plan::JobPlan;
use jobs::runner::settings::Missed;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use schema::models;
use schema::refusal::JobRefusal;

/// The treatment of scheduled times that passed while no node was up or the job was paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MissedRuns {
    /// The latest run only.
    Latest,
    /// A run for each, the oldest first.
    All,
    /// No run.
    Skip,
}

impl From<Missed> for MissedRuns {
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Latest => Self::Latest,
            Missed::All => Self::All,
            Missed::Skip => Self::Skip,
        }
    }
}

/// A job with its plan and its row in the ledger.
pub struct Job {
    job: &'static dyn Runnable,
    plan: JobPlan,
    row: Option<models::Job>,
    last_success: Option<models::JobRun>,
}

impl Job {
    fn paused(&self) -> Option<&models::Job> {
        self.row.as_ref().filter(|row| row.paused_at.is_some())
    }
}

/// A job, by the configuration of the node that answers.
#[Object]
impl Job {
    /// The name, such as `recurrence`.
    async fn name(&self) -> &str {
        self.job.name()
    }

    /// The purpose, in a few words.
    async fn about(&self) -> &str {
        self.job.about()
    }

    /// Whether the configuration lets the job run by its schedule.
    async fn enabled(&self) -> bool {
        self.plan.enabled
    }

    /// The cron expression.
    async fn schedule(&self) -> &str {
        self.plan.schedule.expression()
    }

    /// The time zone of the schedule.
    async fn timezone(&self) -> &'static str {
        self.plan.schedule.zone().name()
    }

    async fn missed(&self) -> MissedRuns {
        self.plan.missed.into()
    }

    /// The next scheduled time; null if the job is disabled or paused.
    async fn next(&self) -> Option<Moment> {
        let is_scheduled = self.plan.enabled && self.paused().is_none();
        let next = is_scheduled.then(|| self.plan.schedule.next_after(Timestamp::now()));
        next.flatten().map(Into::into)
    }

    /// Since when the job is paused on all nodes; null if it is not.
    async fn paused_at(&self) -> Option<Moment> {
        self.paused()?.paused_at.map(Into::into)
    }

    /// The actor that paused the job: `token:NAME`, or `cli`.
    async fn paused_by(&self) -> Option<&str> {
        self.paused()?.paused_by.as_deref()
    }

    /// The reason for the pause; null if no reason was given.
    async fn pause_reason(&self) -> Option<&str> {
        self.paused()?.pause_reason.as_deref()
    }

    /// The node that runs the job at the moment; null if none does.
    async fn running_on(&self) -> Option<&str> {
        let row = self.row.as_ref()?;
        let is_running = row.lease_until.is_some_and(|until| until > Timestamp::now());
        row.node.as_deref().filter(|_| is_running)
    }

    /// The last run that succeeded; null if none did.
    async fn last_success(&self) -> Option<JobRun> {
        self.last_success.clone().map(JobRun)
    }
}

#[derive(Default)]
pub struct JobQueries;

#[Object]
impl JobQueries {
    /// All jobs, with their schedules and pauses.
    async fn jobs(&self, ctx: &Context<'_>) -> Result<Vec<Job>> {
        viewer(ctx)?;
        let request = request(ctx)?;
        let on_demand = &request.app.on_demand;
        let names: Vec<&'static str> = on_demand.jobs().iter().map(Runnable::name).collect();
        let (rows, last) =
            request.read(move |conn| Ok((ledger::states(conn)?, ledger::last_successes(conn, names)?))).await?;
        let all = on_demand.jobs().iter().map(|job| {
            let row = rows.iter().find(|row| row.job == job.name()).cloned();
            shown(on_demand, job, row, last.get(job.name()).cloned())
        });
        all.collect()
    }
}

fn shown(
    on_demand: &OnDemand,
    job: &'static dyn Runnable,
    row: Option<models::Job>,
    last_success: Option<models::JobRun>,
) -> Result<Job> {
    let plan = on_demand.settings().plan(job).map_err(bad_input)?;
    Ok(Job { job, plan, row, last_success })
}

/// A run of a job by hand.
#[derive(Debug, InputObject)]
pub struct RunJobInput {
    /// The name of the job.
    pub name: String,
    /// The day that the run computes results for, today at the latest; by default yesterday (Vietnam).
    pub as_of: Option<NaiveDate>,
}

/// A pause of a job.
#[derive(Debug, InputObject)]
pub struct PauseJobInput {
    /// The name of the job.
    pub name: String,
    /// Why, at most 500 characters.
    pub reason: Option<String>,
}

/// The end of a pause.
#[derive(Debug, InputObject)]
pub struct ResumeJobInput {
    /// The name of the job.
    pub name: String,
}

#[derive(SimpleObject)]
pub struct RunJobPayload {
    /// The run that has begun: `jobRuns` and `jobRunChanged` show how it ends.
    pub run: JobRun,
}

#[derive(SimpleObject)]
pub struct JobPayload {
    pub job: Job,
}

#[derive(Default)]
pub struct JobMutations;

#[Object]
impl JobMutations {
    /// Begins a run of a job, whatever its schedule and also while it is paused. NOT_FOUND if there is no such
    /// job, BAD_USER_INPUT if the day is wrong, CONFLICT if the job is running.
    async fn run_job(&self, ctx: &Context<'_>, input: RunJobInput) -> Result<RunJobPayload> {
        let today = local_date(Timestamp::now());
        let as_of = match input.as_of {
            Some(as_of) => day("asOf", as_of)?,
            None => today.pred_opt().unwrap_or(today),
        };
        if as_of > today {
            return Err(refuse(JobRefusal::AsOfFuture { day: as_of, today }));
        }
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let run = blocking(move || app.on_demand.start(&input.name, as_of, &viewer.actor()).map_err(from_job)).await?;
        Ok(RunJobPayload { run: JobRun(run) })
    }

    /// Stops the scheduled runs of a job on all nodes. NOT_FOUND if the job does not exist, CONFLICT if it is
    /// paused already.
    async fn pause_job(&self, ctx: &Context<'_>, input: PauseJobInput) -> Result<JobPayload> {
        let reason = optional("reason", input.reason.as_deref(), SHORT)?;
        let by = viewer(ctx)?.actor();
        change(ctx, input.name, Some((by, reason))).await
    }

    /// Starts the scheduled runs of a paused job again. The scheduler catches up on times that passed meanwhile as
    /// `missed` says. NOT_FOUND if the job does not exist, CONFLICT if it is not paused.
    async fn resume_job(&self, ctx: &Context<'_>, input: ResumeJobInput) -> Result<JobPayload> {
        change(ctx, input.name, None).await
    }
}

/// Pauses a job (by whom, and why) or resumes it.
async fn change(ctx: &Context<'_>, name: String, pause: Option<(String, Option<String>)>) -> Result<JobPayload> {
    let actor = viewer(ctx)?.actor();
    let app = request(ctx)?.app.clone();
    let job = blocking(move || {
        let job = app.on_demand.find(&name).map_err(from_job)?;
        let pause = pause.as_ref().map(|(by, reason)| Pause { by, reason: reason.as_deref() });
        let row = ledger::change_pause(&app.db, &actor, job.name(), pause).map_err(from_store)?;
        let last = app.db.read(|conn| ledger::last_successes(conn, [job.name()])).map_err(from_store)?;
        shown(&app.on_demand, job, Some(row), last.get(job.name()).cloned())
    })
    .await?;
    Ok(JobPayload { job })
}
