//! How many operations read from the database at once.
//!
//! A few for each processor: more would take turns on it, each on a thread whose memory is cold by then, and all would be
//! later. Where those few are slow, or only wait for something else, nobody waits for them long.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For each processor: one computes, the others wait for the database.
const OF_A_PROCESSOR: usize = 3;
/// How long an operation waits for one of these; a page takes a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);
/// How many more go on then: fewer than there are threads that may block, so that some are left for all else.
const MORE: usize = 256;

pub struct Turns {
    few: Arc<Semaphore>,
    more: Arc<Semaphore>,
}

impl Turns {
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { few: Arc::new(Semaphore::new(processors * OF_A_PROCESSOR)), more: Arc::new(Semaphore::new(MORE)) }
    }

    /// Waits for a turn, which lasts until it is dropped. None where the server ends.
    pub async fn take(&self) -> Option<OwnedSemaphorePermit> {
        let more = async {
            tokio::time::sleep(PATIENCE).await;
            Arc::clone(&self.more).acquire_owned().await
        };
        tokio::select! {
            biased;
            turn = Arc::clone(&self.few).acquire_owned() => turn.ok(),
            turn = more => turn.ok(),
        }
    }
}
