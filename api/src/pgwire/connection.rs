//! Serves one connection: TLS, messages one after the other, errors, and the limits of time and size.

use super::PgServer;
use super::errors::fatal;
use super::extended::Extended;
use super::login::Login;
use super::session::Session;
use super::simple::Simple;
use super::statement::Statement;
use super::stop::CancelRequests;
use bytes::BytesMut;
use futures_util::{SinkExt, Stream};
use pgwire::api::{ClientInfo, NoopHandler, PgWireConnectionState};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use pgwire::messages::response::ReadyForQuery;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use pgwire::tokio::server::{MaybeTls, PgWireMessageServerCodec, negotiate_tls, process_message};
use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::codec::Framed;

/// Time for a client to log in, TLS included.
const LOGIN_WITHIN: Duration = Duration::from_secs(15);
/// Bytes of a message before the login: a JWT may be long.
const LOGIN_BYTES: usize = 32 * 1024;
/// Bytes of a message: a statement, or the values of parameters.
const MESSAGE_BYTES: usize = 1024 * 1024;
/// Time for a client to read the answer to a message.
const READ_WITHIN: Duration = Duration::from_secs(600);
/// Interval at which to check whether a client that sent more is still connected.
const LOOK_EVERY: Duration = Duration::from_millis(200);

type Socket = Framed<MaybeTls, PgWireMessageServerCodec<Statement>>;

/// Serves a connection until it ends.
///
/// # Errors
/// If the connection breaks.
pub async fn serve(stream: TcpStream, server: Arc<PgServer>) -> io::Result<()> {
    let watched = duplicate(&stream)?;
    let login_by = Instant::now() + LOGIN_WITHIN;
    let negotiated = timeout_at(login_by, negotiate_tls::<Statement>(stream, server.tls.clone())).await;
    let Ok(Some(mut socket)) = negotiated.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))? else {
        return Ok(());
    };
    if socket.is_secure() && !socket.read_buffer().is_empty() {
        // An attacker on the network may have injected these bytes: they came before the TLS handshake.
        return Ok(());
    }
    let login = Arc::new(Login::new(Arc::clone(&server)));
    let (simple, extended, copy) = (Arc::new(Simple), Arc::new(Extended), Arc::new(NoopHandler));
    let cancels = CancelRequests { gate: Arc::clone(&server.gate), cancels: Arc::clone(&server.cancels) };
    let cancels = Arc::new(cancels);
    loop {
        let logged_in = Session::of(&socket).is_ok();
        let (limit, until) = match logged_in {
            true => (MESSAGE_BYTES, Instant::now() + server.settings.idle()),
            false => (LOGIN_BYTES, login_by),
        };
        let received = tokio::select! {
            biased;
            () = server.stopping.cancelled() => {
                return end(&mut socket, fatal("57P01", "terminating connection due to administrator command")).await;
            }
            received = timeout_at(until, next(&mut socket, limit)) => received,
        };
        let message = match received {
            Err(_) if logged_in => {
                return end(&mut socket, fatal("57P05", "terminating connection due to idle-session timeout")).await;
            }
            Err(_) | Ok(None | Some(Ok(PgWireFrontendMessage::Terminate(_)))) => return Ok(()),
            Ok(Some(Err(failure))) => return end(&mut socket, failure).await,
            Ok(Some(Ok(message))) => message,
        };
        let (is_extended, is_cancel) =
            (message.is_extended_query(), matches!(message, PgWireFrontendMessage::CancelRequest(_)));
        let processing = process_message(
            message,
            &mut socket,
            Arc::clone(&login),
            Arc::clone(&simple),
            Arc::clone(&extended),
            Arc::clone(&copy),
            Arc::clone(&cancels),
        );
        let processed = tokio::select! {
            processed = timeout(READ_WITHIN, processing) => processed,
            // The client disconnected: dropping the future cancels its question.
            () = closed(&watched) => return Ok(()),
        };
        let Ok(processed) = processed else { return Ok(()) };
        if is_cancel {
            return Ok(());
        }
        if let Err(failure) = processed
            && !answer_error(&mut socket, failure, is_extended).await?
        {
            return Ok(());
        }
    }
}

/// A second handle of the socket, to notice that the client disconnects while a question runs.
fn duplicate(stream: &TcpStream) -> io::Result<TcpStream> {
    TcpStream::from_std(std::net::TcpStream::from(stream.as_fd().try_clone_to_owned()?))
}

/// Returns once the client has closed its side.
async fn closed(stream: &TcpStream) {
    loop {
        match stream.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => sleep(LOOK_EVERY).await,
            _ => return,
        }
    }
}

/// The next message. An incomplete one may have at most `limit` bytes.
async fn next(socket: &mut Socket, limit: usize) -> Option<PgWireResult<PgWireFrontendMessage>> {
    poll_fn(|context| {
        let polled = Pin::new(&mut *socket).poll_next(context);
        let buffer: &BytesMut = socket.read_buffer();
        if polled.is_pending() && buffer.len() > limit {
            let failure = fatal("54000", format!("a message has more than {limit} bytes"));
            return Poll::Ready(Some(Err(failure)));
        }
        polled
    })
    .await
}

/// Sends an error. Returns whether the session continues.
async fn answer_error(socket: &mut Socket, failure: PgWireError, is_extended: bool) -> io::Result<bool> {
    let logged_in = Session::of(socket).is_ok();
    let info = ErrorInfo::from(failure);
    if info.is_fatal() || !logged_in {
        end_with(socket, info).await?;
        return Ok(false);
    }
    socket.send(PgWireBackendMessage::ErrorResponse(info.into())).await?;
    let status = socket.transaction_status().to_error_state();
    socket.set_transaction_status(status);
    if is_extended {
        // The client's next messages are skipped up to a Sync.
        socket.set_state(PgWireConnectionState::AwaitingSync);
    } else {
        socket.set_state(PgWireConnectionState::ReadyForQuery);
        socket.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status))).await?;
    }
    Ok(true)
}

/// Ends the session with an error.
async fn end(socket: &mut Socket, failure: PgWireError) -> io::Result<()> {
    end_with(socket, failure.into()).await
}

async fn end_with(socket: &mut Socket, info: ErrorInfo) -> io::Result<()> {
    socket.send(PgWireBackendMessage::ErrorResponse(info.into())).await?;
    SinkExt::<PgWireBackendMessage>::close(socket).await
}
