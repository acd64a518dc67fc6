//! Sends large answers to clients that may read slowly.
//!
//! A large answer waits in a temporary file instead of memory, and holds a permit of its token until it is sent.

use super::Service;
use super::protocol::refusal;
use super::spool::spool;
use crate::access::Viewer;
use crate::admission::Owner;
use crate::graphql::error::Code;
use actix_web::body::{BodySize, BoxBody, MessageBody, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use std::io::{self, Write};
use std::time::Duration;

/// Answers longer than this are large, in bytes.
const LARGE: u64 = 256 * 1024;
/// An answer waits this long in memory for a permit.
const PATIENCE: Duration = Duration::from_millis(100);

/// Moves the body of a large response to a temporary file. The response to a write (`wrote`) is never refused: a
/// client told to try again would write twice.
pub async fn send(
    service: &Service,
    viewer: Option<&Viewer>,
    http: &HttpRequest,
    wrote: bool,
    response: HttpResponse,
) -> HttpResponse {
    let length = match response.body().size() {
        BodySize::Sized(length) if length > LARGE => length,
        _ => return response,
    };
    let permit = service.answers.acquire_within(Owner::of(viewer), PATIENCE).await;
    if permit.is_none() && wrote {
        return response;
    }
    let Some(permit) = permit else {
        let message = "too many large answers are being sent to this token: read them, then try again";
        let mut refused = refusal(http, StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
        refused.headers_mut().insert(RETRY_AFTER, 1.into());
        return refused;
    };
    let (head, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => return head.set_body(body),
    };
    let kept = wrote.then(|| bytes.clone());
    let spooled = tokio::task::spawn_blocking(move || {
        let (mut writer, reader) = spool()?;
        writer.write_all(&bytes)?;
        writer.finish()?;
        Ok(reader)
    });
    match spooled.await.map_err(io::Error::other).flatten() {
        Ok(reader) => {
            let pieces = reader.stream().map(move |piece| {
                let _until_it_is_sent = &permit;
                piece
            });
            head.set_body(SizedStream::new(length, Box::pin(pieces))).map_into_boxed_body()
        }
        Err(error) => {
            tracing::error!(%error, "the temporary file of a large answer could not be written");
            if let Some(bytes) = kept {
                return head.set_body(BoxBody::new(bytes));
            }
            let message = "the server has no disk space for the answer: ask for less at once";
            refusal(http, StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
        }
    }
}
