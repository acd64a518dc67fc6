//! The server: it is ready before it listens, and lets requests finish before it ends.

use super::audit::AuditLog;
use super::authenticate::{Rates, Tokens};
use super::connections::{ConnectionLimits, Connections, http_server};
use super::handshakes::Handshakes;
use super::held::Held;
use super::metrics::{Watch, metrics, metrics_within, watched};
use super::persisted::Persisted;
use super::rights::Rights;
use super::socket::Stopping;
use super::{Service, export, graphiql, graphql, health, socket};
use crate::access::Guard;
use crate::admission::{Admission, OperationAdmission};
use crate::graphql::change_feed::ChangeFeed;
use crate::graphql::context::App;
use crate::graphql::refresher::Refresher;
use crate::graphql::{Audiences, careful_schema, schema, sdl, trusting_schema};
use crate::jwt::Jwt;
use crate::limits::{ApiSettings, TlsSettings};
use actix_cors::Cors;
use actix_web::dev::ServerHandle;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::{Data, PayloadConfig, get, post, resource, to};
use actix_web::{
    App as ActixApp, HttpServer,
    middleware::{Compress, from_fn},
};
use anyhow::Context;
use jobs::runner::scheduler::Scheduler;
use jobs::runner::settings::{AuditSettings, Settings};
use jobs::scheduled::REGISTRY;
use jobs::scheduled::audit::seal_and_witness;
use jobs::snapshot::SnapshotStore;
use jobs::statistics::Editions;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use schema::Db;
use schema::enums::Role;
use schema::register::disclosure;
use schema::seal::Sealer;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The database's URL: requests have connections of their own.
    pub database: String,
    pub dev: bool,
    pub settings: Settings,
    /// Whether jobs run here by themselves.
    pub jobs: bool,
}

/// PostgreSQL breaks a statement off so long after the deadline of its operation: who waits is told by us.
const GRACE: Duration = Duration::from_millis(500);
/// Exports that read the database at once: each holds a connection, and a state of the database.
const EXPORTS_AT_ONCE: usize = 2;
/// Exports that are sent at once: each holds a temporary file.
const DOWNLOADS_AT_ONCE: usize = 64;
/// Of these, for one token.
const DOWNLOADS_OF_A_TOKEN: usize = 4;
/// Large answers that are sent at once, and those of one token: each holds a temporary file.
const ANSWERS_AT_ONCE: usize = 128;
const ANSWERS_OF_A_TOKEN: usize = 16;
/// Questions in SQL that are asked at once, one for each token: each may take the memory that the limit says.
const SQL_AT_ONCE: usize = 2;
/// Operations that read the snapshot alone and run at once, and those of one token: each holds a thread while it waits for the few
/// statistics that are computed at once. What waits for a place holds none.
const SNAPSHOT_OPERATIONS: usize = 8;
const SNAPSHOT_OPERATIONS_OF_A_TOKEN: usize = 4;
/// Tokens that are looked up at once: anybody can send one, and each look-up takes a connection.
const LOOKUPS_AT_ONCE: usize = 4;
/// Statistics that are computed at once.
const STATISTICS_AT_ONCE: usize = 4;
/// How often what was written is sealed.
const SEAL_EVERY: Duration = Duration::from_secs(3);
/// How often the log says that the register cannot be sealed.
const UNSEALED_TOLD_EVERY: Duration = Duration::from_secs(60);
/// How long requests may still take at the end.
const SHUTDOWN_SECONDS: u64 = 30;

/// Binds an address, HOST:PORT; port 0 takes a free one.
///
/// # Errors
/// Where it is no address, or cannot be bound: says why, and what to do.
pub fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let written = "write --listen HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080";
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    anyhow::ensure!(port.is_some(), "cannot listen on {address:?}: that is no host and port: {written}");
    TcpListener::bind(address).map_err(|failure| {
        let hint = match failure.kind() {
            ErrorKind::AddrInUse => "another program uses it: choose another port with --listen".to_owned(),
            ErrorKind::PermissionDenied => {
                "the system lets this user have no such port: take one from 1024 on".to_owned()
            }
            ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => format!("{failure}: {written}"),
        };
        anyhow::anyhow!("cannot listen on {address}: {hint}")
    })
}

/// A server that is bound to its address.
pub struct Server {
    listener: TcpListener,
    service: Data<Service>,
    jobs: Option<Settings>,
    audit: AuditSettings,
    tls: Option<ServerConfig>,
    /// Where the metrics are told without a token.
    metrics: Option<TcpListener>,
}

