//! The route `/graphql`: POST with a JSON body, one operation or a batch; GET for queries only.

use super::Service;
use super::authenticate::authenticated;
use super::operation::{budget, run};
use super::post_operation::{OperationOutcome, audit};
use super::prepare::{Ready, prepare};
use super::prepared::Prepared;
use super::protocol::{
    Body, Media, OperationResult, UrlBody, coded, locale, position_to_see, refusal, respond, respond_all, respond_with,
};
use super::receipts::{counted_without_token, mentions_receipt, refused_in_url};
use super::sending::send;
use crate::access::Viewer;
use crate::budget::Budget;
use crate::graphql::error::Code;
use crate::graphql::snapshot_position::POSITION;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, RETRY_AFTER, VARY,
};
use actix_web::web::{Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Mutex;

/// The body of a request: one operation or a batch.
#[derive(Deserialize)]
#[serde(untagged)]
enum RequestBody {
    Many(Vec<serde_json::Value>),
    One(serde_json::Value),
}

pub async fn post(service: Data<Service>, http: HttpRequest, body: Result<Bytes, actix_web::Error>) -> HttpResponse {
    let Some(media) = Media::negotiate(&http) else { return not_acceptable(&http) };
    let content_type = http.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = content_type.split(';').next().unwrap_or_default().trim();
    // CSRF protection: any web page can post a form, but a browser sends JSON across origins only after a preflight
    // request.
    if !given.eq_ignore_ascii_case("application/json") {
        let message = "send the request as JSON: Content-Type: application/json";
        return refusal(&http, StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadUserInput, message);
    }
    let Ok(body) = body else {
        let message = format!("the body is larger than {} bytes, or was cut off", service.settings.largest_body());
        return refusal(&http, StatusCode::PAYLOAD_TOO_LARGE, Code::BadUserInput, message);
    };
    let viewer = match authenticated(&service, &http).await {
        Ok(viewer) => viewer,
        Err(outcome) => return respond(media, outcome),
    };
    let limits = service.limits_of(viewer.as_ref());
    if body.len() > limits.body_bytes as usize {
        let message = format!("the body has {} bytes: at most {} are allowed", body.len(), limits.body_bytes);
        return refusal(&http, StatusCode::PAYLOAD_TOO_LARGE, Code::BadUserInput, message);
    }
    let budget = budget(&service, viewer.as_ref());
    match serde_json::from_slice::<RequestBody>(&body) {
        Ok(RequestBody::One(one)) => {
            let operations = std::slice::from_ref(&one);
            if let Some(response) = counted(&service, viewer.as_ref(), &http, media, operations) {
                return response;
            }
            let outcome = of_value(&service, viewer.as_ref(), one, &http, &budget).await;
            let wrote = outcome.wrote;
            let response = with_position(&service, wrote && viewer.is_some(), respond(media, outcome)).await;
            send(&service, viewer.as_ref(), &http, wrote, response).await
        }
        Ok(RequestBody::Many(all)) => {
            if all.is_empty() || all.len() > limits.batch as usize {
                let message = format!("a batch has from 1 to {} operations, this one has {}", limits.batch, all.len());
                return refusal(&http, StatusCode::BAD_REQUEST, Code::BadUserInput, message);
            }
            if let Some(response) = counted(&service, viewer.as_ref(), &http, media, &all) {
                return response;
            }
            let mut outcomes = Vec::with_capacity(all.len());
            for one in all {
                outcomes.push(of_value(&service, viewer.as_ref(), one, &http, &budget).await);
            }
            let wrote = outcomes.iter().any(|outcome| outcome.wrote);
            let response = with_position(&service, wrote && viewer.is_some(), respond_all(media, outcomes)).await;
            send(&service, viewer.as_ref(), &http, wrote, response).await
        }
        Err(e) => {
            let message = format!("the body is not a GraphQL request: {e}");
            refusal(&http, StatusCode::BAD_REQUEST, Code::BadUserInput, message)
        }
    }
}

async fn of_value(
    service: &Service,
    viewer: Option<&Viewer>,
    value: serde_json::Value,
    http: &HttpRequest,
    budget: &Budget,
) -> OperationResult {
    let ready = match serde_json::from_value::<Body>(value) {
        Ok(body) => prepare(service, viewer, body, locale(http), budget).await,
        Err(e) => {
            let message = format!("the body is not a GraphQL request: {e}");
            Err(OperationResult::refused(StatusCode::BAD_REQUEST, Code::BadUserInput, message))
        }
    };
    match ready {
        Ok(Ready::Checked(mut prepared)) => {
            prepared.at_least = position_to_see(http);
            run(service, viewer, *prepared, budget).await
        }
        Ok(Ready::Answered(outcome)) | Err(outcome) => outcome,
    }
}

/// Says to the holder of a token, after a write, at which position the register is. A client that sends the position to another node is answered
/// from a database that has the write.
async fn with_position(service: &Service, wrote: bool, mut response: HttpResponse) -> HttpResponse {
    if wrote
        && service.app.reads.has_replica()
        && let Some(position) = service.answer_cache.positions().read().await
    {
        response.headers_mut().insert(HeaderName::from_static(POSITION), HeaderValue::from(position));
    }
    response
}

pub async fn get(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let Some(media) = Media::negotiate(&http) else { return not_acceptable(&http) };
    let wrong = |message: String| refusal(&http, StatusCode::BAD_REQUEST, Code::BadUserInput, message);
    let body = match Query::<UrlBody>::from_query(http.query_string()) {
        Ok(url) => match url.into_inner().body() {
            Ok(body) => body,
            Err(message) => return wrong(message),
        },
        Err(e) => return wrong(format!("the query of the URL: {e}")),
    };
    if body.query.as_deref().is_some_and(mentions_receipt) {
        return refused_in_url(&http);
    }
    let viewer = match authenticated(&service, &http).await {
        Ok(viewer) => viewer,
        Err(outcome) => return respond(media, outcome),
    };
    if let Some(response) = counted_by_token(&service, viewer.as_ref(), media, 1) {
        return response;
    }
    let budget = budget(&service, viewer.as_ref());
    let ready = match prepare(&service, viewer.as_ref(), body, locale(&http), &budget).await {
        Ok(ready) => ready,
        Err(outcome) => return respond(media, outcome),
    };
    if let Ready::Checked(prepared) = &ready
        && !prepared.is_query()
    {
        let message = "GET is for queries only: send the operation by POST";
        let mut response = refusal(&http, StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    if let Ready::Checked(prepared) = &ready
        && mentions_receipt(&prepared.text)
    {
        return refused_in_url(&http);
    }
    let mut builder = HttpResponse::Ok();
    builder.insert_header((VARY, "Authorization, Cookie, Accept, Accept-Language"));
    // Only the client itself may cache the answer, and must revalidate it before each use.
    builder.insert_header((CACHE_CONTROL, "private, no-cache"));
    let mut prepared = match ready {
        Ready::Checked(prepared) => prepared,
        Ready::Answered(outcome) => {
            return send(&service, viewer.as_ref(), &http, false, respond_with(builder, media, outcome)).await;
        }
    };
    if let Some(tag) = entity_tag(&service, viewer.as_ref(), &prepared, media) {
        builder.insert_header((ETAG, tag.as_str()));
        let if_none_match = http.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        if if_none_match.is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag)) {
            // A 304 discloses that nothing changed, so it is audited.
            audit(&service, viewer.as_ref(), &prepared, &Mutex::default(), OperationOutcome::Answered).await;
            return builder.status(StatusCode::NOT_MODIFIED).finish();
        }
    }
    prepared.at_least = position_to_see(&http);
    let outcome = run(&service, viewer.as_ref(), *prepared, &budget).await;
    send(&service, viewer.as_ref(), &http, false, respond_with(builder, media, outcome)).await
}

/// An ETag over everything that an answer from the snapshot depends on; None for other answers.
fn entity_tag(service: &Service, viewer: Option<&Viewer>, prepared: &Prepared, media: Media) -> Option<String> {
    let viewer = viewer?;
    if !prepared.is_of_the_snapshot() {
        return None;
    }
    let limits = service.settings.limits(Some(viewer.role));
    let edition = viewer.thresholds(limits).map(|_| limits.edition_minutes);
    let snapshot = match edition {
        // The tag must not reveal writes since the edition was made.
        Some(minutes) => service.app.editions.current_if_built(minutes, Timestamp::now())?,
        None => service.app.snapshots.current(),
    };
    // Days change answers without a write: a complaint becomes overdue on the day after its deadline, and a finding
    // counts from its own day, once the snapshot is of that day.
    let day = (local_date(Timestamp::now()), local_date(snapshot.as_of));
    let parts = format!(
        "{} {:?} {day:?} {media:?} {:?} {:?} {} {} {:?} {:?} {} {} {} {}",
        snapshot.position,
        edition.map(|_| snapshot.as_of),
        prepared.limits(),
        service.app.keys.as_ref().map(|keys| keys.version()),
        viewer.role,
        viewer.outside,
        viewer.unit_id,
        viewer.officer_id,
        prepared.locale,
        prepared.text,
        serde_json::to_string(&prepared.variables).ok()?,
        prepared.operation.as_deref().unwrap_or_default(),
    );
    Some(format!("W/\"{}\"", data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(parts.as_bytes())[..18])))
}

