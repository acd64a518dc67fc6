//! The server's side of the PostgreSQL protocol: tokens, limits, permits and the audit log.

use super::Service;
use super::authenticate::by_token;
use super::rights::RightsWatch;
use crate::access::Viewer;
use crate::admission::Admission;
use crate::config::{Limits, SqlSettings};
use crate::pgwire::{Gate, LoginFailure, PgServer, Rights};
use crate::sql::{SqlAsker, SqlService};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use async_trait::async_trait;
use jobs::runner::settings::Settings;
use rustls::ServerConfig;
use schema::db::cancellation::CancelToken;
use schema::register::audit::Audited;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// The listener of the PostgreSQL protocol, not serving yet.
pub struct PgListener {
    listener: TcpListener,
    settings: SqlSettings,
}

impl PgListener {
    /// Binds the address of the configuration; None if it has none.
    ///
    /// # Errors
    /// If a setting is wrong, or the address cannot be bound.
    pub fn bind(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let settings = SqlSettings::of(settings)?;
        let Some(address) = settings.listen else { return Ok(None) };
        let listener = TcpListener::bind(address).map_err(|e| anyhow::anyhow!("sql.listen: {address}: {e}"))?;
        Ok(Some(Self { listener, settings }))
    }

    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Begins to serve.
    pub fn serve(self, service: Data<Service>, tls: Option<ServerConfig>) -> Arc<PgServer> {
        let server = PgServer::new(Arc::new(SqlGate(service)), self.settings, tls);
        let running = Arc::clone(&server);
        tokio::spawn(async move {
            if let Err(error) = running.run(self.listener).await {
                tracing::error!(%error, "the PostgreSQL protocol cannot be served");
            }
        });
        server
    }
}

/// The server, as the PostgreSQL protocol sees it.
struct SqlGate(Data<Service>);

#[async_trait]
impl Gate for SqlGate {
    async fn login(&self, token: String) -> Result<Viewer, LoginFailure> {
        by_token(&self.0, token).await.map_err(|outcome| match outcome.refused {
            Some(StatusCode::UNAUTHORIZED) => LoginFailure::Unknown,
            _ => LoginFailure::Unavailable,
        })
    }

    fn rights(&self, viewer: &Viewer) -> Box<dyn Rights> {
        Box::new(RightsWatch::over(&self.0, viewer))
    }

    fn asker(&self, viewer: &Viewer) -> Result<SqlAsker, String> {
        let Some(keys) = &self.0.app.keys else {
            return Err("SQL needs pseudonyms, but the server runs without a key file (--key-file)".to_owned());
        };
        // An allow-list holds GraphQL operations: SQL would be a way around it.
        if self.0.settings.trusted_operations.contains(&viewer.role) {
            return Err(format!("a {} runs only operations from its allow-list, and no SQL", viewer.role));
        }
        SqlAsker::of(viewer, keys)
            .ok_or_else(|| format!("a {} may not ask SQL: log in with a token of a BOARD or a DATA_TEAM", viewer.role))
    }

    fn limits(&self, viewer: &Viewer) -> Arc<Limits> {
        Arc::clone(self.0.settings.limits(Some(viewer.role)))
    }

    fn count(&self, viewer: &Viewer) -> Result<(), Duration> {
        self.0.rates.count(viewer, 1)
    }

    fn permits(&self) -> &Admission {
        &self.0.app.sql_queries
    }

    fn sql(&self) -> Arc<SqlService> {
        Arc::clone(&self.0.app.sql)
    }

    fn cancel(&self, token: &Arc<CancelToken>) {
        if !token.cancel() {
            return;
        }
        let (token, db) = (Arc::clone(token), self.0.app.background_db.clone());
        // A new thread, since all blocking threads may be waiting for such statements.
        let cancelling = std::thread::Builder::new().spawn(move || {
            if let Err(failure) = db.cancel_statement(&token) {
                tracing::warn!(error = %failure, "cannot cancel the statement of a cancelled question");
            }
        });
        if let Err(failure) = cancelling {
            tracing::warn!(error = %failure, "cannot cancel the statement of a cancelled question");
        }
    }

    async fn audit(&self, entry: Audited) {
        if let Some(log) = self.0.audit.get() {
            log.add(entry).await;
        }
    }
}

#[async_trait]
impl Rights for RightsWatch {
    async fn are_valid(&mut self) -> bool {
        // The method of the type itself.
        RightsWatch::are_valid(self).await
    }
}
