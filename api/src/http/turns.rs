//! How many operations read from the database at once.
//!
//! A few for each processor: more would take turns on it, each on a thread whose memory is cold by then, and all would be
//! later. Where those few are slow, or only wait for something else, nobody waits for them.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For each processor: one computes, the others wait for the database.
const OF_A_PROCESSOR: usize = 3;
/// How long an operation waits for its turn; a page takes a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);

pub struct Turns(Arc<Semaphore>);

impl Turns {
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors * OF_A_PROCESSOR)))
    }

    /// Waits a little for a turn, which lasts until it is dropped; without one it goes as well.
    pub async fn take(&self) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await.ok()?.ok()
    }
}
