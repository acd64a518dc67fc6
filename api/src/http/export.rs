//! `/export/complaints.{csv,parquet,arrow}`: the complaints that a filter chooses, as a file that is written while it
//! is sent.

use super::Service;
use super::exchange::{Body, Media, Outcome, locale, refusal, respond};
use super::gate::authenticated;
use super::graphql::counted;
use super::operation::{prepare, run};
use super::rights::Watched;
use crate::access::EXPORTERS;
use crate::auth::Viewer;
use crate::export::{ExportWriter, Form, read};
use crate::graphql::error::Code;
use crate::graphql::{ComplaintFilter, scoped};
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType, RETRY_AFTER};
use actix_web::web::{Bytes, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::{InputType, Value};
use futures_util::stream::poll_fn;
use schema::Timestamp;
use schema::db::dialect::current_position;
use schema::enums::AuditAction;
use schema::pseudonyms::Audience;
use schema::register::audit::Audited;
use serde::Deserialize;
use serde_json::json;
use std::io::{self, Write};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Sender, channel};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// A `ComplaintFilter` as JSON.
    filter: Option<String>,
}

/// The filter is checked as that of a list is: by the schema, and by what the role may filter by.
const PROBE: &str =
    "query Export($filter: ComplaintFilter) { complaints(filter: $filter, first: 0) { pageInfo { hasNextPage } } }";
/// Whoever takes nothing for so long is gone.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// Bytes that are sent at once.
const PIECE: usize = 64 * 1024;

pub async fn complaints(service: Data<Service>, http: HttpRequest, form: Path<String>) -> HttpResponse {
    match export(&service, &http, &form).await {
        Ok(response) => response,
        Err(refused) => refused,
    }
}

async fn export(service: &Data<Service>, http: &HttpRequest, form: &str) -> Result<HttpResponse, HttpResponse> {
    let refused = |status, code, message: String| refusal(http, status, code, message);
    let form: Form = form.parse().map_err(|e| refused(StatusCode::NOT_FOUND, Code::NotFound, e))?;
    let asked = Query::<Asked>::from_query(http.query_string())
        .map_err(|e| refused(StatusCode::BAD_REQUEST, Code::BadUserInput, format!("the query of the URL: {e}")))?;
    let viewer = authenticated(service, http).await.map_err(|outcome| respond(Media::Json, outcome))?;
    let Some(viewer) = viewer else {
        let message = "send a token: Authorization: Bearer …";
        return Err(refused(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message.into()));
    };
    if !EXPORTERS.contains(&viewer.role) {
        return Err(refused(StatusCode::FORBIDDEN, Code::Forbidden, format!("a {} may not export", viewer.role)));
    }
    let Some(keys) = service.app.keys.clone() else {
        let message = "an export has pseudonyms, and the server was started without a key file (--key-file)";
        return Err(refused(StatusCode::FORBIDDEN, Code::Forbidden, message.into()));
    };
    if let Some(response) = counted(service, Some(&viewer), Media::GraphqlResponse, 1) {
        return Err(response);
    }
    let given: serde_json::Value = match &asked.filter {
        None => serde_json::Value::Null,
        Some(text) => serde_json::from_str(text)
            .map_err(|e| refused(StatusCode::BAD_REQUEST, Code::BadUserInput, format!("filter is no JSON: {e}")))?,
    };
    let filter = checked(service, &viewer, http, given.clone()).await?;
    let Ok(turn) = Arc::clone(&service.exports).try_acquire_owned() else {
        let message = "others export at the moment: try again in a minute";
        let mut response = refused(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message.into());
        response.headers_mut().insert(RETRY_AFTER, 60.into());
        return Err(response);
    };
    let position = service.app.snapshots.current().position;
    if let Some(log) = service.audit.get() {
        let entry = Audited {
            at: Timestamp::now(),
            actor: viewer.actor(),
            role: Some(viewer.role),
            action: AuditAction::Export,
            operation: None,
            objects: json!({ "form": form.extension(), "filter": given, "keyVersion": keys.version() }),
        };
        log.add(entry).await;
    }
    let watched = Watched::over(service, &viewer);
    let (sender, mut receiver) = channel::<Bytes>(4);
    let pseudonyms = keys.pseudonyms(Audience::Export(viewer.role));
    let (app, key_version) = (service.app.clone(), pseudonyms.version());
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let known = Arc::clone(&app.snapshots.current().reference);
        let scope = viewer.scope(&known.tree);
        let last = sender.clone();
        let to_client = ToClient { sender, piece: Vec::with_capacity(PIECE), rights: watched };
        let make = move || {
            let own = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            Ok(scoped(&scope, own))
        };
        let written = app.unhurried.read_snapshot(|conn| {
            let position = current_position(conn)?;
            let mut writer = ExportWriter::new(form, to_client, key_version, position)?;
            read(conn, &pseudonyms, &make, &mut |rows| writer.write(&rows))?;
            anyhow::Ok(writer.finish()?.flush()?)
        });
        match written {
            // An empty piece says that it is whole.
            Ok(()) => drop(send(&last, Bytes::new())),
            Err(error) => tracing::warn!(%error, "an export broke off"),
        }
    });
    let mut ended = false;
    let pieces = poll_fn(move |context| match receiver.poll_recv(context) {
        Poll::Ready(Some(piece)) if piece.is_empty() => {
            ended = true;
            Poll::Ready(None)
        }
        Poll::Ready(Some(piece)) => Poll::Ready(Some(Ok(piece))),
        // It broke off: the body ends without its end, and nobody takes it for whole.
        Poll::Ready(None) if !ended => {
            ended = true;
            Poll::Ready(Some(Err(io::Error::other("the export broke off"))))
        }
        Poll::Ready(None) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    let name = format!("complaints.{}", form.extension());
    Ok(HttpResponse::Ok()
        .content_type(form.media_type())
        .insert_header(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(name)],
        })
        .insert_header(("cache-control", "private, no-store"))
        .insert_header(("phananh-key-version", key_version.to_string()))
        .insert_header(("phananh-position", position.to_string()))
        .streaming(pieces))
}

