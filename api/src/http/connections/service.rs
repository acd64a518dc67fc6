//! Builds the HTTP server of a listener: admits each connection, then accepts TLS if configured, then serves HTTP.

use super::{Connections, Guarded};
use actix_http::body::MessageBody;
use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::Server;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::Error;
use actix_web::dev::AppConfig;
use rustls::ServerConfig;
use socket2::SockRef;
use std::fmt::Debug;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

/// Time for a client to send the first request head, and to complete the TLS handshake.
const FIRST_BYTES_WITHIN: Duration = Duration::from_secs(5);
/// Send buffer of a socket, in bytes; Linux doubles it.
const SEND_BUFFER: usize = 96 * 1024;
/// Time for a client to close its side of the connection.
const CLOSES_WITHIN: Duration = Duration::from_secs(1);

/// Builds a server that answers the connections of a bound listener with an application.
///
/// # Errors
/// If the listener cannot be used.
pub fn http_server<F, I, S, B>(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    connections: Arc<Connections>,
    shutdown_seconds: u64,
    application: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let builder = Server::build()
        .workers(std::thread::available_parallelism().map_or(2, std::num::NonZero::get))
        .shutdown_timeout(shutdown_seconds)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    let builder = builder.listen("http", listener, move || {
        let stopping = stopping.clone();
        let application = application().into_factory().map_err(|error| error.into().error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(FIRST_BYTES_WITHIN)
            .client_disconnect_timeout(CLOSES_WITHIN)
            // If a client closes its side, it waits for no answer: its work is cancelled.
            .h1_allow_half_closed(false)
            .local_addr(address)
            .finish(map_config(application, |()| AppConfig::default()));
        let (connections, tls) = (Arc::clone(&connections), tls.clone());
        fn_service(move |stream: TcpStream| {
            let (connections, tls) = (Arc::clone(&connections), tls.clone());
            async move {
                let peer = stream.peer_addr()?;
                // The kernel reports a socket as writable only after it has sent part of its buffer. With a large
                // buffer that happens so seldom that a client which reads steadily would look stalled.
                SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER)?;
                // Admit before the TLS handshake, which a client may leave unfinished.
                let place = connections.admit(peer);
                let stream = match tls {
                    None => Either::Left(stream),
                    Some(tls) => {
                        let accepted = tokio::time::timeout(FIRST_BYTES_WITHIN, tls.accept(stream)).await;
                        Either::Right(accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)
                    }
                };
                Ok((Guarded::new(stream, place), Protocol::Http1, Some(peer)))
            }
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
