//! The message of a digest as its recipient sees it: a page of its own, which runs nothing.

use crate::web::text;
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::web;
use jobs::digest::{DigestDocument, html_with_pictures, parts};
use schema::enums::Locale;
use serde_json::Value;

/// A message has styles of its own. It runs no script, loads nothing and belongs to no site.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; sandbox";

/// Answers the HTML of a message, which has its pictures inside.
pub fn answer(html: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(html)
}

/// The HTML of a digest that was sent, with its pictures inside: in the mail they were parts of their own. `digest` has
/// its `html`, `document` and `locale`. A digest of another version, whose pictures cannot be drawn, has none.
pub async fn with_pictures(digest: &Value) -> String {
    let html = text(&digest["html"]).to_owned();
    let (document, is_english) = (digest["document"].clone(), digest["locale"] == "EN");
    let source = html.clone();
    let drawn = web::block(move || draw(&source, document, if is_english { Locale::En } else { Locale::Vi })).await;
    match drawn.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(drawn) => drawn,
        Err(error) => {
            tracing::warn!(error, "the pictures of a digest cannot be drawn");
            html
        }
    }
}

fn draw(html: &str, document: Value, locale: Locale) -> Result<String, String> {
    let document: DigestDocument = serde_json::from_value(document).map_err(|error| error.to_string())?;
    let parts = parts(&document, html, locale).map_err(|error| error.to_string())?;
    Ok(html_with_pictures(html, &parts))
}
