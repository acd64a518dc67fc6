//! The service that answers questions: it keeps engine processes, gives them the tables, and streams their answers.

use super::Parameter;
use crate::access::Viewer;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use jobs::snapshot::{Snapshot, SnapshotStore};
use jobs::tables::TableReader;
use schema::keys::Keys;
use schema::pseudonyms::Audience;
use schema::{Db, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The limits of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Rows of the answer; further ones are cut off.
    pub rows: u64,
    /// Memory of the engine process beyond its tables, in MB.
    pub memory_mb: u32,
    /// Bytes of the answer.
    pub answer_bytes: u64,
    /// When the question is cancelled.
    pub deadline: Instant,
}

/// A question.
#[derive(Debug, Clone)]
pub struct SqlQuestion {
    pub text: String,
    pub parameters: Vec<Parameter>,
    pub limits: QueryLimits,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text or a parameter is wrong, or a limit is exceeded. The message says where.
    #[error("SQL: {0}")]
    Sql(String),
    #[error("the query took longer than {} ms and was cancelled", .0.as_millis())]
    Timeout(Duration),
    #[error("the client disconnected and the query was cancelled")]
    Cancelled,
    /// The engine ended, as by its memory limit.
    #[error("SQL: the engine stopped; the query may have needed more than {0} MB: ask for fewer rows or groups")]
    Broken(u32),
    /// There is no engine program. The message says how to get it.
    #[error("{0}")]
    NoEngine(String),
    #[error("the SQL engine: {0}")]
    Engine(String),
}

/// Who asks.
#[derive(Clone)]
pub struct SqlAsker {
    pub audience: Audience,
    pub reader: TableReader,
}

impl SqlAsker {
    /// The asker of a role that may ask SQL; None for another role.
    pub fn of(_viewer: &Viewer, _keys: &Keys) -> Option<Self> {
        None
    }
}

/// What a text would answer, without its execution.
#[derive(Debug, Clone)]
pub struct Description {
    /// The types of the parameters, as far as their places tell.
    pub parameters: Vec<Option<DataType>>,
    pub columns: SchemaRef,
}

/// The answer to a question, read batch by batch. Dropping it cancels the question.
pub struct SqlResult {
    schema: SchemaRef,
    position: i64,
    as_of: Timestamp,
    key_version: u32,
}

impl SqlResult {
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The position of the register that the tables hold.
    pub fn position(&self) -> i64 {
        self.position
    }

    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    pub fn key_version(&self) -> u32 {
        self.key_version
    }

    /// The next rows; None at the end. Blocks.
    ///
    /// # Errors
    /// When the question fails or a limit is exceeded.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        Ok(None)
    }

    /// After the end: whether rows were cut off.
    pub fn truncated(&self) -> bool {
        false
    }
}

/// Answers questions with engine processes that live on between them.
pub struct SqlService {
    db: Db,
    snapshots: Arc<SnapshotStore>,
}

impl SqlService {
    /// `db` is the pool of background reads: a question of an engine that starts reads whole tables.
    pub fn new(db: Db, snapshots: Arc<SnapshotStore>) -> Self {
        Self { db, snapshots }
    }

    /// Answers a question over the current snapshot. Blocks until the first batch or an error; call it on a thread for
    /// blocking work. It ends early when [`schema::db::cancellation`] cancels the calling operation.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    pub fn ask(&self, _asker: &SqlAsker, _question: SqlQuestion) -> Result<SqlResult, QueryError> {
        let _snapshot: Arc<Snapshot> = self.snapshots.current();
        let _db = &self.db;
        Err(QueryError::NoEngine("this build has no engine".into()))
    }

    /// What a text would answer.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    pub fn describe(&self, _asker: &SqlAsker, _text: &str, _deadline: Instant) -> Result<Description, QueryError> {
        Err(QueryError::NoEngine("this build has no engine".into()))
    }
}
