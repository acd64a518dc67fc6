//! Signing in to the web page and out of it.

use super::Service;
use super::authenticate::by_token;
use super::connections::network;
use super::sessions::{Session, hash, proof, secret, session};
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use chrono::TimeDelta;
use schema::Timestamp;
use schema::domain::ids::random_id;
use schema::enums::Role;
use schema::models::WebSession;
use schema::register::web_sessions::{begin_session, end_session, end_sessions_of};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A one-time code can be used for this long.
const CODE_LASTS: Duration = Duration::from_secs(600);

/// Codes that sign in once with a token, by their hashes.
#[derive(Default)]
pub struct OneTimeCodes(Mutex<HashMap<[u8; 32], (String, Instant)>>);

impl OneTimeCodes {
    /// A code for a token.
    pub fn issue(&self, token: &str) -> String {
        let code = secret();
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, (_, issued)| issued.elapsed() < CODE_LASTS);
        codes.insert(hash(&code), (token.to_owned(), Instant::now()));
        code
    }

    /// The token of a code, once.
    fn take(&self, code: &str) -> Option<String> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(code));
        taken.filter(|(_, issued)| issued.elapsed() < CODE_LASTS).map(|(token, _)| token)
    }
}

/// The reason why a reader cannot sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInError {
    /// The token or the code is not valid.
    Unknown,
    /// The issuer did not sign the reader in, or its token has no rights here.
    NotByIssuer,
    /// Too many attempts from the address of the reader.
    TooMany,
    /// The database does not answer.
    Away,
}

/// Begins a session with a token: the secret of its cookie. A session that the request has ends.
///
/// # Errors
/// The reason why the reader cannot sign in.
pub async fn sign_in(service: &Service, http: &HttpRequest, token: String) -> Result<String, SignInError> {
    count_attempt(service, http)?;
    begin_session_of(service, http, token).await
}

/// The same with a one-time code.
///
/// # Errors
/// Same errors as [`sign_in`].
pub async fn sign_in_by_code(service: &Service, http: &HttpRequest, code: &str) -> Result<String, SignInError> {
    count_attempt(service, http)?;
    let token = service.one_time_codes.take(code).ok_or(SignInError::Unknown)?;
    begin_session_of(service, http, token).await
}

/// The address that attempts count for.
fn address(http: &HttpRequest) -> IpAddr {
    http.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), network)
}

/// Counts an attempt as a failure of its address, until [`forget_attempt`] takes it back.
///
/// # Errors
/// `TooMany` if the address failed too often.
pub fn count_attempt(service: &Service, http: &HttpRequest) -> Result<(), SignInError> {
    service.app.receipt_limits.count_sign_in(address(http)).map_err(|_| SignInError::TooMany)
}

/// Takes back the count of an attempt that did not fail: many readers share the address of their proxy.
pub fn forget_attempt(service: &Service, http: &HttpRequest) {
    service.app.receipt_limits.forget_sign_in(address(http));
}

/// Begins a session with a token, for an attempt that was counted already and counts no more if the session begins.
///
/// # Errors
/// Same errors as [`sign_in`], but for `TooMany`.
pub async fn begin_session_of(service: &Service, http: &HttpRequest, token: String) -> Result<String, SignInError> {
    let begun = stored_session_of(service, http, token).await;
    if begun.is_ok() {
        forget_attempt(service, http);
    }
    begun
}

async fn stored_session_of(service: &Service, http: &HttpRequest, token: String) -> Result<String, SignInError> {
    let viewer = by_token(service, token).await.map_err(|outcome| match outcome.refused {
        Some(StatusCode::UNAUTHORIZED) => SignInError::Unknown,
        _ => SignInError::Away,
    })?;
    // INTAKE submits complaints for others and has no page.
    if viewer.role == Role::Intake {
        return Err(SignInError::Unknown);
    }
    let earlier = session(service, http).await.ok().flatten();
    let (secret, now) = (secret(), Timestamp::now());
    let latest = Timestamp::from(now.utc() + TimeDelta::hours(i64::from(service.settings.web.absolute_hours)));
    let mut row = WebSession {
        id: random_id(),
        hash: hash(&secret).to_vec(),
        proof: Vec::new(),
        token_id: (!viewer.is_external_jwt()).then_some(viewer.token_id),
        principal_id: viewer.principal_id,
        name: viewer.name.clone(),
        role: viewer.role,
        unit_id: viewer.unit_id,
        officer_id: viewer.officer_id,
        outside: viewer.outside,
        created_at: now,
        last_seen_at: now,
        expires_at: viewer.expires_at.map_or(latest, |expires| expires.min(latest)),
        revoked_at: None,
        last_looked_at: None,
    };
    row.proof = proof(service, &secret, &row);
    let (id, db, actor) = (row.id, service.app.db.clone(), viewer.actor());
    let stored = tokio::task::spawn_blocking(move || {
        db.write(&actor, |tx| {
            if let Some(earlier) = earlier {
                end_session(tx, earlier.id)?;
            }
            begin_session(tx, &row)
        })
    });
    match stored.await {
        Ok(Ok(_)) => {
            tracing::info!(session = %id, principal = %viewer.principal_id, "a session of the page began");
            Ok(secret)
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a session of the page could not be stored");
            Err(SignInError::Away)
        }
        Err(_) => Err(SignInError::Away),
    }
}

/// Ends a session, or all sessions of its reader.
///
/// # Errors
/// If the database cannot be written.
pub async fn sign_out(service: &Service, session: &Session, everywhere: bool) -> Result<(), SignInError> {
    let (db, actor) = (service.app.db.clone(), session.viewer.actor());
    let (id, principal) = (session.id, session.viewer.principal_id);
    let ended = tokio::task::spawn_blocking(move || {
        db.write(&actor, |tx| match everywhere {
            true => end_sessions_of(tx, principal).map(drop),
            false => end_session(tx, id),
        })
    });
    match ended.await {
        Ok(Ok(_)) => {
            tracing::info!(session = %id, %principal, everywhere, "a session of the page ended");
            Ok(())
        }
        _ => Err(SignInError::Away),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once() {
        let codes = OneTimeCodes::default();
        let code = codes.issue("pa_token");
        assert_eq!(codes.take("another"), None);
        assert_eq!(codes.take(&code), Some("pa_token".into()));
        assert_eq!(codes.take(&code), None);
    }
}
