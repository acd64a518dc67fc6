//! Chooses the database that answers the reads of an operation: the replica, if there is one that holds what the reader
//! must see, else the primary.
//!
//! An operation goes from the replica to the primary and never back, and each connection to the replica that it takes
//! is at least as far as the one before: its reads never go back in time. Writes, and whatever must see them at once,
//! are of the primary. A read that fails on the replica fails its operation, which then runs again on the primary; only
//! queries read from the replica, so that nothing is written twice.

use super::error::{Code, UNREACHABLE, error, from_store};
use crate::access::Viewer;
use async_graphql::{Error, Result};
use jobs::runner::settings::DatabaseSettings;
use moka::sync::Cache;
use schema::db::cancellation::CancelToken;
use schema::db::{LagBounds, ReadSession, Replica, ReplicaStatus, StatementCount, Unfit};
use schema::{Conn, Db, Id, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Tokens whose last write is remembered.
const WRITERS: u64 = 100_000;
/// Time for which a write is remembered beyond the bound of the lag: until then every replica within the bound has it.
const REMEMBERED_BEYOND: Duration = Duration::from_secs(60);

/// The database that answered an operation, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    ByReplica,
    /// The primary answers because the operation writes, or must see the present.
    Current,
    /// The primary answers because the replica may lack a write that the reader must see.
    Behind,
    /// The primary answers because the replica lags too far behind.
    Lags,
    /// The primary answers because the replica cannot be used.
    Away,
    /// The primary answers after the replica had failed.
    Failed,
}

impl Answered {
    const ALL: [Self; 6] = [Self::ByReplica, Self::Current, Self::Behind, Self::Lags, Self::Away, Self::Failed];

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ByReplica => ("replica", "complete"),
            Self::Current => ("primary", "current"),
            Self::Behind => ("primary", "behind"),
            Self::Lags => ("primary", "lags"),
            Self::Away => ("primary", "away"),
            Self::Failed => ("primary", "failed"),
        }
    }
}

#[derive(Default)]
struct Counts([AtomicU64; Answered::ALL.len()]);

