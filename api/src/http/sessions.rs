//! Sessions of the web page: their cookie, their rights, and what protects them against forged requests.
//!
//! The cookie holds a random secret, of which the database stores only a hash. Each request looks up the session and
//! its token: a token that was revoked ends its sessions.

use super::Service;
use super::protocol::OperationResult;
use crate::access::{Viewer, viewer_of};
use crate::admission::Owner;
use crate::graphql::error::{Code, UNREACHABLE};
use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, ORIGIN};
use actix_web::http::uri::Authority;
use chrono::TimeDelta;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use schema::models::WebSession;
use schema::register::Aliases;
use schema::register::access::standing;
use schema::register::accounts::is_disabled;
use schema::register::web_sessions::{note_session_use, session_by_hash};
use schema::{Db, Id, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The header with the secret of forms, for requests that scripts of the page send.
pub const CSRF_HEADER: &str = "x-phananh-csrf";
/// Minimum time between two updates of a session's last use.
const NOTE_USE_EVERY: TimeDelta = TimeDelta::minutes(1);
/// Deadline of a look-up.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(5);

/// The session of a request.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: Id,
    pub viewer: Viewer,
    /// The secret that every form of the page sends back.
    pub csrf: String,
    /// When the reader used its session before this one.
    pub last_looked_at: Option<Timestamp>,
}

/// A random secret of 256 bits.
pub fn secret() -> String {
    let mut digest = Sha256::new();
    // Each has 122 random bits.
    (0..3).for_each(|_| digest.update(uuid::Uuid::new_v4().as_bytes()));
    BASE64URL_NOPAD.encode(&digest.finalize())
}

pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// The secret of forms, which only the server can derive from that of the cookie.
fn csrf_of(secret: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"form ");
    digest.update(secret.as_bytes());
    digest.finalize().into()
}

/// The secret of forms as a page shows it, in other digits each time: the length of compressed pages, which repeat what
/// the address says, would reveal constant ones.
fn masked(plain: &[u8; 32]) -> String {
    let mask = hash(&secret());
    let hidden: Vec<u8> = mask.iter().zip(plain).map(|(mask, byte)| mask ^ byte).collect();
    HEXLOWER.encode(&[mask.as_slice(), &hidden].concat())
}

/// The secret that a form sent back; None if it has another form.
fn unmasked(sent: &str) -> Option<[u8; 32]> {
    let bytes = HEXLOWER.decode(sent.as_bytes()).ok().filter(|bytes| bytes.len() == 64)?;
    let (mask, hidden) = bytes.split_at(32);
    let secret: Vec<u8> = mask.iter().zip(hidden).map(|(mask, byte)| mask ^ byte).collect();
    secret.try_into().ok()
}

/// Whether a request sent the secret of forms. Hashes are compared, so that the time says nothing about it.
fn is_secret(sent: &str, secret: &[u8; 32]) -> bool {
    unmasked(sent).is_some_and(|sent| Sha256::digest(sent) == Sha256::digest(secret))
}

/// The code that binds a session to its holder: who can write the database alone cannot make a session.
pub(super) fn proof(service: &Service, secret: &str, session: &WebSession) -> Vec<u8> {
    let Some(keys) = &service.app.keys else { return Vec::new() };
    let holder = format!(
        "{:?} {} {} {:?} {:?} {} {} {}",
        session.token_id,
        session.principal_id,
        session.role,
        session.unit_id,
        session.officer_id,
        session.outside,
        session.expires_at.micros(),
        session.name,
    );
    // A rotation of the keys does not end sessions.
    let code = keys.code(keys.first_version(), "web session", &[secret.as_bytes(), b" ", holder.as_bytes()]);
    code.map(Vec::from).unwrap_or_default()
}

/// The name of the server in a request, with its port.
fn host(http: &HttpRequest) -> Option<&str> {
    let header = http.headers().get(HOST).and_then(|value| value.to_str().ok());
    header.or_else(|| http.uri().authority().map(Authority::as_str))
}

fn header<'h>(http: &'h HttpRequest, name: &str) -> Option<&'h str> {
    http.headers().get(name)?.to_str().ok()
}

