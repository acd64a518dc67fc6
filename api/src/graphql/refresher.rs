//! The task of a node that keeps its snapshot up to date.
//!
//! Each write wakes the task; several wake-ups during one refresh are coalesced into one more refresh. A reader
//! that must see a write waits for its position without holding a thread, so a slow database costs one thread
//! and not one for each write.

use jobs::snapshot::SnapshotStore;
use jobs::statistics::Editions;
use schema::{Db, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

/// Poll interval for writes of other nodes.
const AT_LEAST_EVERY: Duration = Duration::from_secs(2);
/// A refresh that takes no longer than this is quick: it copies what one write touched, or a few.
const QUICK: Duration = Duration::from_millis(10);
/// Pause after a refresh that is not quick, as a multiple of its own time, and at most so long. During a large import,
/// or where the database is slow, refreshes without a pause would leave little for the readers. The writes of a pause
/// share the next one. A reader who waits for a position ends the pause.
const PAUSE: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The pause after a refresh. A quick one pauses as long as it took: until the next refresh ends, pages come from the
/// database instead of the snapshot. With 50 writes a second at random times and refreshes of 4 ms, the snapshot is at
/// the register's position for 77 % of the time with that pause, for 60 % with one of 16 ms, and for 80 % with none.
fn pause_after(refresh: Duration) -> Duration {
    if refresh <= QUICK { refresh } else { (refresh * PAUSE).min(LONGEST_PAUSE) }
}
/// Pause after a failed refresh.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Interval between wake-ups while a reader waits for a position: a replica lags a little.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Wakes the task, and publishes the position of the snapshot.
#[derive(Debug)]
pub struct Refresher {
    wake: Notify,
    /// Ends a pause.
    hurry: Notify,
    position: watch::Sender<i64>,
    /// Whether the last refresh failed.
    is_failing: AtomicBool,
}

impl Refresher {
    pub fn new(position: i64) -> Self {
        Self {
            wake: Notify::new(),
            hurry: Notify::new(),
            position: watch::Sender::new(position),
            is_failing: AtomicBool::new(false),
        }
    }

    /// Tells the task that something was written.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether the last refresh failed: the database may be away.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Refreshes the snapshot and the edition for DASHBOARD after each wake-up, and at least every
    /// [`AT_LEAST_EVERY`].
    pub async fn run(
        self: Arc<Self>,
        db: Db,
        snapshots: Arc<SnapshotStore>,
        editions: Arc<Editions>,
        edition_minutes: u32,
    ) {
        loop {
            let began = Instant::now();
            let (db, current, editions) = (db.clone(), Arc::clone(&snapshots), Arc::clone(&editions));
            let refreshed = tokio::task::spawn_blocking(move || {
                current.refresh(&db)?;
                editions.renew(&current, edition_minutes, Timestamp::now())
            });
            let failed = match refreshed.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(panic) => Some(panic.to_string()),
            };
            self.is_failing.store(failed.is_some(), Ordering::Relaxed);
            if let Some(error) = failed {
                tracing::warn!(error, "cannot refresh the snapshot");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
            self.position.send_replace(snapshots.current().position);
            let _hurried_or_over = timeout(pause_after(began.elapsed()), self.hurry.notified()).await;
            // `Notify` stores a wake-up, so one that came during the refresh is not lost.
            let _woken_or_late = timeout(AT_LEAST_EVERY, self.wake.notified()).await;
        }
    }

    /// Waits until the snapshot holds a position; false if it does not within the given time.
    pub async fn reaches(&self, position: i64, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut positions = self.position.subscribe();
        while Instant::now() < until {
            self.wake();
            self.hurry.notify_one();
            if timeout(LOOK_AGAIN, positions.wait_for(|current| *current >= position)).await.is_ok() {
                return true;
            }
        }
        false
    }
}
