//! Authentication of requests, rate limits of tokens, and allow-lists of operations.

use super::Service;
use super::protocol::OperationResult;
use super::sessions::reader_of_the_page;
use crate::access::{Viewer, chosen, signature, viewer};
use crate::admission::Owner;
use crate::config::ApiSettings;
use crate::graphql::error::{Code, UNREACHABLE, from_store};
use crate::graphql::execute::blocking;
use crate::jwt::{Jwt, Refused, Register};
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, EXPECT, HeaderMap};
use async_graphql::parser::types::ExecutableDocument;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use jobs::snapshot::Snapshot;
use moka::sync::Cache;
use schema::domain::ids::reference_id;
use schema::enums::Role;
use schema::events::Entity;
use schema::models::Officer;
use schema::queries::{officers_by_id, units_by_id};
use schema::register::Aliases;
use schema::register::access::{is_trusted, principal_named};
use schema::register::accounts::{Assertion, account_asserted};
use schema::{Conn, Db, Id, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The bearer token of a request.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The rate limiter of each role, by token.
pub struct Rates(HashMap<Role, DefaultKeyedRateLimiter<Id>>);

impl Rates {
    pub fn new(settings: &ApiSettings) -> Self {
        let roles = Role::WORDS.iter().filter_map(|word| Role::from_str(word).ok());
        let limiters = roles.filter_map(|role| {
            let quota = Quota::per_minute(NonZeroU32::new(settings.limits(Some(role)).requests_per_minute)?);
            Some((role, DefaultKeyedRateLimiter::keyed(quota)))
        });
        Self(limiters.collect())
    }

    /// Counts operations of a token.
    ///
    /// # Errors
    /// The time to wait, if they exceed the rate limit.
    pub fn count(&self, viewer: &Viewer, operations: u32) -> Result<(), Duration> {
        let (Some(limiter), Some(n)) = (self.0.get(&viewer.role), NonZeroU32::new(operations)) else { return Ok(()) };
        match limiter.check_key_n(&viewer.token_id, n) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(DefaultClock::default().now())),
            // More operations than the limit of a minute never fit.
            Err(_) => Err(Duration::from_secs(60)),
        }
    }
}

/// Caches the owners of tokens, for at most a second and only until the next write: a revocation is a write, which
/// PostgreSQL announces. If the database does not announce writes, nothing is cached.
pub struct Tokens(Cache<[u8; 32], (u64, Viewer)>);

/// A cached owner is used this long if no write was announced.
const CACHED_FOR: Duration = Duration::from_secs(1);
const CACHED_TOKENS: u64 = 10_000;

impl Tokens {
    pub fn new() -> Self {
        Self(Cache::builder().max_capacity(CACHED_TOKENS).time_to_live(CACHED_FOR).build())
    }

    fn cached(&self, token: &str, notifications: Option<u64>) -> Option<Viewer> {
        let (then, viewer) = self.0.get(&hash(token))?;
        let is_unexpired = viewer.expires_at.is_none_or(|expires| expires > Timestamp::now());
        (Some(then) == notifications && is_unexpired).then_some(viewer)
    }

    fn remember(&self, token: &str, notifications: Option<u64>, viewer: &Viewer) {
        if let Some(notifications) = notifications {
            self.0.insert(hash(token), (notifications, viewer.clone()));
        }
    }
}

/// The cache does not hold the token itself.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Authenticates a request; None if it carries no token.
///
/// # Errors
/// If the token is not valid or cannot be looked up, or a header is malformed.
pub async fn authenticated(service: &Service, http: &HttpRequest) -> Result<Option<Viewer>, OperationResult> {
    // With a repeated header, a proxy may check another value than the server.
    for once in [AUTHORIZATION, CONTENT_TYPE] {
        if http.headers().get_all(&once).count() > 1 {
            let message = format!("the request has the header {once} more than once: send it once");
            return Err(OperationResult::refused(StatusCode::BAD_REQUEST, Code::BadUserInput, message));
        }
    }
    let expected = http.headers().get(EXPECT).map(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if expected == Some(false) {
        let message = "the header expect can only be 100-continue: leave it out";
        return Err(OperationResult::refused(StatusCode::EXPECTATION_FAILED, Code::BadUserInput, message));
    }
    match bearer(http.headers()) {
        None => reader_of_the_page(service, http).await,
        Some(token) => by_token(service, token.to_owned()).await.map(Some),
    }
}

/// Whether a viewer may read operational data. Officers may not: the numbers count the whole register.
pub fn may_read_operations_data(viewer: &Viewer) -> bool {
    matches!(viewer.role, Role::Admin | Role::Board) && !viewer.is_an_officer()
}

/// The owner of a token.
///
/// # Errors
/// If the token is not valid or cannot be looked up.
pub async fn by_token(service: &Service, token: String) -> Result<Viewer, OperationResult> {
    let notifications = service.app.change_feed.commit_notifications();
    if let Some(viewer) = service.tokens.cached(&token, notifications) {
        return Ok(viewer);
    }
    let away = || OperationResult::refused(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, UNREACHABLE);
    let until = Instant::now() + LOOKED_UP_WITHIN;
    let permit = service.lookups.acquire_within(Owner::of(None), LOOKED_UP_WITHIN).await.ok_or_else(away)?;
    let db = service.app.db.clone();
    let remembered = token.clone();
    let jwt = service.jwt.clone().filter(|_| Jwt::is_one(&token));
    let snapshot = service.app.snapshots.current();
    let found = blocking(move || {
        // The thread keeps its permit until the look-up ends, even after the caller has timed out.
        let _permit = permit;
        match jwt {
            Some(jwt) => {
                let owner = jwt.viewer(&token, &CodeResolver { snapshot: &snapshot, db: &db }).map_err(from_store)?;
                Ok(owner.map_err(|refused| log_refusal(&refused)).ok())
            }
            None => viewer(&db, &token).map_err(from_store),
        }
    });
    let Ok(found) = tokio::time::timeout_at(until, found).await else { return Err(away()) };
    match found {
        Ok(Some(viewer)) => {
            service.tokens.remember(&remembered, notifications, &viewer);
            Ok(viewer)
        }
        Ok(None) => Err(OperationResult::refused(
            StatusCode::UNAUTHORIZED,
            Code::Unauthenticated,
            "the token is not known, has expired or was revoked",
        )),
        Err(_) => Err(away()),
    }
}

/// Deadline of a token look-up; a hanging look-up keeps its permit.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(5);

/// The register for external JWTs. Resolves codes from the snapshot, or from the database for newer ones.
struct CodeResolver<'a> {
    snapshot: &'a Snapshot,
    db: &'a Db,
}

