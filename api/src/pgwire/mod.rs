//! The PostgreSQL wire protocol, so that psql, drivers and BI tools ask SQL: `[sql] listen` of the configuration.
//!
//! The crate `pgwire` reads and writes messages. Here are the login by token, the session with its limits, and the
//! questions to [`SqlService`](crate::sql::SqlService). The engine knows nothing of sessions: a transaction block is a
//! state that only this server keeps.

mod ask;
mod commands;
mod connection;
mod cursors;
mod encode;
mod errors;
mod extended;
mod gate;
mod login;
mod parameters;
mod session;
mod settings;
mod simple;
mod statement;
mod stop;
mod types;

pub use gate::{Gate, LoginFailure, Rights};

use crate::config::SqlSettings;
use pgwire::api::PidSecretKeyGenerator;
use rustls::ServerConfig;
use session::{PORTALS, TokenPermits};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use stop::Cancels;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// The name of the protocol in TLS.
const ALPN: &[u8] = b"postgresql";
/// Pause after a connection could not be accepted, for example at the limit of open files.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// The server of the protocol.
pub struct PgServer {
    gate: Arc<dyn Gate>,
    settings: SqlSettings,
    tls: Option<TlsAcceptor>,
    keys: Arc<dyn PidSecretKeyGenerator>,
    cancels: Arc<Cancels>,
    permits: TokenPermits,
    /// Answers that wait to be read.
    answers: Arc<TokenPermits>,
    stopping: CancellationToken,
}

impl PgServer {
    /// `tls` is the configuration of the HTTP server.
    pub fn new(gate: Arc<dyn Gate>, settings: SqlSettings, tls: Option<ServerConfig>) -> Arc<Self> {
        let tls = tls.map(|mut config| {
            config.alpn_protocols = vec![ALPN.to_vec()];
            TlsAcceptor::from(Arc::new(config))
        });
        let permits = TokenPermits::new(settings.connections_per_token as usize);
        // One answer for each connection, and more for the portals of a session.
        let answers = Arc::new(TokenPermits::new(settings.connections_per_token as usize + PORTALS));
        let (keys, cancels, stopping) = (login::keys(), Arc::default(), CancellationToken::new());
        Arc::new(Self { gate, settings, tls, keys, cancels, permits, answers, stopping })
    }

    /// Serves until [`Self::stop`].
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub async fn run(self: Arc<Self>, listener: TcpListener) -> std::io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let connections = Arc::new(Semaphore::new(self.settings.connections as usize));
        loop {
            let accepted = tokio::select! {
                () = self.stopping.cancelled() => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection of the PostgreSQL protocol could not be accepted");
                    sleep(AFTER_FAILURE).await;
                    continue;
                }
            };
            // A full node closes the connection; clients say that the server closed it unexpectedly.
            let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else { continue };
            let server = Arc::clone(&self);
            tokio::spawn(async move {
                let _permit = permit;
                if let Err(error) = connection::serve(stream, server).await {
                    tracing::debug!(%error, "a connection of the PostgreSQL protocol broke");
                }
            });
        }
    }

    /// Accepts no further connections, and ends those that are idle.
    pub fn stop(&self) {
        self.stopping.cancel();
    }
}
