//! The engine processes. Those of one audience and officer share the pieces of the tables, and serve nobody else.

use super::process::Engine;
use super::program;
use super::{QueryError, SqlAsker};
use jobs::tables::TableCache;
use schema::Id;
use schema::db::cancellation::check_cancelled;
use schema::pseudonyms::Audience;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// An engine that was asked nothing for this long ends, and so do the tables that it alone used.
const IDLE: Duration = Duration::from_secs(600);
/// How often the pool looks for engines to end.
const REAPS_EVERY: Duration = Duration::from_secs(30);
/// How often a waiting thread looks whether its work is cancelled.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

type Key = (Audience, Option<Id>);

struct Group {
    idle: Vec<Engine>,
    /// Engines that answer.
    busy: usize,
    tables: Arc<Mutex<TableCache>>,
    used: Instant,
}

struct Groups {
    by_key: Mutex<HashMap<Key, Group>>,
    /// Signalled when an engine becomes free.
    freed: Condvar,
}

/// The engine processes.
pub struct Pool {
    groups: Arc<Groups>,
    /// Most engines of a group.
    most: usize,
    /// The folder of the lake that the engines read; None for those that are given the tables.
    lake: Option<PathBuf>,
    starts: Mutex<Sender<Start>>,
}

/// A program to start, and who waits for the process.
type Start = (PathBuf, Option<PathBuf>, SyncSender<io::Result<Child>>);

/// An engine that answers one question. It goes back to the pool if [`Lease::give_back`] says so, and ends otherwise.
pub struct Lease {
    engine: Option<Engine>,
    groups: Arc<Groups>,
    key: Key,
    pub tables: Arc<Mutex<TableCache>>,
    /// Whether the process was started for this question.
    pub is_new: bool,
}

impl Pool {
    /// `most` engines for each audience and officer.
    pub fn new(most: usize) -> Self {
        Self::over(most, None)
    }

    /// `most` engines for each audience and officer, which may read the files of a lake.
    pub fn over(most: usize, lake: Option<PathBuf>) -> Self {
        let groups = Arc::new(Groups { by_key: Mutex::default(), freed: Condvar::new() });
        let (starts, receiver) = channel();
        let reaped = Arc::downgrade(&groups);
        // A process ends with the thread that started it, so that one thread starts all.
        if let Err(error) = Builder::new().name("sql-engines".into()).spawn(move || keep(&receiver, &reaped)) {
            tracing::error!(%error, "cannot start the thread that starts SQL engines");
        }
        Self { groups, most: most.max(1), lake, starts: Mutex::new(starts) }
    }

    /// An engine for this asker: an idle one, else a new one. Waits while all of them answer.
    ///
    /// # Errors
    /// When none becomes free before `deadline`, or none can be started.
    pub fn take(&self, asker: &SqlAsker, deadline: Instant, time: Duration) -> Result<Lease, QueryError> {
        let key = (asker.audience, asker.reader.officer);
        let mut all = self.groups.lock();
        let (engine, tables) = loop {
            let group = all.entry(key).or_insert_with(|| Group {
                idle: Vec::new(),
                busy: 0,
                tables: Arc::new(Mutex::new(TableCache::new(asker.reader.clone()))),
                used: Instant::now(),
            });
            // One that was killed is gone.
            group.idle.retain_mut(Engine::is_alive);
            if group.busy < self.most {
                group.busy += 1;
                group.used = Instant::now();
                break (group.idle.pop(), Arc::clone(&group.tables));
            }
            if deadline <= Instant::now() {
                return Err(QueryError::Timeout(time));
            }
            check_cancelled().map_err(|_| QueryError::Cancelled)?;
            let waited = self.groups.freed.wait_timeout(all, LOOKS_EVERY);
            all = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(all);
        let is_new = engine.is_none();
        let mut lease = Lease { engine, groups: Arc::clone(&self.groups), key, tables, is_new };
        if is_new {
            let child = self.start()?;
            let engine = Engine::new(child, asker.reader.board).map_err(|e| QueryError::Engine(e.to_string()))?;
            lease.engine = Some(engine);
        }
        Ok(lease)
    }

    fn start(&self) -> Result<Child, QueryError> {
        let program = program::find()?;
        let failed = |e: &dyn std::fmt::Display| QueryError::Engine(format!("{}: {e}", program.display()));
        let (sender, receiver) = sync_channel(1);
        let ended = || failed(&"the thread that starts engines ended");
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.send((program.clone(), self.lake.clone(), sender)).map_err(|_| ended())?;
        drop(starts);
        receiver.recv().map_err(|_| ended())?.map_err(|e| failed(&e))
    }
}

impl Groups {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Group>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends engines, and forgets tables, that nobody used for long.
    fn reap(&self) {
        let mut ended: Vec<Vec<Engine>> = Vec::new();
        self.lock().retain(|_, group| {
            let (old, young) = group.idle.drain(..).partition(|engine: &Engine| engine.idle_since.elapsed() > IDLE);
            group.idle = young;
            ended.push(old);
            group.busy > 0 || !group.idle.is_empty() || group.used.elapsed() <= IDLE
        });
        // Outside of the lock: the end of a process takes a moment.
        drop(ended);
    }
}

/// Starts processes, and ends idle ones, until the pool is gone.
fn keep(starts: &Receiver<Start>, groups: &Weak<Groups>) {
    loop {
        match starts.recv_timeout(REAPS_EVERY) {
            Ok((program, lake, waits)) => {
                let _nobody_waits = waits.send(program::start(&program, lake.as_deref()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(groups) = groups.upgrade() {
            groups.reap();
        }
    }
}

impl Lease {
    /// The engine.
    ///
    /// # Errors
    /// When it was given back.
    pub fn engine(&mut self) -> Result<&mut Engine, QueryError> {
        self.engine.as_mut().ok_or_else(|| QueryError::Engine("the engine was given back".into()))
    }

    /// The tables, alone. Another question that makes pieces is waited for.
    ///
    /// # Errors
    /// When that takes longer than until `deadline`.
    pub fn lock_tables<'t>(
        tables: &'t Mutex<TableCache>,
        deadline: Instant,
        time: Duration,
    ) -> Result<MutexGuard<'t, TableCache>, QueryError> {
        loop {
            match tables.try_lock() {
                Ok(tables) => return Ok(tables),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if deadline <= Instant::now() => return Err(QueryError::Timeout(time)),
                Err(TryLockError::WouldBlock) => {
                    check_cancelled().map_err(|_| QueryError::Cancelled)?;
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    /// Gives the engine back to the pool: the question has ended.
    pub fn give_back(mut self) {
        let Some(mut engine) = self.engine.take() else { return };
        engine.idle_since = Instant::now();
        if let Some(group) = self.groups.lock().get_mut(&self.key) {
            group.idle.push(engine);
        }
    }

    /// Cancels the question, and gives the engine back if it ends in time.
    pub fn cancel(mut self) {
        if self.engine.as_mut().is_some_and(Engine::cancel) {
            self.give_back();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Ends the process before another one may start.
        self.engine = None;
        if let Some(group) = self.groups.lock().get_mut(&self.key) {
            group.busy = group.busy.saturating_sub(1);
            group.used = Instant::now();
        }
        self.groups.freed.notify_one();
    }
}
