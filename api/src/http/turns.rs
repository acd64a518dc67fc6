//! How many operations read from the database at once.
//!
//! A few for each processor: more would take turns on it, each on a thread whose memory is cold by then, and all would be
//! later. Where those few are slow, though, nobody is to wait for them.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For each processor: one computes, the others wait for the database.
const OF_A_PROCESSOR: usize = 3;
/// How long an operation waits for the few; a page takes a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);

pub struct Turns {
    few: Arc<Semaphore>,
    /// As many more as there are connections.
    more: Arc<Semaphore>,
}

impl Turns {
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let connections = schema::db::CONNECTIONS as usize;
        let few = (processors * OF_A_PROCESSOR).clamp(1, connections);
        Self { few: Arc::new(Semaphore::new(few)), more: Arc::new(Semaphore::new(connections - few)) }
    }

    /// Waits for a turn, which lasts until it is dropped. None where the server ends.
    pub async fn take(&self) -> Option<OwnedSemaphorePermit> {
        let few = Arc::clone(&self.few).acquire_owned();
        let more = async {
            tokio::time::sleep(PATIENCE).await;
            Arc::clone(&self.more).acquire_owned().await
        };
        tokio::select! {
            biased;
            turn = few => turn.ok(),
            turn = more => turn.ok(),
        }
    }
}
