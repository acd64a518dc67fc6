//! A streaming replica of a PostgreSQL register: whether it is one, and up to when it holds what the primary holds.
//!
//! A thread reads the position and the write-ahead log of both servers. What was committed on the primary before one of
//! these readings is on the replica once the replica has replayed the log up to that reading. The log counts, and not
//! the position alone, because rows without events (tokens, runs of jobs) have no position.

mod comparison;

use super::cancellation::CancelToken;
use super::dialect::current_position;
use super::target::Target;
use super::{Backend, Db, ReadSession, StatementCount, StoreError};
use comparison::{Comparison, Reading};
use diesel::sql_types::{BigInt, Bool};
use diesel::{QueryableByName, RunQueryDsl};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The pause between two comparisons, and the pause while the replica cannot be used.
const COMPARED_EVERY: Duration = Duration::from_millis(200);
const TRIED_EVERY: Duration = Duration::from_secs(1);

/// A reader waits this long for a connection to the replica before it takes the primary.
const PATIENCE: Duration = Duration::from_millis(250);

/// Connections for the comparison and for exports.
const CONNECTIONS_WITHOUT_DEADLINE: u32 = 4;

/// Limit of the replica's lag, beyond which the primary answers instead.
#[derive(Debug, Clone, Copy)]
pub struct LagBounds {
    pub time: Duration,
    /// None: any number of positions within the time.
    pub positions: Option<i64>,
}

/// Whether a replica can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaState {
    Usable,
    /// The replica does not answer, or it does not have the register yet.
    Away,
    /// The server accepts writes: it was promoted, or never was a replica.
    NotAStandby,
    /// The server holds another register.
    OtherRegister,
    /// The replica holds positions that the primary lacks: it follows another history.
    Diverged,
}

impl ReplicaState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usable => "USABLE",
            Self::Away => "AWAY",
            Self::NotAStandby => "NOT_A_STANDBY",
            Self::OtherRegister => "OTHER_REGISTER",
            Self::Diverged => "DIVERGED",
        }
    }
}

/// The reason why a read must go to the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The replica cannot be used.
    Away,
    /// The replica lags beyond the limit.
    Lags,
    /// The replica may lack a write that the reader must see.
    Behind,
}

/// The known state of a replica.
#[derive(Debug, Clone, Copy)]
pub struct ReplicaStatus {
    pub state: ReplicaState,
    /// The time since which the replica may lack commits; None if it is not known to have held all.
    pub lag: Option<Duration>,
    /// The positions by which it lagged behind at the last comparison.
    pub lag_positions: i64,
}

/// A replica of the register.
#[derive(Clone)]
pub struct Replica(Arc<Inner>);

struct Inner {
    primary: Db,
    requests: Db,
    /// Connections for the comparison and for exports, without the deadline of requests.
    without_deadline: Db,
    bounds: LagBounds,
    comparison: Mutex<Comparison>,
}

/// The state that a server reports.
#[derive(QueryableByName)]
struct Server {
    #[diesel(sql_type = BigInt)]
    system: i64,
    #[diesel(sql_type = BigInt)]
    database: i64,
    #[diesel(sql_type = BigInt)]
    register: i64,
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = BigInt)]
    log: i64,
    #[diesel(sql_type = BigInt)]
    unflushed_ms: i64,
    #[diesel(sql_type = Bool)]
    is_standby: bool,
    #[diesel(sql_type = Bool)]
    keeps_rows: bool,
}

/// A physical replica has the identifier of its primary, and the same numbers of databases and tables. With
/// asynchronous commits others see a commit up to three rounds of the log writer before it is in the flushed log.
const SERVER: &str = "SELECT s.system_identifier AS system, d.oid::bigint AS database, \
    'register_position'::regclass::oid::bigint AS register, p.value AS position, \
    (COALESCE(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END, '0/0') \
        - '0/0'::pg_lsn)::bigint AS log, \
    CASE current_setting('synchronous_commit') WHEN 'off' \
        THEN 3 * (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_writer_delay') ELSE 0 END AS unflushed_ms, \
    pg_is_in_recovery() AS is_standby, current_setting('hot_standby_feedback')::boolean AS keeps_rows \
    FROM pg_control_system() s, pg_database d, register_position p \
    WHERE d.datname = current_database() AND p.id = 1";

impl Server {
    fn read(db: &Db) -> Result<Self, StoreError> {
        db.read(|conn| Ok(crate::each!(conn, c => diesel::sql_query(SERVER).get_result::<Self>(c)?)))
    }

    fn has_register_of(&self, other: &Self) -> bool {
        (self.system, self.database, self.register) == (other.system, other.database, other.register)
    }
}

