//! The answer of a cluster. A thread of its own reads it, so that the waiting thread can watch a deadline.

use super::Address;
use super::failure::{is_forgotten, is_lost};
use super::messages::{Limit, Plan, Relation, Sql};
use super::rpc::Connection;
use super::session::{Sessions, Views, request};
use crate::sql::protocol::End;
use crate::sql::{Answer, QueryError, QueryLimits};
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_schema::ArrowError;
use schema::db::cancellation::check_cancelled;
use std::io::Cursor;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Interval at which a waiting thread checks whether its work is cancelled.
const LOOKS_EVERY: Duration = Duration::from_millis(20);
/// The most parts of an answer that wait for the reader; the cluster waits beyond that.
const PARTS: usize = 2;
/// A cancellation may take this long.
const CANCELS_WITHIN: Duration = Duration::from_secs(2);
/// The wait before a question is sent again: in this time the cluster notices that it lost a worker.
const BEGINS_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The largest limit of rows that is sent with a question, so that a sort in the cluster keeps only these rows.
const FEW_ROWS: u64 = 100_000;

type Part = Result<Answer, QueryError>;

/// A question to a cluster.
pub struct Question {
    pub address: Address,
    pub sessions: Sessions,
    pub sql: String,
    pub views: Views,
    pub limits: QueryLimits,
}

/// The answer of a cluster. Dropping it cancels the question.
pub struct ClusterAnswer {
    parts: Receiver<Part>,
    /// Dropping it tells the thread of the question to stop.
    _cancels: oneshot::Sender<()>,
}

impl ClusterAnswer {
    /// Starts a thread that asks the cluster.
    ///
    /// # Errors
    /// `Engine` if the thread cannot start.
    pub(super) fn begin(question: Question) -> Result<Self, QueryError> {
        let (to, parts) = sync_channel(PARTS);
        let (cancels, cancelled) = oneshot::channel();
        let begun = Builder::new().name("sql-cluster".into()).spawn(move || run(&question, &to, cancelled));
        begun.map_err(|e| QueryError::Engine(format!("cannot start a thread: {e}")))?;
        Ok(Self { parts, _cancels: cancels })
    }

    /// The next part. Waits until `deadline`, or until the work of this thread is cancelled.
    ///
    /// # Errors
    /// When it takes too long, is cancelled, or the question fails.
    pub fn next(&mut self, deadline: Instant, time: Duration) -> Result<Answer, QueryError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.parts.recv_timeout(left.min(LOOKS_EVERY)) {
                Ok(part) => return part,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(QueryError::Engine("the thread that asks the cluster ended".into()));
                }
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(QueryError::Timeout(time)),
                Err(RecvTimeoutError::Timeout) => check_cancelled().map_err(|_| QueryError::Cancelled)?,
            }
        }
    }
}

fn run(question: &Question, to: &SyncSender<Part>, cancelled: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(answer(question, to, cancelled)),
        Err(error) => Err(QueryError::Engine(format!("cannot speak to the cluster: {error}"))),
    };
    if let Err(failed) = ended {
        let _nobody_reads = to.send(Err(failed));
    }
}

/// The progress of a question.
#[derive(Default)]
struct Progress {
    session: Option<String>,
    /// Whether the reader has received a part.
    began: bool,
    truncated: bool,
}

async fn answer(
    question: &Question,
    to: &SyncSender<Part>,
    mut cancelled: oneshot::Receiver<()>,
) -> Result<(), QueryError> {
    let deadline = tokio::time::Instant::from_std(question.limits.deadline);
    let mut connection = tokio::select! {
        biased;
        _ = &mut cancelled => return Err(QueryError::Cancelled),
        connection = Connection::open(&question.address) => connection?,
    };
    let mut is_second = false;
    loop {
        let operation = Uuid::new_v4().to_string();
        let mut progress = Progress::default();
        let ended = tokio::select! {
            biased;
            _ = &mut cancelled => None,
            () = tokio::time::sleep_until(deadline) => None,
            ended = ask(question, &mut connection, &operation, &mut progress, to) => Some(ended),
        };
        let session = progress.session.unwrap_or_default();
        if ended.is_none() || progress.truncated {
            // Without this the cluster would continue to compute.
            let interrupted = connection.interrupt(&session, &operation);
            match tokio::time::timeout(CANCELS_WITHIN, interrupted).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a question to the cluster was not interrupted"),
                Err(_) => tracing::debug!("the cluster does not say that it interrupted a question"),
            }
        }
        match ended {
            Some(Ok(())) => return Ok(()),
            Some(Err(failed)) => match next_attempt(&failed, is_second, progress.began) {
                Some(Attempt::AfterLoss) => {
                    tracing::warn!(error = %failed, "a question to the cluster begins again");
                    tokio::time::sleep(BEGINS_AGAIN_AFTER).await;
                    is_second = true;
                }
                Some(Attempt::InNewSession) => {
                    question.sessions.forget(&session);
                    is_second = true;
                }
                None => return Err(failed),
            },
            // The reader watches the deadline itself, and reports it.
            None => return Err(QueryError::Cancelled),
        }
    }
}

