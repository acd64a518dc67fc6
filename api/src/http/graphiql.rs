//! GraphiQL, served whole from the binary: it works where there is no internet.

use super::Service;
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::{Data, Path};

const PAGE: &str = include_str!("../../assets/graphiql/index.html");

/// Stands above an explorer of an invented register.
const DEMONSTRATION: &str = "<div style=\"background:#fff3cd;color:#664d03;padding:4px 12px;font:bold 13px sans-serif\">\
    Dữ liệu minh họa · Demonstration data: everything here is invented</div>";

/// The page.
pub async fn page(service: Data<Service>) -> HttpResponse {
    let page = if service.app.snapshots.current().demonstration {
        PAGE.replace("<body>", &format!("<body>{DEMONSTRATION}"))
    } else {
        PAGE.to_owned()
    };
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        // Nothing comes from elsewhere, and nothing goes there.
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
             worker-src 'self' blob:",
        ))
        .body(page)
}

/// What the page is made of.
pub async fn asset(name: Path<String>) -> HttpResponse {
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
        .insert_header((CACHE_CONTROL, "max-age=3600"))
        .body(body)
}
