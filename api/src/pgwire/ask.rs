//! Runs a question in the engine, on a thread of its own.
//!
//! The thread reads the whole answer, within its limits, and writes it as messages. So a client that reads slowly, or
//! a part at a time, holds neither an engine nor a permit.

use super::encode::RowWriter;
use super::errors::{cancelled, error, of_query, with_hint};
use super::session::{Session, TokenPermit};
use super::statement::Question;
use super::stop::Running;
use crate::admission::{Owner, Permit};
use crate::sql::audit::{asked, text_with_values};
use crate::sql::{Description, Parameter, QueryError, QueryLimits, SqlQuestion};
use futures_util::stream::unfold;
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldInfo, QueryResponse};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::data::DataRow;
use schema::db::cancellation::{CancelToken, check_cancelled, set_cancel_token};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec::IntoIter;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Answers a question. Dropping the answer cancels the question if it still runs.
///
/// # Errors
/// When the question fails before its first row.
pub async fn ask(
    session: &Arc<Session>,
    text: &str,
    parameters: Vec<Parameter>,
    format: &Format,
) -> PgWireResult<QueryResponse> {
    session.count()?;
    let answer_permit = session.keep_answer()?;
    let running = session.begin();
    let (limits, time) = (session.limits(), session.time());
    let deadline = Instant::now() + time;
    let permit = wait_for_permit(session, &running, time).await?;
    let limits = QueryLimits {
        rows: limits.sql_rows.into(),
        memory_mb: limits.sql_memory_mb,
        answer_bytes: limits.answer_bytes.into(),
        deadline,
        time,
    };
    let work = Work {
        session: Arc::clone(session),
        question: SqlQuestion { text: text.to_owned(), parameters, limits },
        format: format.clone(),
        token: running.token(),
        runtime: Handle::current(),
    };
    let (fields, described) = oneshot::channel();
    let (rows, chunks) = unbounded_channel();
    tokio::task::spawn_blocking(move || work.run(permit, fields, &rows));
    let fields = tokio::select! {
        biased;
        () = running.stopped() => return Err(cancelled()),
        fields = described => fields.unwrap_or_else(|_| Err(broken()))?,
    };
    let session = Arc::clone(session);
    let rows = Rows { session, chunks, ready: Vec::new().into_iter(), running, ended: false, _permit: answer_permit };
    Ok(QueryResponse::new(fields, unfold(rows, Rows::next)))
}

/// Describes a question, once.
///
/// # Errors
/// When the engine cannot plan it.
pub async fn describe<'q>(session: &Arc<Session>, question: &'q Question) -> PgWireResult<&'q Description> {
    let describing = || async {
        let running = session.begin();
        let time = session.time();
        let deadline = Instant::now() + time;
        let permit = wait_for_permit(session, &running, time).await?;
        let (of, text, token) = (Arc::clone(session), question.text.clone(), running.token());
        let described = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            set_cancel_token(Some(token));
            let described = of.gate.sql().describe(&of.asker, &text, deadline, time);
            set_cancel_token(None);
            described
        });
        let described = tokio::select! {
            biased;
            () = running.stopped() => return Err(cancelled()),
            described = described => described.map_err(|_| broken())?,
        };
        described.map_err(|failure| of_query(failure, &question.text))
    };
    question.description.get_or_try_init(describing).await
}

/// Waits for a permit.
async fn wait_for_permit(session: &Session, running: &Running, time: Duration) -> PgWireResult<Permit> {
    let permit = tokio::select! {
        biased;
        () = running.stopped() => return Err(cancelled()),
        permit = session.gate.permits().acquire_within(Owner::of(Some(&session.viewer)), time) => permit,
    };
    permit.ok_or_else(|| {
        let failure = error("57014", "canceling statement due to statement timeout: other questions were running");
        with_hint(failure, "a token asks one question at a time: wait for its other connections")
    })
}

/// The thread panicked.
fn broken() -> PgWireError {
    error("XX000", "the query failed; the server's log says why")
}

/// A question on its thread.
struct Work {
    session: Arc<Session>,
    question: SqlQuestion,
    format: Format,
    token: Arc<CancelToken>,
    runtime: Handle,
}

