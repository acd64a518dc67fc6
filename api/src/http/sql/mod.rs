//! The route `/sql`: POST with SQL or JSON, and GET for readers that take only a URL. The answer is JSON, CSV, an Arrow
//! stream or Parquet, and is sent while the engine computes it.

mod answer;
mod request;

use super::Service;
use super::authenticate::authenticated;
use super::graphql::counted_by_token;
use super::protocol::{Media, accepted, refusal, respond};
use super::snapshot_position::wait_for_position;
use crate::access::{EXPORTERS, Viewer};
use crate::graphql::error::Code;
use crate::sql::formats::AnswerFormat;
use crate::sql::{Parameter, QueryError, SqlSource};
use actix_web::http::header::RETRY_AFTER;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use answer::Refused;
use request::{SqlRequest, UrlPart, content};

/// A question with its limits checked.
struct Question {
    text: String,
    parameters: Vec<Parameter>,
    source: SqlSource,
    /// Rows of the answer.
    rows: u64,
    /// Whether the client named the number of rows: then it expects that the others are cut off.
    names_rows: bool,
    format: AnswerFormat,
    /// Kind of request, for the audit log.
    operation: &'static str,
}

pub async fn post(service: Data<Service>, http: HttpRequest, body: Result<Bytes, actix_web::Error>) -> HttpResponse {
    match of_body(&service, &http, body).await {
        Ok(response) | Err(response) => response,
    }
}

pub async fn get(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    match of_url(&service, &http).await {
        Ok(response) | Err(response) => response,
    }
}

