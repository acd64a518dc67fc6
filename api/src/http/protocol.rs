//! The wire format of requests and answers, by the GraphQL over HTTP specification.
//!
//! It exists because async-graphql's integration with actix ignores `Accept`, and so cannot choose the status by the
//! media type ([`Media`]).

use crate::budget::{Budget, TooLarge};
use crate::graphql::error::Code;
use crate::graphql::json::write_value;
use crate::graphql::snapshot_position::POSITION;
use actix_web::http::StatusCode;
use actix_web::http::header::{Accept, AcceptLanguage, ContentType, Header, Quality, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use bytes::Bytes;
use schema::enums::Locale;
use serde::Deserialize;
use std::io::{self, Write};

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the HTTP status reflects the outcome.
    GraphqlResponse,
    /// `application/json`: legacy clients expect status 200 for every well-formed GraphQL response.
    Json,
}

impl Media {
    /// The media type that the client prefers; None if it accepts neither.
    pub fn negotiate(http: &HttpRequest) -> Option<Self> {
        let Some(accepted) = accepted(http) else { return Some(Self::Json) };
        accepted.iter().find_map(|media| match media.as_str() {
            "application/graphql-response+json" => Some(Self::GraphqlResponse),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// The media types that a client accepts, the preferred one first, without those that it rules out by `q=0`. None where
/// it names none.
pub fn accepted(http: &HttpRequest) -> Option<Vec<String>> {
    let accept = Accept::parse(http).ok().filter(|accept| !accept.is_empty())?;
    let wanted = accept.0.into_iter().filter(|media| media.quality > Quality::ZERO).collect();
    Some(Accept(wanted).ranked().iter().map(|media| media.essence_str().to_owned()).collect())
}

/// The preferred language of names, from `Accept-Language`; Vietnamese by default.
pub fn locale(http: &HttpRequest) -> Locale {
    let mut accepted = AcceptLanguage::parse(http).unwrap_or_else(|_| AcceptLanguage(Vec::new()));
    accepted.0.retain(|language| language.quality > Quality::ZERO);
    let ranked = accepted.ranked();
    let supported = ranked.iter().find_map(|preference| match preference.item()?.primary_language() {
        "vi" => Some(Locale::Vi),
        "en" => Some(Locale::En),
        _ => None,
    });
    supported.unwrap_or(Locale::Vi)
}

/// The position that the reads of a request must see. Any is `i64::MIN`, and one that is no number is the present.
pub fn position_to_see(http: &HttpRequest) -> i64 {
    let asked = http.headers().get(POSITION).map(|value| value.to_str().ok().and_then(|text| text.trim().parse().ok()));
    asked.map_or(i64::MIN, |position| position.unwrap_or(i64::MAX))
}

/// An operation of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    pub query: Option<String>,
    pub operation_name: Option<String>,
    pub variables: Option<serde_json::Map<String, serde_json::Value>>,
    pub extensions: Option<Extensions>,
    /// Whether the document belongs to this program, and not to a client: then no allow-list needs to name it.
    #[serde(skip)]
    pub is_of_this_program: bool,
}

/// Protocol extensions of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
    pub persisted_query: Option<PersistedQuery>,
}

/// An automatic persisted query: the hash of the document, which the client sends alone if the node knows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersistedQuery {
    pub version: u32,
    pub sha256_hash: String,
}

/// The body in a URL, with variables and extensions as JSON text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlBody {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl UrlBody {
    /// # Errors
    /// Names the parameter that cannot be parsed.
    pub fn body(self) -> Result<Body, String> {
        fn part<T: for<'de> Deserialize<'de>>(name: &str, text: Option<String>) -> Result<Option<T>, String> {
            let text = text.filter(|text| !text.is_empty());
            text.map_or(Ok(None), |text| serde_json::from_str(&text)).map_err(|e| format!("{name}: {e}"))
        }
        Ok(Body {
            query: self.query,
            operation_name: self.operation_name,
            variables: part("variables", self.variables)?,
            extensions: part("extensions", self.extensions)?,
            is_of_this_program: false,
        })
    }
}

/// The outcome of one operation.
#[derive(Debug)]
pub struct OperationResult {
    /// The serialised answer. The thread that built the answer serialises it: to free its thousands of small values
    /// on another thread would cost more.
    json: Bytes,
    pub errors: Vec<ServerError>,
    /// The HTTP status of a refused operation; None if it ran: then `data` is present, if only null.
    pub refused: Option<StatusCode>,
    /// Whether the body was a GraphQL request. With `application/json`, a 400 then becomes 200.
    pub is_graphql: bool,
    /// Whether the operation may have written. Then the client must not repeat it, and its answer is always sent.
    pub wrote: bool,
}

impl OperationResult {
    pub fn refused(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self::refused_for(status, vec![coded(code, message)])
    }

    pub fn refused_for(status: StatusCode, errors: Vec<ServerError>) -> Self {
        Self { is_graphql: false, ..Self::from_response(Response::from_errors(errors), Some(status)) }
    }

    /// The outcome of a parsed operation.
    pub fn from_response(response: Response, refused: Option<StatusCode>) -> Self {
        let mut response = response;
        shorten(&mut response.errors);
        let mut json = Vec::new();
        if write_response(&response, refused.is_none(), &mut json).is_err() {
            json.clear();
        }
        Self { json: json.into(), errors: response.errors, refused, is_graphql: true, wrote: false }
    }

