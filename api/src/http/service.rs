//! Builds the state that all handlers share. A server serves it; `phananh export` asks it without one.

use super::answer_cache::AnswerCache;
use super::authenticate::{Rates, Tokens};
use super::connections::Connections;
use super::handshakes::Handshakes;
use super::metrics::Metrics;
use super::persisted::Persisted;
use super::rights::Rights;
use super::signing_in::OneTimeCodes;
use super::socket::Stopping;
use super::subscription_limit::SubscriptionLimit;
use super::{Service, capacity, health};
use crate::access::Guard;
use crate::admission::{Admission, OperationAdmission};
use crate::config::ApiSettings;
use crate::graphql::change_feed::ChangeFeed;
use crate::graphql::context::App;
use crate::graphql::execute::object_cache::ObjectCache;
use crate::graphql::reads::ReadRouter;
use crate::graphql::refresher::Refresher;
use crate::graphql::statistics_cache::StatisticsCache;
use crate::graphql::{AudienceViews, ExactSnapshots, schema, sdl};
use crate::jwt::Jwt;
use crate::receipt_limits::ReceiptLimits;
use crate::sql::{Lake, SqlService};
use anyhow::Context;
use jobs::JobError;
use jobs::results::{LatestDocument, recurrence};
use jobs::runner::on_demand::OnDemand;
use jobs::runner::settings::Settings;
use jobs::scheduled::REGISTRY;
use jobs::snapshot::{SnapshotFile, SnapshotStore};
use jobs::statistics::Editions;
use schema::Db;
use schema::register::disclosure;
use std::panic::resume_unwind;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// Options of a server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The URL of the database: requests get their own connection pool.
    pub database: String,
    pub dev: bool,
    pub settings: Settings,
    /// Whether this node runs scheduled jobs.
    pub jobs: bool,
}

/// Delay after an operation's deadline until PostgreSQL cancels its statement: the server reports the timeout first.
const GRACE: Duration = Duration::from_millis(500);

/// Loads the snapshot on a thread that ends: the allocator keeps what a thread freed for this thread, and the one that
/// starts the server takes little memory afterwards.
fn loaded(db: &Db, file: Option<&SnapshotFile>) -> Result<SnapshotStore, JobError> {
    let loaded = thread::scope(|scope| scope.spawn(|| SnapshotStore::load_kept(db, file)).join());
    loaded.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Service {
    /// Loads the snapshot, from `snapshot_file` where that fits, and makes caches and limits. `db` serves background
    /// work; requests get their own connection pool. It starts no task.
    ///
    /// # Errors
    /// If a setting, the key set or the register cannot be read.
    pub fn open(
        db: Db,
        options: &ServerOptions,
        settings: ApiSettings,
        snapshot_file: Option<&SnapshotFile>,
    ) -> anyhow::Result<Self> {
        let suspension_limits = options.settings.suspension_limits().map_err(anyhow::Error::msg)?;
        let jwt = settings.jwt.clone().map(Jwt::new).transpose()?.map(Arc::new);
        let snapshots = Arc::new(loaded(&db, snapshot_file)?);
        let lake = Lake::of_settings(&db, &options.settings, settings.sql_engines)?;
        let sql = SqlService::with_engines(db.clone(), Arc::clone(&snapshots), settings.sql_engines).with_lake(lake);
        let editions = Arc::new(Editions::new(disclosure::secret(&db, options.settings.keys.as_deref())?));
        let change_feed = ChangeFeed::new(db.clone());
        let on_demand = OnDemand::new(db.clone(), options.settings.clone(), REGISTRY, Arc::clone(&snapshots));
        let (deadline, database) = (settings.longest_deadline() + GRACE, &options.settings.database);
        let for_requests = Db::open_for_requests(&options.database, deadline, database.pool_size())?;
        let reads = Arc::new(ReadRouter::open(&for_requests, &db, database, deadline)?);
        // In development mode each answer says how many statements it takes.
        let answer_cache = AnswerCache::over(&for_requests, if options.dev { 0 } else { settings.answer_cache_mb });
        let schema = schema(options.dev);
        let sdl = sdl(&schema);
        let guard = Guard::new(&sdl).context("the GraphQL schema cannot be parsed")?;
        Ok(Self {
            app: App {
                db: for_requests,
                background_db: db,
                reads,
                refresher: Arc::new(Refresher::new(snapshots.current().position)),
                snapshots,
                editions,
                keys: options.settings.keys.clone(),
                audiences: Arc::new(AudienceViews::new(options.settings.keys.clone())),
                change_feed,
                suspension_limits: Arc::new(suspension_limits),
                objects: Arc::new(ObjectCache::new(settings.object_cache_mb)),
                statistics_cache: Arc::new(StatisticsCache::new(settings.statistics_cache_mb)),
                latest_recurrence: Arc::new(LatestDocument::of(recurrence::NAME)),
                exact_snapshots: Arc::new(ExactSnapshots::new((!options.dev).then(|| answer_cache.positions()))),
                on_demand: Arc::new(on_demand),
                statistics: Admission::new(capacity::STATISTICS_AT_ONCE, capacity::statistics_of_a_token()),
                sql_queries: Admission::new(settings.sql_engines as usize, 1),
                sql: Arc::new(sql),
                receipt_limits: Arc::new(ReceiptLimits::new(settings.intake.clone())),
            },
            audit: OnceLock::new(),
            schema,
            trusting: OnceLock::new(),
            careful: OnceLock::new(),
            guard,
            sdl,
            jwt,
            one_time_codes: OneTimeCodes::default(),
            rates: Rates::new(&settings),
            tokens: Tokens::new(),
            persisted: Persisted::new(),
            answer_cache,
            subscription_limit: SubscriptionLimit::default(),
            handshakes: Handshakes::new(settings.incomplete_requests_per_address as usize),
            rights: Rights::new(),
            operations: OperationAdmission::new(),
            snapshot_operations: Admission::new(
                capacity::SNAPSHOT_OPERATIONS,
                capacity::SNAPSHOT_OPERATIONS_OF_A_TOKEN,
            ),
            lookups: Admission::new(capacity::LOOKUPS_AT_ONCE, capacity::LOOKUPS_AT_ONCE),
            exports: Admission::new(capacity::EXPORTS_AT_ONCE, 1),
            downloads: Admission::new(capacity::DOWNLOADS_AT_ONCE, capacity::DOWNLOADS_OF_A_TOKEN),
            kept_exports: Arc::default(),
            answers: Admission::new(capacity::ANSWERS_AT_ONCE, capacity::ANSWERS_OF_A_TOKEN),
            ready: health::Probe::new(),
            watched: health::Probe::new(),
            connections: Connections::new(capacity::connection_limits(&settings)),
            stopping: Stopping::new(),
            metrics: Metrics::new(settings.slow()),
            settings,
            dev: options.dev,
        })
    }
}