type Fields = oneshot::Sender<PgWireResult<Arc<Vec<FieldInfo>>>>;
type Chunks = UnboundedSender<PgWireResult<Vec<DataRow>>>;

impl Work {
    fn run(self, permit: Permit, fields: Fields, rows: &Chunks) {
        let began = Instant::now();
        let (mut fields, mut sent) = (Some(fields), 0);
        set_cancel_token(Some(Arc::clone(&self.token)));
        let answered = self.answer(&mut fields, rows, &mut sent);
        set_cancel_token(None);
        drop(permit);
        let why = answered.as_ref().err().map(message);
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let counted = why.is_none().then_some(sent);
        let values: Vec<Value> = self.question.parameters.iter().map(Parameter::to_json).collect();
        let text = text_with_values(&self.question.text, &values);
        let entry = asked(&self.session.viewer, "pgwire", &text, counted, milliseconds, why.as_deref());
        self.runtime.block_on(self.session.gate.audit(entry));
        // The client may have disconnected and receives no error then.
        let _sent = match (answered, fields) {
            (Ok(()), _) => Ok(()),
            (Err(failure), Some(fields)) => fields.send(Err(failure)).map_err(drop),
            (Err(failure), None) => rows.send(Err(failure)).map_err(drop),
        };
    }

    fn answer(&self, fields: &mut Option<Fields>, rows: &Chunks, sent: &mut u64) -> PgWireResult<()> {
        let text = &self.question.text;
        let failed = |failure: QueryError| of_query(failure, text);
        let asked = self.session.gate.sql().ask(&self.session.asker, self.question.clone());
        let mut result = asked.map_err(failed)?;
        let writer = RowWriter::new(result.schema(), &self.format);
        let heard = fields.take().map(|fields| fields.send(Ok(Arc::clone(writer.fields()))));
        if !matches!(heard, Some(Ok(()))) {
            return Err(cancelled());
        }
        while let Some(batch) = result.next_batch().map_err(failed)? {
            check_cancelled().map_err(|_| cancelled())?;
            let written = writer.rows(&batch).map_err(|failure| error("22003", failure.to_string()))?;
            *sent += written.len() as u64;
            rows.send(Ok(written)).map_err(|_| cancelled())?;
        }
        if result.truncated() {
            // Without an error the client would take these rows for the whole answer.
            let most = self.question.limits.rows;
            let failure =
                error("54000", format!("the answer has more rows than the {most} that the limit sqlRows allows"));
            return Err(with_hint(failure, "ask for groups or add LIMIT; POST /sql and exports have larger answers"));
        }
        Ok(())
    }
}

fn message(failure: &PgWireError) -> String {
    match failure {
        PgWireError::UserError(info) => info.message.clone(),
        other => other.to_string(),
    }
}

/// The rows of an answer that the client has not read yet.
struct Rows {
    session: Arc<Session>,
    chunks: UnboundedReceiver<PgWireResult<Vec<DataRow>>>,
    ready: IntoIter<DataRow>,
    running: Running,
    ended: bool,
    /// Permit for one of the answers that the token may hold in memory: until the client has read it.
    _permit: TokenPermit,
}

impl Rows {
    async fn next(mut self) -> Option<(PgWireResult<DataRow>, Self)> {
        loop {
            if let Some(row) = self.ready.next() {
                return Some((Ok(row), self));
            }
            if self.ended {
                return None;
            }
            let chunk = tokio::select! {
                biased;
                () = self.running.stopped() => Some(Err(cancelled())),
                chunk = self.chunks.recv() => chunk,
            };
            match chunk {
                None => return None,
                Some(Ok(rows)) => {
                    // A client may read slowly: a token that is revoked meanwhile reads nothing more.
                    if let Err(failure) = self.session.check().await {
                        self.ended = true;
                        return Some((Err(failure), self));
                    }
                    self.ready = rows.into_iter();
                }
                Some(Err(failure)) => {
                    self.ended = true;
                    return Some((Err(failure), self));
                }
            }
        }
    }
}
