//! The interface of a job: the trait, the context of a run, and the registry.

use crate::JobError;
use crate::runner::settings::{Missed, Settings};
use crate::snapshot::{SnapshotFile, SnapshotStore};
use chrono::NaiveDate;
use schema::db::WriteTx;
use schema::models::JobRun;
use schema::{Conn, Db, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The resources that a run of a job may use.
pub struct Context<'c> {
    pub db: &'c Db,
    pub settings: &'c Settings,
    /// All jobs: a job may depend on the results of others.
    pub jobs: Registry,
    /// The node's shared snapshot; None in a command, which loads its own.
    pub snapshots: Option<&'c SnapshotStore>,
    /// Overrides the rules of the settings.
    pub rules: Option<&'c crate::analyses::recurrence::Rules>,
    /// Set when the process shuts down: jobs that loop over batches or mails check it between two.
    pub stop: Option<&'c AtomicBool>,
}

impl Context<'_> {
    pub fn is_stopping(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::SeqCst))
    }

    /// The snapshot, refreshed to the latest commit.
    ///
    /// # Errors
    /// When the database fails.
    pub fn snapshot(&self) -> Result<Arc<crate::snapshot::Snapshot>, JobError> {
        match self.snapshots {
            Some(store) => {
                store.refresh(self.db)?;
                Ok(store.current())
            }
            None => {
                let file = SnapshotFile::of(self.db, &self.settings.snapshot, self.settings.keys.clone());
                Ok(SnapshotStore::load_kept(self.db, file.as_ref())?.current())
            }
        }
    }
}

/// Stores the results of a run. The runner calls it in the transaction that ends the run, so that results and
/// the end of the run are committed together or not at all.
pub type Publish = Box<dyn FnOnce(&mut WriteTx<'_>, &mut JobRun) -> Result<(), StoreError>>;

/// The as-of day of a run.
///
/// # Errors
/// `NotFound` when the run has none.
pub fn day_of(run: &JobRun) -> Result<NaiveDate, JobError> {
    run.as_of.ok_or_else(|| {
        JobError::NotFound(format!("run {} of {} has no as-of day: start another with --as-of", run.id, run.job))
    })
}

/// A job: work that runs on a schedule or by hand.
pub trait Job: Sync {
    fn name(&self) -> &'static str;
    /// Its purpose, in a few words.
    fn about(&self) -> &'static str;
    /// The default cron schedule, in Vietnam time.
    fn schedule(&self) -> &'static str;
    /// Whether a scheduled run is for the local day of its time. Otherwise it is for the day before, which is over.
    fn is_for_its_own_day(&self) -> bool {
        false
    }
    /// Whether the settings have what it needs; otherwise the scheduler does not run it.
    fn is_configured(&self, _: &Settings) -> bool {
        true
    }
    fn missed(&self) -> Missed {
        Missed::Latest
    }
    /// The jobs whose results it reads: its scheduled run waits for their runs.
    fn after(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether each scheduled time leaves a run. A job with [`Self::has_work`] leaves none where it has nothing to do,
    /// so that its runs do not show whether it missed one.
    fn always_runs(&self) -> bool {
        true
    }
    /// Whether there is anything to do; otherwise the scheduler starts no run.
    ///
    /// # Errors
    /// If the database cannot be read.
    fn has_work(&self, _: &Context<'_>, _: &mut Conn) -> Result<bool, StoreError> {
        Ok(true)
    }
    /// Computes the results for the day `run.as_of`, and returns the step that stores them. A job that has to
    /// write earlier (a mail cannot be rolled back) does so in transactions that check `ledger::still_owned`.
    ///
    /// # Errors
    /// The error of the run: the ledger stores it, and tries a scheduled run again.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError>;
}

/// The list of jobs.
#[derive(Clone, Copy)]
pub struct Registry(pub &'static [&'static dyn Job]);

impl Registry {
    pub fn iter(self) -> impl Iterator<Item = &'static dyn Job> {
        self.0.iter().copied()
    }

    pub fn find(self, name: &str) -> Option<&'static dyn Job> {
        self.iter().find(|job| job.name() == name)
    }
}
