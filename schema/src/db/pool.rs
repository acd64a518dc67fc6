//! The connection pool, and the two ways to use it: [`Db::read`] and [`Db::write`].

use super::cancellation::{self, CancelToken, Process, Running};
use super::storage::{Place, Writes};
use super::target::Target;
use super::{Backend, Conn, StoreError};
use diesel::RunQueryDsl;
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::r2d2::{self, ManageConnection, Pool, R2D2Connection};
use diesel::sql_types::Integer;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The default size of a pool: more connections would only compete for the same processors.
const CONNECTIONS: u32 = 16;

/// The delay before a cancel request to PostgreSQL is repeated.
const CANCEL_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A caller waits this long for a free connection.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(10);

/// A database and its connection pool.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Manager>,
    backend: Backend,
    target: Target,
    writes: Arc<Writes>,
    /// A caller waits this long for a free connection.
    patience: Duration,
    /// The connection that cancels statements, and when it was last used; opened on first use.
    cancels_over: Arc<Mutex<Option<(Conn, Instant)>>>,
}

/// Asks PostgreSQL processes to cancel their statements.
struct Canceller<'a>(MutexGuard<'a, Option<(Conn, Instant)>>);

impl Canceller<'_> {
    fn cancel(&mut self, process: i32) -> Result<(), StoreError> {
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
pub struct ReadSession(pub(super) r2d2::PooledConnection<Manager>);

impl ReadSession {
    /// # Errors
    /// `Cancelled` if the work of this thread is cancelled ([`super::cancellation`]), before or during a statement.
    pub fn read<T>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let read = self.run(work);
        // PostgreSQL's last message to a session that it ends is an error like others, which diesel does not take for
        // the end of the connection.
        if read.as_ref().is_err_and(StoreError::is_unavailable) {
            self.0.given_up = true;
        }
        read
    }

    pub(super) fn run<T, E: From<StoreError>>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        // Registers before it checks. `CancelToken::cancel` does the reverse, so one of the two notices the other.
        let _runs = Running::on(self.0.process);
        cancellation::check_cancelled()?;
        work(&mut self.0).map_err(|failure| cancellation::check_cancelled().err().map_or(failure, E::from))
    }

    /// Discards the connection instead of returning it to the pool.
    pub fn close(mut self) {
        self.0.given_up = true;
    }
}

impl Drop for ReadSession {
    fn drop(&mut self) {
        self.0.set_instrumentation(None::<Box<dyn diesel::connection::Instrumentation>>);
    }
}

/// The number of statements sent to the database, shared by the reads of one request.
pub type StatementCount = Arc<AtomicU64>;

/// Opens the connections of the pool.
#[derive(Debug)]
pub(super) struct Manager {
    target: Target,
    /// When a connection was last found broken. PostgreSQL may have closed all others with it, so none that last
    /// worked before is trusted without a ping: a restart fails the statements under way, and no later ones.
    broken: Mutex<Option<Instant>>,
}

impl Manager {
    fn new(target: Target) -> Self {
        Self { target, broken: Mutex::default() }
    }

    fn broken(&self) -> MutexGuard<'_, Option<Instant>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, and when it was last known to work.
pub(super) struct Pooled {
    conn: Conn,
    worked: Instant,
    given_up: bool,
    /// The PostgreSQL process, if statements are cancelled with their operation.
    process: Option<Process>,
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

/// A connection that worked this recently is not pinged, because that costs a statement before each statement.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = StoreError;

    fn connect(&self) -> Result<Pooled, StoreError> {
        let mut conn = self.target.connect()?;
        let process = match self.target.cancels() {
            true => Some(Process { id: super::dialect::process(&mut conn)?, is_of_replica: self.target.is_replica }),
            false => None,
        };
        Ok(Pooled { conn, worked: Instant::now(), given_up: false, process })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), StoreError> {
        let broken = *self.broken();
        if pooled.worked.elapsed() < TRUSTED_FOR && broken.is_none_or(|broken| pooled.worked > broken) {
            return Ok(());
        }
        pooled.conn.ping().map_err(StoreError::Query)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        let broken = pooled.conn.is_broken() || pooled.given_up;
        if broken {
            *self.broken() = Some(Instant::now());
        }
        broken || std::thread::panicking()
    }
}

/// Lowers the log level of r2d2's failed attempts to connect; the caller of [`Db::read`] gets the error.
#[derive(Debug)]
struct Quiet;

impl r2d2::HandleError<StoreError> for Quiet {
    fn handle_error(&self, error: StoreError) {
        tracing::debug!(%error, "cannot open a database connection");
    }
}

impl Db {
    /// Opens a database (`sqlite:PATH` or `postgres://…`) without migrating it.
    ///
    /// # Errors
    /// If the URL is wrong or a first connection fails; so for the other ways to open a database.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?, CONNECTIONS)
    }

