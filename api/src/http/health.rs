//! What load balancers and tools ask for.

use super::Service;
use super::exchange::{Media, refusal, respond};
use super::gate::{authenticated, looks_after};
use crate::graphql::context::blocking;
use crate::graphql::error::{Code, from_store};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// The process answers.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The database answers, is migrated, and the snapshot is loaded. Where the register is, which goes up with everything
/// that is written, is told to those who look after the service.
pub async fn readyz(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let db = service.app.db.clone();
    let pending = blocking(move || db.read(schema::Conn::has_pending_migrations).map_err(from_store)).await;
    let snapshot = service.app.snapshots.current();
    let (status, word) = match pending {
        Ok(false) => (StatusCode::OK, "ready"),
        Ok(true) => (StatusCode::SERVICE_UNAVAILABLE, "the database is not migrated"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    };
    let mut said = json!({ "status": word });
    if matches!(authenticated(&service, &http).await, Ok(Some(viewer)) if looks_after(&viewer)) {
        said["position"] = snapshot.position.into();
        said["asOf"] = json!(snapshot.as_of);
    }
    HttpResponse::build(status).json(said)
}

/// The schema; in production only for those who have a token.
pub async fn sdl(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    if !service.dev {
        match authenticated(&service, &http).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                let message = "send a token: Authorization: Bearer …";
                return refusal(&http, StatusCode::UNAUTHORIZED, Code::Unauthenticated, message);
            }
            Err(outcome) => return respond(Media::of(&http).unwrap_or(Media::Json), outcome),
        }
    }
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(service.sdl.clone())
}
