//! The server: routes, background tasks and graceful shutdown. It loads its data ([`Service::open`]) before it accepts
//! connections and finishes running requests before it exits.

use super::audit::AuditLog;
use super::connections::http_server;
use super::metrics::{metrics, metrics_unauthenticated, trace_and_count};
use super::service::ServerOptions;
use super::snapshot_keeper::SnapshotKeeper;
use super::sql_gate::PgListener;
use super::tls::tls_config;
use super::{Service, export, graphiql, graphql, health, preload, socket, sql, unsubscribe, unused_memory};
use crate::config::{ApiSettings, SqlSettings};
use crate::graphql::snapshot_position::POSITION;
use crate::web;
use actix_cors::Cors;
use actix_web::dev::ServerHandle;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::{Data, PayloadConfig, get, head, post, resource, to};
use actix_web::{
    App as ActixApp, HttpServer,
    middleware::{Compress, from_fn},
};
use jobs::runner::scheduler::Scheduler;
use jobs::runner::settings::{AuditSettings, Settings};
use jobs::scheduled::REGISTRY;
use jobs::scheduled::audit::seal_and_witness;
use jobs::snapshot::SnapshotFile;
use rustls::ServerConfig;
use schema::Db;
use schema::enums::Role;
use schema::seal::Sealer;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How often the sealer seals new rows.
const SEAL_EVERY: Duration = Duration::from_secs(3);
/// Minimum time between two log entries about failed sealing.
const SEAL_ERROR_LOG_INTERVAL: Duration = Duration::from_secs(60);
/// How long running requests may take after a shutdown signal.
const SHUTDOWN_SECONDS: u64 = 30;

/// Binds HOST:PORT; port 0 takes a free port.
///
/// # Errors
/// If the address is malformed or cannot be bound; the message says what to do.
pub fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let written = "write --listen HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080";
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    anyhow::ensure!(port.is_some(), "cannot listen on {address:?}: {written}");
    TcpListener::bind(address).map_err(|failure| {
        let hint = match failure.kind() {
            ErrorKind::AddrInUse => "another program uses it: choose another port with --listen".to_owned(),
            ErrorKind::PermissionDenied => {
                "this user may not bind that port: choose one from 1024 on with --listen".to_owned()
            }
            ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => format!("{failure}: {written}"),
        };
        anyhow::anyhow!("cannot listen on {address}: {hint}")
    })
}

/// A server bound to its address, not running yet.
pub struct Server {
    listener: TcpListener,
    service: Data<Service>,
    jobs: Option<Settings>,
    audit: AuditSettings,
    tls: Option<ServerConfig>,
    snapshot_file: Option<SnapshotFile>,
    /// The listener that serves the metrics without a token.
    metrics: Option<TcpListener>,
    pgwire: Option<PgListener>,
    /// Roles whose SQL engine starts with the server.
    preload: Vec<Role>,
}

impl Server {
    /// Loads the snapshot. `db` serves background work; requests get their own connection pool.
    ///
    /// # Errors
    /// If a setting, the certificate, the key set or the register cannot be read.
    pub fn new(db: Db, listener: TcpListener, options: ServerOptions) -> anyhow::Result<Self> {
        let settings = ApiSettings::of(&options.settings)?;
        let tls = settings.tls.as_ref().map(tls_config).transpose()?;
        let metrics = settings.metrics_listen.map(|address| TcpListener::bind(address).map_err(|e| (address, e)));
        let metrics = metrics.transpose().map_err(|(at, e)| anyhow::anyhow!("api.metrics_listen: {at}: {e}"))?;
        let pgwire = PgListener::bind(&options.settings)?;
        let preload = SqlSettings::of(&options.settings)?.preload;
        let snapshot_file = SnapshotFile::of(&db, &options.settings.snapshot, options.settings.keys.clone());
        let service = Service::open(db, &options, settings, snapshot_file.as_ref())?;
        let (audit, jobs) = (options.settings.audit.clone(), options.jobs.then_some(options.settings));
        Ok(Self { listener, service: Data::new(service), jobs, audit, tls, snapshot_file, metrics, pgwire, preload })
    }

