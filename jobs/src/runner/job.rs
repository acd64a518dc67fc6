//! What a job is.

use crate::JobError;
use crate::runner::settings::{Missed, Settings};
use crate::snapshot::SnapshotStore;
use schema::db::WriteTx;
use schema::models::JobRun;
use schema::{Conn, Db, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a job works with.
pub struct Context<'c> {
    pub db: &'c Db,
    pub settings: &'c Settings,
    /// All jobs: one may read the results of others.
    pub jobs: Registry,
    /// The snapshot of the node, where it serves.
    pub snapshots: Option<&'c SnapshotStore>,
    /// Rules other than those of the settings.
    pub rules: Option<&'c crate::analyses::recurrence::Rules>,
    /// Set when the process is to end: a job that goes on for long at others' pace looks at it.
    pub stop: Option<&'c AtomicBool>,
}

impl Context<'_> {
    pub fn is_stopping(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::SeqCst))
    }

    /// The snapshot, as new as it can be had.
    pub fn snapshot(&self) -> Result<Arc<crate::snapshot::Snapshot>, JobError> {
        match self.snapshots {
            Some(store) => {
                store.refresh(self.db)?;
                Ok(store.current())
            }
            None => Ok(SnapshotStore::load(self.db)?.current()),
        }
    }
}

/// Writes down what a run found, in the transaction that ends the run: all of it happens, once, or
/// nothing.
pub type Publish = Box<dyn FnOnce(&mut WriteTx<'_>, &mut JobRun) -> Result<(), StoreError>>;

/// Something that is done again and again.
pub trait Job: Sync {
    fn name(&self) -> &'static str;
    /// What it is for, in a few words.
    fn about(&self) -> &'static str;
    /// When it runs unless the configuration says otherwise, in the time of Vietnam.
    fn schedule(&self) -> &'static str;
    fn missed(&self) -> Missed {
        Missed::Latest
    }
    /// The jobs whose results it reads: its run of a time waits for theirs.
    fn after(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether there is anything to do: a run that would do nothing is not made.
    fn has_work(&self, _: &Context<'_>, _: &mut Conn) -> Result<bool, StoreError> {
        Ok(true)
    }
    /// Computes. `run.as_of` is the day for which; nothing may be written but by what is returned.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError>;
}

/// The jobs that there are.
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