    /// Opens a database with at most `connections` connections.
    ///
    /// # Errors
    /// Same errors as [`Db::open`].
    pub fn open_with(url: &str, connections: u32) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?, connections)
    }

    /// Opens an existing database: SQLite would otherwise create a missing file.
    ///
    /// # Errors
    /// Same errors as [`Db::open`]; `NoDatabase` if the file is missing.
    pub fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?.existing(), CONNECTIONS)
    }

    /// Opens a database for an import: SQLite gets a page cache of 256 MiB.
    ///
    /// # Errors
    /// Same errors as [`Db::open`].
    pub fn open_for_import(url: &str) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, true)?, CONNECTIONS)
    }

    /// Opens a database for requests with a deadline: on PostgreSQL a statement of a [`ReadSession`] can be cancelled
    /// ([`cancellation::CancelToken`]), and times out after `deadline`.
    ///
    /// # Errors
    /// Same errors as [`Db::open`].
    pub fn open_for_requests(url: &str, deadline: Duration, connections: u32) -> Result<Self, StoreError> {
        Self::open_target(Target::parse(url, false)?.with_statement_timeout(deadline), connections)
    }

    fn open_target(target: Target, connections: u32) -> Result<Self, StoreError> {
        // Connects once outside the pool, to return the database's own error message.
        drop(target.connect()?);
        // From here on, a deleted file is not recreated.
        Self::over(target.existing(), connections, CHECKOUT_TIMEOUT)
    }

    /// A database that need not answer yet. A caller waits for a free connection as long as `patience`.
    pub(super) fn over(target: Target, connections: u32, patience: Duration) -> Result<Self, StoreError> {
        let backend = target.backend;
        let writes = Writes::to(target.file().and_then(Place::of));
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(0))
            // r2d2 waits at most half of this before it tries again to connect.
            .connection_timeout(Duration::from_secs(2))
            // A connection's cache of prepared statements is unbounded: recycle connections.
            .max_lifetime(Some(Duration::from_secs(600)))
            .test_on_check_out(backend == Backend::Postgres)
            .error_handler(Box::new(Quiet))
            .build(Manager::new(target.clone()))
            .map_err(|e| StoreError::Pool(e.to_string()))?;
        Ok(Self { pool, backend, target, writes: Arc::new(writes), patience, cancels_over: Arc::default() })
    }

    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> Option<PathBuf> {
        self.target.file()
    }

    /// The database as people write it: a path, or a URL without its password.
    pub fn name(&self) -> String {
        self.target.name()
    }

    /// The identity of the database: its path, or its URL without its password.
    pub fn identity(&self) -> String {
        self.target.identity()
    }

    /// Lends a pooled connection for work that is neither a read nor a write of the register.
    ///
    /// # Errors
    /// `Pool` if no connection becomes free in time; else the error of `work`.
    pub(crate) fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(&mut *self.connection()?)
    }

    /// A connection that is not in the pool, for a lock that lasts longer than a transaction.
    ///
    /// # Errors
    /// If the database does not accept the connection.
    pub(super) fn separate_connection(&self) -> Result<Conn, StoreError> {
        self.target.connect()
    }

    /// The number of open connections, and how many of them are idle.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }

    /// The database to listen to for commits; None if it has no notifications.
    pub(super) fn listen_target(&self) -> Option<&Target> {
        (self.backend == Backend::Postgres).then_some(&self.target)
    }

    /// Cancels the statement that runs for a token, and those that begin before their reader checks the token again.
    ///
    /// # Errors
    /// If the request to PostgreSQL fails twice in a row.
    pub fn cancel_statement(&self, token: &CancelToken) -> Result<(), StoreError> {
        let is_replica = self.target.is_replica;
        let own = move |process: Process| (process.is_of_replica == is_replica).then_some(process.id);
        let mut failed = false;
        while token.runs().and_then(own).is_some() {
            let result = self.canceller().and_then(|mut canceller| {
                // The lock is held until the signal is sent: the process cannot begin a statement of another operation
                // before. Between two statements PostgreSQL ignores the signal.
                let runs = token.runs();
                runs.and_then(own).map_or(Ok(()), |process| canceller.cancel(process))
            });
            match result {
                Err(failure) if failed => return Err(failure),
                result => failed = result.is_err(),
            }
            std::thread::sleep(CANCEL_AGAIN_AFTER);
        }
        Ok(())
    }

    /// The connection over which statements are cancelled, one at a time. It is not in the pool, whose connections may
    /// all wait for the statements to be cancelled.
    fn canceller(&self) -> Result<Canceller<'_>, StoreError> {
        let mut connection = self.cancels_over.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that has been idle may be dead, which would be noticed only after minutes.
        if connection.as_ref().is_none_or(|(_, used)| used.elapsed() > TRUSTED_FOR) {
            *connection = None;
            *connection = Some((self.target.with_short_timeout().connect()?, Instant::now()));
        }
        Ok(Canceller(connection))
    }

    /// The size of the pool.
    pub fn most_connections(&self) -> u32 {
        self.pool.max_size()
    }

    /// State of this process's writes.
    pub(super) fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Checks that writes succeed: the SQLite file is in place and its disk has room. Tries a write if the last one was
    /// refused.
    ///
    /// # Errors
    /// The reason why writes fail.
    pub fn takes_writes(&self) -> Result<(), StoreError> {
        self.writes.check()?;
        if self.writes.were_refused() {
            self.write("probe", |tx| super::dialect::touch_position(tx.conn))?;
        }
        Ok(())
    }

    /// Takes a connection out of the pool.
    ///
    /// # Errors
    /// `Gone` if the file of the database was deleted or replaced; `Pool` if no connection becomes free in time.
    pub(super) fn connection(&self) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        self.writes.place.iter().try_for_each(Place::check)?;
        self.pool.get_timeout(self.patience).map_err(|e| StoreError::Pool(e.to_string()))
    }

    /// Runs a read on a pooled connection.
    ///
    /// # Errors
    /// `Pool` if no connection becomes free in time; else the error of `work`.
    pub fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T, StoreError>) -> Result<T, StoreError> {
        ReadSession(self.connection()?).read(work)
    }

    /// A connection for several reads; adds the number of its statements to `count`.
    ///
    /// # Errors
    /// `Pool` if no connection becomes free in time.
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

    /// Runs a read on one snapshot, whatever others commit meanwhile. `work` may fail with an error type of its own.
    ///
    /// # Errors
    /// `Pool` if no connection becomes free in time; else the error of `work`, or of the transaction.
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