/// Reason for which a question is sent a second time.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    AfterLoss,
    InNewSession,
}

/// Whether a question that failed is sent again: once, and only while the reader has no part of an answer.
fn next_attempt(failed: &QueryError, is_second: bool, began: bool) -> Option<Attempt> {
    if is_second || began {
        return None;
    }
    if is_lost(failed) {
        Some(Attempt::AfterLoss)
    } else if is_forgotten(failed) {
        Some(Attempt::InNewSession)
    } else {
        None
    }
}

async fn ask(
    question: &Question,
    connection: &mut Connection,
    operation: &str,
    progress: &mut Progress,
    to: &SyncSender<Part>,
) -> Result<(), QueryError> {
    let session = question.sessions.with(connection, &question.views, &mut progress.session).await?;
    let most = question.limits.rows;
    let mut root = Relation { sql: Some(Sql { query: question.sql.clone() }), ..Relation::default() };
    if let Some(limit) = i32::try_from(most + 1).ok().filter(|_| most < FEW_ROWS) {
        root = Relation { limit: Some(Box::new(Limit { input: Some(Box::new(root)), limit })), ..Relation::default() };
    }
    let plan = Plan { root: Some(root), command: None };
    let mut answered = connection.execute(request(connection, &session, operation, plan)).await?;
    let mut left = most;
    while let Some(part) = connection.next(&mut answered).await? {
        let Some(batch) = part.arrow_batch else { continue };
        let unreadable =
            |error: ArrowError| QueryError::Cluster(format!("the rows of the cluster cannot be read: {error}"));
        let reader = StreamReader::try_new(Cursor::new(batch.data.as_slice()), None).map_err(unreadable)?;
        if !progress.began {
            progress.began = true;
            send(to, Answer::Schema(reader.schema()))?;
        }
        for rows in reader {
            let rows = rows.map_err(unreadable)?;
            let kept = cut(&rows, left);
            progress.truncated = kept.num_rows() < rows.num_rows();
            left -= kept.num_rows() as u64;
            if kept.num_rows() > 0 {
                send(to, Answer::Batch(kept, batch.data.len() as u64))?;
            }
            if progress.truncated {
                return send(to, Answer::End(End { truncated: true }));
            }
        }
    }
    if !progress.began {
        return Err(QueryError::Cluster(format!("the cluster {} answered without columns", question.address)));
    }
    send(to, Answer::End(End { truncated: false }))
}

fn cut(rows: &RecordBatch, most: u64) -> RecordBatch {
    rows.slice(0, rows.num_rows().min(usize::try_from(most).unwrap_or(usize::MAX)))
}

/// Sends a part. Blocks this thread, which has nothing else to do, until the reader has taken earlier parts.
fn send(to: &SyncSender<Part>, part: Answer) -> Result<(), QueryError> {
    to.send(Ok(part)).map_err(|_| QueryError::Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_begins_again_once_and_only_before_its_first_row() {
        let lost = QueryError::Cluster("the cluster sc://host lost a worker".into());
        assert_eq!(next_attempt(&lost, false, false), Some(Attempt::AfterLoss));
        assert_eq!(next_attempt(&lost, true, false), None);
        assert_eq!(next_attempt(&lost, false, true), None);
        let forgotten = QueryError::Cluster("[INVALID_HANDLE.SESSION_NOT_FOUND]".into());
        assert_eq!(next_attempt(&forgotten, false, false), Some(Attempt::InNewSession));
        assert_eq!(next_attempt(&forgotten, true, false), None);
        assert_eq!(next_attempt(&QueryError::Sql("no column".into()), false, false), None);
    }
}