impl Server {
    /// Loads the snapshot. `db` is for what may take its time.
    pub fn new(db: Db, listener: TcpListener, options: ServerOptions) -> anyhow::Result<Self> {
        let settings = ApiSettings::of(&options.settings)?;
        let jwt = settings.jwt.clone().map(Jwt::new).transpose()?.map(Arc::new);
        let tls = settings.tls.as_ref().map(tls_config).transpose()?;
        let metrics = settings.metrics_listen.map(|address| TcpListener::bind(address).map_err(|e| (address, e)));
        let metrics = metrics.transpose().map_err(|(at, e)| anyhow::anyhow!("api.metrics_listen: {at}: {e}"))?;
        let snapshots = Arc::new(SnapshotStore::load(&db)?);
        let editions = Arc::new(Editions::new(disclosure::secret(&db, options.settings.keys.as_deref())?));
        let change_feed = ChangeFeed::new(db.clone());
        let for_requests = Db::open_for_requests(
            &options.database,
            settings.longest_deadline() + GRACE,
            options.settings.database.of_a_pool(),
        )?;
        let schema = schema(options.dev);
        let sdl = sdl(&schema);
        let guard = Guard::new(&sdl).context("the schema's own description")?;
        let service = Service {
            app: App {
                db: for_requests,
                background_db: db,
                refresher: Arc::new(Refresher::new(snapshots.current().position)),
                snapshots,
                editions,
                keys: options.settings.keys.clone(),
                audiences: Arc::new(Audiences::new(options.settings.keys.clone())),
                change_feed,
                statistics: Admission::new(STATISTICS_AT_ONCE, statistics_of_a_token()),
                questions: Admission::new(SQL_AT_ONCE, 1),
            },
            audit: OnceLock::new(),
            schema,
            trusting: trusting_schema(options.dev),
            careful: careful_schema(options.dev),
            guard,
            sdl,
            jwt,
            rates: Rates::new(&settings),
            tokens: Tokens::new(),
            persisted: Persisted::new(),
            held: Held::default(),
            handshakes: Handshakes::new(settings.incomplete_requests_per_address as usize),
            rights: Rights::new(),
            operations: OperationAdmission::new(),
            snapshot_operations: Admission::new(SNAPSHOT_OPERATIONS, SNAPSHOT_OPERATIONS_OF_A_TOKEN),
            lookups: Admission::new(LOOKUPS_AT_ONCE, LOOKUPS_AT_ONCE),
            exports: Admission::new(EXPORTS_AT_ONCE, 1),
            downloads: Admission::new(DOWNLOADS_AT_ONCE, DOWNLOADS_OF_A_TOKEN),
            answers: Admission::new(ANSWERS_AT_ONCE, ANSWERS_OF_A_TOKEN),
            ready: health::Probe::new(),
            runs: health::Probe::new(),
            connections: Connections::new(connection_limits(&settings)),
            stopping: Stopping::new(),
            watch: Watch::new(settings.slow()),
            settings,
            dev: options.dev,
        };
        let audit = options.settings.audit.clone();
        let jobs = options.jobs.then_some(options.settings);
        Ok(Self { listener, service: Data::new(service), jobs, audit, tls, metrics })
    }

