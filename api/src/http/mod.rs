//! HTTP: GraphQL, its explorer, and what those who run the service look at.

mod audit;
mod authenticate;
mod close;
mod connections;
mod document_size;
mod escapes;
mod export;
mod graphiql;
mod graphql;
mod handshakes;
mod health;
mod held;
mod metrics;
mod operation;
mod persisted;
mod post_operation;
mod prepared;
mod protocol;
mod rights;
mod sending;
mod server;
mod socket;
mod spool;

pub use server::{Server, ServerOptions, listen};

use crate::access::Guard;
use crate::graphql::PhananhSchema;
use crate::graphql::context::App;
use crate::limits::ApiSettings;

/// What every handler works with.
pub struct Service {
    pub app: App,
    pub schema: PhananhSchema,
    /// The same, for documents that were found valid before.
    trusting: PhananhSchema,
    /// The same, watching over every field.
    careful: PhananhSchema,
    pub guard: Guard,
    pub sdl: String,
    pub settings: ApiSettings,
    jwt: Option<std::sync::Arc<crate::jwt::Jwt>>,
    rates: authenticate::Rates,
    tokens: authenticate::Tokens,
    persisted: persisted::Persisted,
    held: held::Held,
    /// Sockets whose client has not said yet who it is.
    handshakes: std::sync::Arc<handshakes::Handshakes>,
    rights: rights::Rights,
    operations: crate::admission::OperationAdmission,
    /// Operations that need no connection to the database: each has a thread while it waits for a statistic.
    snapshot_operations: crate::admission::Admission,
    /// Look-ups of tokens.
    lookups: crate::admission::Admission,
    /// Exports that read the database.
    exports: crate::admission::Admission,
    /// Exports that are being sent.
    downloads: crate::admission::Admission,
    /// Looks whether the database is there.
    ready: std::sync::Arc<health::Probe<Result<(), &'static str>>>,
    /// Counts the runs of jobs.
    runs: std::sync::Arc<health::Probe<Vec<(String, schema::enums::RunState, i64)>>>,
    /// Large answers that are being sent.
    answers: crate::admission::Admission,
    connections: std::sync::Arc<connections::Connections>,
    stopping: socket::Stopping,
    watch: metrics::Watch,
    /// Set once the server runs.
    audit: std::sync::OnceLock<audit::AuditLog>,
    /// Development: introspection without a token, GraphiQL, suggestions, statement counts.
    pub dev: bool,
}
