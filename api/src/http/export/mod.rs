//! The routes `/export/TABLE.{csv,parquet,arrow,xlsx}`: stream rows as a file, while a background thread writes it. A
//! complete file is kept for some minutes, so that readers can ask for parts of it and for its manifest.

mod asker;
mod kept;
mod local;
mod produce;
mod request;
mod send;
mod statistics;

pub use kept::KeptExports;
pub use local::LocalExports;
pub use request::{StatisticsArguments, StatisticsRequest, parsed_json};
pub use statistics::Groups;

use super::Service;
use super::authenticate::authenticated;
use super::graphql::counted_by_token;
use super::protocol::{Media, locale, position_to_see, refusal, respond};
use super::rights::RightsWatch;
use super::snapshot_position::wait_for_position;
use super::spool::spool;
use crate::access::{EXPORTERS, Viewer};
use crate::admission::{Owner, Permit};
use crate::export::{Subject, audience, table_of};
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use asker::{Asker, Refused};
use kept::{KEEP, Kept, Key};
use produce::{Source, Work};
use request::ExportRequest;
use schema::domain::ids::random_id;
use schema::enums::{AuditAction, Role};
use schema::register::audit::Audited;
use schema::{JsonText, Timestamp};
use send::{Wanted, answer, head, watched};
use serde_json::json;
use statistics::groups;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long an export waits for a permit.
const WAITS_FOR_A_PLACE: Duration = Duration::from_secs(10);

pub async fn file(service: Data<Service>, http: HttpRequest, name: Path<String>) -> HttpResponse {
    match export(&service, &http, &name).await {
        Ok(response) => response,
        Err(refused) => refused,
    }
}

async fn export(service: &Data<Service>, http: &HttpRequest, name: &str) -> Result<HttpResponse, HttpResponse> {
    let refused = |status, code, message: String| refusal(http, status, code, message);
    let asked = ExportRequest::parse(name, http.query_string())
        .map_err(|(status, code, message)| refused(status, code, message))?;
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
    let key = Key::new(&viewer, keys.version(), &asked);
    let mut wanted = Wanted::from_request(http, asked.form);
    if let Some(kept) = kept_file(service, http, &key, &asked, &mut wanted)? {
        let is_whole = !asked.manifest && wanted.range.is_none() && !wanted.head;
        if is_whole {
            audit(service, &viewer, &asked, keys.version()).await;
        }
        let download = download(service, http, &viewer).await?;
        return Ok(of_kept(service, http, &viewer, &asked, &kept, &wanted, download));
    }
    if asked.statistics.is_none() && asked.subject != Subject::Complaints {
        wait_for_position(service, http).await?;
    }
    let asker = Asker {
        service: service.get_ref(),
        viewer: &viewer,
        locale: locale(http),
        at_least: position_to_see(http),
        is_of_this_program: false,
    };
    let source = source(&asker, &asked).await.map_err(|refused| refused.response(http))?;
    let download = download(service, http, &viewer).await?;
    let reading = service.exports.acquire_within(Owner::of(Some(&viewer)), WAITS_FOR_A_PLACE).await;
    let reading = reading.ok_or_else(|| too_many(http))?;
    let is_whole = !asked.manifest && wanted.range.is_none() && !wanted.head;
    // Another request of this client may have made the file while this one waited.
    if !is_whole && let Some(kept) = kept_file(service, http, &key, &asked, &mut wanted)? {
        return Ok(of_kept(service, http, &viewer, &asked, &kept, &wanted, download));
    }
    audit(service, &viewer, &asked, keys.version()).await;
    let rights = RightsWatch::over(service, &viewer);
    let (to_client, pieces) = spool().map_err(|error| {
        tracing::error!(%error, "the temporary file of an export could not be created");
        refused(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "the server has no disk space for the export".into())
    })?;
    let tag = random_id().to_string();
    let work = Work {
        app: service.app.clone(),
        pseudonyms: keys.pseudonyms(audience(viewer.role, asked.references)),
        answers: keys.pseudonyms(viewer.audience()),
        viewer: viewer.clone(),
        source,
        subject: asked.subject,
        form: asked.form,
        references: asked.references,
        // The file is at least as new as the snapshot, from which other tables come.
        at_least: service.app.snapshots.current().position.max(position_to_see(http)),
        query: asked.query.clone(),
        tag: tag.clone(),
    };
    let (told, about) = oneshot::channel();
    let (done, finished) = oneshot::channel::<Arc<Kept>>();
    let kept_exports = Arc::clone(&service.kept_exports);
    tokio::task::spawn_blocking(move || {
        let _reading = reading;
        let keep = |kept: Kept| {
            let kept = Arc::new(kept);
            kept_exports.keep(key, Arc::clone(&kept));
            // The file is sent while it is written: its end is not waited for.
            let _sent = done.send(kept);
        };
        if let Err(error) = work.produce(to_client, told, keep) {
            tracing::warn!(%error, "an export was aborted");
        }
    });
    let failed = || {
        let message = "the export could not be written: try again; the log of the server says why";
        refused(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message.into())
    };
    purge_later(service);
    let about = about.await.map_err(|_| failed())?;
    if is_whole {
        let pieces = watched(pieces.stream(), rights, download);
        return Ok(head(asked.form, &about, &tag).streaming(Box::pin(pieces)));
    }
    // The reader stays until the file is complete: the writer stops without one.
    let kept = finished.await;
    drop(pieces);
    let kept = kept.map_err(|_| failed())?;
    if !kept.can_be_kept() {
        wanted.range = None;
    }
    Ok(of_kept(service, http, &viewer, &asked, &kept, &wanted, download))
}

