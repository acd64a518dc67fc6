//! Answers a question: a blocking thread writes the answer to a temporary file at the speed of the engine, and the
//! client reads it at its own speed.

use super::super::Service;
use super::super::rights::RightsWatch;
use super::super::spool::{SpoolWriter, spool};
use super::Question;
use crate::access::Viewer;
use crate::admission::Owner;
use crate::sql::audit::{asked, text_with_values};
use crate::sql::formats::{AnswerFormat, AnswerMetadata, AnswerWriter};
use crate::sql::{Parameter, QueryError, QueryLimits, SqlAsker, SqlQuestion, SqlSource};
use actix_web::web::Data;
use actix_web::{HttpResponse, HttpResponseBuilder};
use anyhow::Context;
use futures_util::StreamExt;
use schema::db::cancellation::{CancelToken, set_cancel_token};
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The error of a refused or failed question.
pub enum Refused {
    /// The server has no keys for pseudonyms.
    NoKeys,
    /// Too many questions or large answers are running.
    Busy,
    Query(QueryError),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        error.downcast::<QueryError>().map_or_else(Self::Failed, Self::Query)
    }
}

/// An answer waits on disk and not in memory, so it may have this many times the bytes of other answers.
const ON_DISK: u64 = 64;
/// An answer waits this long for a permit to be sent.
const WAITS_TO_BE_SENT: Duration = Duration::from_millis(100);
/// The head of the response waits this long for the end of the answer: within it, a failure still becomes a status.
const SETTLES_WITHIN: Duration = Duration::from_millis(250);
/// The end of an answer may wait this long for the audit log.
const NOTED_WITHIN: Duration = Duration::from_secs(5);

/// Cancels the question when the client is gone: actix then drops the handler or the body.
struct CancelOnDrop(Arc<CancelToken>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The thread goes back to the pool and must not work for this question any more.
struct ClearCancelToken;

impl Drop for ClearCancelToken {
    fn drop(&mut self) {
        set_cancel_token(None);
    }
}

/// The work of the blocking thread.
struct Work {
    service: Data<Service>,
    viewer: Viewer,
    asker: SqlAsker,
    source: SqlSource,
    question: SqlQuestion,
    format: AnswerFormat,
    /// Kind of request, for the audit log.
    operation: &'static str,
    /// Whether an answer that is cut off is a failure.
    must_be_whole: bool,
}

/// Answers a question.
///
/// # Errors
/// [`Refused`], as long as nothing is sent. A later failure ends the body with an error, so that the client
/// does not take it for complete.
pub(super) async fn answer(service: &Data<Service>, viewer: Viewer, asked: Question) -> Result<HttpResponse, Refused> {
    let limits = Arc::clone(service.limits_of(Some(&viewer)));
    let deadline = Instant::now() + limits.deadline();
    let asker = service.app.keys.as_deref().and_then(|keys| SqlAsker::of(&viewer, keys)).ok_or(Refused::NoKeys)?;
    let owner = Owner::of(Some(&viewer));
    let sending = service.answers.acquire_within(owner, WAITS_TO_BE_SENT).await.ok_or(Refused::Busy)?;
    let running = service.app.sql_queries.acquire_within(owner, limits.deadline()).await.ok_or(Refused::Busy)?;
    let rights = RightsWatch::over(service, &viewer);
    let (to_client, pieces) = spool().context("the temporary file of an answer").map_err(Refused::Failed)?;
    let token = Arc::new(CancelToken::default());
    let cancels = CancelOnDrop(Arc::clone(&token));
    let format = asked.format;
    let work = Work {
        service: service.clone(),
        viewer,
        asker,
        source: asked.source,
        question: SqlQuestion {
            text: asked.text,
            parameters: asked.parameters,
            limits: QueryLimits {
                rows: asked.rows,
                memory_mb: limits.sql_memory_mb,
                answer_bytes: u64::from(limits.answer_bytes) * ON_DISK,
                deadline,
                time: limits.deadline(),
            },
        },
        format,
        operation: asked.operation,
        must_be_whole: !asked.names_rows && !format.says_truncated(),
    };
    let (begun, begins) = oneshot::channel();
    let (ended, mut ends) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let _running = running;
        set_cancel_token(Some(token));
        let _clear = ClearCancelToken;
        // Without a receiver the head of the response is sent, or the client is gone.
        if let Err(Err(error)) = ended.send(work.run(to_client, begun)) {
            tracing::warn!(error = %format_args!("{error:#}"), "an answer was aborted");
        }
    });
    let panicked = || Refused::Failed(anyhow::anyhow!("a query panicked"));
    let Ok(metadata) = begins.await else {
        return Err(ends.await.ok().and_then(Result::err).map_or_else(panicked, Refused::from));
    };
    let truncated = match tokio::time::timeout(SETTLES_WITHIN, &mut ends).await {
        Ok(ended) => Some(ended.map_err(|_| panicked())??),
        // The query still runs: the response streams its rows.
        Err(_) => None,
    };
    let mut response = head(format, &metadata);
    if let Some(truncated) = truncated {
        response.insert_header(("phananh-truncated", truncated.to_string()));
    }
    let pieces = pieces.stream().map(move |piece| {
        let _until_it_is_sent = (&sending, &cancels);
        match rights.is_lost() {
            true => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the token has expired or was revoked")),
            false => piece,
        }
    });
    Ok(response.streaming(pieces))
}

