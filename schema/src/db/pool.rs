//! The pool, and the two ways to use a connection: [`Db::read`] and [`Db::write`].

use super::cancellation::{self, Running};
use super::connection::Target;
use super::storage::{Place, Writes};
use super::{Backend, Conn, MigrationReport, StoreError};
use diesel::RunQueryDsl;
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::r2d2::{self, ManageConnection, Pool, R2D2Connection};
use diesel::sql_types::Integer;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most connections of one pool unless told: more would only wait for the same processors.
const CONNECTIONS: u32 = 16;

/// How long whoever needs a connection waits for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database and the connections to it.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Manager>,
    backend: Backend,
    target: Target,
    writes: Arc<Writes>,
    /// Over which statements are cancelled, once one was.
    beside: Arc<Mutex<Option<(Conn, Instant)>>>,
}

/// Tells processes of PostgreSQL to cancel their statements.
pub(super) struct Canceller<'a>(MutexGuard<'a, Option<(Conn, Instant)>>);

impl Canceller<'_> {
    pub fn cancel(&mut self, process: i32) -> Result<(), StoreError> {
        let Some((conn, used)) = &mut *self.0 else { return Ok(()) };
        *used = Instant::now();
        let sent = diesel::sql_query("SELECT pg_cancel_backend($1)").bind::<Integer, _>(process).execute(conn);
        if sent.is_err() {
            *self.0 = None;
        }
        sent?;
        Ok(())
    }
}

/// A connection for several reads one after another.
pub struct ReadSession(r2d2::PooledConnection<Manager>);

impl ReadSession {
    /// # Errors
    /// `Cancelled` where the work of this thread is cancelled ([`super::cancellation`]), also where its statement was.
    pub fn read<T>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.run(work)
    }

    fn run<T, E: From<StoreError>>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        // First said that it runs, then asked whether anybody waits: whoever stops waiting does it the other way round.
        let _runs = Running::on(self.0.process);
        cancellation::check_cancelled()?;
        work(&mut self.0).map_err(|failure| cancellation::check_cancelled().err().map_or(failure, E::from))
    }

    /// Gives the connection up: what is read next comes over another.
    pub fn close(mut self) {
        self.0.given_up = true;
    }
}

impl Drop for ReadSession {
    fn drop(&mut self) {
        self.0.set_instrumentation(None::<Box<dyn diesel::connection::Instrumentation>>);
    }
}

/// How many statements went to the database, shared by the reads of one request.
pub type StatementCount = Arc<AtomicU64>;

/// Opens the connections of the pool.
#[derive(Debug)]
pub(super) struct Manager(Target);

/// A connection, and when it was last known to work.
pub(super) struct Pooled {
    conn: Conn,
    worked: Instant,
    given_up: bool,
    /// The process of PostgreSQL, where statements are cancelled with their operation.
    process: Option<i32>,
}

impl Deref for Pooled {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Conn {
        self.worked = Instant::now();
        &mut self.conn
    }
}

/// A connection that worked so lately is not asked whether it does: that would be a statement before each
/// statement.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = StoreError;

    fn connect(&self) -> Result<Pooled, StoreError> {
        let mut conn = self.0.connect()?;
        let process = if self.0.cancels() { Some(super::dialect::process(&mut conn)?) } else { None };
        Ok(Pooled { conn, worked: Instant::now(), given_up: false, process })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), StoreError> {
        if pooled.worked.elapsed() < TRUSTED_FOR {
            return Ok(());
        }
        pooled.conn.ping().map_err(StoreError::Query)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.given_up || std::thread::panicking() || pooled.conn.is_broken()
    }
}

/// r2d2 writes to the log each time it tries again; the caller of [`Db::read`] gets the error.
#[derive(Debug)]
struct Quiet;

impl r2d2::HandleError<StoreError> for Quiet {
    fn handle_error(&self, error: StoreError) {
        tracing::debug!(%error, "database connection");
    }
}