/// The file that answers a request without reading the register again; None for a request that begins with a new one.
///
/// # Errors
/// 412 if the client names a file that is not kept any more.
fn kept_file(
    service: &Service,
    http: &HttpRequest,
    key: &Key,
    asked: &ExportRequest,
    wanted: &mut Wanted,
) -> Result<Option<Arc<Kept>>, HttpResponse> {
    let files = &service.kept_exports;
    if let Some(tags) = wanted.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let found = files.tagged(key, tags).ok_or_else(|| {
            let message = "the server does not have this file any more: it keeps files for ten minutes; ask again \
                           without If-Match";
            refusal(http, StatusCode::PRECONDITION_FAILED, Code::Conflict, message)
        })?;
        return Ok(Some(found));
    }
    if wanted.range.is_some() && !asked.manifest {
        let Some(tag) = wanted.range_of.clone() else { return Ok(files.newest(key)) };
        let found = files.tagged(key, &[tag]);
        if found.is_none() {
            // The client's part is of another file: it gets the whole of a new one.
            wanted.range = None;
        }
        return Ok(found);
    }
    if asked.manifest {
        return Ok(files.newest(key));
    }
    let position = service.app.snapshots.current().position;
    Ok(files.newest(key).filter(|kept| wanted.head && kept.about.position >= position))
}

/// Answers with a complete file: with its manifest, or with the part that is wanted.
fn of_kept(
    service: &Data<Service>,
    http: &HttpRequest,
    viewer: &Viewer,
    asked: &ExportRequest,
    kept: &Kept,
    wanted: &Wanted,
    download: Permit,
) -> HttpResponse {
    if !asked.manifest {
        return answer(http, asked.form, kept, wanted, RightsWatch::over(service, viewer), download);
    }
    let manifest = kept.about.manifest(asked.form.format, kept.rows, &kept.content);
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header(("phananh-file", kept.tag.as_str()))
        .json(manifest)
}

/// Removes the file of this request from the disk when its time is over.
fn purge_later(service: &Service) {
    let files = Arc::clone(&service.kept_exports);
    tokio::spawn(async move {
        tokio::time::sleep(KEEP + Duration::from_secs(60)).await;
        files.purge();
    });
}

fn too_many(http: &HttpRequest) -> HttpResponse {
    let message = "too many exports are running: try again in a minute";
    let mut response = refusal(http, StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
    response.headers_mut().insert(RETRY_AFTER, 60.into());
    response
}

async fn download(service: &Service, http: &HttpRequest, viewer: &Viewer) -> Result<Permit, HttpResponse> {
    let place = service.downloads.acquire_within(Owner::of(Some(viewer)), WAITS_FOR_A_PLACE).await;
    place.ok_or_else(|| too_many(http))
}

async fn audit(service: &Service, viewer: &Viewer, asked: &ExportRequest, key_version: u32) {
    let Some(log) = service.audit.get() else { return };
    let mut objects = json!({
        "table": asked.subject.name(),
        "form": asked.form.format.extension(),
        "filter": asked.filter,
        "references": asked.references,
        "keyVersion": key_version,
    });
    if asked.subject == Subject::Statistics {
        objects["query"] = asked.query.clone();
    }
    let entry = Audited {
        at: Timestamp::now(),
        actor: viewer.actor(),
        role: Some(viewer.role),
        action: AuditAction::Export,
        operation: None,
        objects: JsonText::from(&objects),
    };
    log.add(entry).await;
}

/// Where the rows come from, once the filter is allowed.
async fn source(asker: &Asker<'_>, asked: &ExportRequest) -> Result<Source, Refused> {
    if let Some(statistics) = &asked.statistics {
        return Ok(Source::Statistics(groups(asker, statistics).await?));
    }
    if asked.subject == Subject::Complaints {
        return Ok(Source::Complaints(Box::new(asker.filter(asked.filter.clone()).await?)));
    }
    let table = table_of(asked.subject, asker.viewer.role == Role::Board)
        .map_err(|message| Refused::Export((StatusCode::FORBIDDEN, Code::Forbidden, message)))?;
    // An export without a filter is checked, too: an allow-list of operations decides about all exports.
    let filter = asker.filter(asked.filter.clone()).await?;
    Ok(Source::Table(table, Box::new(filter)))
}
