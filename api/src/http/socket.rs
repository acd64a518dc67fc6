//! GraphQL over WebSocket, by the protocol graphql-transport-ws (npm package graphql-ws).
//!
//! It gains many subscribers of one node: 2,000 subscriptions, one socket each, all received a complaint within 63 to
//! 706 ms, and the server had 784 MB (docs/benchmarks.md).

mod operate;

use super::Service;
use super::authenticate::{authenticated, by_token};
use super::close::Close;
use super::connections::LARGEST_FRAME;
use super::handshakes::Handshake;
use super::protocol::{Body, OperationResult, coded};
use super::rights::RightsWatch;
use super::sessions::{secret_of, still_stands};
use super::subscription_limit::SubscriptionLimit;
use crate::access::Viewer;
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::rt::spawn;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseReason, Message, MessageStream, Session, handle_with_protocols,
};
use operate::operate;
use schema::enums::Locale;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

const PROTOCOL: &str = "graphql-transport-ws";
/// Time for a client to send `connection_init`.
const INIT_WITHIN: Duration = Duration::from_secs(10);
/// Interval of pings, and of checks whether an external JWT is still valid.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Time for a client to accept a message.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// A client that sends nothing for this long is disconnected.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A message from a client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum ClientMessage {
    ConnectionInit {
        payload: Option<serde_json::Map<String, Value>>,
    },
    Ping {
        payload: Option<Value>,
    },
    Pong {
        #[allow(dead_code, reason = "the payload has no meaning for the server")]
        payload: Option<Value>,
    },
    Subscribe {
        id: String,
        payload: Body,
    },
    Complete {
        id: String,
    },
}

/// Upgrades a request to a WebSocket.
///
/// # Errors
/// If the request is no handshake of a WebSocket.
pub async fn open(service: Data<Service>, http: HttpRequest, body: Payload) -> Result<HttpResponse, actix_web::Error> {
    let (mut response, session, stream) = handle_with_protocols(&http, body, &[PROTOCOL])?;
    // Browsers cannot set an Authorization header here, other clients can.
    let viewer = match authenticated(&service, &http).await {
        Ok(viewer) => viewer,
        Err(outcome) => return Ok(super::protocol::respond(super::protocol::Media::Json, outcome)),
    };
    let speaks = response.headers().contains_key("sec-websocket-protocol");
    response
        .headers_mut()
        .insert(actix_web::http::header::CACHE_CONTROL, actix_web::http::header::HeaderValue::from_static("no-store"));
    let handshake = http.peer_addr().map(|peer| service.handshakes.begin(peer));
    spawn(async move {
        let token = super::authenticate::bearer(http.headers()).map(str::to_owned);
        let is_of_a_session = token.is_none() && viewer.is_some();
        let session_secret = if is_of_a_session { secret_of(&service, &http) } else { None };
        let locale = super::protocol::locale(&http);
        let mut socket = Socket {
            service,
            session,
            viewer,
            token,
            session_secret,
            locale,
            rights: None,
            begun: None,
            tasks: JoinSet::new(),
            running: HashMap::new(),
        };
        let reason = if speaks {
            socket.serve(stream, handshake).await
        } else {
            Some(Close::WrongProtocol.reason("use the subprotocol graphql-transport-ws"))
        };
        socket.tasks.abort_all();
        let _gone_already = socket.session.close(reason).await;
    });
    Ok(response)
}

struct Socket {
    service: Data<Service>,
    session: Session,
    viewer: Option<Viewer>,
    token: Option<String>,
    /// The secret of the session of the page that opened it without a token.
    session_secret: Option<String>,
    locale: Locale,
    /// The viewer's rights, once the connection is acknowledged.
    rights: Option<RightsWatch>,
    /// When the connection was acknowledged.
    begun: Option<Instant>,
    /// Running operations; each task returns the operation's id.
    tasks: JoinSet<String>,
    running: HashMap<String, AbortHandle>,
}

impl Socket {
    /// Serves until either side closes; returns the reason for the client.
    async fn serve(&mut self, stream: MessageStream, handshake: Option<Handshake>) -> Option<CloseReason> {
        let largest = self.service.settings.largest_body() as usize;
        let mut stream = stream.max_frame_size(largest.min(LARGEST_FRAME));
        if let Err(reason) = self.introduce(&mut stream, handshake).await {
            return reason;
        }
        self.converse(stream.aggregate_continuations().max_continuation_size(largest)).await
    }

