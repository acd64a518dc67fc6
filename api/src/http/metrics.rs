//! Observability: Prometheus metrics, the log of slow operations, and request ids. None of it contains what a client
//! asked for or who is in an answer.

use super::Service;
use super::authenticate::{authenticated, may_read_operations_data};
use super::job_metrics::job_metrics;
use super::protocol::{Media, refusal, respond};
use crate::access::{Viewer, Weight};
use crate::graphql::error::Code;
use crate::graphql::reads::ReadRouter;
use crate::traces::continues;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse};
use chrono::Utc;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use schema::db::ReplicaState;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Distinct operation names in the metrics: clients choose them, and each creates a time series that never ends.
const MOST_NAMES: usize = 200;

/// Prefix of all metric names.
const PREFIX: &str = "phananh";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: String,
    role: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabels {
    role: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PageLabels {
    from: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadLabels {
    from: &'static str,
    reason: &'static str,
}

/// Counters and gauges since the start of the node.
pub struct Metrics {
    registry: Registry,
    operations: Family<OperationLabels, Counter>,
    seconds: Family<RoleLabels, Histogram>,
    http: Family<HttpLabels, Counter>,
    pool: Family<StateLabels, Gauge>,
    snapshot_age: Gauge<f64, AtomicU64>,
    snapshot_position: Gauge,
    snapshot_rows: Gauge,
    snapshot_readings: Counter,
    sql_queries: Counter,
    sql_engines: Counter,
    sql_pieces: Counter,
    subscriptions: Gauge,
    connections: Gauge,
    object_cache: Family<CacheLabels, Counter>,
    answer_cache: Family<CacheLabels, Counter>,
    statistics_cache: Family<CacheLabels, Counter>,
    pages: Family<PageLabels, Counter>,
    names: Mutex<HashSet<String>>,
    slow: Duration,
}

impl Metrics {
    /// `slow`: operations that take this long are logged.
    pub fn new(slow: Duration) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let seconds = Family::<RoleLabels, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 2.0, 14))
        });
        let metrics = Self {
            operations: Family::default(),
            seconds,
            http: Family::default(),
            pool: Family::default(),
            snapshot_age: Gauge::default(),
            snapshot_position: Gauge::default(),
            snapshot_rows: Gauge::default(),
            snapshot_readings: Counter::default(),
            sql_queries: Counter::default(),
            sql_engines: Counter::default(),
            sql_pieces: Counter::default(),
            subscriptions: Gauge::default(),
            connections: Gauge::default(),
            object_cache: Family::default(),
            answer_cache: Family::default(),
            statistics_cache: Family::default(),
            pages: Family::default(),
            names: Mutex::default(),
            slow,
            registry: Registry::default(),
        };
        registry.register("operations", "GraphQL operations that ran", metrics.operations.clone());
        registry.register_with_unit("operation", "Duration of operations", Unit::Seconds, metrics.seconds.clone());
        registry.register("http_requests", "Requests by route and status", metrics.http.clone());
        registry.register("pool_connections", "Connections to the database", metrics.pool.clone());
        let age = metrics.snapshot_age.clone();
        registry.register_with_unit(
            "snapshot_age",
            "Time since the server last compared the snapshot with the database",
            Unit::Seconds,
            age,
        );
        registry.register("snapshot_position", "The last position in the snapshot", metrics.snapshot_position.clone());
        registry.register("snapshot_rows", "Complaints in the snapshot", metrics.snapshot_rows.clone());
        registry.register(
            "snapshot_readings",
            "Number of times that the server read the whole register into the snapshot, the start included",
            metrics.snapshot_readings.clone(),
        );
        registry.register("sql_queries", "SQL queries that were asked", metrics.sql_queries.clone());
        registry.register(
            "sql_engines_started",
            "Engine processes for SQL that were started",
            metrics.sql_engines.clone(),
        );
        registry.register(
            "sql_pieces_sent",
            "Columns of pieces of tables that SQL engines were given because they did not hold them",
            metrics.sql_pieces.clone(),
        );
        registry.register("subscriptions", "Operations over WebSockets that are open", metrics.subscriptions.clone());
        registry.register("http_connections", "Connections of clients that are open", metrics.connections.clone());
        registry.register(
            "object_cache_requests",
            "Objects of lists that were found in the cache, and that were not",
            metrics.object_cache.clone(),
        );
        registry.register(
            "answer_cache_requests",
            "Lists whose whole answer was found in the cache, and that had to run",
            metrics.answer_cache.clone(),
        );
        registry.register(
            "statistics_cache_requests",
            "Statistics and counts that were found in the cache, and that had to be computed",
            metrics.statistics_cache.clone(),
        );
        registry.register(
            "pages",
            "Pages of complaints from memory alone, or whose rows were found in the snapshot or the database",
            metrics.pages.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Counts an operation that ran, and logs it if it was slow.
    pub fn operation(
        &self,
        name: &str,
        weight: Weight,
        viewer: Option<&Viewer>,
        took: Duration,
        outcome: &'static str,
    ) {
        let role = viewer.map_or("NONE", |viewer| viewer.role.as_str());
        self.operations.get_or_create(&OperationLabels { operation: self.bounded(name), role, outcome }).inc();
        self.seconds.get_or_create(&RoleLabels { role }).observe(took.as_secs_f64());
        if took >= self.slow {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                operation = name,
                role,
                outcome,
                ms,
                cost = weight.cost,
                fields = weight.fields,
                "slow operation"
            );
        }
    }

    pub fn subscription_opened(&self) {
        self.subscriptions.inc();
    }

    pub fn subscription_closed(&self) {
        self.subscriptions.dec();
    }

    /// The operation name as a label; `other` once there are [`MOST_NAMES`].
    fn bounded(&self, name: &str) -> String {
        let mut names = self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if names.contains(name) {
            return name.to_owned();
        }
        if names.len() >= MOST_NAMES || name.len() > 100 {
            return "other".to_owned();
        }
        names.insert(name.to_owned());
        name.to_owned()
    }
}

