//! Health checks for load balancers, the GraphQL schema as text, and the answer to unknown paths.

use super::Service;
use super::authenticate::{authenticated, may_read_operations_data};
use super::job_metrics::{JobMetrics, job_metrics};
use super::protocol::{Media, refusal, respond};
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;
use schema::db::MigrationStatus;
use schema::{Conn, Db, StoreError};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A probe may take this long, and its answer is reused for this long.
const PROBED_WITHIN: Duration = Duration::from_millis(500);
const REUSED_FOR: Duration = Duration::from_millis(250);

/// Liveness: the process answers.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Runs one small database query for all concurrent callers. At most one thread runs it, however many callers there
/// are and however long the database does not answer.
pub struct Probe<T> {
    last: Mutex<Option<(Instant, Option<T>)>>,
    under_way: AtomicBool,
    answered: watch::Sender<()>,
}

impl<T: Clone + Send + Sync + 'static> Probe<T> {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { last: Mutex::default(), under_way: AtomicBool::new(false), answered: watch::Sender::new(()) })
    }

    /// The answer of the database; None if it does not answer in time.
    pub async fn query(self: &Arc<Self>, work: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
        let called_at = Instant::now();
        let mut answered = self.answered.subscribe();
        if let Some((at, answer)) = self.last()
            && at.elapsed() < REUSED_FOR
        {
            return answer;
        }
        self.begin(work);
        tokio::time::timeout(PROBED_WITHIN, answered.changed()).await.ok()?.ok()?;
        // After a failed or panicked read, the stored answer is older than this call.
        self.last().filter(|(at, _)| *at >= called_at)?.1
    }

    /// The last answer, without waiting; runs the query again if that answer is older than `reused_for`. Only the
    /// first call waits.
    pub async fn cached_or_query(
        self: &Arc<Self>,
        reused_for: Duration,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let Some((at, Some(answer))) = self.last() else { return self.query(work).await };
        if at.elapsed() >= reused_for {
            self.begin(work);
        }
        Some(answer)
    }

    /// Starts the query, unless it is running.
    fn begin(self: &Arc<Self>, work: impl FnOnce() -> Option<T> + Send + 'static) {
        if self.under_way.swap(true, Ordering::SeqCst) {
            return;
        }
        let probe = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            // Dropped even if the query panics.
            let _done = Done(&probe);
            let answer = work();
            let mut last = probe.last.lock().unwrap_or_else(PoisonError::into_inner);
            // If the query fails, keep the previous answer and its time.
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

/// Readiness: the database answers, is migrated and accepts writes. ADMIN and BOARD (`may_read_operations_data`) also
/// see the position of the register, which grows with every write, the age of the snapshot, the jobs, and the mail that
/// waits.
pub async fn readyz(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let (of_requests, background_db) = (service.app.db.clone(), service.app.background_db.clone());
    let state = service.ready.query(move || Some(state(&of_requests, &background_db))).await;
    let snapshot = service.app.snapshots.current();
    let (status, word) = match state {
        Some(Ok(())) => (StatusCode::OK, "ready"),
        Some(Err(word)) => (StatusCode::SERVICE_UNAVAILABLE, word),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    };
    let mut body = json!({ "status": word });
    // Authentication needs the database.
    let whose = tokio::time::timeout(PROBED_WITHIN, authenticated(&service, &http));
    if status == StatusCode::OK && matches!(whose.await, Ok(Ok(Some(viewer))) if may_read_operations_data(&viewer)) {
        body["position"] = snapshot.position.into();
        body["asOf"] = json!(snapshot.as_of);
        // A node is ready without its replica: the primary answers.
        if let Some((replica, _)) = service.app.reads.replica() {
            body["replica"] = json!({
                "state": replica.state.as_str(),
                "lagMs": replica.lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)),
                "lagPositions": replica.lag_positions,
            });
        }
        body["snapshotAgeSeconds"] = (Utc::now() - snapshot.as_of.utc()).num_seconds().into();
        let job_metrics = job_metrics(&service).await;
        body["jobs"] = job_metrics.as_ref().map(JobMetrics::jobs_json).into();
        body["undelivered"] = job_metrics.as_ref().map(JobMetrics::undelivered_json).into();
    }
    HttpResponse::build(status).json(body)
}

/// The reason why the database cannot be used, without details of its location.
fn state(of_requests: &Db, background_db: &Db) -> Result<(), &'static str> {
    match of_requests.read(Conn::migration_status) {
        Ok(MigrationStatus::Current) => {}
        Ok(MigrationStatus::Behind) => return Err("the database is not migrated"),
        Ok(MigrationStatus::Ahead(_)) => {
            return Err("a newer version has migrated the database: upgrade this server");
        }
        Err(error) => return Err(why(&error)),
    }
    [of_requests, background_db].into_iter().try_for_each(|db| db.takes_writes().map_err(|error| why(&error)))
}

fn why(error: &StoreError) -> &'static str {
    match error {
        StoreError::Gone(_) => "the database was deleted or replaced under the server: restart the server",
        error if error.is_refused_write() => "the database takes no writes: its disk is full, or it is read-only",
        _ => "the database does not answer",
    }
}

/// The GraphQL schema in SDL; outside development mode only with a token.
pub async fn sdl(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    if !service.dev {
        match authenticated(&service, &http).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                let message = "send a token: Authorization: Bearer …";
                return refusal(&http, StatusCode::UNAUTHORIZED, Code::Unauthenticated, message);
            }
            Err(outcome) => return respond(Media::negotiate(&http).unwrap_or(Media::Json), outcome),
        }
    }
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(service.sdl.clone())
}

/// The answer to an unknown path: lists the known ones.
pub async fn not_found(http: HttpRequest) -> HttpResponse {
    let message = format!(
        "there is nothing at {}: GraphQL is at /graphql, subscriptions at /graphql/ws, exports at \
         /export/complaints.{{csv,parquet,arrow,xlsx}}, the schema at /schema.graphql, health checks at /healthz and /readyz",
        http.path()
    );
    refusal(&http, StatusCode::NOT_FOUND, Code::NotFound, message)
}
