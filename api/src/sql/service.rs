//! The service that answers questions: it keeps engine processes, gives them the tables, and streams their answers.

use super::named::tables_named;
use super::pool::{Lease, Pool};
use super::process::Answer;
use super::protocol::{Ask, Failed};
use super::result::{State, cancel, error, out_of_turn};
use super::{Lake, Parameter, QueryError, QueryLimits, SqlAsker, SqlQuestion, SqlResult};
use arrow_schema::{DataType, SchemaRef};
use jobs::snapshot::{Snapshot, SnapshotStore};
use jobs::tables::{Table, table};
use schema::Db;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Memory to describe an answer, in MB.
const DESCRIBES_IN_MB: u32 = 512;

/// What a text would answer, without its execution.
#[derive(Debug, Clone)]
pub struct Description {
    /// The types of the parameters, as far as their places tell.
    pub parameters: Vec<Option<DataType>>,
    pub columns: SchemaRef,
}

/// What a question is asked over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SqlSource {
    /// The register as it is now.
    #[default]
    Register,
    /// The lake of the configuration.
    Lake,
}

/// What the service did since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlCounts {
    pub questions: u64,
    /// Engine processes started.
    pub engines: u64,
    /// Pieces of tables sent to engines.
    pub pieces: u64,
}

/// Answers questions with engine processes that live on between them.
pub struct SqlService {
    db: Db,
    snapshots: Arc<SnapshotStore>,
    pool: Pool,
    lake: Option<Lake>,
    questions: AtomicU64,
    engines: AtomicU64,
    pieces: AtomicU64,
}

/// Engines of each audience and officer, unless a setting says otherwise.
const ENGINES: u32 = 2;

impl SqlService {
    /// `db` is the pool of background reads: a question of an engine that starts reads whole tables.
    pub fn new(db: Db, snapshots: Arc<SnapshotStore>) -> Self {
        Self::with_engines(db, snapshots, ENGINES)
    }

    /// A service with at most `engines` processes for each audience and officer.
    pub fn with_engines(db: Db, snapshots: Arc<SnapshotStore>, engines: u32) -> Self {
        let pool = Pool::new(usize::try_from(engines).unwrap_or(usize::MAX));
        Self {
            db,
            snapshots,
            pool,
            lake: None,
            questions: AtomicU64::new(0),
            engines: AtomicU64::new(0),
            pieces: AtomicU64::new(0),
        }
    }

    /// The service with a lake.
    #[must_use]
    pub fn with_lake(mut self, lake: Option<Lake>) -> Self {
        self.lake = lake;
        self
    }