/// The metrics, for a token of an ADMIN or BOARD.
pub async fn metrics(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let refused = |status, code, message: &str| refusal(&http, status, code, message);
    match authenticated(&service, &http).await {
        Ok(Some(viewer)) if may_read_operations_data(&viewer) => metrics_unauthenticated(service).await,
        Ok(Some(viewer)) => {
            let message = format!("a {} may not read the metrics: an ADMIN or BOARD may", viewer.role);
            refused(StatusCode::FORBIDDEN, Code::Forbidden, &message)
        }
        Ok(None) => {
            let message = "send a token: Authorization: Bearer …, or read them where api.metrics_listen says";
            refused(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
        }
        Err(outcome) => respond(Media::negotiate(&http).unwrap_or(Media::Json), outcome),
    }
}

/// The metrics of a replica; empty without one.
fn of_replica(reads: &ReadRouter) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let Some((status, (connections, idle))) = reads.replica() else { return registry };
    let (usable, positions): (Gauge, Gauge) = Default::default();
    usable.set(i64::from(status.state == ReplicaState::Usable));
    positions.set(status.lag_positions);
    registry.register("replica_usable", "Whether the replica can be used: 1, or 0", usable);
    registry.register("replica_lag_positions", "By how many positions the replica lags behind", positions);
    if let Some(lag) = status.lag {
        let seconds = Gauge::<f64, AtomicU64>::default();
        seconds.set(lag.as_secs_f64());
        let help = "Time since which the replica may lack commits; missing if it is not known to have held all";
        registry.register_with_unit("replica_lag", help, Unit::Seconds, seconds);
    }
    let pool = Family::<StateLabels, Gauge>::default();
    pool.get_or_create(&StateLabels { state: "idle" }).set(i64::from(idle));
    pool.get_or_create(&StateLabels { state: "used" }).set(i64::from(connections.saturating_sub(idle)));
    registry.register("replica_pool_connections", "Connections to the replica for requests", pool);
    let operations = Family::<ReadLabels, Counter>::default();
    for ((from, reason), number) in reads.counts() {
        operations.get_or_create(&ReadLabels { from, reason }).inc_by(number);
    }
    registry.register("reads", "Operations by the database that they read, and why", operations);
    registry
}

