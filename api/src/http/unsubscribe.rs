//! One-click unsubscription from mail (RFC 8058). POST ends the subscription that the token in the address names; GET
//! only shows a page with a button, because mail programs and virus scanners open the links of a mail.

use super::Service;
use crate::web::asset_address;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use actix_web::web::{Data, Path, block};
use jobs::notify::unsubscribe::{Of, end, parsed};
use schema::{Id, StoreError};

/// The actor of an unsubscription, in the chain of states.
const ACTOR: &str = "recipient";

/// The page with the button.
pub async fn form(service: Data<Service>, token: Path<String>) -> HttpResponse {
    match subscription_of(&service, &token) {
        Some(_) => page(
            StatusCode::OK,
            "<p>Ngừng nhận thư này? · Receive no more of these mails?</p>\
             <form method=\"post\"><button type=\"submit\">Ngừng nhận · Unsubscribe</button></form>",
        ),
        None => unknown(),
    }
}

/// Ends the subscription. Mail programs send the body `List-Unsubscribe=One-Click`; a browser sends none.
pub async fn unsubscribe(service: Data<Service>, token: Path<String>) -> HttpResponse {
    let Some((of, id)) = subscription_of(&service, &token) else { return unknown() };
    let db = service.app.db.clone();
    match block(move || db.write(ACTOR, |tx| end(tx, of, id))).await {
        Ok(Ok(_)) => page(StatusCode::OK, "<p>Đã ngừng. · Done: no more of these mails will be sent.</p>"),
        Ok(Err(StoreError::NotFound(_))) => unknown(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "cannot unsubscribe a recipient");
            later()
        }
        Err(_) => later(),
    }
}

fn subscription_of(service: &Service, token: &str) -> Option<(Of, Id)> {
    parsed(service.app.keys.as_deref()?, token)
}

fn unknown() -> HttpResponse {
    page(StatusCode::NOT_FOUND, "<p>Liên kết không hợp lệ. · This link is not valid.</p>")
}

fn later() -> HttpResponse {
    page(StatusCode::SERVICE_UNAVAILABLE, "<p>Hãy thử lại sau. · Try again later.</p>")
}

/// A page in both languages: the server does not know the language of whoever opens it.
fn page(status: StatusCode, content: &str) -> HttpResponse {
    let sheet = asset_address("style.css").map(|address| format!("<link rel=\"stylesheet\" href=\"{address}\">"));
    let sheet = sheet.unwrap_or_default();
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'",
        ))
        .body(format!(
            "<!doctype html><html lang=\"vi\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>Phản ánh</title>{sheet}</head>\
             <body><main><h1>Phản ánh</h1>{content}</main></body></html>"
        ))
}
