//! What load balancers and tools ask for.

use super::Service;
use super::exchange::{Media, refusal, respond};
use super::gate::{authenticated, looks_after};
use crate::admission::Owner;
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use schema::{Conn, StoreError};
use serde_json::json;
use std::time::Duration;

/// How long the database may take to say that it is there, and how long who asks waits to be looked for.
const PROBED_WITHIN: Duration = Duration::from_millis(400);

/// The process answers.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

impl Service {
    /// Asks the database something small, if it answers soon; None where it does not.
    pub(super) async fn probe<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<T> {
        // One at a time: where the database is silent each would hold a thread.
        let place = self.probes.acquire_within(Owner::of(None), PROBED_WITHIN).await?;
        let db = self.app.db.clone();
        let probe = tokio::task::spawn_blocking(move || {
            let _place = place;
            db.read(work)
        });
        tokio::time::timeout(PROBED_WITHIN, probe).await.ok()?.ok()?.ok()
    }
}

/// The database answers, is migrated, and the snapshot is loaded. Where the register is, which goes up with everything
/// that is written, is told to those who look after the service.
pub async fn readyz(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let pending = service.probe(Conn::has_pending_migrations).await;
    let snapshot = service.app.snapshots.current();
    let (status, word) = match pending {
        Some(false) => (StatusCode::OK, "ready"),
        Some(true) => (StatusCode::SERVICE_UNAVAILABLE, "the database is not migrated"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    };
    let mut said = json!({ "status": word });
    // Whose token it is cannot be told without the database.
    if status == StatusCode::OK
        && matches!(authenticated(&service, &http).await, Ok(Some(viewer)) if looks_after(&viewer))
    {
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