    /// Waits until the client authenticates. Any client can open a socket, so the number of waiting sockets per
    /// address is limited, and a message must fit into one frame.
    async fn introduce(
        &mut self,
        stream: &mut MessageStream,
        mut handshake: Option<Handshake>,
    ) -> Result<(), Option<CloseReason>> {
        let until = Instant::now() + INIT_WITHIN;
        let mut stopping = self.service.stopping.subscribe();
        let late = || Some(Close::InitTimeout.reason("connection initialisation timeout"));
        while self.begun.is_none() {
            let message = tokio::select! {
                message = timeout_at(until, stream.recv()) => message,
                () = evicted(&mut handshake) => return Err(late()),
                _ = stopping.changed() => return Err(Some(Close::GoingAway.reason("the server ends"))),
            };
            match message {
                Err(_) => return Err(late()),
                Ok(None | Some(Ok(Message::Close(_)))) => return Err(None),
                Ok(Some(Ok(Message::Text(text)))) => self.message(&text).await.map_err(Some)?,
                Ok(Some(Ok(Message::Ping(bytes)))) => self.session.pong(&bytes).await.map_err(|_| None)?,
                Ok(Some(Ok(Message::Pong(_) | Message::Nop))) => {}
                Ok(Some(Ok(Message::Binary(_) | Message::Continuation(_)) | Err(_))) => {
                    let message = "a message could not be read, is too large, or is not JSON text in one frame";
                    return Err(Some(Close::BadMessage.reason(message)));
                }
            }
        }
        Ok(())
    }

