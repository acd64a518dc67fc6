//! The change feed behind subscriptions. It reads changes from the database, once for all subscribers of a
//! node, so that it also sees what other nodes write.

use super::error::{Code, error, from_store};
use super::execute::blocking;
use async_graphql::Result;
use schema::db::Backend;
use schema::db::dialect::current_position;
use schema::enums::RunState;
use schema::{Conn, Db, Id, StoreError, Timestamp, queries};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};

/// A change that subscribers hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEvent {
    ComplaintReceived(Id),
    /// A complaint and the level of the escalation.
    ComplaintEscalated(Id, i32),
    FlagChanged(Id),
    JobRunChanged(Id),
    /// An alert was raised, is over, or is current again.
    AlertChanged(Id),
}

/// Events buffered for a slow subscriber; one that falls further behind gets an error and is dropped.
const WAITING: usize = 1_024;
/// Number of latest job runs that are compared.
const RUNS: i64 = 200;
/// Number of latest alerts that are compared.
const ALERTS: i64 = 200;

/// The feed of changes of one node.
#[derive(Clone)]
pub struct ChangeFeed(Arc<Inner>);

struct Inner {
    db: Db,
    sender: Sender<ChangeEvent>,
    /// The state at the last poll; None while there is no subscriber.
    last_seen: Mutex<Option<LastSeen>>,
    wake: Notify,
    /// Number of commit notifications received.
    commit_notifications: AtomicU64,
    stopping: AtomicBool,
}

/// The state that the next poll compares with.
struct LastSeen {
    position: i64,
    flags: HashMap<Id, Timestamp>,
    runs: HashMap<Id, RunState>,
    alerts: HashMap<Id, Option<Timestamp>>,
}

impl ChangeFeed {
    pub fn new(db: Db) -> Self {
        let (sender, _) = channel(WAITING);
        let inner = Inner {
            db,
            sender,
            last_seen: Mutex::new(None),
            wake: Notify::new(),
            commit_notifications: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        };
        Self(Arc::new(inner))
    }

    /// Starts to read changes after each commit, until [`Self::stop`].
    pub fn start(&self) {
        let listening = self.clone();
        std::thread::spawn(move || {
            let db = listening.0.db.clone();
            db.listen(|notified| {
                if notified {
                    listening.0.commit_notifications.fetch_add(1, Ordering::SeqCst);
                    listening.wake();
                }
                !listening.0.stopping.load(Ordering::SeqCst)
            });
        });
        let feed = self.clone();
        tokio::spawn(async move {
            while !feed.0.stopping.load(Ordering::SeqCst) {
                // Without commit notifications, polling at this rate is fast enough for people.
                let _woken_or_late = tokio::time::timeout(POLL_INTERVAL, feed.0.wake.notified()).await;
                let polled_feed = feed.clone();
                let polled = tokio::task::spawn_blocking(move || polled_feed.poll()).await;
                if let Ok(Err(error)) = polled {
                    tracing::warn!(%error, "cannot read the changes of the register");
                }
            }
        });
    }

    /// A counter that grows soon after each commit on any node; None if the database sends no commit
    /// notifications.
    pub fn commit_notifications(&self) -> Option<u64> {
        (self.0.db.backend() == Backend::Postgres).then(|| self.0.commit_notifications.load(Ordering::SeqCst))
    }

    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Tells the feed that this node wrote something.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Receives all changes from now on.
    ///
    /// # Errors
    /// If the present state cannot be read.
    pub async fn subscribe(&self) -> Result<Receiver<ChangeEvent>> {
        let receiver = self.0.sender.subscribe();
        let feed = self.clone();
        // Later changes are found by comparison with the state now.
        blocking(move || feed.poll().map_err(from_store)).await?;
        Ok(receiver)
    }

    fn poll(&self) -> Result<(), StoreError> {
        let mut last_seen = self.0.last_seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.0.sender.receiver_count() == 0 {
            *last_seen = None;
            return Ok(());
        }
        let (next, events) = self.0.db.read_snapshot(|conn| {
            let next = LastSeen::read(conn)?;
            let events = last_seen.as_ref().map_or(Ok(Vec::new()), |last| last.changes_to(&next, conn))?;
            Ok::<_, StoreError>((next, events))
        })?;
        *last_seen = Some(next);
        for one in events {
            // The last subscriber may have left.
            let _subscribers = self.0.sender.send(one);
        }
        Ok(())
    }
}

/// Poll interval without a notification.
const POLL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(500);

impl LastSeen {
    fn read(conn: &mut Conn) -> Result<Self, StoreError> {
        let position = current_position(conn)?;
        let flags = queries::change_times_of_flags(conn)?;
        let runs = queries::states_of_latest_runs(conn, RUNS)?;
        let alerts = queries::ends_of_latest_alerts(conn, ALERTS)?;
        Ok(Self { position, flags, runs, alerts })
    }

    /// The changes from this state to `next`.
    fn changes_to(&self, next: &Self, conn: &mut Conn) -> Result<Vec<ChangeEvent>, StoreError> {
        let mut events = Vec::new();
        if next.position > self.position {
            let received = queries::complaints_received_between(conn, self.position, next.position)?;
            events.extend(received.into_iter().map(ChangeEvent::ComplaintReceived));
            let escalated = queries::escalations_between(conn, self.position, next.position)?;
            events.extend(escalated.into_iter().map(|(id, level)| ChangeEvent::ComplaintEscalated(id, level)));
        }
        let flags = next.flags.iter().filter(|(id, changed)| self.flags.get(id) != Some(changed));
        events.extend(flags.map(|(id, _)| ChangeEvent::FlagChanged(*id)));
        let runs = next.runs.iter().filter(|(id, state)| self.runs.get(id) != Some(state));
        events.extend(runs.map(|(id, _)| ChangeEvent::JobRunChanged(*id)));
        let alerts = next.alerts.iter().filter(|(id, end)| self.alerts.get(id) != Some(end));
        events.extend(alerts.map(|(id, _)| ChangeEvent::AlertChanged(*id)));
        Ok(events)
    }
}

/// The next event; None when the feed has ended.
///
/// # Errors
/// RATE_LIMITED if the subscriber was too slow and lost events.
pub async fn next(receiver: &mut Receiver<ChangeEvent>) -> Option<Result<ChangeEvent>> {
    match receiver.recv().await {
        Ok(events) => Some(Ok(events)),
        Err(RecvError::Closed) => None,
        Err(RecvError::Lagged(lost)) => {
            let message =
                format!("the client was too slow and missed {lost} events: subscribe again, and query what is new");
            Some(Err(error(Code::RateLimited, message)))
        }
    }
}
