//! Requests as they come in and answers as they go out, by the specification of GraphQL over HTTP.

use crate::budget::{Budget, TooLarge};
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::http::header::{Accept, AcceptLanguage, ContentType, Header, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use schema::enums::Locale;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The media types of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status says what became of the request.
    GraphqlResponse,
    /// `application/json`: clients that know no better expect 200 wherever there is a well-formed answer.
    Json,
}

impl Media {
    /// What a client takes; None where it takes neither.
    pub fn of(http: &HttpRequest) -> Option<Self> {
        let Ok(accept) = Accept::parse(http) else { return Some(Self::Json) };
        let ranked = accept.ranked();
        if ranked.is_empty() {
            return Some(Self::Json);
        }
        ranked.iter().find_map(|media| match media.essence_str() {
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

/// The language that a client would rather have names in.
pub fn locale(http: &HttpRequest) -> Locale {
    let ranked = AcceptLanguage::parse(http).map(|accepted| accepted.ranked()).unwrap_or_default();
    let known = ranked.iter().find_map(|preference| match preference.item()?.primary_language() {
        "vi" => Some(Locale::Vi),
        "en" => Some(Locale::En),
        _ => None,
    });
    known.unwrap_or(Locale::Vi)
}

/// One operation of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    pub query: Option<String>,
    pub operation_name: Option<String>,
    pub variables: Option<serde_json::Map<String, serde_json::Value>>,
    pub extensions: Option<Extensions>,
}

/// What a client may say beside the operation.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
    pub persisted_query: Option<PersistedQuery>,
}

/// An automatic persisted query: its hash, and its text where it is not known yet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersistedQuery {
    pub version: u32,
    pub sha256_hash: String,
}

/// The same in a URL, where variables and extensions are text.
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
    /// Which of the parameters cannot be read.
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
        })
    }
}

/// What became of one operation.
#[derive(Debug)]
pub struct OperationResult {
    /// The answer in its final form. It is written where it was made: an answer has thousands of small parts, which cost more
    /// to free on another thread.
    json: Vec<u8>,
    pub errors: Vec<ServerError>,
    /// None where it ran: there is data then, if only null.
    pub refused: Option<StatusCode>,
    /// Whether the request was understood to be GraphQL, if of a kind that does not run.
    pub is_graphql: bool,
    /// Whether it may have written: then it must not be sent again, and its answer is told in any case.
    pub wrote: bool,
}

impl OperationResult {
    pub fn refused(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self::refused_for(status, vec![coded(code, message)])
    }

    pub fn refused_for(status: StatusCode, errors: Vec<ServerError>) -> Self {
        Self { is_graphql: false, ..Self::of(Response::from_errors(errors), Some(status)) }
    }

    /// What became of an operation that was understood.
    pub fn of(response: Response, refused: Option<StatusCode>) -> Self {
        let mut response = response;
        shorten(&mut response.errors);
        let json = serde_json::to_vec(&Written::of(&response, refused.is_none())).unwrap_or_default();
        Self { json, errors: response.errors, refused, is_graphql: true, wrote: false }
    }

    /// The answer of an operation that ran; where it is too large, an error in its place.
    pub fn of_answer(mut response: Response, budget: &Budget, is_query: bool) -> Self {
        shorten(&mut response.errors);
        // What is asked again when the database is back has no use for a part. Of a mutation a part may be written.
        if is_query && response.errors.iter().any(is_unavailable) {
            return Self { is_graphql: true, ..Self::refused_for(StatusCode::SERVICE_UNAVAILABLE, response.errors) };
        }
        match budget.write(&Written::of(&response, true)) {
            Ok(json) => Self { json, errors: response.errors, refused: None, is_graphql: true, wrote: !is_query },
            Err(TooLarge(limit)) => {
                let written = if is_query { "" } else { "; what the operation was to write is written" };
                let message = format!(
                    "the answer has more than {limit} bytes (answerBytes in serviceInfo.limits): ask for fewer rows, or for fewer fields and aliases of \
                     each{written}"
                );
                let response = Response::from_errors(vec![coded(Code::BadUserInput, message)]);
                Self { wrote: !is_query, ..Self::of(response, None) }
            }
        }
    }

    /// Bytes of the answer.
    pub fn size(&self) -> usize {
        self.json.len()
    }

    /// A request that is GraphQL and does not run.
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

    /// The answer as a message of a socket.
    pub fn as_next(&self, id: &str) -> String {
        let (id, answer) = (serde_json::Value::from(id), String::from_utf8_lossy(&self.json));
        format!(r#"{{"type":"next","id":{id},"payload":{answer}}}"#)
    }
}

/// A response in its final form: what did not run has no data, not even null.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> Written<'a> {
    fn of(response: &'a Response, has_data: bool) -> Self {
        Self { errors: &response.errors, data: has_data.then_some(&response.data), extensions: &response.extensions }
    }
}

/// Characters of a message that an error tells: some repeat what was sent.
const LONGEST_MESSAGE: usize = 1_000;

/// Whether an error says that the database is away.
fn is_unavailable(error: &ServerError) -> bool {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    matches!(code, Some(Value::String(code)) if code == Code::Unavailable.as_str())
}

/// Cuts messages that repeat long texts of the client.
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

/// The same, with headers set already.
pub fn respond_with(mut builder: HttpResponseBuilder, media: Media, outcome: OperationResult) -> HttpResponse {
    let status = outcome.status(media);
    builder.status(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        builder.insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    write(builder, media, outcome.json)
}

/// The answer to a list of operations.
pub fn respond_all(media: Media, outcomes: Vec<OperationResult>) -> HttpResponse {
    let is_away = outcomes.iter().all(|outcome| outcome.refused == Some(StatusCode::SERVICE_UNAVAILABLE));
    let mut builder = HttpResponse::Ok();
    if is_away {
        builder.status(StatusCode::SERVICE_UNAVAILABLE).insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    let all: Vec<Vec<u8>> = outcomes.into_iter().map(|outcome| outcome.json).collect();
    write(builder, media, [b"[".as_slice(), &all.join(&b','), b"]"].concat())
}

fn write(mut builder: HttpResponseBuilder, media: Media, json: Vec<u8>) -> HttpResponse {
    if json.is_empty() {
        return HttpResponse::InternalServerError().insert_header(ContentType::json()).finish();
    }
    builder.content_type(media.name()).body(json)
}

/// An answer that says why there is none.
pub fn refusal(http: &HttpRequest, status: StatusCode, code: Code, message: impl Into<String>) -> HttpResponse {
    respond(Media::of(http).unwrap_or(Media::Json), OperationResult::refused(status, code, message))
}