    async fn converse(&mut self, mut stream: AggregatedMessageStream) -> Option<CloseReason> {
        let mut last_message = Instant::now();
        let mut checks = interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping = self.service.stopping.subscribe();
        loop {
            tokio::select! {
                message = timeout_at(last_message + IDLE_TIMEOUT, stream.recv()) => {
                    last_message = Instant::now();
                    match message {
                        Err(_) | Ok(None) => return None,
                        Ok(Some(Err(_))) => return Some(Close::BadMessage.reason("a message could not be read, or is too large")),
                        Ok(Some(Ok(AggregatedMessage::Text(text)))) => {
                            if let Err(reason) = self.message(&text).await {
                                return Some(reason);
                            }
                        }
                        Ok(Some(Ok(AggregatedMessage::Ping(bytes)))) => self.session.pong(&bytes).await.ok()?,
                        Ok(Some(Ok(AggregatedMessage::Pong(_)))) => {}
                        Ok(Some(Ok(AggregatedMessage::Binary(_)))) => return Some(Close::BadMessage.reason("messages are JSON text")),
                        Ok(Some(Ok(AggregatedMessage::Close(_)))) => return None,
                    }
                }
                ended = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    match ended {
                        Some(Ok(id)) => drop(self.running.remove(&id)),
                        Some(Err(failure)) => self.broke_off(failure.id()).await,
                        None => {}
                    }
                }
                () = lost(&mut self.rights) => {
                    return Some(Close::Unauthorized.reason("the token has expired, was revoked or has other rights"));
                }
                _ = checks.tick() => {
                    timeout(SEND_WITHIN, self.session.ping(b"")).await.ok()?.ok()?;
                    if let Err(reason) = self.still_valid().await {
                        return Some(reason);
                    }
                }
                _ = stopping.changed() => return Some(Close::GoingAway.reason("the server ends")),
            }
        }
    }

    /// Reports an operation that panicked; an operation that the client ended is not in `running`.
    async fn broke_off(&mut self, task: tokio::task::Id) {
        let Some(id) = self.running.iter().find(|(_, run)| run.id() == task).map(|(id, _)| id.clone()) else { return };
        self.running.remove(&id);
        let error = coded(Code::Internal, "the operation was interrupted; the server's log says why");
        self.send(&json!({ "id": id, "type": "error", "payload": [error] })).await;
    }

    /// Checks that the session of the page still exists, and that an external JWT is still valid: its key may have been
    /// withdrawn. [`RightsWatch`] checks what the register holds.
    async fn still_valid(&mut self) -> Result<(), CloseReason> {
        if let (Some(secret), Some(viewer), Some(_)) = (&self.session_secret, &self.viewer, self.begun) {
            return match still_stands(&self.service, secret, viewer).await {
                Ok(false) => Err(Close::Unauthorized.reason("the session of the page has ended or has other rights")),
                // The database may be unreachable for a moment; no events arrive meanwhile.
                _ => Ok(()),
            };
        }
        let (Some(token), Some(_)) = (&self.token, self.begun) else { return Ok(()) };
        if !self.viewer.as_ref().is_some_and(Viewer::is_external_jwt) {
            return Ok(());
        }
        match by_token(&self.service, token.clone()).await {
            Ok(_) => Ok(()),
            Err(outcome) if outcome.refused == Some(StatusCode::UNAUTHORIZED) => {
                Err(Close::Unauthorized.reason("the token has expired or was revoked"))
            }
            // The database may be unreachable for a moment; no events arrive meanwhile.
            Err(_) => Ok(()),
        }
    }

    async fn message(&mut self, text: &str) -> Result<(), CloseReason> {
        let message: ClientMessage = serde_json::from_str(text).map_err(|e| {
            Close::BadMessage.reason(&format!("invalid message: {e}").chars().take(100).collect::<String>())
        })?;
        match message {
            ClientMessage::ConnectionInit { payload } => self.init(payload.unwrap_or_default()).await,
            ClientMessage::Ping { payload } => {
                self.send(&match payload {
                    Some(payload) => json!({ "type": "pong", "payload": payload }),
                    None => json!({ "type": "pong" }),
                })
                .await;
                Ok(())
            }
            ClientMessage::Pong { .. } => Ok(()),
            ClientMessage::Subscribe { id, payload } => self.subscribe(id, payload).await,
            ClientMessage::Complete { id } => {
                if let Some(task) = self.running.remove(&id) {
                    task.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: serde_json::Map<String, Value>) -> Result<(), CloseReason> {
        if self.begun.is_some() {
            return Err(Close::TooManyInits.reason("too many initialisation requests"));
        }
        let given = ["authorization", "Authorization", "token"].iter().find_map(|name| payload.get(*name)?.as_str());
        if let Some(given) = given {
            let token = given.strip_prefix("Bearer ").or_else(|| given.strip_prefix("bearer ")).unwrap_or(given);
            self.token = Some(token.trim().to_owned());
            self.session_secret = None;
            self.viewer = match by_token(&self.service, token.trim().to_owned()).await {
                Ok(viewer) => Some(viewer),
                Err(_) => return Err(Close::Forbidden.reason("the token is not known, has expired or was revoked")),
            };
        }
        if self.viewer.is_none() {
            return Err(Close::Forbidden.reason("send a token: {\"authorization\": \"Bearer …\"} in the payload"));
        }
        self.rights = self.viewer.as_ref().map(|viewer| RightsWatch::over(&self.service, viewer));
        self.begun = Some(Instant::now());
        self.send(&json!({ "type": "connection_ack" })).await;
        Ok(())
    }

    async fn subscribe(&mut self, id: String, body: Body) -> Result<(), CloseReason> {
        let Some(viewer) = self.viewer.clone().filter(|_| self.begun.is_some()) else {
            return Err(Close::Unauthorized.reason("unauthorized: initialise the connection first"));
        };
        if id.is_empty() || id.len() > 256 {
            return Err(Close::BadMessage.reason("invalid message: an id has 1 to 256 bytes"));
        }
        if self.running.contains_key(&id) {
            return Err(Close::SubscriberExists
                .reason(&format!("subscriber for {} already exists", id.chars().take(60).collect::<String>())));
        }
        let rate = self.service.rates.count(&viewer, 1);
        let hold = if rate.is_ok() { SubscriptionLimit::take(&self.service, &viewer) } else { None };
        let Some(hold) = hold else {
            let message = "too many operations per minute or concurrent subscriptions: try again later";
            let outcome = OperationResult::refused(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
            self.send(&json!({ "type": "error", "id": id, "payload": outcome.errors })).await;
            return Ok(());
        };
        let (service, session, own, locale) = (self.service.clone(), self.session.clone(), id.clone(), self.locale);
        let task = self.tasks.spawn_local(async move {
            let _held = hold;
            operate(&service, session, &viewer, &own, body, locale).await;
            own
        });
        self.running.insert(id, task);
        Ok(())
    }

    async fn send(&mut self, message: &Value) {
        // A failure shows on the next receive; the timeout keeps a stuck client from blocking this task.
        let _gone_or_stuck = timeout(SEND_WITHIN, self.session.text(message.to_string())).await;
    }
}

/// Returns once the handshake is evicted, because its address has too many newer ones.
async fn evicted(handshake: &mut Option<Handshake>) {
    match handshake {
        Some(handshake) => handshake.evicted().await,
        None => std::future::pending().await,
    }
}

/// Returns once the viewer has lost its rights.
async fn lost(rights: &mut Option<RightsWatch>) {
    match rights {
        Some(rights) => rights.lost().await,
        None => std::future::pending().await,
    }
}

/// Tells all sockets that the server shuts down.
pub struct Stopping(Arc<tokio::sync::watch::Sender<bool>>);

impl Stopping {
    pub fn new() -> Self {
        Self(Arc::new(tokio::sync::watch::Sender::new(false)))
    }

    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// The value becomes true when the server shuts down.
    pub fn subscribe(&self) -> tokio::sync::watch::Receiver<bool> {
        self.0.subscribe()
    }
}