impl Counts {
    fn count(&self, answered: Answered) {
        self.0[answered as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// Chooses between the primary and the replica of a node.
pub struct ReadRouter {
    primary: Db,
    replica: Option<Replica>,
    /// When the holder of a token wrote last.
    writers: Cache<Id, Instant>,
    counts: Arc<Counts>,
}

impl ReadRouter {
    /// `primary`: the database of requests. `background_db`: the same without their deadline.
    ///
    /// # Errors
    /// If the settings name a replica that is none of this register.
    pub fn open(
        primary: &Db,
        background_db: &Db,
        settings: &DatabaseSettings,
        deadline: Duration,
    ) -> std::result::Result<Self, StoreError> {
        let bounds = LagBounds {
            time: Duration::from_secs(u64::from(settings.replica_lag_seconds)),
            positions: settings.replica_lag_positions.map(i64::from),
        };
        let replica = match &settings.replica {
            Some(url) => Some(Replica::open(url, background_db, deadline, settings.pool_size(), bounds)?),
            None => None,
        };
        let writers = Cache::builder().max_capacity(WRITERS).time_to_live(bounds.time + REMEMBERED_BEYOND).build();
        Ok(Self { primary: primary.clone(), replica, writers, counts: Arc::default() })
    }

    pub fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// The primary, for reads that are not counted.
    pub fn primary(&self) -> Reads {
        Reads { primary: self.primary.clone(), on_replica: None }
    }

    /// Reads for an operation that writes, or must see the present.
    pub fn current(&self) -> Reads {
        self.counts.count(Answered::Current);
        self.primary()
    }

    /// Reads from the primary, for an operation whose reads failed on the replica.
    pub fn after_failure(&self) -> Reads {
        self.counts.count(Answered::Failed);
        self.primary()
    }

    /// Reads for a query that must see a position.
    pub fn for_query(&self, viewer: &Viewer, at_least: i64) -> Reads {
        let Some(replica) = self.fit_replica(viewer, at_least) else { return self.primary() };
        let on_replica = OnReplica {
            replica: replica.clone(),
            at_least: AtomicI64::new(at_least),
            is_left: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            counts: Arc::clone(&self.counts),
        };
        Reads { primary: self.primary.clone(), on_replica: Some(Arc::new(on_replica)) }
    }

    /// The replica, for an export that must see a position; None if the primary has to make it.
    pub fn for_export(&self, viewer: &Viewer, at_least: i64) -> Option<Db> {
        self.fit_replica(viewer, at_least)?.for_long_reads().cloned()
    }

    fn fit_replica(&self, viewer: &Viewer, at_least: i64) -> Option<&Replica> {
        let replica = self.replica.as_ref()?;
        let checked = replica.check(self.writers.get(&viewer.token_id), at_least);
        self.counts.count(match checked {
            Ok(()) => Answered::ByReplica,
            Err(Unfit::Away) => Answered::Away,
            Err(Unfit::Lags) => Answered::Lags,
            Err(Unfit::Behind) => Answered::Behind,
        });
        checked.is_ok().then_some(replica)
    }

    /// Notes that the holder of a token may have written: the primary answers it until the replica has the write.
    pub fn note_write(&self, viewer: Option<&Viewer>) {
        if let (Some(_), Some(viewer)) = (&self.replica, viewer) {
            self.writers.insert(viewer.token_id, Instant::now());
        }
    }

    /// The state of the replica, and the connections to it: open and idle ones.
    pub fn replica(&self) -> Option<(ReplicaStatus, (u32, u32))> {
        self.replica.as_ref().map(|replica| (replica.status(), replica.connections()))
    }

    /// Operations since the start of the node, by what answered them and why.
    pub fn counts(&self) -> impl Iterator<Item = ((&'static str, &'static str), u64)> {
        Answered::ALL
            .into_iter()
            .map(move |answered| (answered.words(), self.counts.0[answered as usize].load(Ordering::Relaxed)))
    }
}

/// The database that an operation reads.
#[derive(Clone)]
pub struct Reads {
    primary: Db,
    on_replica: Option<Arc<OnReplica>>,
}

/// The replica, and what one operation has had of it.
struct OnReplica {
    replica: Replica,
    /// The position that the next connection must have.
    at_least: AtomicI64,
    /// Whether the operation continues with the primary.
    is_left: AtomicBool,
    /// Whether a read failed: the operation has to run again.
    has_failed: AtomicBool,
    counts: Arc<Counts>,
}

impl OnReplica {
    /// A connection; None if the primary has to answer from now on.
    fn session(&self, count: &StatementCount) -> Option<ReadSession> {
        if self.is_left.load(Ordering::Relaxed) {
            return None;
        }
        let answered = match self.replica.session(count, self.at_least.load(Ordering::Relaxed)) {
            Ok(Some((session, position))) => {
                self.at_least.store(position, Ordering::Relaxed);
                return Some(session);
            }
            Ok(None) => Answered::Behind,
            Err(failure) => {
                self.replica.note_failure(&failure);
                tracing::debug!(error = %failure, "the replica gives no connection");
                Answered::Failed
            }
        };
        self.is_left.store(true, Ordering::Relaxed);
        self.counts.count(answered);
        None
    }
}

impl Reads {
    /// A connection for several reads; adds the number of its statements to `count`.
    ///
    /// # Errors
    /// `Pool` if no connection to the primary becomes free in time.
    pub fn session(&self, count: &StatementCount) -> std::result::Result<OperationConnection, StoreError> {
        if let Some(on_replica) = &self.on_replica
            && let Some(session) = on_replica.session(count)
        {
            return Ok(OperationConnection { session, on_replica: Some(Arc::clone(on_replica)) });
        }
        Ok(OperationConnection { session: self.primary.session(count)?, on_replica: None })
    }

    /// Whether a read failed because of the replica.
    pub fn has_failed(&self) -> bool {
        self.on_replica.as_ref().is_some_and(|on_replica| on_replica.has_failed.load(Ordering::Relaxed))
    }

    /// Cancels the statement that runs for a token, on whichever server it does.
    ///
    /// # Errors
    /// Same errors as [`Db::cancel_statement`].
    pub fn cancel_statement(&self, token: &CancelToken) -> std::result::Result<(), StoreError> {
        let on_replica = self.on_replica.as_ref().map_or(Ok(()), |on| on.replica.cancel_statement(token));
        self.primary.cancel_statement(token).and(on_replica)
    }
}

/// A connection to the database that an operation reads.
pub struct OperationConnection {
    session: ReadSession,
    /// None if it leads to the primary.
    on_replica: Option<Arc<OnReplica>>,
}

impl OperationConnection {
    /// # Errors
    /// The error of `work`, as [`from_store`] shows it.
    pub fn read<T>(&mut self, work: impl FnOnce(&mut Conn) -> std::result::Result<T, StoreError>) -> Result<T> {
        self.session.read(work).map_err(|failure| self.shown(failure))
    }

    /// The failure of a read as the client sees it; one of the replica is noted.
    fn shown(&self, failure: StoreError) -> Error {
        match &self.on_replica {
            Some(on_replica) if failure.is_failure_of_replica() => {
                tracing::debug!(error = %failure, "a read failed on the replica");
                on_replica.has_failed.store(true, Ordering::Relaxed);
                on_replica.replica.note_failure(&failure);
                error(Code::Unavailable, UNREACHABLE)
            }
            _ => from_store(failure),
        }
    }

    /// Discards the connection.
    pub fn close(self) {
        self.session.close();
    }
}