async fn of_body(
    service: &Data<Service>,
    http: &HttpRequest,
    body: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, HttpResponse> {
    let content = content(http)
        .map_err(|message| refusal(http, StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadUserInput, message))?;
    let url = UrlPart::parse(http).map_err(|message| bad_input(http, message))?;
    let format = format(http, &url)?;
    let Ok(body) = body else {
        let message = format!("the body is larger than {} bytes, or was cut off", service.settings.largest_body());
        return Err(refusal(http, StatusCode::PAYLOAD_TOO_LARGE, Code::BadUserInput, message));
    };
    let viewer = asker(service, http).await?;
    let limit = service.limits_of(Some(&viewer)).body_bytes;
    if body.len() > limit as usize {
        let message = format!("the body has {} bytes: at most {limit} are allowed", body.len());
        return Err(refusal(http, StatusCode::PAYLOAD_TOO_LARGE, Code::BadUserInput, message));
    }
    let asked = url.with_body(content, &body).map_err(|message| bad_input(http, message))?;
    answered(service, http, viewer, asked, format).await
}

async fn of_url(service: &Data<Service>, http: &HttpRequest) -> Result<HttpResponse, HttpResponse> {
    let url = UrlPart::parse(http).map_err(|message| bad_input(http, message))?;
    let format = format(http, &url)?;
    let viewer = asker(service, http).await?;
    let asked = url.alone().map_err(|message| bad_input(http, message))?;
    answered(service, http, viewer, asked, format).await
}

async fn answered(
    service: &Data<Service>,
    http: &HttpRequest,
    viewer: Viewer,
    asked: SqlRequest,
    format: AnswerFormat,
) -> Result<HttpResponse, HttpResponse> {
    if let Some(response) = counted_by_token(service, Some(&viewer), Media::GraphqlResponse, 1) {
        return Err(response);
    }
    let most = service.limits_of(Some(&viewer)).sql_rows;
    if asked.rows.is_some_and(|rows| rows > most) {
        return Err(bad_input(http, format!("rows must be from 0 to {most}")));
    }
    let parameters = asked.parameters().map_err(|message| bad_input(http, message))?;
    wait_for_position(service, http).await?;
    let question = Question {
        text: asked.query,
        parameters,
        source: asked.source.into(),
        rows: u64::from(asked.rows.unwrap_or(most)),
        names_rows: asked.rows.is_some(),
        format,
        operation: if http.method() == Method::GET { "GET /sql" } else { "POST /sql" },
    };
    answer::answer(service, viewer, question).await.map_err(|refused| refused_response(http, &refused))
}

fn bad_input(http: &HttpRequest, message: impl Into<String>) -> HttpResponse {
    refusal(http, StatusCode::BAD_REQUEST, Code::BadUserInput, message)
}

/// The format of the answer: the one that the URL names, else the one that the client prefers; JSON where it names
/// none.
fn format(http: &HttpRequest, url: &UrlPart) -> Result<AnswerFormat, HttpResponse> {
    if let Some(name) = &url.format {
        return name.parse::<AnswerFormat>().map_err(|message| bad_input(http, format!("format: {message}")));
    }
    let Some(accepted) = accepted(http) else { return Ok(AnswerFormat::Json) };
    accepted.iter().find_map(|media| AnswerFormat::of_media(media)).ok_or_else(|| {
        let message = "answers are application/json, text/csv, application/vnd.apache.arrow.stream or \
                       application/vnd.apache.parquet: accept one of them";
        refusal(http, StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message)
    })
}

/// The asker, if it may ask.
async fn asker(service: &Service, http: &HttpRequest) -> Result<Viewer, HttpResponse> {
    let viewer = authenticated(service, http).await.map_err(|outcome| respond(Media::Json, outcome))?;
    let Some(viewer) = viewer else {
        let message = "send a token: Authorization: Bearer …";
        return Err(refusal(http, StatusCode::UNAUTHORIZED, Code::Unauthenticated, message));
    };
    let forbidden = |message: String| Err(refusal(http, StatusCode::FORBIDDEN, Code::Forbidden, message));
    if !EXPORTERS.contains(&viewer.role) {
        return forbidden(format!("a {} may not ask in SQL", viewer.role));
    }
    // An allow-list holds GraphQL operations: SQL would be a way around it.
    if service.settings.trusted_operations.contains(&viewer.role) {
        return forbidden(format!("a {} runs only operations from its allow-list, and no SQL", viewer.role));
    }
    Ok(viewer)
}

fn refused_response(http: &HttpRequest, refused: &Refused) -> HttpResponse {
    let internal = "the query failed; the server's log says why";
    let (status, code, message) = match refused {
        Refused::NoKeys => {
            let message = "SQL needs pseudonyms, but the server runs without a key file (--key-file)";
            (StatusCode::FORBIDDEN, Code::Forbidden, message.to_owned())
        }
        Refused::Busy => {
            let message = "too many queries are running: try again in a moment";
            let mut response = refusal(http, StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
            response.headers_mut().insert(RETRY_AFTER, 1.into());
            return response;
        }
        Refused::Query(failed @ (QueryError::Sql(_) | QueryError::Broken(_))) => {
            (StatusCode::BAD_REQUEST, Code::BadUserInput, failed.to_string())
        }
        Refused::Query(failed @ (QueryError::Timeout(_) | QueryError::Cancelled)) => {
            (StatusCode::GATEWAY_TIMEOUT, Code::Timeout, failed.to_string())
        }
        Refused::Query(failed @ QueryError::NoEngine(_)) => {
            (StatusCode::NOT_IMPLEMENTED, Code::Unavailable, failed.to_string())
        }
        Refused::Query(failed @ QueryError::Cluster(_)) => {
            tracing::error!(error = %failed, "the lake was not asked");
            (StatusCode::BAD_GATEWAY, Code::Unavailable, failed.to_string())
        }
        Refused::Query(failed @ QueryError::Engine(_)) => {
            tracing::error!(error = %failed, "a query failed");
            (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, internal.to_owned())
        }
        Refused::Failed(error) => {
            tracing::error!(error = %format_args!("{error:#}"), "a query failed");
            (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, internal.to_owned())
        }
    };
    refusal(http, status, code, message)
}
