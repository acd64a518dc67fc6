//! Runs that a server starts for a client: the client gets the run at once, and the node executes it.

use crate::JobError;
use crate::compute_pool;
use crate::runner::job::{Context, Job, Registry};
use crate::runner::ledger;
use crate::runner::settings::Settings;
use crate::snapshot::SnapshotStore;
use chrono::NaiveDate;
use schema::models::JobRun;
use schema::refusal::JobRefusal;
use schema::{Db, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;

/// Most concurrent runs of different jobs that clients started on one node.
const AT_ONCE: u32 = 2;

/// Executes the runs that clients start on a node.
pub struct OnDemand {
    db: Db,
    settings: Settings,
    jobs: Registry,
    snapshots: Arc<SnapshotStore>,
    stopping: AtomicBool,
    permits: Arc<Semaphore>,
}

impl OnDemand {
    pub fn new(db: Db, settings: Settings, jobs: Registry, snapshots: Arc<SnapshotStore>) -> Self {
        let permits = Arc::new(Semaphore::new(AT_ONCE as usize));
        Self { db, settings, jobs, snapshots, stopping: AtomicBool::new(false), permits }
    }

    /// The jobs.
    pub fn jobs(&self) -> Registry {
        self.jobs
    }

    /// The settings by which jobs run.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The job with a name.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn find(&self, name: &str) -> Result<&'static dyn Job, JobError> {
        let found = self.jobs.find(name);
        found.ok_or_else(|| JobError::NotFound(format!("there is no job {name:?}: the query `jobs` lists the names")))
    }

    /// Claims a run of a job for a day and begins it. `by` is who asks for it.
    ///
    /// # Errors
    /// `NotFound` when there is no such job; [`JobError::Busy`] when it is running already; `Conflict` when this node
    /// stops or executes enough runs.
    pub fn start(self: &Arc<Self>, name: &str, as_of: NaiveDate, by: &str) -> Result<JobRun, JobError> {
        let job = self.find(name)?;
        if self.stopping.load(Ordering::SeqCst) {
            return Err(StoreError::from(JobRefusal::NodeStops).into());
        }
        let permit = Arc::clone(&self.permits)
            .try_acquire_owned()
            .map_err(|_| StoreError::from(JobRefusal::TooManyRuns { most: AT_ONCE }))?;
        let plan = ledger::plan_of(&self.context(), job)?;
        let claim = ledger::claim_now(&self.context(), job, &plan, as_of, by)?;
        let run = claim.run.clone();
        let node = Arc::clone(self);
        // The node does not wait for the run; `stop` does.
        drop(compute_pool::spawn(move || {
            let _permit = permit;
            // `execute` has recorded a failure in the ledger and in the log.
            let _written_down = ledger::execute(&node.context(), job, &plan, claim);
        }));
        Ok(run)
    }

    /// Starts no further run, and waits for those in progress.
    pub async fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _all_have_ended = self.permits.acquire_many(AT_ONCE).await;
    }

    fn context(&self) -> Context<'_> {
        Context {
            db: &self.db,
            settings: &self.settings,
            jobs: self.jobs,
            snapshots: Some(&self.snapshots),
            rules: None,
            stop: Some(&self.stopping),
        }
    }
}
