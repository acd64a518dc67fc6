//! What load balancers and tools ask for.

use super::Service;
use super::authenticate::{authenticated, looks_after};
use super::protocol::{Media, refusal, respond};
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use schema::db::Standing;
use schema::{Conn, Db, StoreError};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the database may take to answer, and how long an answer stands for those who ask next.
const PROBED_WITHIN: Duration = Duration::from_millis(500);
const STANDS_FOR: Duration = Duration::from_millis(250);

/// The process answers.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Asks the database something small, for all who want to know: one thread at a time, however many they are and however
/// long it is silent.
pub struct Probe<T> {
    last: Mutex<Option<(Instant, Option<T>)>>,
    under_way: AtomicBool,
    answered: watch::Sender<()>,
}

impl<T: Clone + Send + Sync + 'static> Probe<T> {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { last: Mutex::default(), under_way: AtomicBool::new(false), answered: watch::Sender::new(()) })
    }

    /// What the database says; None where it does not answer soon.
    pub async fn ask(self: &Arc<Self>, work: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
        let asked = Instant::now();
        let mut answered = self.answered.subscribe();
        if let Some((at, answer)) = self.last()
            && at.elapsed() < STANDS_FOR
        {
            return answer;
        }
        self.begin(work);
        tokio::time::timeout(PROBED_WITHIN, answered.changed()).await.ok()?.ok()?;
        // A read that failed or panicked left the answer of before.
        self.last().filter(|(at, _)| *at >= asked)?.1
    }

    /// What the database said last, at once; it is asked anew where that was some time ago. The first time it is waited for.
    pub async fn last_or_ask(
        self: &Arc<Self>,
        stands_for: Duration,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let Some((at, Some(answer))) = self.last() else { return self.ask(work).await };
        if at.elapsed() >= stands_for {
            self.begin(work);
        }
        Some(answer)
    }

    /// Asks, unless somebody does already.
    fn begin(self: &Arc<Self>, work: impl FnOnce() -> Option<T> + Send + 'static) {
        if self.under_way.swap(true, Ordering::SeqCst) {
            return;
        }
        let probe = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            // Also where the read panics.
            let _done = Done(&probe);
            let answer = work();
            let mut last = probe.last.lock().unwrap_or_else(PoisonError::into_inner);
            // Where the database fails, what it said before stands, with its age.
            if answer.is_some() || last.as_ref().is_none_or(|(_, before)| before.is_none()) {
                *last = Some((Instant::now(), answer));
            }
        });
    }

    fn last(&self) -> Option<(Instant, Option<T>)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Done<'p, T>(&'p Probe<T>);

impl<T> Drop for Done<'_, T> {
    fn drop(&mut self) {
        self.0.under_way.store(false, Ordering::SeqCst);
        self.0.answered.send_replace(());
    }
}

/// The database answers, is migrated, and the snapshot is loaded. Where the register is, which goes up with everything
/// that is written, is told to those who look after the service.
pub async fn readyz(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let (of_requests, background_db) = (service.app.db.clone(), service.app.background_db.clone());
    let state = service.ready.ask(move || Some(state(&of_requests, &background_db))).await;
    let snapshot = service.app.snapshots.current();
    let (status, word) = match state {
        Some(Ok(())) => (StatusCode::OK, "ready"),
        Some(Err(word)) => (StatusCode::SERVICE_UNAVAILABLE, word),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    };
    let mut said = json!({ "status": word });
    // Whose token it is cannot be told without the database.
    let whose = tokio::time::timeout(PROBED_WITHIN, authenticated(&service, &http));
    if status == StatusCode::OK && matches!(whose.await, Ok(Ok(Some(viewer))) if looks_after(&viewer)) {
        said["position"] = snapshot.position.into();
        said["asOf"] = json!(snapshot.as_of);
    }
    HttpResponse::build(status).json(said)
}

/// What keeps the database from being used, in words that tell nothing of where it is.
fn state(of_requests: &Db, background_db: &Db) -> Result<(), &'static str> {
    match of_requests.read(Conn::standing) {
        Ok(Standing::Current) => {}
        Ok(Standing::Behind) => return Err("the database is not migrated"),
        Ok(Standing::Ahead(_)) => {
            return Err("a newer version has migrated the database: this one is to be replaced");
        }
        Err(error) => return Err(why(&error)),
    }
    [of_requests, background_db].into_iter().try_for_each(|db| db.takes_writes().map_err(|error| why(&error)))
}

fn why(error: &StoreError) -> &'static str {
    match error {
        StoreError::Gone(_) => "the database was deleted or replaced under the server: start it again",
        error if error.is_refused_write() => "the database takes no writes: its disk is full, or it only reads",
        _ => "the database does not answer",
    }
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

/// Nothing is here: says where something is.
pub async fn not_found(http: HttpRequest) -> HttpResponse {
    let message = format!(
        "there is nothing at {}: GraphQL is at /graphql, subscriptions at /graphql/ws, exports at \
         /export/complaints.{{csv,parquet,arrow}}, the schema at /schema.graphql, health checks at /healthz and /readyz",
        http.path()
    );
    refusal(&http, StatusCode::NOT_FOUND, Code::NotFound, message)
}