/// The filter, if a list could be filtered by it.
async fn checked(
    service: &Service,
    viewer: &Viewer,
    http: &HttpRequest,
    given: serde_json::Value,
) -> Result<Option<ComplaintFilter>, HttpResponse> {
    let variables = serde_json::Map::from_iter([("filter".to_owned(), given.clone())]);
    let body = Body { query: Some(PROBE.into()), variables: Some(variables), ..Body::default() };
    // The status says what became of it, whatever the client accepts: there is no GraphQL here.
    let answer = |outcome: Outcome| respond(Media::GraphqlResponse, outcome);
    let prepared = prepare(service, Some(viewer), body, locale(http)).await.map_err(answer)?;
    let mut outcome = run(service, Some(viewer), prepared).await;
    if !outcome.errors.is_empty() {
        outcome.refused.get_or_insert(StatusCode::BAD_REQUEST);
        return Err(answer(outcome));
    }
    let value = Value::from_json(given).unwrap_or_default();
    Option::<ComplaintFilter>::parse(Some(value))
        .map_err(|_| refusal(http, StatusCode::BAD_REQUEST, Code::BadUserInput, "filter is no ComplaintFilter"))
}

/// What is written goes to the client in pieces; whoever writes waits for the client to take them.
struct ToClient {
    sender: Sender<Bytes>,
    piece: Vec<u8>,
    rights: Watched,
}

impl ToClient {
    fn send_piece(&mut self) -> io::Result<()> {
        if self.rights.is_lost() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the token has expired or was revoked"));
        }
        send(&self.sender, Bytes::from(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE))))
    }
}

fn send(to: &Sender<Bytes>, piece: Bytes) -> io::Result<()> {
    let sent = Handle::current().block_on(tokio::time::timeout(TAKEN_WITHIN, to.send(piece)));
    match sent {
        Ok(Ok(())) => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone")),
    }
}

impl Write for ToClient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.send_piece()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() { Ok(()) } else { self.send_piece() }
    }
}
