//! The route `/export/complaints.{csv,parquet,arrow}`: streams the complaints that match a filter as a file, while a
//! background thread writes it.

use super::Service;
use super::authenticate::authenticated;
use super::graphql::counted_by_token;
use super::operation::{budget, run};
use super::prepare::{Ready, prepare};
use super::protocol::{Body, Media, OperationResult, locale, refusal, respond};
use super::rights::RightsWatch;
use super::spool::spool;
use crate::access::EXPORTERS;
use crate::access::Viewer;
use crate::admission::Owner;
use crate::export::{ExportMetadata, ExportWriter, Format, Selection, audience, read};
use crate::graphql::ComplaintFilter;
use crate::graphql::error::Code;
use crate::graphql::filter::Filter;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType, RETRY_AFTER};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::{InputType, Value};
use futures_util::StreamExt;
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::enums::{AuditAction, Role};
use schema::register::audit::Audited;
use schema::{JsonText, Timestamp};
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
    /// Whether to include the reference numbers of other registers.
    #[serde(default)]
    references: bool,
}

/// Checks the filter like that of a list: against the schema, and against the access table of the role.
const PROBE: &str =
    "query Export($filter: ComplaintFilter) { complaints(filter: $filter, first: 0) { pageInfo { hasNextPage } } }";
/// How long an export waits for a permit.
const WAITS_FOR_A_PLACE: Duration = Duration::from_secs(10);

pub async fn complaints(service: Data<Service>, http: HttpRequest, form: Path<String>) -> HttpResponse {
    match export(&service, &http, &form).await {
        Ok(response) => response,
        Err(refused) => refused,
    }
}

async fn export(service: &Data<Service>, http: &HttpRequest, form: &str) -> Result<HttpResponse, HttpResponse> {
    let refused = |status, code, message: String| refusal(http, status, code, message);
    let format: Format = form.parse().map_err(|e| refused(StatusCode::NOT_FOUND, Code::NotFound, e))?;
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
            format!("references reveal to a {} who is behind pseudonyms: only a BOARD exports them", viewer.role);
        return Err(refused(StatusCode::FORBIDDEN, Code::Forbidden, message));
    }
    let Some(keys) = service.app.keys.clone() else {
        let message = "an export needs pseudonyms, but the server runs without a key file (--key-file)";
        return Err(refused(StatusCode::FORBIDDEN, Code::Forbidden, message.into()));
    };
    if let Some(response) = counted_by_token(service, Some(&viewer), Media::GraphqlResponse, 1) {
        return Err(response);
    }
    let given: serde_json::Value = match &asked.filter {
        None => serde_json::Value::Null,
        Some(text) => serde_json::from_str(text)
            .map_err(|e| refused(StatusCode::BAD_REQUEST, Code::BadUserInput, format!("filter is not JSON: {e}")))?,
    };
    let filter = checked(service, &viewer, http, given.clone()).await?;
    let owner = Owner::of(Some(&viewer));
    let download = service.downloads.acquire_within(owner, WAITS_FOR_A_PLACE).await;
    let reading = service.exports.acquire_within(owner, WAITS_FOR_A_PLACE).await;
    let (Some(download), Some(reading)) = (download, reading) else {
        let message = "too many exports are running: try again in a minute";
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
            objects: JsonText::from(&json!({
                "form": format.extension(),
                "filter": given,
                "references": asked.references,
                "keyVersion": keys.version(),
            })),
        };
        log.add(entry).await;
    }
    let references = asked.references;
    let rights = RightsWatch::over(service, &viewer);
    let (to_client, pieces) = spool().map_err(|error| {
        tracing::error!(%error, "the temporary file of an export could not be created");
        refused(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "the server has no disk space for the export".into())
    })?;
    let pseudonyms = keys.pseudonyms(audience(viewer.role, references));
    let (app, key_version) = (service.app.clone(), pseudonyms.version());
    tokio::task::spawn_blocking(move || {
        let _reading = reading;
        let reference = Arc::clone(&app.snapshots.current().reference);
        let scope = viewer.scope(&reference.tree);
        let day = local_date(Timestamp::now());
        let selection = Selection {
            filter: &|| Ok(scope.and(filter.condition(&reference)?)),
            visible: &|| scope.condition(),
            references,
            day,
        };
        let written = app.background_db.read_snapshot(|conn| {
            let position = current_position(conn)?;
            let mut writer =
                ExportWriter::new(format, to_client, ExportMetadata { key_version, position, references, day })?;
            read(conn, &pseudonyms, &selection, &mut |rows| writer.write(&rows))?;
            anyhow::Ok(writer.finish()?.finish()?)
        });
        if let Err(error) = written {
            tracing::warn!(%error, "an export was aborted");
        }
    });
    let pieces = pieces.stream().map(move |piece| {
        let _until_it_is_sent = &download;
        match rights.is_lost() {
            true => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the token has expired or was revoked")),
            false => piece,
        }
    });
    let name = format!("complaints.{}", format.extension());
    Ok(HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(name)],
        })
        .insert_header(("cache-control", "private, no-store"))
        .insert_header(("phananh-key-version", key_version.to_string()))
        .insert_header(("phananh-position", position.to_string()))
        .streaming(pieces))
}

/// Parses the filter and checks it by running a list query with it.
async fn checked(
    service: &Service,
    viewer: &Viewer,
    http: &HttpRequest,
    given: serde_json::Value,
) -> Result<Option<ComplaintFilter>, HttpResponse> {
    let variables = serde_json::Map::from_iter([("filter".to_owned(), given.clone())]);
    let body = Body { query: Some(PROBE.into()), variables: Some(variables), ..Body::default() };
    // This is not GraphQL over HTTP: the status reflects the outcome, whatever the client accepts.
    let answer = |outcome: OperationResult| respond(Media::GraphqlResponse, outcome);
    let budget = budget(service, Some(viewer));
    let mut outcome = match prepare(service, Some(viewer), body, locale(http), &budget).await.map_err(answer)? {
        Ready::Checked(prepared) => run(service, Some(viewer), *prepared, &budget).await,
        Ready::Answered(outcome) => outcome,
    };
    if !outcome.errors.is_empty() {
        outcome.refused.get_or_insert(StatusCode::BAD_REQUEST);
        return Err(answer(outcome));
    }
    let value = Value::from_json(given).unwrap_or_default();
    Option::<ComplaintFilter>::parse(Some(value))
        .map_err(|_| refusal(http, StatusCode::BAD_REQUEST, Code::BadUserInput, "filter is not a ComplaintFilter"))
}