fn head(format: AnswerFormat, metadata: &AnswerMetadata) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(format.media_type())
        .insert_header(("cache-control", "private, no-store"))
        .insert_header(("vary", "Authorization, Cookie, Accept"))
        .insert_header(("phananh-position", metadata.position.to_string()))
        .insert_header(("phananh-as-of", metadata.as_of_text()));
    if let Some(version) = metadata.key_version {
        response.insert_header(("phananh-key-version", version.to_string()));
    }
    response
}

impl Work {
    /// Asks, writes the answer and notes the question in the audit log. Returns whether rows were cut off. Only an
    /// answer that is noted ends as complete.
    fn run(self, to: SpoolWriter, begun: oneshot::Sender<AnswerMetadata>) -> anyhow::Result<bool> {
        let started = Instant::now();
        let mut rows = 0;
        let written = self.write(to, begun, &mut rows);
        let failure = written.as_ref().err().map(|error| format!("{error:#}"));
        if let Some(log) = self.service.audit.get() {
            let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let values: Vec<Value> = self.question.parameters.iter().map(Parameter::to_json).collect();
            let text = text_with_values(&self.question.text, &values);
            let counted = failure.is_none().then_some(rows);
            let entry = asked(&self.viewer, self.operation, &text, counted, milliseconds, failure.as_deref());
            let noted = Handle::current().block_on(async { tokio::time::timeout(NOTED_WITHIN, log.add(entry)).await });
            noted.context("the audit log accepts no more entries")?;
        }
        let (to, truncated) = written?;
        to.finish()?;
        Ok(truncated)
    }

    fn write(
        &self,
        to: SpoolWriter,
        begun: oneshot::Sender<AnswerMetadata>,
        rows: &mut u64,
    ) -> anyhow::Result<(SpoolWriter, bool)> {
        let mut result = self.service.app.sql.ask_over(self.source, &self.asker, self.question.clone())?;
        let key_version = Some(result.key_version());
        let metadata = AnswerMetadata { position: result.position(), key_version, as_of: result.as_of() };
        let mut writer = AnswerWriter::new(self.format, to, result.schema(), &metadata)?;
        // Without a receiver the client is gone, and the next write fails.
        let _gone = begun.send(metadata);
        while let Some(batch) = result.next_batch()? {
            *rows += batch.num_rows() as u64;
            writer.write(&batch)?;
        }
        let truncated = result.truncated();
        if truncated && self.must_be_whole {
            let most = self.question.limits.rows;
            return Err(QueryError::Sql(format!(
                "the answer has more than {most} rows, and this format cannot say that others are missing: name the \
                 number of rows (rows={most}), write LIMIT, or ask for groups"
            ))
            .into());
        }
        Ok((writer.finish(truncated)?, truncated))
    }
}