    /// The URL on which the server listens.
    ///
    /// # Errors
    /// If the listener has no local address.
    pub fn address(&self) -> anyhow::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.listener.local_addr()?))
    }

    /// The address of the PostgreSQL protocol; None if it is not configured.
    pub fn pgwire_address(&self) -> Option<std::net::SocketAddr> {
        self.pgwire.as_ref().and_then(PgListener::address)
    }

    /// The address, below that of the server, that opens the page signed in with a token, once and soon.
    pub fn one_time_path(&self, token: &str) -> String {
        format!("/sign-in/code/{}", self.service.one_time_codes.issue(token))
    }

    /// Serves until SIGINT or SIGTERM. Calls `ready` once a signal shuts the server down gracefully.
    ///
    /// # Errors
    /// If the signal handlers, the jobs or the server cannot start, or the server fails.
    pub async fn run(self, ready: impl FnOnce()) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let service = self.service;
        let edition_minutes = service.settings.limits(Some(Role::Dashboard)).edition_minutes;
        jobs::compute_pool::lower_polars();
        let refresher = {
            let app = service.app.clone();
            tokio::spawn(app.refresher.run(app.background_db, app.snapshots, app.editions, edition_minutes))
        };
        let snapshot_keeper = self.snapshot_file.map(|file| SnapshotKeeper::start(file, &service.app));
        let kept_file = snapshot_keeper.as_ref().map(SnapshotKeeper::file);
        service.app.change_feed.start();
        let polling = service.clone();
        let rights_poller = tokio::spawn(async move { polling.rights.poll(polling.app.background_db.clone()).await });
        let (log, log_writer) = AuditLog::start(service.app.background_db.clone());
        let _set_once = service.audit.set(log);
        let audit = self.audit;
        let sealer = service.app.keys.clone().map(|keys| {
            let db = service.app.background_db.clone();
            tokio::spawn(async move {
                let mut tick = tokio::time::interval(SEAL_EVERY);
                tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                let sealer = Arc::new(Mutex::new(Sealer::default()));
                let mut last_logged: Option<Instant> = None;
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
                        && last_logged.is_none_or(|at| at.elapsed() >= SEAL_ERROR_LOG_INTERVAL)
                    {
                        last_logged = Some(Instant::now());
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
        let metrics_server = self.metrics.map(|listener| serve_metrics(listener, service.clone())).transpose()?;
        let pg_server = self.pgwire.map(|listener| listener.serve(service.clone(), self.tls.clone()));
        let (ending, preloading) = (service.clone(), service.clone());
        let on_demand = Arc::clone(&service.app.on_demand);
        let largest_body = service.settings.largest_body() as usize;
        let connections = Arc::clone(&service.connections);
        let application = move || {
            ActixApp::new()
                .wrap(Compress::default())
                .wrap(cors(&service.settings))
                .wrap(from_fn(trace_and_count))
                .app_data(service.clone())
                .app_data(PayloadConfig::new(largest_body))
                .service(resource("/graphql").route(post().to(graphql::post)).route(get().to(graphql::get)))
                .service(resource("/export/{file}").route(get().to(export::file)).route(head().to(export::file)))
                .route("/graphql/ws", get().to(socket::open))
                .route("/healthz", get().to(health::healthz))
                .route("/metrics", get().to(metrics))
                .route("/readyz", get().to(health::readyz))
                .route("/schema.graphql", get().to(health::sdl))
                .service(resource("/sql").route(post().to(sql::post)).route(get().to(sql::get)))
                .service(
                    resource("/unsubscribe/{token}")
                        .route(get().to(unsubscribe::form))
                        .route(post().to(unsubscribe::unsubscribe)),
                )
                .configure(web::routes)
                .route("/graphiql", get().to(graphiql::page))
                .route("/graphiql/{name}", get().to(graphiql::asset))
                .default_service(to(web::not_found))
        };
        let server = http_server(self.listener, self.tls, connections, SHUTDOWN_SECONDS, application)?;
        let handle = server.handle();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            // A running job may take long to end; a second signal exits at once.
            tokio::spawn(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                std::process::exit(130);
            });
            // Five seconds before the process exits: a large file takes long on a slow disk.
            if let Some(file) = kept_file {
                file.end_by(Instant::now() + Duration::from_secs(SHUTDOWN_SECONDS));
            }
            // A thread and not a task: a thread that waits for the database can keep the runtime from shutting down.
            std::thread::spawn(|| {
                std::thread::sleep(Duration::from_secs(SHUTDOWN_SECONDS + 5));
                tracing::error!("shutdown took too long: the server exits with work unfinished");
                std::process::exit(1);
            });
            // WebSockets would stay open otherwise.
            ending.stopping.stop();
            ending.app.change_feed.stop();
            if let Some(pg_server) = pg_server {
                pg_server.stop();
            }
            if let Some(metrics_server) = metrics_server {
                metrics_server.stop(false).await;
            }
            handle.stop(true).await;
        });
        ready();
        unused_memory::return_soon();
        preload::start(self.preload, preloading);
        let served = server.await;
        if let Some(scheduler) = scheduler {
            scheduler.stop().await;
        }
        on_demand.stop().await;
        refresher.abort();
        rights_poller.abort();
        if let Some(sealer) = sealer {
            sealer.abort();
        }
        log_writer.end(Duration::from_secs(SHUTDOWN_SECONDS)).await;
        if let Some(keeper) = snapshot_keeper {
            keeper.end().await;
        }
        Ok(served?)
    }
}

/// Serves only the metrics, on a separate address.
fn serve_metrics(listener: TcpListener, service: Data<Service>) -> anyhow::Result<ServerHandle> {
    let make = move || ActixApp::new().app_data(service.clone()).route("/metrics", get().to(metrics_unauthenticated));
    let server = HttpServer::new(make).workers(1).disable_signals().listen(listener)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

/// Allows cross-origin requests from the configured origins only.
fn cors(settings: &ApiSettings) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST"])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE])
        .allowed_headers([
            "x-request-id",
            "accept-language",
            "if-none-match",
            "traceparent",
            "tracestate",
            "range",
            "if-range",
            "if-match",
            POSITION,
        ])
        .expose_headers(["x-request-id", "etag", "retry-after", "content-range", "accept-ranges", POSITION])
        .block_on_origin_mismatch(false)
        .max_age(3_600);
    settings.cors_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
