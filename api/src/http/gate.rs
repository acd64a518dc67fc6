//! Who comes in: tokens, and how many operations each may run in a minute.

use super::Service;
use super::exchange::Outcome;
use crate::auth::{Viewer, bearer, viewer};
use crate::graphql::context::blocking;
use crate::graphql::error::{Code, from_store};
use crate::jwt::Jwt;
use crate::limits::ApiSettings;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use schema::Id;
use schema::enums::Role;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

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

/// Whose token a request carries; None where it carries none.
///
/// # Errors
/// Where the token is not valid, or cannot be looked up.
pub async fn authenticated(service: &Service, http: &HttpRequest) -> Result<Option<Viewer>, Outcome> {
    match bearer(http.headers()) {
        None => Ok(None),
        Some(token) => by_token(service, token.to_owned()).await.map(Some),
    }
}

/// The owner of a token.
///
/// # Errors
/// Where it is not valid, or cannot be looked up.
pub async fn by_token(service: &Service, token: String) -> Result<Viewer, Outcome> {
    let db = service.app.db.clone();
    let jwt = service.jwt.clone().filter(|_| Jwt::is_one(&token));
    let reference = std::sync::Arc::clone(&service.app.snapshots.current().reference);
    let found = blocking(move || match jwt {
        Some(jwt) => Ok(jwt.viewer(&token, &reference)),
        None => viewer(&db, &token).map_err(from_store),
    });
    match found.await {
        Ok(Some(viewer)) => Ok(viewer),
        Ok(None) => Err(Outcome::refused(
            StatusCode::UNAUTHORIZED,
            Code::Unauthenticated,
            "the token is not known, has expired or was revoked",
        )),
        Err(_) => Err(Outcome::refused(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal,
            "the register cannot be reached at the moment: try again",
        )),
    }
}
