//! The service that answers questions: it keeps engine processes, gives them the tables, and streams their answers.

use super::asking::Asking;
use super::named::columns_named;
use super::pool::{Lease, Pool};
use super::process::Answer;
use super::protocol::{Failed, TableColumns};
use super::result::{State, cancel, error, out_of_turn};
use super::{Lake, QueryError, QueryLimits, SqlAsker, SqlQuestion, SqlResult};
use arrow_schema::{DataType, SchemaRef};
use jobs::lake::Manifest;
use jobs::snapshot::{Snapshot, SnapshotStore};
use jobs::tables::{ColumnSet, Wanted, parts_of, table};
use schema::Db;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Memory to describe an answer, in MB.
const DESCRIBES_IN_MB: u32 = 512;
/// The tables that questions name most, which every asker may read. The others take memory, too, and are handed over
/// when a question names them.
const MOST_USED: [&str; 7] =
    ["complaints", "allegations", "units", "categories", "officers", "enterprises", "workload"];

/// The columns and the parameters of a question, without its execution.
#[derive(Debug, Clone)]
pub struct Description {
    /// The types of the parameters, as far as their places tell.
    pub parameters: Vec<Option<DataType>>,
    pub columns: SchemaRef,
}

/// The data that a question is asked over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SqlSource {
    /// The register as it is now.
    #[default]
    Register,
    /// The lake of the configuration.
    Lake,
}

/// The counts of the service since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlCounts {
    pub questions: u64,
    /// Engine processes started.
    pub engines: u64,
    /// Columns of pieces of tables sent to engines.
    pub pieces: u64,
}