impl Db {
    /// Opens a database: `sqlite:PATH` or `postgres://…`. It is not migrated.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?, CONNECTIONS)
    }

    /// Opens a database with at most so many connections.
    pub fn open_with(url: &str, connections: u32) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?, connections)
    }

    /// Opens a database that is there: SQLite would make the file that it opens.
    pub fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?.existing(), CONNECTIONS)
    }

    /// Opens a database for an import: SQLite gets 256 MB of memory for its pages.
    pub fn open_for_import(url: &str) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, true)?, CONNECTIONS)
    }

    /// Opens a database for requests that have a deadline: what a [`ReadSession`] reads on PostgreSQL can be cancelled
    /// ([`cancellation::CancelToken`]), and is broken off where it runs longer than that.
    pub fn open_for_requests(url: &str, deadline: Duration, connections: u32) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?.with_statement_timeout(deadline), connections)
    }

    fn open_target(target: Target, connections: u32) -> Result<Self, StoreError> {
        let backend = target.backend;
        // The first connection is made here, so that its error is told in the database's own words.
        drop(target.connect()?);
        // A file that is deleted from now on is not made anew.
        let target = target.existing();
        let writes = Writes::to(target.file().and_then(Place::of));
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(0))
            // Half of it is the longest wait before a connection is tried again that could not be made.
            .connection_timeout(Duration::from_secs(2))
            // The cache of prepared statements of a connection has no bound: recycle it.
            .max_lifetime(Some(Duration::from_secs(600)))
            .test_on_check_out(backend == Backend::Postgres)
            .error_handler(Box::new(Quiet))
            .build(Manager(target.clone()))
            .map_err(|e| StoreError::Pool(e.to_string()))?;
        Ok(Self { pool, backend, target, writes: Arc::new(writes), beside: Arc::default() })
    }

    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Applies pending migrations.
    pub fn migrate(&self) -> Result<MigrationReport, StoreError> {
        self.connection()?.migrate()
    }

    /// How many connections are open, and how many of them nobody uses.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }

    /// Where the database tells of commits; None where it does not.
    pub(super) fn told_by(&self) -> Option<&Target> {
        (self.backend == Backend::Postgres).then_some(&self.target)
    }

    /// What cancels statements: one at a time, over a connection that is none of the pool, since those may all wait for
    /// such statements.
    pub(super) fn canceller(&self) -> Result<Canceller<'_>, StoreError> {
        let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was not used for long may be dead, which would be found out only after minutes.
        if beside.as_ref().is_none_or(|(_, used)| used.elapsed() > TRUSTED_FOR) {
            *beside = None;
            *beside = Some((self.target.impatient().connect()?, Instant::now()));
        }
        Ok(Canceller(beside))
    }

    /// The most connections at once.
    pub fn most_connections(&self) -> u32 {
        self.pool.max_size()
    }

    /// What is known of the writes of this process.
    pub(super) fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Whether writes are taken: the database is in its place, and has room.
    ///
    /// # Errors
    /// Says what keeps them from being taken.
    pub fn takes_writes(&self) -> Result<(), StoreError> {
        self.writes.check()?;
        if self.writes.were_refused() {
            self.write("probe", |tx| super::dialect::touch_position(tx.conn))?;
        }
        Ok(())
    }

    pub(super) fn connection(&self) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        self.writes.place.iter().try_for_each(Place::check)?;
        self.pool.get_timeout(PATIENCE).map_err(|e| StoreError::Pool(e.to_string()))
    }

    /// Runs a read.
    pub fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T, StoreError>) -> Result<T, StoreError> {
        ReadSession(self.connection()?).run(work)
    }

    /// A connection for several reads, whose statements are added to `count`.
    pub fn session(&self, count: &StatementCount) -> Result<ReadSession, StoreError> {
        let mut conn = self.connection()?;
        let seen = Arc::clone(count);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { .. } = event {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(ReadSession(conn))
    }

    /// Runs a read that sees one state of the database throughout, whatever others commit. It may fail for reasons of
    /// its own.
    pub fn read_snapshot<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        ReadSession(self.connection()?).run(|conn| {
            super::dialect::begin_snapshot(conn)?;
            let result = work(conn);
            let ended = super::dialect::rollback(conn);
            let found = result?;
            ended?;
            Ok(found)
        })
    }
}
