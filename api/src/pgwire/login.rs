//! The login: the user is the name of the token, the password is the token.
//!
//! The register holds only hashes of tokens, from which no SCRAM verifier can be made. So a client sends the token
//! itself: over TLS, or over the loopback interface.

use super::PgServer;
use super::errors::{fatal, with_hint};
use super::gate::LoginFailure;
use super::session::Session;
use super::settings::REPORTED;
use super::statement::Setting;
use crate::access::Viewer;
use async_trait::async_trait;
use futures_util::{Sink, SinkExt};
use pgwire::api::auth::{
    ServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use pgwire::api::{
    ClientInfo, METADATA_APPLICATION_NAME, METADATA_USER, PgWireConnectionState, PidSecretKeyGenerator,
    RandomPidSecretKeyGenerator,
};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::startup::Authentication;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

/// Logs clients in.
pub struct Login {
    server: Arc<PgServer>,
}

impl Login {
    pub fn new(server: Arc<PgServer>) -> Self {
        Self { server }
    }

    /// The owner of a token, if it has the name that the client gave.
    async fn owner(&self, user: &str, token: String) -> PgWireResult<Viewer> {
        // The message does not say which of the two is wrong.
        let wrong = || fatal("28P01", format!("password authentication failed for user {user:?}"));
        let viewer = self.server.gate.login(token).await.map_err(|failure| match failure {
            LoginFailure::Unknown => {
                with_hint(wrong(), "the user is the name of a token, and the password is the token itself")
            }
            LoginFailure::Unavailable => fatal("57P03", "the register cannot be reached now: try again"),
        })?;
        match viewer.name == user {
            true => Ok(viewer),
            false => Err(with_hint(wrong(), "the user is the name of a token, and the password is the token itself")),
        }
    }

    async fn log_in<C: ClientInfo>(&self, client: &mut C, token: String) -> PgWireResult<()> {
        let user = client.metadata().get(METADATA_USER).cloned().unwrap_or_default();
        let viewer = self.owner(&user, token).await?;
        let asker = self.server.gate.asker(&viewer).map_err(|why| fatal("42501", why))?;
        let Some(permit) = self.server.permits.take(viewer.token_id) else {
            let most = self.server.settings.connections_per_token;
            return Err(fatal("53300", format!("the token has {most} connections already: close some")));
        };
        let (process, secret) = self.server.keys.generate(client);
        let registered = self.server.cancels.register(process, secret.to_bytes());
        client.set_pid_and_secret_key(process, secret);
        let answers = Arc::clone(&self.server.answers);
        let session = Session::new(Arc::clone(&self.server.gate), (viewer, asker), registered, (permit, answers));
        apply_startup_settings(&session, client.metadata());
        client.session_extensions().insert(session);
        Ok(())
    }
}

#[async_trait]
impl StartupHandler for Login {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match message {
            PgWireFrontendMessage::Startup(startup) => {
                protocol_negotiation(client, &startup).await?;
                save_startup_parameters_to_metadata(client, &startup);
                may_send_token(client, self.server.tls.is_some())?;
                if client.metadata().get(METADATA_USER).is_none_or(String::is_empty) {
                    return Err(fatal("28000", "name a user: the name of a token"));
                }
                client.set_state(PgWireConnectionState::AuthenticationInProgress);
                client.send(PgWireBackendMessage::Authentication(Authentication::CleartextPassword)).await?;
                Ok(())
            }
            PgWireFrontendMessage::PasswordMessageFamily(given) => {
                let token = given.into_password()?.password;
                self.log_in(client, token).await?;
                finish_authentication(client, &Reported).await
            }
            _ => Err(fatal("08P01", "send a startup message and a password first")),
        }
    }
}

/// Refuses a client that would send its token in clear over the network.
fn may_send_token<C: ClientInfo>(client: &C, offers_tls: bool) -> PgWireResult<()> {
    if client.is_secure() || client.socket_addr().ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let hint = match offers_tls {
        true => "connect with sslmode=require, or better verify-full",
        false => "the server has no certificate: set [api.tls] in its configuration, or connect from its own machine",
    };
    Err(with_hint(fatal("28000", "a token is sent only over TLS"), hint))
}

/// Settings among the startup parameters, and those of `options=-c name=value`. Unknown ones have no effect.
fn apply_startup_settings(session: &Session, parameters: &HashMap<String, String>) {
    let set = |name: &str, value: &str| {
        let _refused = session.settings.set(&Setting { name: name.to_ascii_lowercase(), value: value.to_owned() });
    };
    if let Some(name) = parameters.get(METADATA_APPLICATION_NAME) {
        set("application_name", name);
    }
    let options = parameters.get("options").map(String::as_str).unwrap_or_default();
    for option in options.split_whitespace() {
        let option = option.strip_prefix("-c").or_else(|| option.strip_prefix("--")).unwrap_or(option);
        if let Some((name, value)) = option.split_once('=') {
            set(name, value);
        }
    }
}

/// The settings that are reported to a client at login.
struct Reported;

impl ServerParameterProvider for Reported {
    fn server_parameters<C: ClientInfo>(&self, client: &C) -> Option<HashMap<String, String>> {
        let session = client.session_extensions().get::<Session>()?;
        let told = |name: &&str| Some(((*name).to_owned(), session.settings.get(name)?));
        Some(REPORTED.iter().filter_map(told).collect())
    }
}

/// Makes the process numbers and secret keys of sessions.
pub fn keys() -> Arc<dyn PidSecretKeyGenerator> {
    Arc::new(RandomPidSecretKeyGenerator::default())
}