    /// Answers a question over the register or the lake, as [`SqlService::ask`] does.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    pub fn ask_over(
        &self,
        source: SqlSource,
        asker: &SqlAsker,
        question: SqlQuestion,
    ) -> Result<SqlResult, QueryError> {
        match (source, &self.lake) {
            (SqlSource::Register, _) => self.ask(asker, question),
            (SqlSource::Lake, Some(lake)) => {
                self.questions.fetch_add(1, Ordering::Relaxed);
                lake.ask(asker, question)
            }
            (SqlSource::Lake, None) => {
                Err(QueryError::Sql("this server has no lake: set dir in [lake] of the configuration".into()))
            }
        }
    }

    /// What the service did since its start.
    pub fn counts(&self) -> SqlCounts {
        SqlCounts {
            questions: self.questions.load(Ordering::Relaxed),
            engines: self.engines.load(Ordering::Relaxed),
            pieces: self.pieces.load(Ordering::Relaxed),
        }
    }

    /// Answers a question over the current snapshot. Blocks until the first batch or an error; call it on a thread for
    /// blocking work. It ends early when [`schema::db::cancellation`] cancels the calling operation.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    pub fn ask(&self, asker: &SqlAsker, question: SqlQuestion) -> Result<SqlResult, QueryError> {
        let SqlQuestion { text, parameters, limits } = question;
        self.questions.fetch_add(1, Ordering::Relaxed);
        let snapshot = self.snapshots.current();
        let asking = Asking::new(text, parameters, limits, false);
        let (answer, lease) = self.first_answer(asker, &snapshot, &asking)?;
        let Answer::Schema(columns) = answer else { return Err(out_of_turn()) };
        let state = State {
            position: snapshot.position,
            as_of: snapshot.as_of,
            key_version: asker.reader.pseudonyms.version(),
        };
        Ok(SqlResult::new(columns, state, limits, lease.into()))
    }

    /// What a text would answer. `time` is the whole time until the deadline.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    pub fn describe(
        &self,
        asker: &SqlAsker,
        text: &str,
        deadline: Instant,
        time: Duration,
    ) -> Result<Description, QueryError> {
        let limits = QueryLimits { rows: 0, memory_mb: DESCRIBES_IN_MB, answer_bytes: u64::MAX, deadline, time };
        let asking = Asking::new(text.to_owned(), Vec::new(), limits, true);
        let (first, mut lease) = self.first_answer(asker, &self.snapshots.current(), &asking)?;
        let mut next = || lease.engine()?.next(deadline, limits.memory_mb, time);
        let (Answer::Parameters(parameters), Answer::Schema(columns), Answer::End(_)) = (first, next()?, next()?)
        else {
            return Err(out_of_turn());
        };
        lease.give_back();
        let known = |of: &DataType| (*of != DataType::Null).then(|| of.clone());
        let parameters = parameters.fields().iter().map(|field| known(field.data_type())).collect();
        Ok(Description { parameters, columns })
    }

    /// Asks, and gives the engine the tables that it turns out to need.
    fn first_answer(
        &self,
        asker: &SqlAsker,
        snapshot: &Arc<Snapshot>,
        asking: &Asking,
    ) -> Result<(Answer, Lease), QueryError> {
        let limits = asking.limits;
        // A description reads no rows.
        let mut tables = if asking.describe { Vec::new() } else { tables_named(&asking.text, asker.reader.board) };
        let mut lease = self.pool.take(asker, limits.deadline, limits.time)?;
        self.engines.fetch_add(u64::from(lease.is_new), Ordering::Relaxed);
        loop {
            if let Err(failed) = self.send(&mut lease, snapshot, &tables, asking) {
                // After another failure the engine may lack a piece that it is thought to hold.
                if !matches!(failed, QueryError::Engine(_)) {
                    lease.give_back();
                }
                return Err(failed);
            }
            match lease.engine()?.next(limits.deadline, limits.memory_mb, limits.time) {
                Ok(Answer::Failed(Failed::Needs(more))) => {
                    let more: Vec<&'static Table> = more.iter().filter_map(|name| table(name)).collect();
                    if more.is_empty() || more.iter().any(|one| tables.iter().any(|had| had.name == one.name)) {
                        return Err(out_of_turn());
                    }
                    tables.extend(more);
                }
                Ok(Answer::Failed(failed)) => {
                    // An engine that cannot work answers no other question either.
                    if matches!(failed, Failed::Sql(_) | Failed::Cancelled) {
                        lease.give_back();
                    }
                    return Err(error(failed));
                }
                Ok(answer) => return Ok((answer, lease)),
                Err(failed @ (QueryError::Timeout(_) | QueryError::Cancelled)) => {
                    cancel(lease);
                    return Err(failed);
                }
                Err(failed) => return Err(failed),
            }
        }
    }

    fn send(
        &self,
        lease: &mut Lease,
        snapshot: &Arc<Snapshot>,
        tables: &[&'static Table],
        asking: &Asking,
    ) -> Result<(), QueryError> {
        let cache = Arc::clone(&lease.tables);
        let pieces = if tables.is_empty() {
            Vec::new()
        } else {
            Lease::lock_tables(&cache, asking.limits.deadline, asking.limits.time)?
                .pieces(&self.db, snapshot, tables)?
        };
        let sent = lease.engine()?.ask(tables, pieces, asking.ask());
        self.pieces.fetch_add(sent.map_err(|e| QueryError::Engine(e.to_string()))?, Ordering::Relaxed);
        Ok(())
    }
}

/// A question, or a text to describe.
pub(super) struct Asking {
    pub text: String,
    pub parameters: Vec<Parameter>,
    pub limits: QueryLimits,
    describe: bool,
}

impl Asking {
    pub fn new(text: String, parameters: Vec<Parameter>, limits: QueryLimits, describe: bool) -> Self {
        Self { text, parameters, limits, describe }
    }

    pub fn ask(&self) -> Ask {
        let left = self.limits.deadline.saturating_duration_since(Instant::now());
        Ask {
            number: 0,
            text: self.text.clone(),
            parameters: self.parameters.clone(),
            rows: self.limits.rows,
            memory_mb: self.limits.memory_mb,
            cpu_seconds: cpu_seconds(left),
            given: Vec::new(),
            describe: self.describe,
        }
    }
}

/// The processor time that corresponds to a time limit: all processors may be busy throughout.
fn cpu_seconds(time: Duration) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |number| number.get() as u64);
    (time.as_secs() + 1).saturating_mul(processors) + 1
}