    pub fn address(&self) -> anyhow::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.listener.local_addr()?))
    }

    /// Serves until SIGINT or SIGTERM. `ready` is called once a signal ends it as it should.
    pub async fn run(self, ready: impl FnOnce()) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let service = self.service;
        let edition_minutes = service.settings.limits(Some(Role::Dashboard)).edition_minutes;
        jobs::compute_pool::lower_polars();
        let refresher = tokio::spawn(Refresher::run(service.app.clone(), edition_minutes));
        service.app.change_feed.start();
        let looking = service.clone();
        let looker = tokio::spawn(async move { looking.rights.look(looking.app.background_db.clone()).await });
        let (log, log_writer) = AuditLog::start(service.app.background_db.clone());
        let _set_once = service.audit.set(log);
        let audit = self.audit;
        let sealer = service.app.keys.clone().map(|keys| {
            let db = service.app.background_db.clone();
            tokio::spawn(async move {
                let mut tick = tokio::time::interval(SEAL_EVERY);
                tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                let sealer = Arc::new(Mutex::new(Sealer::default()));
                let mut told: Option<Instant> = None;
                loop {
                    tick.tick().await;
                    let (db, keys, audit) = (db.clone(), Arc::clone(&keys), audit.clone());
                    let sealer = Arc::clone(&sealer);
                    let sealed = tokio::task::spawn_blocking(move || {
                        let mut sealer = sealer.lock().unwrap_or_else(PoisonError::into_inner);
                        seal_and_witness(&mut sealer, &db, &keys, &audit)
                    })
                    .await;
                    if let Ok(Err(error)) = sealed
                        && told.is_none_or(|at| at.elapsed() >= UNSEALED_TOLD_EVERY)
                    {
                        told = Some(Instant::now());
                        tracing::error!(%error, "the register could not be sealed");
                    }
                }
            })
        });
        let scheduler = match self.jobs {
            Some(settings) => {
                let (db, snapshots) = (service.app.background_db.clone(), Arc::clone(&service.app.snapshots));
                Some(Scheduler::start(db, settings, REGISTRY, snapshots).await?)
            }
            None => None,
        };
        let within = self.metrics.map(|listener| tell_metrics(listener, service.clone())).transpose()?;
        let ending = service.clone();
        let dev = service.dev;
        let largest_body = service.settings.largest_body() as usize;
        let connections = Arc::clone(&service.connections);
        let application = move || {
            let app = ActixApp::new()
                .wrap(Compress::default())
                .wrap(cors(&service.settings))
                .wrap(from_fn(watched))
                .app_data(service.clone())
                .app_data(PayloadConfig::new(largest_body))
                .service(resource("/graphql").route(post().to(graphql::post)).route(get().to(graphql::get)))
                .route("/export/complaints.{form}", get().to(export::complaints))
                .route("/graphql/ws", get().to(socket::open))
                .route("/healthz", get().to(health::healthz))
                .route("/metrics", get().to(metrics))
                .route("/readyz", get().to(health::readyz))
                .route("/schema.graphql", get().to(health::sdl))
                .default_service(to(health::not_found));
            if dev {
                app.route("/graphiql", get().to(graphiql::page)).route("/graphiql/{name}", get().to(graphiql::asset))
            } else {
                app
            }
        };
        let server = http_server(self.listener, self.tls, connections, SHUTDOWN_SECONDS, application)?;
        let handle = server.handle();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            // Runs under way may take their time; who cannot wait says so a second time.
            tokio::spawn(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                std::process::exit(130);
            });
            // Of its own, beside all that may hang: a thread that waits for a database keeps the runtime from ending.
            std::thread::spawn(|| {
                std::thread::sleep(Duration::from_secs(SHUTDOWN_SECONDS + 5));
                tracing::error!("something did not end in time: the server ends without it");
                std::process::exit(1);
            });
            // Sockets would stay open for as long as they are let.
            ending.stopping.stop();
            ending.app.change_feed.stop();
            if let Some(within) = within {
                within.stop(false).await;
            }
            handle.stop(true).await;
        });
        ready();
        let served = server.await;
        if let Some(scheduler) = scheduler {
            scheduler.stop().await;
        }
        refresher.abort();
        looker.abort();
        if let Some(sealer) = sealer {
            sealer.abort();
        }
        log_writer.end(Duration::from_secs(SHUTDOWN_SECONDS)).await;
        Ok(served?)
    }
}

/// Files that the node needs beside its connections: those to the database, its own, and what an export writes.
const OTHER_FILES: u64 = 256;
/// Open files that the node asks the system for, where it is allowed fewer.
const WANTED_FILES: u64 = 65_536;

/// Statistics that are computed at once for one token: it may keep half of the processors busy, and another one's statistic
/// begins at once.
fn statistics_of_a_token() -> usize {
    (std::thread::available_parallelism().map_or(1, std::num::NonZero::get) / 2).clamp(1, STATISTICS_AT_ONCE / 2)
}

/// The limits of connections, within what the system lets the process open.
fn connection_limits(settings: &ApiSettings) -> ConnectionLimits {
    let files = rlimit::increase_nofile_limit(WANTED_FILES).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be read");
        1_024
    });
    let possible = usize::try_from(files.saturating_sub(OTHER_FILES).max(64)).unwrap_or(usize::MAX);
    let connections = settings.connections as usize;
    if connections > possible {
        tracing::warn!(connections, possible, "the system lets the node open fewer connections than api.connections");
    }
    ConnectionLimits {
        connections: connections.min(possible),
        incomplete_per_address: settings.incomplete_requests_per_address as usize,
        request: Duration::from_secs(u64::from(settings.request_seconds)),
    }
}

/// Tells the metrics, and nothing else, at an address of their own.
fn tell_metrics(listener: TcpListener, service: Data<Service>) -> anyhow::Result<ServerHandle> {
    let make = move || ActixApp::new().app_data(service.clone()).route("/metrics", get().to(metrics_within));
    let server = HttpServer::new(make).workers(1).disable_signals().listen(listener)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

/// Pages of these web sites may ask; of no others, and of none unless told.
fn cors(settings: &ApiSettings) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST"])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE])
        .allowed_headers(["x-request-id", "accept-language", "if-none-match", "traceparent", "tracestate"])
        .expose_headers(["x-request-id", "etag", "retry-after"])
        .block_on_origin_mismatch(false)
        .max_age(3_600);
    settings.cors_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

fn tls_config(settings: &TlsSettings) -> anyhow::Result<ServerConfig> {
    let named = |what: &str, path: &std::path::Path| format!("api.tls.{what}: {}", path.display());
    let certificates = CertificateDer::pem_file_iter(&settings.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| named("certificate", &settings.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&settings.key).with_context(|| named("key", &settings.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .context("api.tls: the key does not belong to the certificate")
}