    /// The outcome of an operation that ran; an error instead if the answer is too large.
    pub fn of_answer(mut response: Response, budget: &Budget, is_query: bool) -> Self {
        shorten(&mut response.errors);
        // A query can be repeated when the database is back, so a partial answer has no use. A mutation may have
        // written.
        if is_query && response.errors.iter().any(is_unavailable) {
            return Self { is_graphql: true, ..Self::refused_for(StatusCode::SERVICE_UNAVAILABLE, response.errors) };
        }
        match budget.write(|to| write_response(&response, true, to)) {
            Ok(json) => {
                Self { json: json.into(), errors: response.errors, refused: None, is_graphql: true, wrote: !is_query }
            }
            Err(TooLarge(limit)) => {
                let written = if is_query { "" } else { "; the operation's changes are stored" };
                let message = format!(
                    "the answer has more than {limit} bytes (answerBytes in serviceInfo.limits): ask for fewer rows, or for fewer fields and aliases of \
                     each{written}"
                );
                let response = Response::from_errors(vec![coded(Code::BadUserInput, message)]);
                Self { wrote: !is_query, ..Self::from_response(response, None) }
            }
        }
    }

    /// The outcome of a query whose answer, without errors, was written before.
    pub fn again(json: Bytes) -> Self {
        Self { json, errors: Vec::new(), refused: None, is_graphql: true, wrote: false }
    }

    /// The serialised answer.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Bytes of the answer.
    pub fn size(&self) -> usize {
        self.json.len()
    }

    /// A GraphQL request that is refused.
    pub fn request_error(errors: Vec<ServerError>) -> Self {
        Self { is_graphql: true, ..Self::refused_for(StatusCode::BAD_REQUEST, errors) }
    }

    pub fn status(&self, media: Media) -> StatusCode {
        match self.refused {
            None => StatusCode::OK,
            Some(StatusCode::BAD_REQUEST) if media == Media::Json && self.is_graphql => StatusCode::OK,
            Some(status) => status,
        }
    }

    /// The answer as a `next` message of a WebSocket.
    pub fn as_next(&self, id: &str) -> String {
        let (id, answer) = (serde_json::Value::from(id), String::from_utf8_lossy(&self.json));
        format!(r#"{{"type":"next","id":{id},"payload":{answer}}}"#)
    }
}

/// Writes a response. A refused operation has no `data`, not even null.
fn write_response(response: &Response, has_data: bool, to: &mut impl Write) -> io::Result<()> {
    let mut separator: &[u8] = b"{";
    if !response.errors.is_empty() {
        to.write_all(b"{\"errors\":")?;
        serde_json::to_writer(&mut *to, &response.errors)?;
        separator = b",";
    }
    if has_data {
        to.write_all(separator)?;
        to.write_all(b"\"data\":")?;
        write_value(&response.data, to)?;
        separator = b",";
    }
    if !response.extensions.is_empty() {
        to.write_all(separator)?;
        to.write_all(b"\"extensions\":")?;
        serde_json::to_writer(&mut *to, &response.extensions)?;
        separator = b",";
    }
    if separator == b"{" {
        to.write_all(separator)?;
    }
    to.write_all(b"}")
}

/// Longest error message, in characters: some repeat the client's input.
const LONGEST_MESSAGE: usize = 1_000;

/// Whether an error says that the database is unreachable.
fn is_unavailable(error: &ServerError) -> bool {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    matches!(code, Some(Value::String(code)) if code == Code::Unavailable.as_str())
}

/// Truncates messages that repeat long input.
fn shorten(errors: &mut [ServerError]) {
    for error in errors {
        if let Some((end, _)) = error.message.char_indices().nth(LONGEST_MESSAGE) {
            error.message.truncate(end);
            error.message.push('…');
        }
    }
}

/// An error with a code.
pub fn coded(code: Code, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
    error
}

/// `Retry-After` of a 503, in seconds.
const RETRY_SECONDS: u32 = 2;

/// The answer to a single operation.
pub fn respond(media: Media, outcome: OperationResult) -> HttpResponse {
    respond_with(HttpResponse::Ok(), media, outcome)
}

/// Like [`respond`], with headers already set.
pub fn respond_with(mut builder: HttpResponseBuilder, media: Media, outcome: OperationResult) -> HttpResponse {
    let status = outcome.status(media);
    builder.status(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        builder.insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    write(builder, media, outcome.json)
}

/// The answer to a batch of operations.
pub fn respond_all(media: Media, outcomes: Vec<OperationResult>) -> HttpResponse {
    let is_away = outcomes.iter().all(|outcome| outcome.refused == Some(StatusCode::SERVICE_UNAVAILABLE));
    let mut builder = HttpResponse::Ok();
    if is_away {
        builder.status(StatusCode::SERVICE_UNAVAILABLE).insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    let all: Vec<Bytes> = outcomes.into_iter().map(|outcome| outcome.json).collect();
    write(builder, media, [b"[".as_slice(), &all.join(&b','), b"]"].concat().into())
}

fn write(mut builder: HttpResponseBuilder, media: Media, json: Bytes) -> HttpResponse {
    if json.is_empty() {
        return HttpResponse::InternalServerError().insert_header(ContentType::json()).finish();
    }
    builder.content_type(media.name()).body(json)
}

/// A response with a single error.
pub fn refusal(http: &HttpRequest, status: StatusCode, code: Code, message: impl Into<String>) -> HttpResponse {
    respond(Media::negotiate(http).unwrap_or(Media::Json), OperationResult::refused(status, code, message))
}
