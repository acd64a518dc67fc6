//! The one task of a node that brings its snapshot up to date.
//!
//! Each write wakes the task. Several wake-ups during one refresh are coalesced into one more refresh. A reader that has to
//! see a write waits for its position without holding a thread, so that a slow database costs one thread and not one for
//! each write.

use super::context::App;
use schema::Timestamp;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

/// How often writes of other nodes are looked for.
const AT_LEAST_EVERY: Duration = Duration::from_secs(2);
/// How long it rests where the database is away.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often a position that has not arrived is looked for: a replica is a little behind.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Wakes the task, and tells how far it is.
#[derive(Debug)]
pub struct Refresher {
    wake: Notify,
    position: watch::Sender<i64>,
}

impl Refresher {
    pub fn new(position: i64) -> Self {
        Self { wake: Notify::new(), position: watch::Sender::new(position) }
    }

    /// Says that something was written.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Refreshes the snapshot of a node, and the edition that a DASHBOARD is shown, whenever it is woken.
    pub async fn run(app: App, edition_minutes: u32) {
        loop {
            let of = app.clone();
            let refreshed = tokio::task::spawn_blocking(move || {
                of.snapshots.refresh(&of.background_db)?;
                of.editions.renew(&of.snapshots, edition_minutes, Timestamp::now())
            });
            let failed = match refreshed.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(panic) => Some(panic.to_string()),
            };
            if let Some(error) = failed {
                tracing::warn!(error, "the snapshot could not be refreshed");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
            app.refresher.position.send_replace(app.snapshots.current().position);
            // A wake that comes from now on is not lost, nor was one that came since the refresh began.
            let _woken_or_late = timeout(AT_LEAST_EVERY, app.refresher.wake.notified()).await;
        }
    }

    /// Waits until the snapshot knows a position; false where it does not within some time.
    pub async fn reaches(&self, position: i64, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut known = self.position.subscribe();
        while Instant::now() < until {
            self.wake();
            if timeout(LOOK_AGAIN, known.wait_for(|known| *known >= position)).await.is_ok() {
                return true;
            }
        }
        false
    }
}