/// Whether a request reaches this machine by itself without TLS: then the cookie cannot be `Secure`.
pub fn is_plain_loopback(service: &Service, http: &HttpRequest) -> bool {
    let name = host(http).map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let is_loopback = matches!(name, Some("127.0.0.1" | "localhost" | "[::1]"));
    service.settings.tls.is_none() && is_loopback
}

fn cookie_name(service: &Service, http: &HttpRequest) -> &'static str {
    // Browsers accept the prefix only over TLS, and then from no other host.
    if is_plain_loopback(service, http) { "phananh" } else { "__Host-phananh" }
}

/// The cookie of a session; without a secret the one that removes it.
pub fn session_cookie(service: &Service, http: &HttpRequest, secret: Option<String>) -> Cookie<'static> {
    let is_empty = secret.is_none();
    let mut cookie = Cookie::build(cookie_name(service, http), secret.unwrap_or_default())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(!is_plain_loopback(service, http))
        .finish();
    if is_empty {
        cookie.make_removal();
    }
    cookie
}

/// The secret in the cookie of a request.
pub(super) fn secret_of(service: &Service, http: &HttpRequest) -> Option<String> {
    Some(http.cookie(cookie_name(service, http))?.value().to_owned()).filter(|secret| !secret.is_empty())
}

/// Whether a browser says that another site sends this request. Clients that are no browsers say nothing.
pub fn is_from_elsewhere(http: &HttpRequest) -> bool {
    let by_site = header(http, "sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let origin = header(http, ORIGIN.as_str());
    let by_origin = origin.is_some_and(|origin| origin.split_once("://").map(|(_, name)| name) != host(http));
    by_site || by_origin
}

/// Whether a form or request lacks the secret of the session.
pub fn is_forged(http: &HttpRequest, session: &Session, sent: Option<&str>) -> bool {
    let sent = sent.or_else(|| header(http, CSRF_HEADER));
    let secret = unmasked(&session.csrf);
    !sent.zip(secret).is_some_and(|(sent, secret)| is_secret(sent, &secret))
}

/// Whether a request of the interface for programs may use the cookie: the page itself sends it, as the browser says or
/// as the secret of forms in a header proves.
fn is_of_the_page(service: &Service, http: &HttpRequest) -> bool {
    let Some(secret) = secret_of(service, http) else { return false };
    let proves = header(http, CSRF_HEADER).is_some_and(|sent| is_secret(sent, &csrf_of(&secret)));
    !is_from_elsewhere(http) && (proves || header(http, "sec-fetch-site") == Some("same-origin"))
}

/// The reader of the page as the client of the interface for programs, such as GraphiQL; None if there is none.
///
/// # Errors
/// If the session cannot be looked up.
pub async fn reader_of_the_page(service: &Service, http: &HttpRequest) -> Result<Option<Viewer>, OperationResult> {
    match is_of_the_page(service, http) {
        true => Ok(session(service, http).await?.map(|session| session.viewer)),
        false => Ok(None),
    }
}

/// The session of a request; None if it has no cookie, or its session has ended.
///
/// # Errors
/// If it cannot be looked up.
pub async fn session(service: &Service, http: &HttpRequest) -> Result<Option<Session>, OperationResult> {
    let Some(secret) = secret_of(service, http) else { return Ok(None) };
    let Some((session, viewer)) = standing_session(service, &secret, true).await? else { return Ok(None) };
    let last_looked_at = session.last_looked_at;
    Ok(Some(Session { id: session.id, viewer, csrf: masked(&csrf_of(&secret)), last_looked_at }))
}

/// Least time that a session lasts after a request that finds it: not every use is recorded.
pub fn stands_for(service: &Service) -> TimeDelta {
    let idle = TimeDelta::minutes(i64::from(service.settings.web.idle_minutes));
    (idle - NOTE_USE_EVERY).max(idle / 2)
}

/// Whether the session that opened a socket still exists and has the same rights. The check does not count as use of
/// the session: an open socket must not keep an idle session.
///
/// # Errors
/// If the session cannot be looked up.
pub async fn still_stands(service: &Service, secret: &str, viewer: &Viewer) -> Result<bool, OperationResult> {
    let found = standing_session(service, secret, false).await?;
    Ok(found.is_some_and(|(_, now)| now.has_rights_of(viewer)))
}

/// The session with a secret, and its viewer; None if it has ended. `uses` says whether this is a use of the session.
async fn standing_session(
    service: &Service,
    secret: &str,
    uses: bool,
) -> Result<Option<(WebSession, Viewer)>, OperationResult> {
    let away = || OperationResult::refused(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, UNREACHABLE);
    let permit = service.lookups.acquire_within(Owner::of(None), LOOKED_UP_WITHIN).await.ok_or_else(away)?;
    let (db, hash, takes_jwt) = (service.app.db.clone(), hash(secret), service.jwt.is_some());
    let idle = TimeDelta::minutes(i64::from(service.settings.web.idle_minutes));
    let found = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        look_up(&db, &hash, idle, takes_jwt, uses)
    });
    let found = match tokio::time::timeout(LOOKED_UP_WITHIN, found).await {
        Ok(Ok(Ok(found))) => found,
        _ => return Err(away()),
    };
    let Some((session, viewer)) = found else { return Ok(None) };
    if session.proof != proof(service, secret, &session) {
        tracing::error!(session = %session.id, "a session of the page was not made by this server");
        return Ok(None);
    }
    Ok(Some((session, viewer)))
}

