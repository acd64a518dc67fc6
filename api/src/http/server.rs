//! The server: it is ready before it listens, and lets requests finish before it ends.

use super::{Service, graphiql, graphql, health};
use crate::access::Guard;
use crate::graphql::context::App;
use crate::graphql::{schema, sdl};
use actix_web::web::{Data, PayloadConfig, get, post, resource};
use actix_web::{App as ActixApp, HttpServer, middleware::Compress};
use anyhow::Context;
use jobs::scheduler::Scheduler;
use jobs::settings::Settings;
use jobs::snapshot::SnapshotStore;
use schema::Db;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub dev: bool,
    /// The settings of the jobs that run here by themselves; None for none.
    pub jobs: Option<Settings>,
}

/// Largest body of a request.
const BODY_LIMIT: usize = 256 * 1024;
/// How often writes of other nodes are looked for.
const REFRESH_EVERY: Duration = Duration::from_secs(2);
/// How long requests may still take at the end.
const SHUTDOWN_SECONDS: u64 = 30;

/// Binds an address, HOST:PORT; port 0 takes a free one.
pub fn listen(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}: is another program using it? choose another with --listen")
    })
}

/// A server that is bound to its address.
pub struct Server {
    listener: TcpListener,
    service: Data<Service>,
    jobs: Option<Settings>,
}

impl Server {
    /// Loads the snapshot.
    pub fn new(db: Db, listener: TcpListener, options: ServerOptions) -> anyhow::Result<Self> {
        let snapshots = Arc::new(SnapshotStore::load(&db)?);
        let schema = schema(options.dev);
        let sdl = sdl(&schema);
        let guard = Guard::new(&sdl).context("the schema's own description")?;
        let service = Service { app: App { db, snapshots }, schema, guard, sdl, dev: options.dev };
        Ok(Self { listener, service: Data::new(service), jobs: options.jobs })
    }

    pub fn address(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    /// Serves until SIGINT or SIGTERM. `ready` is called once a signal ends it as it should.
    pub async fn run(self, ready: impl FnOnce()) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let service = self.service;
        let app = service.app.clone();
        let refresher = tokio::spawn(async move {
            let mut tick = tokio::time::interval(REFRESH_EVERY);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                let app = app.clone();
                let refreshed = tokio::task::spawn_blocking(move || app.snapshots.refresh(&app.db)).await;
                if let Ok(Err(error)) = refreshed {
                    tracing::warn!(%error, "the snapshot could not be refreshed");
                }
            }
        });
        let scheduler = match self.jobs {
            Some(settings) => {
                let (db, snapshots) = (service.app.db.clone(), Arc::clone(&service.app.snapshots));
                Some(Scheduler::start(db, settings, snapshots).await?)
            }
            None => None,
        };
        let dev = service.dev;
        let server = HttpServer::new(move || {
            let app = ActixApp::new()
                .wrap(Compress::default())
                .app_data(service.clone())
                .app_data(PayloadConfig::new(BODY_LIMIT))
                .service(resource("/graphql").route(post().to(graphql::post)).route(get().to(graphql::get)))
                .route("/healthz", get().to(health::healthz))
                .route("/readyz", get().to(health::readyz))
                .route("/schema.graphql", get().to(health::sdl));
            if dev {
                app.route("/graphiql", get().to(graphiql::page)).route("/graphiql/{name}", get().to(graphiql::asset))
            } else {
                app
            }
        })
        .workers(std::thread::available_parallelism().map_or(2, std::num::NonZero::get))
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(self.listener)?
        .run();
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
            handle.stop(true).await;
        });
        ready();
        let served = server.await;
        if let Some(scheduler) = scheduler {
            scheduler.stop().await;
        }
        refresher.abort();
        Ok(served?)
    }
}
