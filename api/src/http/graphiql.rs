//! GraphiQL, served whole from the binary: it works where there is no internet.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::Path;

const PAGE: &str = include_str!("../../assets/graphiql/index.html");

/// The page.
pub async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        // Nothing comes from elsewhere, and nothing goes there.
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
             worker-src 'self' blob:",
        ))
        .body(PAGE)
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