impl Register for CodeResolver<'_> {
    fn unit(&self, code: &str) -> Result<Option<Id>, StoreError> {
        let id = reference_id(Entity::Unit, code);
        if self.snapshot.reference.unit(id).is_some_and(|unit| unit.code == code) {
            return Ok(Some(id));
        }
        let found = self.db.read(|conn| units_by_id(conn, &[id]))?;
        Ok(found.get(&id).filter(|unit| unit.code == code).map(|unit| unit.id))
    }

    fn officer(&self, code: &str) -> Result<Option<Id>, StoreError> {
        let id = reference_id(Entity::Officer, code);
        let described = |officer: &Officer| (officer.code == code && !officer.unknown).then_some(officer.id);
        // A submitter can invent officer codes, so only officers that the register has described count.
        let is_known = self.snapshot.officers.get(id).is_some_and(|officer| officer.code == code && !officer.unknown);
        self.db.read(|conn| {
            let found = if is_known { Some(id) } else { officers_by_id(conn, &[id])?.get(&id).and_then(described) };
            let Some(found) = found else { return Ok(None) };
            // Complaints name the officer whom this one was merged into.
            Ok(Some(Aliases::load(conn)?.officer(found)))
        })
    }

    fn account(&self, asserted: &Assertion) -> Result<bool, StoreError> {
        account_asserted(self.db, asserted)
    }
}

/// Log entries per minute about refused tokens: a client that sends many must not fill the log.
const LOGGED_PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).expect("not zero");

/// Logs why an external JWT was refused, without any content of the token.
fn log_refusal(refused: &Refused) {
    static LIMITER: LazyLock<DefaultDirectRateLimiter> =
        LazyLock::new(|| RateLimiter::direct(Quota::per_minute(LOGGED_PER_MINUTE)));
    static UNLOGGED: AtomicU64 = AtomicU64::new(0);
    if LIMITER.check().is_ok() {
        let untold = UNLOGGED.swap(0, Ordering::Relaxed);
        tracing::warn!(part = refused.part, why = %refused.why, untold, "an external token was refused");
    } else {
        UNLOGGED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Checks an operation against the allow-list, if the configuration requires one for the viewer's role.
///
/// # Errors
/// If the operation is not on the list or the list cannot be read.
pub async fn trusted(
    service: &Service,
    viewer: &Viewer,
    document: &ExecutableDocument,
    operation: Option<&str>,
) -> Result<(), OperationResult> {
    if !service.settings.trusted_operations.contains(&viewer.role) {
        return Ok(());
    }
    let Some(operation) = chosen(document, operation) else { return Ok(()) };
    let (signature, principal, db) =
        (signature(document, &operation.node), viewer.principal_id, service.app.db.clone());
    // External JWTs use the allow-list of another name.
    let named =
        service.jwt.as_ref().filter(|_| viewer.is_external_jwt()).map(|jwt| jwt.operations_of().map(str::to_owned));
    let away = || OperationResult::refused(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, UNREACHABLE);
    let until = Instant::now() + LOOKED_UP_WITHIN;
    let permit = service.lookups.acquire_within(Owner::of(Some(viewer)), LOOKED_UP_WITHIN).await.ok_or_else(away)?;
    let listed = blocking(move || {
        let _permit = permit;
        let whose = |conn: &mut Conn| match named {
            None => Ok(Some(principal)),
            Some(None) => Ok(None),
            Some(Some(name)) => principal_named(conn, &name),
        };
        let listed = |conn: &mut Conn| match whose(conn)? {
            Some(principal) => is_trusted(conn, principal, &signature),
            None => Ok(false),
        };
        db.read(listed).map_err(from_store)
    });
    let Ok(listed) = tokio::time::timeout_at(until, listed).await else { return Err(away()) };
    match listed {
        Ok(true) => Ok(()),
        Ok(false) => Err(OperationResult::refused(
            StatusCode::FORBIDDEN,
            Code::Forbidden,
            format!(
                "a {} runs only operations from its allow-list, and this is none of them (`phananh token trust` adds it; \
                 for tokens of others `operations_of` in [api.jwt] names whose list they follow)",
                viewer.role
            ),
        )),
        Err(_) => Err(away()),
    }
}
