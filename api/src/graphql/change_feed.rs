//! What happens in the register, for those who subscribe: told to all of them at once, from the database,
//! so that it does not matter which node wrote it.

use super::context::blocking;
use super::error::{Code, error, from_store};
use async_graphql::Result;
use diesel::prelude::*;
use schema::db::Backend;
use schema::db::dialect::current_position;
use schema::enums::{ComplaintEventKind, RunState};
use schema::tables::{complaint_events, flags, job_runs};
use schema::{Conn, Db, Id, StoreError, Timestamp};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};

/// A change of the register that subscribers are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEvent {
    ComplaintReceived(Id),
    FlagChanged(Id),
    JobRunChanged(Id),
}

/// Events that wait for a subscriber who is slow; one who falls further behind is told so and let go.
const WAITING: usize = 1_024;
/// Runs that are looked at: the latest.
const RUNS: i64 = 200;

/// Where events come from.
#[derive(Clone)]
pub struct ChangeFeed(Arc<Inner>);

struct Inner {
    db: Db,
    sender: Sender<ChangeEvent>,
    /// What was known when it was last looked; None while nobody subscribes.
    last_seen: Mutex<Option<LastSeen>>,
    wake: Notify,
    /// How often commits were heard of.
    heard: AtomicU64,
    stopping: AtomicBool,
}

/// The state of what may change.
struct LastSeen {
    position: i64,
    flags: HashMap<Id, Timestamp>,
    runs: HashMap<Id, RunState>,
}

impl ChangeFeed {
    pub fn new(db: Db) -> Self {
        let (sender, _) = channel(WAITING);
        let inner = Inner {
            db,
            sender,
            last_seen: Mutex::new(None),
            wake: Notify::new(),
            heard: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        };
        Self(Arc::new(inner))
    }

    /// Reads what changed whenever somebody commits, until it is stopped.
    pub fn start(&self) {
        let listening = self.clone();
        std::thread::spawn(move || {
            let db = listening.0.db.clone();
            db.listen(|heard| {
                if heard {
                    listening.0.heard.fetch_add(1, Ordering::SeqCst);
                    listening.wake();
                }
                !listening.0.stopping.load(Ordering::SeqCst)
            });
        });
        let feed = self.clone();
        tokio::spawn(async move {
            while !feed.0.stopping.load(Ordering::SeqCst) {
                // Where commits are not told of, it is looked often enough for people.
                let _woken_or_late = tokio::time::timeout(LOOK_EVERY, feed.0.wake.notified()).await;
                let looking = feed.clone();
                let looked = tokio::task::spawn_blocking(move || looking.look()).await;
                if let Ok(Err(error)) = looked {
                    tracing::warn!(%error, "the changes of the register could not be read");
                }
            }
        });
    }

    /// Changes soon after each commit of any node; None where the database does not tell of commits.
    pub fn heard(&self) -> Option<u64> {
        (self.0.db.backend() == Backend::Postgres).then(|| self.0.heard.load(Ordering::SeqCst))
    }

    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Says that something was written here.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// All that happens from now on.
    pub async fn subscribe(&self) -> Result<Receiver<ChangeEvent>> {
        let receiver = self.0.sender.subscribe();
        let feed = self.clone();
        // What is known now is what later changes are told from.
        blocking(move || feed.look().map_err(from_store)).await?;
        Ok(receiver)
    }

    fn look(&self) -> Result<(), StoreError> {
        let mut last_seen = self.0.last_seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.0.sender.receiver_count() == 0 {
            *last_seen = None;
            return Ok(());
        }
        let (next, events) = self.0.db.read_snapshot(|conn| {
            let next = LastSeen::read(conn)?;
            let events = last_seen.as_ref().map_or(Ok(Vec::new()), |last| last.until(&next, conn))?;
            Ok::<_, StoreError>((next, events))
        })?;
        *last_seen = Some(next);
        for one in events {
            // Nobody may be left to hear it.
            let _subscribers = self.0.sender.send(one);
        }
        Ok(())
    }
}

/// How often it is looked where nothing is heard.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(500);

impl LastSeen {
    fn read(conn: &mut Conn) -> Result<Self, StoreError> {
        let position = current_position(conn)?;
        let flags = flags::table.select((flags::id, flags::changed_at)).load::<(Id, Timestamp)>(conn)?;
        let runs = job_runs::table.order(job_runs::started_at.desc()).select((job_runs::id, job_runs::state));
        let runs = runs.limit(RUNS).load::<(Id, RunState)>(conn)?;
        Ok(Self { position, flags: flags.into_iter().collect(), runs: runs.into_iter().collect() })
    }

    /// The changes from this state to the next.
    fn until(&self, next: &Self, conn: &mut Conn) -> Result<Vec<ChangeEvent>, StoreError> {
        let mut events = Vec::new();
        if next.position > self.position {
            let received = complaint_events::table
                .filter(complaint_events::position.gt(self.position).and(complaint_events::position.le(next.position)))
                .filter(complaint_events::kind.eq(ComplaintEventKind::Received))
                .order((complaint_events::position, complaint_events::ordinal))
                .select(complaint_events::complaint_id)
                .load::<Id>(conn)?;
            events.extend(received.into_iter().map(ChangeEvent::ComplaintReceived));
        }
        let flags = next.flags.iter().filter(|(id, changed)| self.flags.get(id) != Some(changed));
        events.extend(flags.map(|(id, _)| ChangeEvent::FlagChanged(*id)));
        let runs = next.runs.iter().filter(|(id, state)| self.runs.get(id) != Some(state));
        events.extend(runs.map(|(id, _)| ChangeEvent::JobRunChanged(*id)));
        Ok(events)
    }
}

/// The next event; None once there are no more.
///
/// # Errors
/// Where the subscriber was too slow, and lost changes.
pub async fn next(receiver: &mut Receiver<ChangeEvent>) -> Option<Result<ChangeEvent>> {
    match receiver.recv().await {
        Ok(events) => Some(Ok(events)),
        Err(RecvError::Closed) => None,
        Err(RecvError::Lagged(lost)) => {
            let message =
                format!("{lost} events came faster than they were taken: subscribe again, and read what is new");
            Some(Err(error(Code::RateLimited, message)))
        }
    }
}
