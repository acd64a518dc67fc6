//! Answers with files of exports: while they are written, and with parts of those that are kept.

use super::super::protocol::refusal;
use super::super::rights::RightsWatch;
use super::super::spool::SpoolReader;
use super::kept::Kept;
use crate::admission::Permit;
use crate::export::{About, Form, Format};
use crate::graphql::error::Code;
use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, ByteRangeSpec, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, ContentDisposition, DispositionParam,
    DispositionType, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_RANGE, RANGE, Range,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::{Stream, StreamExt};
use std::io;
use std::sync::Arc;

/// The part of a file that a request asks for.
pub struct Wanted {
    /// The tags of `If-Match`: only a file with one of them is wanted; `*` is none.
    pub tags: Option<Vec<String>>,
    /// The tag without which the range is to be ignored.
    pub range_of: Option<String>,
    pub range: Option<ByteRangeSpec>,
    pub head: bool,
}

/// The text of a tag, without quotes and the mark of a weak one.
fn tag(text: &str) -> String {
    text.trim().trim_start_matches("W/").trim_matches('"').to_owned()
}

impl Wanted {
    pub fn from_request(http: &HttpRequest, form: Form) -> Self {
        let text = |name: HeaderName| http.headers().get(&name).and_then(|value| value.to_str().ok());
        let tags = text(IF_MATCH).map(|tags| tags.split(',').map(tag).filter(|tag| tag != "*").collect());
        let head = http.method() == Method::HEAD;
        // CSV is sent compressed, where the places of bytes are other ones. HTTP defines ranges for GET alone: the
        // answer to HEAD says how long the whole file is.
        let takes_range = form.format != Format::Csv && !head;
        let range = text(RANGE).filter(|_| takes_range).and_then(|range| range.parse::<Range>().ok());
        let range = match range {
            // Several ranges at once are answered with the whole file.
            Some(Range::Bytes(mut ranges)) if ranges.len() == 1 => ranges.pop(),
            _ => None,
        };
        Self { tags, range_of: text(IF_RANGE).map(tag), range, head }
    }
}

/// The head of an answer with a file.
pub fn head(form: Form, about: &About, tag: &str) -> HttpResponseBuilder {
    let mut head = HttpResponse::Ok();
    head.content_type(form.format.media_type())
        .insert_header(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(format!(
                "{}.{}",
                about.subject.name(),
                form.format.extension()
            ))],
        })
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header(("phananh-key-version", about.key_version.to_string()))
        .insert_header(("phananh-position", about.position.to_string()))
        .insert_header(("phananh-as-of", about.as_of.utc().to_rfc3339()));
    match form.format {
        Format::Csv => head.insert_header((ETAG, format!("W/\"{tag}\""))),
        // The other formats are compressed in themselves, and their readers ask for ranges.
        _ => head
            .insert_header((ETAG, format!("\"{tag}\"")))
            .insert_header((ACCEPT_RANGES, "bytes"))
            .insert_header((CONTENT_ENCODING, "identity")),
    };
    head
}

/// The pieces of a file, as long as the viewer has its rights. The permit is held until they are sent.
pub fn watched(
    pieces: impl Stream<Item = io::Result<Bytes>>,
    rights: RightsWatch,
    download: Permit,
) -> impl Stream<Item = io::Result<Bytes>> {
    pieces.map(move |piece| {
        let _until_it_is_sent = &download;
        match rights.is_lost() {
            true => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the token has expired or was revoked")),
            false => piece,
        }
    })
}

/// Answers with a complete file, or the part of it that is wanted.
pub fn answer(
    http: &HttpRequest,
    form: Form,
    kept: &Kept,
    wanted: &Wanted,
    rights: RightsWatch,
    download: Permit,
) -> HttpResponse {
    let bytes = kept.content.bytes;
    let mut head = head(form, &kept.about, &kept.tag);
    if !kept.can_be_kept() {
        head.insert_header((ACCEPT_RANGES, "none"));
    }
    let (from, until) = match &wanted.range {
        None => (0, bytes),
        Some(range) => match range.to_satisfiable_range(bytes) {
            Some((first, last)) => {
                head.status(StatusCode::PARTIAL_CONTENT);
                head.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{bytes}")));
                (first, last + 1)
            }
            None => {
                let message = format!("the file has {bytes} bytes: the range lies behind its end");
                let mut refused = refusal(http, StatusCode::RANGE_NOT_SATISFIABLE, Code::BadUserInput, message);
                if let Ok(range) = HeaderValue::from_str(&format!("bytes */{bytes}")) {
                    refused.headers_mut().insert(CONTENT_RANGE, range);
                }
                return refused;
            }
        },
    };
    if wanted.head {
        return head.body(SizedStream::new(until - from, futures_util::stream::empty::<io::Result<Bytes>>()));
    }
    let pieces = SpoolReader::over(Arc::clone(&kept.file), from, until).stream();
    head.body(SizedStream::new(until - from, Box::pin(watched(pieces, rights, download))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_range_counts_in_get_alone_and_not_in_csv() {
        let wanted = |method: Method, format: Format| {
            let http = TestRequest::default().method(method).insert_header((RANGE, "bytes=0-9")).to_http_request();
            Wanted::from_request(&http, Form { format, bom: false })
        };
        assert!(wanted(Method::GET, Format::Parquet).range.is_some());
        assert!(wanted(Method::GET, Format::Csv).range.is_none());
        let head = wanted(Method::HEAD, Format::Parquet);
        assert!(head.head && head.range.is_none());
    }
}