impl Replica {
    /// A replica of a register that is open and migrated. It need not answer yet. `deadline` and `connections` are
    /// those of requests.
    ///
    /// # Errors
    /// `Rule` if the register or the URL is not PostgreSQL, or the replica holds another register.
    pub fn open(
        url: &str,
        primary: &Db,
        deadline: Duration,
        connections: u32,
        bounds: LagBounds,
    ) -> Result<Self, StoreError> {
        if primary.backend() != Backend::Postgres {
            return Err(StoreError::Rule(
                "a register in SQLite has no replicas: leave out --replica (PHANANH_REPLICA_URL, database.replica), or \
                 name a PostgreSQL database with --database"
                    .into(),
            ));
        }
        let target = Target::replica(url)?;
        let inner = Inner {
            primary: primary.clone(),
            requests: Db::over(target.clone().with_statement_timeout(deadline), connections, PATIENCE)?,
            without_deadline: Db::over(target, CONNECTIONS_WITHOUT_DEADLINE, PATIENCE)?,
            bounds,
            comparison: Mutex::new(Comparison::nothing()),
        };
        let name = inner.without_deadline.name();
        match inner.compared() {
            ReplicaState::OtherRegister => {
                return Err(StoreError::Rule(format!(
                    "the replica {name} holds another register than {}: name a streaming replica of it with --replica",
                    primary.name()
                )));
            }
            ReplicaState::Usable => {}
            state => tracing::warn!(
                replica = name,
                state = state.as_str(),
                "the replica cannot be used: the primary answers"
            ),
        }
        let inner = Arc::new(inner);
        let watched = Arc::downgrade(&inner);
        std::thread::spawn(move || {
            while let Some(inner) = watched.upgrade() {
                let pause = if inner.compare() == ReplicaState::Usable { COMPARED_EVERY } else { TRIED_EVERY };
                drop(inner);
                std::thread::sleep(pause);
            }
        });
        Ok(Self(inner))
    }

    /// Whether the replica may answer a reader who wrote last at a time, and must see a position.
    ///
    /// # Errors
    /// The reason why the primary has to.
    pub fn check(&self, wrote_at: Option<Instant>, at_least: i64) -> Result<(), Unfit> {
        self.0.comparison().check(self.0.bounds, wrote_at, at_least)
    }

    /// A connection to the replica for several reads, and the position that it has; None if that is below `at_least`.
    ///
    /// # Errors
    /// If the replica gives no connection in time or fails.
    pub fn session(&self, count: &StatementCount, at_least: i64) -> Result<Option<(ReadSession, i64)>, StoreError> {
        let mut session = self.0.requests.session(count)?;
        let position = session.read(current_position)?;
        Ok((position >= at_least).then_some((session, position)))
    }

    /// The replica for long reads of one snapshot; None if rows that they read may be removed meanwhile, because the
    /// replica runs without `hot_standby_feedback`.
    pub fn for_long_reads(&self) -> Option<&Db> {
        self.0.comparison().keeps_rows.then_some(&self.0.without_deadline)
    }

    /// Notes an error of a connection to the replica: if the replica is away, no other request uses it until it answers
    /// the next comparison.
    pub fn note_failure(&self, failure: &StoreError) {
        // All connections are in use: the replica is busy, not away.
        let (open, _) = self.0.requests.connections();
        let is_busy = matches!(failure, StoreError::Pool(_)) && open >= self.0.requests.most_connections();
        if failure.is_unavailable() && !is_busy {
            self.0.comparison().lose(ReplicaState::Away);
        }
    }

    /// Like [`Db::cancel_statement`], for a statement that the replica runs.
    ///
    /// # Errors
    /// If the request to PostgreSQL fails twice in a row.
    pub fn cancel_statement(&self, token: &CancelToken) -> Result<(), StoreError> {
        self.0.requests.cancel_statement(token)
    }

    pub fn status(&self) -> ReplicaStatus {
        let comparison = self.0.comparison();
        ReplicaStatus {
            state: comparison.state,
            lag: comparison.complete_until.map(|until| until.elapsed()),
            lag_positions: (comparison.position_of_primary - comparison.position).max(0),
        }
    }

    /// The number of open connections for requests, and how many of them are idle.
    pub fn connections(&self) -> (u32, u32) {
        self.0.requests.connections()
    }
}

impl Inner {
    fn comparison(&self) -> MutexGuard<'_, Comparison> {
        self.comparison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares the two servers, and logs when the state changes.
    fn compare(&self) -> ReplicaState {
        let before = self.comparison().state;
        let state = self.compared();
        if before != state {
            let (replica, state) = (self.without_deadline.name(), state.as_str());
            tracing::warn!(replica, before = before.as_str(), state, "the state of the replica changed");
        }
        state
    }

    fn compared(&self) -> ReplicaState {
        // The primary comes first: what it held then is what the replica has to have replayed.
        let began = Instant::now();
        let primary = Server::read(&self.primary);
        let found = match Server::read(&self.without_deadline) {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "the replica does not answer");
                self.comparison().lose(ReplicaState::Away);
                return ReplicaState::Away;
            }
        };
        let Ok(primary) = primary else {
            // This is no fault of the replica. Its state ages until it can be compared with the primary again.
            return self.comparison().state;
        };
        let state = self.state_of(&found, &primary);
        let mut comparison = self.comparison();
        if state == ReplicaState::Usable {
            let unflushed = Duration::from_millis(u64::try_from(primary.unflushed_ms).unwrap_or_default());
            let at = began.checked_sub(unflushed).unwrap_or(began);
            comparison.note(Reading { at, log: primary.log, position: primary.position }, &found);
        } else {
            comparison.lose(state);
        }
        state
    }

    fn state_of(&self, found: &Server, primary: &Server) -> ReplicaState {
        if !found.has_register_of(primary) {
            return ReplicaState::OtherRegister;
        }
        if !found.is_standby {
            return ReplicaState::NotAStandby;
        }
        // The primary may have gone on since it was read.
        let is_ahead = || Server::read(&self.primary).is_ok_and(|later| found.position > later.position);
        if found.position > primary.position && is_ahead() {
            return ReplicaState::Diverged;
        }
        ReplicaState::Usable
    }
}
