//! `/export/complaints.{csv,parquet,arrow}`: the complaints that a filter chooses, as a file that is written while it
//! is sent.

use super::Service;
use super::authenticate::authenticated;
use super::graphql::counted;
use super::operation::{budget, prepare, run};
use super::protocol::{Body, Media, OperationResult, locale, refusal, respond};
use super::rights::Watched;
use super::spool::spool;
use crate::access::EXPORTERS;
use crate::admission::Owner;
use crate::auth::Viewer;
use crate::export::{ExportWriter, Form, Terms, audience, read};
use crate::graphql::error::Code;
use crate::graphql::{ComplaintFilter, scoped};
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType, RETRY_AFTER};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::{InputType, Value};
use futures_util::StreamExt;
use schema::Timestamp;
use schema::db::dialect::current_position;
use schema::enums::{AuditAction, Role};
use schema::register::audit::Audited;
use serde::Deserialize;
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// A `ComplaintFilter` as JSON.
    filter: Option<String>,
    /// Whether the numbers of other registers stand beside the complaints.
    #[serde(default)]
    references: bool,
}

/// The filter is checked as that of a list is: by the schema, and by what the role may filter by.
const PROBE: &str =
    "query Export($filter: ComplaintFilter) { complaints(filter: $filter, first: 0) { pageInfo { hasNextPage } } }";
/// How long an export waits for others.
const WAITS_FOR_A_PLACE: Duration = Duration::from_secs(10);

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
    if asked.references && viewer.role != Role::Board {
        let message =
            format!("references tells a {} who stands behind pseudonyms: only a BOARD exports them", viewer.role);
        return Err(refused(StatusCode::FORBIDDEN, Code::Forbidden, message));
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
    let owner = Owner::of(Some(&viewer));
    let download = service.downloads.acquire_within(owner, WAITS_FOR_A_PLACE).await;
    let reading = service.exports.acquire_within(owner, WAITS_FOR_A_PLACE).await;
    let (Some(download), Some(reading)) = (download, reading) else {
        let message = "other exports are under way: try again in a minute";
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
            objects: json!({ "form": form.extension(), "filter": given, "references": asked.references, "keyVersion": keys.version() }),
        };
        log.add(entry).await;
    }
    let references = asked.references;
    let rights = Watched::over(service, &viewer);
    let (to_client, pieces) = spool().map_err(|error| {
        tracing::error!(%error, "an export has no temporary file");
        refused(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "the export has no room on the server".into())
    })?;
    let pseudonyms = keys.pseudonyms(audience(viewer.role, references));
    let (app, key_version) = (service.app.clone(), pseudonyms.version());
    tokio::task::spawn_blocking(move || {
        let _reading = reading;
        let known = Arc::clone(&app.snapshots.current().reference);
        let scope = viewer.scope(&known.tree);
        let make = move || {
            let own = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            Ok(scoped(&scope, own))
        };
        let written = app.background_db.read_snapshot(|conn| {
            let position = current_position(conn)?;
            let mut writer = ExportWriter::new(form, to_client, Terms { key_version, position, references })?;
            read(conn, &pseudonyms, references, &make, &mut |rows| writer.write(&rows))?;
            anyhow::Ok(writer.finish()?.finish()?)
        });
        if let Err(error) = written {
            tracing::warn!(%error, "an export was not finished");
        }
    });
    let pieces = pieces.stream().map(move |piece| {
        let _until_it_is_sent = &download;
        match rights.is_lost() {
            true => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the token has expired or was revoked")),
            false => piece,
        }
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
    let answer = |outcome: OperationResult| respond(Media::GraphqlResponse, outcome);
    let prepared = prepare(service, Some(viewer), body, locale(http)).await.map_err(answer)?;
    let mut outcome = run(service, Some(viewer), prepared, &budget(service, Some(viewer))).await;
    if !outcome.errors.is_empty() {
        outcome.refused.get_or_insert(StatusCode::BAD_REQUEST);
        return Err(answer(outcome));
    }
    let value = Value::from_json(given).unwrap_or_default();
    Option::<ComplaintFilter>::parse(Some(value))
        .map_err(|_| refusal(http, StatusCode::BAD_REQUEST, Code::BadUserInput, "filter is no ComplaintFilter"))
}