/// The metrics in the Prometheus text format, without authentication, for an internal address.
pub async fn metrics_unauthenticated(service: Data<Service>) -> HttpResponse {
    let metrics = &service.metrics;
    let (connections, idle) = service.app.db.connections();
    metrics.pool.get_or_create(&StateLabels { state: "idle" }).set(i64::from(idle));
    metrics.pool.get_or_create(&StateLabels { state: "used" }).set(i64::from(connections.saturating_sub(idle)));
    metrics.connections.set(i64::try_from(service.connections.number()).unwrap_or(i64::MAX));
    for (family, (hits, misses)) in [
        (&metrics.object_cache, service.app.objects.uses()),
        (&metrics.answer_cache, service.answer_cache.uses()),
        (&metrics.statistics_cache, service.app.statistics_cache.uses()),
    ] {
        for (outcome, number) in [("hit", hits), ("miss", misses)] {
            let counter = family.get_or_create(&CacheLabels { outcome });
            counter.inc_by(number.saturating_sub(counter.get()));
        }
    }
    for (from, number) in service.app.exact_snapshots.pages() {
        let counter = metrics.pages.get_or_create(&PageLabels { from });
        counter.inc_by(number.saturating_sub(counter.get()));
    }
    let snapshot = service.app.snapshots.current();
    let age = Utc::now() - snapshot.as_of.utc();
    metrics.snapshot_age.set(age.as_seconds_f64());
    metrics.snapshot_position.set(snapshot.position);
    metrics.snapshot_rows.set(i64::try_from(snapshot.facts.height()).unwrap_or(i64::MAX));
    let readings = service.app.snapshots.full_readings();
    metrics.snapshot_readings.inc_by(readings.saturating_sub(metrics.snapshot_readings.get()));
    let sql = service.app.sql.counts();
    for (counter, now) in
        [(&metrics.sql_queries, sql.questions), (&metrics.sql_engines, sql.engines), (&metrics.sql_pieces, sql.pieces)]
    {
        counter.inc_by(now.saturating_sub(counter.get()));
    }
    // If the database does not answer, the other metrics are still served.
    let job_metrics = job_metrics(&service).await.map(|job_metrics| job_metrics.registry(PREFIX)).unwrap_or_default();
    let replica = of_replica(&service.app.reads);
    let mut text = String::new();
    let encoded = encode_registry(&mut text, &metrics.registry)
        .and_then(|()| encode_registry(&mut text, &job_metrics))
        .and_then(|()| encode_registry(&mut text, &replica))
        .and_then(|()| encode_eof(&mut text));
    match encoded {
        Ok(()) => {
            HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
        }
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Assigns each request an id (the client's `x-request-id` if well-formed), traces it and counts it.
///
/// # Errors
/// The error of the handler.
pub async fn trace_and_count(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // Request bodies are not decompressed: a few kilobytes could expand to gigabytes before a limit applies.
    request.headers_mut().remove(CONTENT_ENCODING);
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let sane = |id: &&str| {
        !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let id = given.filter(sane).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
    let route = request.match_pattern().unwrap_or_else(|| "other".into());
    let service = request.app_data::<Data<Service>>().cloned();
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let headers = request.headers().clone();
    continues(&span, |name| headers.get(name)?.to_str().ok().map(str::to_owned));
    let began = Instant::now();
    let mut response = next.call(request).instrument(span.clone()).await?;
    let status = response.status().as_u16();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(service) = service {
        service.metrics.http.get_or_create(&HttpLabels { route, status }).inc();
    }
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status, ms, "answered"));
    Ok(response)
}
