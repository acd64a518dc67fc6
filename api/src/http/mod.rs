//! The HTTP server: GraphQL over HTTP and WebSocket, GraphiQL, SQL, exports, health checks and metrics.

mod answer_cache;
mod audit;
mod authenticate;
mod capacity;
mod close;
mod connections;
mod document_size;
mod escapes;
mod export;
mod graphiql;
mod graphql;
mod handshakes;
mod health;
mod in_process;
mod job_metrics;
mod metrics;
mod operation;
mod persisted;
mod post_operation;
mod preload;
mod prepare;
mod prepared;
mod protocol;
mod receipts;
mod rights;
mod sending;
mod server;
mod service;
mod sessions;
mod signing_in;
mod snapshot_keeper;
mod snapshot_position;
mod socket;
mod spool;
mod sql;
mod sql_gate;
mod subscription_limit;
mod tls;
mod unsubscribe;
mod unused_memory;

pub use export::{Groups, LocalExports, StatisticsArguments, StatisticsRequest, parsed_json};
pub use health::not_found as nothing_at;
pub use in_process::in_process;
pub use protocol::locale as accepted_locale;
pub use server::{Server, listen};
pub use service::ServerOptions;
pub use sessions::secret as random_secret;
pub use sessions::{Session, is_forged, is_from_elsewhere, is_plain_loopback, session, session_cookie, stands_for};
pub use signing_in::{
    SignInError, begin_session_of, count_attempt, forget_attempt, sign_in, sign_in_by_code, sign_out,
};

use crate::access::Guard;
use crate::config::ApiSettings;
use crate::graphql::PhananhSchema;
use crate::graphql::context::App;

/// The state shared by all handlers.
pub struct Service {
    pub app: App,
    pub schema: PhananhSchema,
    /// `schema` with reduced validation, for documents that were validated before; built for the first one.
    trusting: std::sync::OnceLock<PhananhSchema>,
    /// `schema` with a panic guard around every field, for requests in which a field panicked; built for the first one.
    careful: std::sync::OnceLock<PhananhSchema>,
    pub guard: Guard,
    pub sdl: String,
    pub settings: ApiSettings,
    jwt: Option<std::sync::Arc<crate::jwt::Jwt>>,
    /// Codes that open the page signed in.
    one_time_codes: signing_in::OneTimeCodes,
    rates: authenticate::Rates,
    tokens: authenticate::Tokens,
    persisted: persisted::Persisted,
    answer_cache: answer_cache::AnswerCache,
    subscription_limit: subscription_limit::SubscriptionLimit,
    /// WebSockets whose client has not authenticated yet.
    handshakes: std::sync::Arc<handshakes::Handshakes>,
    rights: rights::Rights,
    operations: crate::admission::OperationAdmission,
    /// Permits for operations that read only the snapshot: each holds a thread while it waits for a statistic.
    snapshot_operations: crate::admission::Admission,
    /// Permits for token look-ups.
    lookups: crate::admission::Admission,
    /// Permits for exports that read the database.
    exports: crate::admission::Admission,
    /// Permits for exports that are being sent.
    downloads: crate::admission::Admission,
    /// Files of exports that were written lately.
    kept_exports: std::sync::Arc<export::KeptExports>,
    /// Checks that the database is ready.
    ready: std::sync::Arc<health::Probe<Result<(), &'static str>>>,
    /// Reads what operators watch of jobs and mail.
    watched: std::sync::Arc<health::Probe<job_metrics::JobMetrics>>,
    /// Permits for large answers that are being sent.
    answers: crate::admission::Admission,
    connections: std::sync::Arc<connections::Connections>,
    stopping: socket::Stopping,
    metrics: metrics::Metrics,
    /// Set when the server starts to run.
    audit: std::sync::OnceLock<audit::AuditLog>,
    /// Development mode: introspection and GraphiQL without a token, suggestions, statement counts.
    pub dev: bool,
}
