//! Who comes in: tokens, how many operations each may run in a minute, and which.

use super::Service;
use super::prepared::Prepared;
use super::protocol::OperationResult;
use crate::access::signature;
use crate::admission::Owner;
use crate::auth::{Viewer, bearer, viewer};
use crate::graphql::context::blocking;
use crate::graphql::error::{Code, UNREACHABLE, from_store};
use crate::jwt::{Jwt, Refused, Register};
use crate::limits::ApiSettings;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, EXPECT};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use jobs::snapshot::Snapshot;
use moka::sync::Cache;
use schema::domain::ids::reference_id;
use schema::enums::Role;
use schema::events::Entity;
use schema::queries::{officers_by_id, units_by_id};
use schema::register::access::{is_trusted, principal_named};
use schema::{Conn, Db, Id, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How often each token has asked of late.
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

    /// Counts so many operations; how long to wait where that is too many.
    pub fn count(&self, viewer: &Viewer, operations: u32) -> Result<(), Duration> {
        let (Some(limiter), Some(n)) = (self.0.get(&viewer.role), NonZeroU32::new(operations)) else { return Ok(()) };
        match limiter.check_key_n(&viewer.token_id, n) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(DefaultClock::default().now())),
            // More at once than there are in a minute: it never fits.
            Err(_) => Err(Duration::from_secs(60)),
        }
    }
}

/// The owners of tokens, for as long as nothing is written anywhere and at most a second: what revokes a token is a
/// write, of which PostgreSQL tells. Where the database does not tell of writes, nothing is remembered.
pub struct Tokens(Cache<[u8; 32], (u64, Viewer)>);

/// How long a token is believed that nobody was heard to revoke.
const BELIEVED_FOR: Duration = Duration::from_secs(1);
const REMEMBERED: u64 = 10_000;

impl Tokens {
    pub fn new() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_live(BELIEVED_FOR).build())
    }

    fn known(&self, token: &str, heard: Option<u64>) -> Option<Viewer> {
        let (then, viewer) = self.0.get(&hash(token))?;
        let stands = viewer.expires_at.is_none_or(|expires| expires > Timestamp::now());
        (Some(then) == heard && stands).then_some(viewer)
    }

    fn remember(&self, token: &str, heard: Option<u64>, viewer: &Viewer) {
        if let Some(heard) = heard {
            self.0.insert(hash(token), (heard, viewer.clone()));
        }
    }
}

/// A token itself is not kept.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whose token a request carries; None where it carries none.
///
/// # Errors
/// Where the token is not valid, or cannot be looked up.
pub async fn authenticated(service: &Service, http: &HttpRequest) -> Result<Option<Viewer>, OperationResult> {
    // A proxy may look at another one than we do.
    for once in [AUTHORIZATION, CONTENT_TYPE] {
        if http.headers().get_all(&once).count() > 1 {
            let message = format!("the request has the header {once} more than once: send it once");
            return Err(OperationResult::refused(StatusCode::BAD_REQUEST, Code::BadUserInput, message));
        }
    }
    let expected = http.headers().get(EXPECT).map(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if expected == Some(false) {
        let message = "the only expectation that can be met is 100-continue: leave the header expect out";
        return Err(OperationResult::refused(StatusCode::EXPECTATION_FAILED, Code::BadUserInput, message));
    }
    match bearer(http.headers()) {
        None => Ok(None),
        Some(token) => by_token(service, token.to_owned()).await.map(Some),
    }
}

/// Whether a viewer is told how the service does: numbers of the whole register are in it, so that an officer is not.
pub fn looks_after(viewer: &Viewer) -> bool {
    matches!(viewer.role, Role::Admin | Role::Board) && !viewer.is_an_officer()
}

/// The owner of a token.
///
/// # Errors
/// Where it is not valid, or cannot be looked up.
pub async fn by_token(service: &Service, token: String) -> Result<Viewer, OperationResult> {
    let heard = service.app.change_feed.heard();
    if let Some(viewer) = service.tokens.known(&token, heard) {
        return Ok(viewer);
    }
    let away = || OperationResult::refused(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, UNREACHABLE);
    let until = Instant::now() + LOOKED_UP_WITHIN;
    let place = service.lookups.acquire_within(Owner::of(None), LOOKED_UP_WITHIN).await.ok_or_else(away)?;
    let db = service.app.db.clone();
    let remembered = token.clone();
    let jwt = service.jwt.clone().filter(|_| Jwt::is_one(&token));
    let snapshot = service.app.snapshots.current();
    let found = blocking(move || {
        // The thread keeps its place until the look-up ends, also after its caller has timed out.
        let _place = place;
        match jwt {
            Some(jwt) => {
                let owner = jwt.viewer(&token, &Codes { snapshot: &snapshot, db: &db }).map_err(from_store)?;
                Ok(owner.map_err(|refused| tell_of(&refused)).ok())
            }
            None => viewer(&db, &token).map_err(from_store),
        }
    });
    let Ok(found) = tokio::time::timeout_at(until, found).await else { return Err(away()) };
    match found {
        Ok(Some(viewer)) => {
            service.tokens.remember(&remembered, heard, &viewer);
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

/// How long the look-up of a token may take; those that hang hold their places.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(5);

/// Codes in tokens of others: by the snapshot, and by the database for those that are newer.
struct Codes<'a> {
    snapshot: &'a Snapshot,
    db: &'a Db,
}

impl Register for Codes<'_> {
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
        // Whoever submits a complaint makes up codes: only those that somebody has described are of officers.
        if self.snapshot.officers.get(id).is_some_and(|officer| officer.code == code && !officer.unknown) {
            return Ok(Some(id));
        }
        let found = self.db.read(|conn| officers_by_id(conn, &[id]))?;
        Ok(found.get(&id).filter(|officer| officer.code == code && !officer.unknown).map(|officer| officer.id))
    }
}

/// Refused tokens that are told of in a minute: whoever sends many must not fill the log.
const TOLD_IN_A_MINUTE: NonZeroU32 = NonZeroU32::new(20).expect("not zero");

/// Tells the log why a token of others was refused, and nothing of the token itself.
fn tell_of(refused: &Refused) {
    static TOLD: LazyLock<DefaultDirectRateLimiter> =
        LazyLock::new(|| RateLimiter::direct(Quota::per_minute(TOLD_IN_A_MINUTE)));
    static UNTOLD: AtomicU64 = AtomicU64::new(0);
    if TOLD.check().is_ok() {
        let untold = UNTOLD.swap(0, Ordering::Relaxed);
        tracing::warn!(part = refused.part, why = %refused.why, untold, "a token of others was refused");
    } else {
        UNTOLD.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the configuration lets a viewer run this operation.
pub async fn trusted(service: &Service, viewer: &Viewer, prepared: &Prepared) -> Result<(), OperationResult> {
    if !service.settings.trusted_operations.contains(&viewer.role) {
        return Ok(());
    }
    let Some(operation) = prepared.chosen() else { return Ok(()) };
    let (signature, principal, db) =
        (signature(prepared.document(), operation), viewer.principal_id, service.app.db.clone());
    // A token of others has no list of its own.
    let named =
        service.jwt.as_ref().filter(|_| viewer.is_external_jwt()).map(|jwt| jwt.operations_of().map(str::to_owned));
    let away = || OperationResult::refused(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, UNREACHABLE);
    let until = Instant::now() + LOOKED_UP_WITHIN;
    let place = service.lookups.acquire_within(Owner::of(Some(viewer)), LOOKED_UP_WITHIN).await.ok_or_else(away)?;
    let listed = blocking(move || {
        let _place = place;
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