/// The session of a hash, and its viewer with the rights that its token has now.
fn look_up(
    db: &Db,
    hash: &[u8],
    idle: TimeDelta,
    takes_jwt: bool,
    uses: bool,
) -> Result<Option<(WebSession, Viewer)>, StoreError> {
    let now = Timestamp::now();
    db.read(|conn| {
        let Some(session) = session_by_hash(conn, hash, now, Timestamp::from(now.utc() - idle))? else {
            return Ok(None);
        };
        let mut viewer = match session.token_id {
            Some(token) => standing(conn, &[token], now)?.pop().map(|(token, owner)| viewer_of(&token, owner)),
            // The configuration no longer names the issuer: its tokens are not valid.
            None if !takes_jwt || is_disabled(conn, session.principal_id)? => None,
            None => Some(of_claims(&session)),
        };
        if let Some(viewer) = &mut viewer {
            // A socket that the session opened ends with it.
            viewer.expires_at = Some(session.expires_at);
            if session.token_id.is_none()
                && let Some(officer) = viewer.officer_id
            {
                // The officer may have been merged since the session began: complaints now name the other one.
                viewer.officer_id = Some(Aliases::load(conn)?.officer(officer));
            }
        }
        if uses
            && viewer.is_some()
            && session.last_seen_at.utc() + NOTE_USE_EVERY < now.utc()
            && let Err(error) = note_session_use(conn, session.id, now)
        {
            // A read-only register, such as a replica, still answers; the session ends sooner.
            tracing::debug!(%error, "the last use of a session could not be recorded");
        }
        Ok(viewer.map(|viewer| (session, viewer)))
    })
}

/// The viewer of a session that an external JWT began.
fn of_claims(session: &WebSession) -> Viewer {
    Viewer {
        token_id: session.principal_id,
        principal_id: session.principal_id,
        name: session.name.clone(),
        role: session.role,
        unit_id: session.unit_id,
        officer_id: session.officer_id,
        outside: session.outside,
        expires_at: Some(session.expires_at),
        day: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_forms_looks_different_each_time_and_belongs_to_one_session() {
        let (one, other) = (secret(), secret());
        assert!(one != other && one.len() == 43);
        let shown = masked(&csrf_of(&one));
        assert_ne!(shown, masked(&csrf_of(&one)));
        assert!(is_secret(&shown, &csrf_of(&one)) && !is_secret(&shown, &csrf_of(&other)));
        for sent in ["", "00", one.as_str(), "0".repeat(128).as_str()] {
            assert!(!is_secret(sent, &csrf_of(&one)), "{sent}");
        }
    }
}
