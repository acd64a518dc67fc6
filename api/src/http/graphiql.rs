//! GraphiQL, with all its assets in the binary: it works without internet access.

use super::Service;
use super::sessions::{Session, session};
use crate::web::{asset_address, not_found};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

const PAGE: &str = include_str!("../../assets/graphiql/index.html");

/// A banner for demonstration data.
const DEMONSTRATION: &str = "<div style=\"background:#fff3cd;color:#664d03;padding:4px 12px;font:bold 13px sans-serif\">\
    Dữ liệu minh họa · Demonstration data: everything here is invented</div>";

/// Whether GraphiQL is there for a request: in development mode for all, else for readers who are signed in, unless the
/// settings close it.
fn is_open(service: &Service, session: Option<&Session>) -> bool {
    service.dev || (service.settings.web.graphiql && session.is_some())
}

/// The GraphiQL page. A reader of the web page finds the secret of its session in it, and needs no token.
pub async fn page(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let session = session(&service, &http).await.ok().flatten();
    if !is_open(&service, session.as_ref()) {
        return not_found(service, http).await;
    }
    let secret = session.map(|session| format!("<meta name=\"phananh-csrf\" content=\"{}\" />", session.csrf));
    // Its own letters of code do not draw Vietnamese; those of the web page do.
    let letters = asset_address("mono.css").map(|address| format!("<link rel=\"stylesheet\" href=\"{address}\" />"));
    let page = if service.app.snapshots.current().demonstration {
        PAGE.replace("<body>", &format!("<body>{DEMONSTRATION}"))
    } else {
        PAGE.to_owned()
    };
    let added = letters.into_iter().chain(secret).collect::<String>();
    let page = page.replace("</head>", &format!("{added}</head>"));
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "private, no-store"))
        // The page may neither load from nor send to other origins.
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
             worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "same-origin"))
        .body(page)
}

/// The assets of the page.
pub async fn asset(service: Data<Service>, http: HttpRequest, name: Path<String>) -> HttpResponse {
    let session = session(&service, &http).await.ok().flatten();
    if !is_open(&service, session.as_ref()) {
        return not_found(service, http).await;
    }
    let (media, body): (&str, &'static [u8]) = match name.as_str() {
        "graphiql.min.css" => ("text/css", include_bytes!("../../assets/graphiql/graphiql.min.css")),
        "graphiql.min.js" => ("text/javascript", include_bytes!("../../assets/graphiql/graphiql.min.js")),
        "react.production.min.js" => {
            ("text/javascript", include_bytes!("../../assets/graphiql/react.production.min.js"))
        }
        "react-dom.production.min.js" => {
            ("text/javascript", include_bytes!("../../assets/graphiql/react-dom.production.min.js"))
        }
        "start.js" => ("text/javascript", include_bytes!("../../assets/graphiql/start.js")),
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok()
        .content_type(format!("{media}; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "private, max-age=3600"))
        .body(body)
}
