//! The task of a node that keeps the snapshot in its file.

use crate::graphql::context::App;
use crate::graphql::refresher::Refresher;
use jobs::snapshot::{AT_THE_END, SnapshotFile, SnapshotStore, WHILE_SERVING};
use schema::Db;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// When the task first looks: the first requests come before it.
const FIRST_AFTER: Duration = Duration::from_secs(15);
/// Interval at which it looks whether enough has changed.
const EVERY: Duration = Duration::from_secs(600);

/// The resources of the task. No request waits for it.
#[derive(Clone)]
struct Kept {
    file: Arc<SnapshotFile>,
    db: Db,
    snapshots: Arc<SnapshotStore>,
    refresher: Arc<Refresher>,
}

impl Kept {
    /// Writes the file if it is due.
    async fn write(self, share: u64) {
        let written = tokio::task::spawn_blocking(move || self.file.keep(&self.db, &self.snapshots.current(), share));
        if let Err(error) = written.await {
            tracing::error!(%error, "the snapshot file could not be written");
        }
    }
}

/// The running task.
pub struct SnapshotKeeper {
    kept: Kept,
    task: JoinHandle<()>,
}

impl SnapshotKeeper {
    pub fn start(file: SnapshotFile, app: &App) -> Self {
        let kept = Kept {
            file: Arc::new(file),
            db: app.background_db.clone(),
            snapshots: Arc::clone(&app.snapshots),
            refresher: Arc::clone(&app.refresher),
        };
        let again = kept.clone();
        let task = tokio::spawn(async move {
            tokio::time::sleep(FIRST_AFTER).await;
            loop {
                again.clone().write(WHILE_SERVING).await;
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { kept, task }
    }

    /// The file, to say when the process ends.
    pub fn file(&self) -> Arc<SnapshotFile> {
        Arc::clone(&self.kept.file)
    }

    /// Ends the task and writes the file a last time, unless the database is away: asking it would hold the end up.
    pub async fn end(self) {
        self.task.abort();
        if self.kept.refresher.is_failing() {
            return;
        }
        self.kept.write(AT_THE_END).await;
    }
}