/// Answers questions with engine processes that are kept between questions.
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
    /// The variants of [`QueryError`].
    pub fn ask_over(
        &self,
        source: SqlSource,
        asker: &SqlAsker,
        question: SqlQuestion,
    ) -> Result<SqlResult, QueryError> {
        match source {
            SqlSource::Register => self.ask(asker, question),
            SqlSource::Lake => self.ask_lake(&self.lake_state()?, asker, question),
        }
    }

    /// The newest state of the lake.
    ///
    /// # Errors
    /// When the server has no lake, or one of another register or key.
    pub fn lake_state(&self) -> Result<Manifest, QueryError> {
        self.lake()?.state()
    }

    /// Answers a question over a state of the lake, as [`SqlService::ask`] does. A later sync leaves the files of a state
    /// for some hours, so that several questions may be over one.
    ///
    /// # Errors
    /// The variants of [`QueryError`].
    pub fn ask_lake(&self, state: &Manifest, asker: &SqlAsker, question: SqlQuestion) -> Result<SqlResult, QueryError> {
        let lake = self.lake()?;
        self.questions.fetch_add(1, Ordering::Relaxed);
        lake.ask_in(state, asker, question)
    }

    fn lake(&self) -> Result<&Lake, QueryError> {
        let missing = || QueryError::Sql("this server has no lake: set dir in [lake] of the configuration".into());
        self.lake.as_ref().ok_or_else(missing)
    }

    /// Counts of the work of the service since its start.
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
    /// The variants of [`QueryError`].
    pub fn ask(&self, asker: &SqlAsker, question: SqlQuestion) -> Result<SqlResult, QueryError> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let wanted = columns_named(&question.text, asker.reader.board);
        self.answer(asker, question, &wanted)
    }

    /// Starts an engine for an asker who has not asked yet, and hands it the tables that questions name most, one by
    /// one: a question that comes meanwhile waits for one table at most. This counts as no question. It blocks, and ends
    /// early, as [`SqlService::ask`] does.
    ///
    /// # Errors
    /// The variants of [`QueryError`].
    pub fn preload(&self, asker: &SqlAsker, memory_mb: u32, time: Duration) -> Result<(), QueryError> {
        let limits = QueryLimits { rows: 1, memory_mb, answer_bytes: u64::MAX, deadline: Instant::now() + time, time };
        for table in MOST_USED.into_iter().filter_map(table) {
            let question = SqlQuestion {
                text: format!("SELECT COUNT(*) AS n FROM {}", table.name),
                parameters: Vec::new(),
                limits,
            };
            let mut answer = self.answer(asker, question, &[Wanted::all(table)])?;
            while answer.next_batch()?.is_some() {}
        }
        Ok(())
    }

    /// Answers a question that presumably reads the wanted columns.
    fn answer(&self, asker: &SqlAsker, question: SqlQuestion, wanted: &[Wanted]) -> Result<SqlResult, QueryError> {
        let SqlQuestion { text, parameters, limits } = question;
        let mut snapshot = self.snapshots.current();
        let asking = Asking::new(text, parameters, limits, false);
        let (answer, lease) = self.first_answer(asker, &mut snapshot, &asking, wanted)?;
        let Answer::Schema(columns) = answer else { return Err(out_of_turn()) };
        let state = State {
            position: snapshot.position,
            as_of: snapshot.as_of,
            key_version: asker.reader.pseudonyms.version(),
        };
        Ok(SqlResult::new(columns, state, limits, lease.into()))
    }

    /// Describes a question without executing it. `time` is the whole time until the deadline.
    ///
    /// # Errors
    /// The variants of [`QueryError`].
    pub fn describe(
        &self,
        asker: &SqlAsker,
        text: &str,
        deadline: Instant,
        time: Duration,
    ) -> Result<Description, QueryError> {
        let limits = QueryLimits { rows: 0, memory_mb: DESCRIBES_IN_MB, answer_bytes: u64::MAX, deadline, time };
        let asking = Asking::new(text.to_owned(), Vec::new(), limits, true);
        // A description reads no rows.
        let (first, mut lease) = self.first_answer(asker, &mut self.snapshots.current(), &asking, &[])?;
        let mut next = || lease.engine()?.next(deadline, limits.memory_mb, time);
        let (Answer::Parameters(parameters), Answer::Schema(columns), Answer::End(_)) = (first, next()?, next()?)
        else {
            return Err(out_of_turn());
        };
        lease.give_back();
        let determined = |of: &DataType| (*of != DataType::Null).then(|| of.clone());
        let parameters = parameters.fields().iter().map(|field| determined(field.data_type())).collect();
        Ok(Description { parameters, columns })
    }

    /// Asks, and sends the engine the further columns that it reports to need. `snapshot` becomes the one that these are
    /// made of, where it lacks parts of the register that they need.
    fn first_answer(
        &self,
        asker: &SqlAsker,
        snapshot: &mut Arc<Snapshot>,
        asking: &Asking,
        wanted: &[Wanted],
    ) -> Result<(Answer, Lease), QueryError> {
        self.pool.asked(asker, asking.limits, |lease| self.first_answer_of(lease, snapshot, asking, wanted.to_vec()))
    }

    fn first_answer_of(
        &self,
        mut lease: Lease,
        snapshot: &mut Arc<Snapshot>,
        asking: &Asking,
        mut wanted: Vec<Wanted>,
    ) -> Result<(Answer, Lease), QueryError> {
        let limits = asking.limits;
        self.engines.fetch_add(u64::from(lease.is_new), Ordering::Relaxed);
        loop {
            if let Err(failed) = self.send(&mut lease, snapshot, &wanted, asking) {
                // After another failure the engine may lack a piece that it is thought to hold.
                if !matches!(failed, QueryError::Engine(_)) {
                    lease.give_back();
                }
                return Err(failed);
            }
            match lease.engine()?.next(limits.deadline, limits.memory_mb, limits.time) {
                Ok(Answer::Failed(Failed::Needs(more))) => {
                    if !add(&mut wanted, &more) {
                        return Err(out_of_turn());
                    }
                }
                Ok(Answer::Failed(failed)) => {
                    // An engine that failed cannot answer another question either.
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
        snapshot: &mut Arc<Snapshot>,
        wanted: &[Wanted],
        asking: &Asking,
    ) -> Result<(), QueryError> {
        // The snapshot of a server holds everything. A command reads what the question needs while its engine starts.
        let parts = parts_of(wanted);
        if !snapshot.has(parts) {
            self.snapshots.provide(&self.db, parts)?;
            *snapshot = self.snapshots.current();
        }
        let cache = Arc::clone(&lease.tables);
        let columns = if wanted.is_empty() {
            Vec::new()
        } else {
            Lease::lock_tables(&cache, asking.limits.deadline, asking.limits.time)?
                .columns(&self.db, snapshot, wanted)?
        };
        let sent = lease.engine()?.ask(wanted, columns, asking.ask());
        self.pieces.fetch_add(sent.map_err(|e| QueryError::Engine(e.to_string()))?, Ordering::Relaxed);
        Ok(())
    }
}

/// Adds columns that an engine needs to those that it is given. False if these are all among them, or unknown.
fn add(wanted: &mut Vec<Wanted>, needed: &[TableColumns]) -> bool {
    let mut is_more = false;
    for one in needed {
        let Some(table) = table(&one.table) else { continue };
        let columns = ColumnSet::named(table, |name| one.columns.iter().any(|column| column == name));
        let more = Wanted::of(table, columns);
        match wanted.iter_mut().find(|had| had.table.name == table.name) {
            Some(had) => {
                is_more |= !had.columns.has_all(more.columns);
                had.columns = had.columns.and(more.columns);
            }
            None => {
                wanted.push(more);
                is_more = true;
            }
        }
    }
    is_more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_needs_is_added_once() {
        let needs = |columns: &[&str]| TableColumns {
            table: "complaints".into(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        };
        let mut wanted = columns_named("SELECT kind FROM complaints", false);
        assert!(!add(&mut wanted, &[needs(&["kind"])]) && !add(&mut wanted, &[]));
        assert!(add(&mut wanted, &[needs(&["kind", "unit"])]) && !add(&mut wanted, &[needs(&["unit"])]));
        let units = TableColumns { table: "units".into(), columns: Vec::new() };
        assert!(add(&mut wanted, &[needs(&["unit"]), units.clone()]) && !add(&mut wanted, &[units]));
        assert_eq!(wanted.len(), 2);
    }

    #[test]
    fn every_asker_may_read_the_tables_that_are_handed_over_early() {
        for name in MOST_USED {
            assert!(table(name).is_some_and(|table| !table.board_only), "{name}");
        }
    }
}
