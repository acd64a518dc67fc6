//! The answer to a question.

use super::pool::Lease;
use super::process::Answer;
use super::protocol::Failed;
use super::{QueryError, QueryLimits};
use crate::cluster::ClusterAnswer;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use schema::Timestamp;

/// The state of the register that an answer is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub position: i64,
    pub as_of: Timestamp,
    pub key_version: u32,
}

/// The process that answers a question.
pub(super) enum Source {
    Engine(Box<Lease>),
    Cluster(ClusterAnswer),
}

impl From<Lease> for Source {
    fn from(lease: Lease) -> Self {
        Self::Engine(Box::new(lease))
    }
}

impl Source {
    fn next(&mut self, limits: QueryLimits) -> Result<Answer, QueryError> {
        match self {
            Self::Engine(lease) => lease.engine()?.next(limits.deadline, limits.memory_mb, limits.time),
            Self::Cluster(answer) => answer.next(limits.deadline, limits.time),
        }
    }

    /// The question has ended.
    fn end(self) {
        if let Self::Engine(lease) = self {
            lease.give_back();
        }
    }

    /// Stops the question, because the client reads no further rows. A cluster is told by the thread that asks it.
    fn cancel(self) {
        if let Self::Engine(lease) = self {
            cancel(*lease);
        }
    }
}

/// The answer to a question, read batch by batch. Dropping it cancels the question.
pub struct SqlResult {
    schema: SchemaRef,
    state: State,
    limits: QueryLimits,
    /// None when the answer has ended.
    source: Option<Source>,
    bytes: u64,
    truncated: bool,
}

impl SqlResult {
    pub(super) fn new(schema: SchemaRef, state: State, limits: QueryLimits, source: Source) -> Self {
        Self { schema, state, limits, source: Some(source), bytes: 0, truncated: false }
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The position of the register that the tables hold.
    pub fn position(&self) -> i64 {
        self.state.position
    }

    pub fn as_of(&self) -> Timestamp {
        self.state.as_of
    }

    pub fn key_version(&self) -> u32 {
        self.state.key_version
    }

    /// The next rows; None at the end. Blocks.
    ///
    /// # Errors
    /// When the question fails or a limit is exceeded.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        let Some(source) = &mut self.source else { return Ok(None) };
        match source.next(self.limits) {
            Ok(Answer::Batch(rows, bytes)) => {
                self.bytes += bytes;
                if self.bytes > self.limits.answer_bytes {
                    self.cancel();
                    return Err(QueryError::Sql(format!(
                        "the answer has more than {} bytes: ask for fewer rows or columns",
                        self.limits.answer_bytes
                    )));
                }
                Ok(Some(rows))
            }
            Ok(Answer::End(end)) => {
                self.truncated = end.truncated;
                self.end();
                Ok(None)
            }
            Ok(Answer::Failed(failed)) => {
                self.end();
                Err(error(failed))
            }
            Ok(Answer::Schema(_) | Answer::Parameters(_)) => {
                self.source = None;
                Err(out_of_turn())
            }
            Err(failed @ (QueryError::Timeout(_) | QueryError::Cancelled)) => {
                self.cancel();
                Err(failed)
            }
            Err(failed) => {
                self.source = None;
                Err(failed)
            }
        }
    }

    /// After the end: whether rows were cut off.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    fn end(&mut self) {
        if let Some(source) = self.source.take() {
            source.end();
        }
    }

    fn cancel(&mut self) {
        if let Some(source) = self.source.take() {
            source.cancel();
        }
    }
}

impl Drop for SqlResult {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Cancels a question on a thread of its own: the caller may be one that must not wait.
pub(super) fn cancel(lease: Lease) {
    let cancelling = std::thread::Builder::new().name("sql-cancel".into()).spawn(move || lease.cancel());
    if let Err(error) = cancelling {
        // The engine is killed instead: the lease was dropped.
        tracing::warn!(%error, "cannot start a thread that cancels a SQL query");
    }
}

/// The error of an engine's failure.
pub(super) fn error(failed: Failed) -> QueryError {
    match failed {
        Failed::Sql(message) => QueryError::Sql(message),
        Failed::Cancelled => QueryError::Cancelled,
        Failed::Needs(tables) => {
            let names: Vec<&str> = tables.iter().map(|one| one.table.as_str()).collect();
            QueryError::Engine(format!("the tables {} are not there", names.join(", ")))
        }
        Failed::Engine(message) => QueryError::Engine(message),
    }
}

/// The error of an engine that answers something else than what was asked.
pub(super) fn out_of_turn() -> QueryError {
    QueryError::Engine("it answered out of turn".into())
}
