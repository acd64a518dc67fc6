//! The engine processes. Those of one audience and officer share the pieces of the tables, and serve no other asker.

use super::process::Engine;
use super::program;
use super::{QueryError, QueryLimits, SqlAsker};
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

/// An engine that was idle for this long ends, and the tables that it alone used are dropped.
const IDLE: Duration = Duration::from_secs(600);
/// Limit on the engines of one group in all, as a multiple. Each member of the Board who is an officer is a group,
/// whose engines hold all tables.
const GROUPS: usize = 4;
/// Interval at which the pool looks for engines to end.
const REAPS_EVERY: Duration = Duration::from_secs(30);
/// A process that was killed has ended within this time.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// Interval at which a waiting thread checks whether its work is cancelled.
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

/// A program to start, and the channel that the process is sent to.
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
            // A killed engine is dropped.
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
        let is_new = engine.is_none();
        let ended = if is_new { make_room(&mut all, self.most.saturating_mul(GROUPS)) } else { Vec::new() };
        drop(all);
        // Outside of the lock: the end of a process takes a moment.
        drop(ended);
        let mut lease = Lease { engine, groups: Arc::clone(&self.groups), key, tables, is_new };
        if is_new {
            let child = self.start()?;
            let engine = Engine::new(child, asker.reader.board).map_err(|e| QueryError::Engine(e.to_string()))?;
            lease.engine = Some(engine);
        }
        Ok(lease)
    }

    /// Asks an engine by `attempt`. An engine that is kept between questions may be killed just before a question, while
    /// its process still ends and seems to run: another engine is then asked once more. A question only reads, so that
    /// asking twice is safe. An engine that worked for a while before it ended is not replaced: the question itself may
    /// need more memory than there is.
    ///
    /// # Errors
    /// Those of [`Self::take`] and of the last attempt.
    pub fn asked<T>(
        &self,
        asker: &SqlAsker,
        limits: QueryLimits,
        mut attempt: impl FnMut(Lease) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let lease = self.take(asker, limits.deadline, limits.time)?;
        let (is_kept, asked) = (!lease.is_new, Instant::now());
        match attempt(lease) {
            Err(QueryError::Broken(_)) if is_kept && asked.elapsed() < ENDS_WITHIN => {
                attempt(self.take(asker, limits.deadline, limits.time)?)
            }
            answer => answer,
        }
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

    /// Ends idle engines, and drops their tables.
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

/// Takes out the engines that have been idle longest, until at most `most` run, and drops the tables of groups without
/// an engine.
fn make_room(groups: &mut HashMap<Key, Group>, most: usize) -> Vec<Engine> {
    let mut ended = Vec::new();
    loop {
        let living: usize = groups.values().map(|group| group.busy + group.idle.len()).sum();
        if living <= most {
            return ended;
        }
        let resting = groups.iter().flat_map(|(key, group)| {
            group.idle.iter().enumerate().map(move |(index, engine)| (engine.idle_since, *key, index))
        });
        let Some((_, key, index)) = resting.min_by_key(|(since, _, _)| *since) else { return ended };
        let Some(group) = groups.get_mut(&key) else { return ended };
        ended.push(group.idle.remove(index));
        if group.busy == 0 && group.idle.is_empty() {
            groups.remove(&key);
        }
    }
}

/// Starts processes, and ends idle ones, until the pool is dropped.
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

    /// Exclusive access to the tables. Waits for another question that makes pieces.
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

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::tables::TableReader;
    use schema::enums::Role;
    use schema::keys::Keys;
    use std::process::{Command, Stdio};

    /// A group with an engine that has been idle since a time.
    fn resting(since: Instant) -> Group {
        let child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut engine = Engine::new(child, true).unwrap();
        engine.idle_since = since;
        let pseudonyms = Keys::ephemeral().pseudonyms(Audience::Role(Role::Board));
        let tables = TableCache::new(TableReader { pseudonyms, board: true, officer: None });
        Group { idle: vec![engine], busy: 0, tables: Arc::new(Mutex::new(tables)), used: since }
    }

    #[test]
    fn the_engines_that_rest_longest_make_room() {
        let first = Instant::now();
        let key =
            |number: u64| -> Key { (Audience::Role(Role::Board), Some(Id(uuid::Uuid::from_u128(u128::from(number))))) };
        let group = |number: u64| (key(number), resting(first + Duration::from_secs(number)));
        let mut groups: HashMap<Key, Group> = [3, 1, 4, 2].map(group).into();
        assert!(make_room(&mut groups, 4).is_empty());
        // A busy engine is not ended, however old.
        groups.get_mut(&key(1)).unwrap().busy = 1;
        groups.get_mut(&key(1)).unwrap().idle.clear();
        assert_eq!(make_room(&mut groups, 2).len(), 2);
        assert!(groups.contains_key(&key(1)) && groups.contains_key(&key(4)) && groups.len() == 2);
        assert_eq!(make_room(&mut groups, 0).len(), 1);
        assert!(groups.len() == 1 && groups.contains_key(&key(1)));
    }
}