/// Counts operations against the rate limit of a token, or of an address without one.
fn counted(
    service: &Service,
    viewer: Option<&Viewer>,
    http: &HttpRequest,
    media: Media,
    operations: &[serde_json::Value],
) -> Option<HttpResponse> {
    match viewer {
        None => counted_without_token(service, http, media, operations),
        viewer => counted_by_token(service, viewer, media, u32::try_from(operations.len()).unwrap_or(u32::MAX)),
    }
}

/// Counts operations against the rate limit of a token; Some with the refusal if they exceed it.
pub fn counted_by_token(
    service: &Service,
    viewer: Option<&Viewer>,
    media: Media,
    operations: u32,
) -> Option<HttpResponse> {
    let viewer = viewer?;
    let wait = service.rates.count(viewer, operations).err()?;
    let seconds = wait.as_secs() + 1;
    let limit = service.settings.limits(Some(viewer.role)).requests_per_minute;
    let message = format!("more than {limit} operations per minute: try again in {seconds} s");
    let outcome = OperationResult::refused_for(StatusCode::TOO_MANY_REQUESTS, vec![coded(Code::RateLimited, message)]);
    let mut response = respond(media, outcome);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    Some(response)
}

fn not_acceptable(http: &HttpRequest) -> HttpResponse {
    let message = "answers are application/graphql-response+json or application/json: accept one of them";
    refusal(http, StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message)
}
