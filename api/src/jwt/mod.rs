//! External JWTs: JSON Web Tokens signed by a key of a configured key set (JWKS). Their claims give the role of the
//! viewer and the expiry. The server refuses a token with anything that it does not fully understand.

mod claims;
mod header;
mod keys;
mod object;

use crate::access::Viewer;
use crate::config::JwtSettings;
use claims::Claims;
use header::Header;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{DecodingKey, Validation, decode};
use keys::Keys;
use schema::enums::Role;
use schema::register::access::JWT_PREFIX;
use schema::register::accounts::Assertion;
use schema::{Id, StoreError, Timestamp};
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// The refusal of a token: the part and the reason, without any content of the token.
#[derive(Debug)]
pub struct Refused {
    pub part: String,
    pub why: Cow<'static, str>,
}

impl Refused {
    pub fn claim(name: &str, why: impl Into<Cow<'static, str>>) -> Self {
        Self { part: format!("claim {name}"), why: why.into() }
    }

    pub fn header(name: &str, why: impl Into<Cow<'static, str>>) -> Self {
        Self { part: format!("header {name}"), why: why.into() }
    }

    pub fn of(part: &str, why: impl Into<Cow<'static, str>>) -> Self {
        Self { part: part.to_owned(), why: why.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.why)
    }
}

/// Resolves the codes in claims to ids of the register, and keeps what is asserted of accounts.
pub trait Register {
    /// The id of the unit with exactly this code.
    ///
    /// # Errors
    /// If the register cannot be read.
    fn unit(&self, code: &str) -> Result<Option<Id>, StoreError>;

    /// The id of the officer with exactly this code.
    ///
    /// # Errors
    /// If the register cannot be read.
    fn officer(&self, code: &str) -> Result<Option<Id>, StoreError>;

    /// Keeps what is asserted of an account; false if the account was disabled.
    ///
    /// # Errors
    /// If the register cannot be read.
    fn account(&self, asserted: &Assertion) -> Result<bool, StoreError>;
}

/// Verifies external JWTs.
pub struct Jwt {
    settings: JwtSettings,
    keys: Keys,
}

/// Tolerated clock difference, in seconds.
const LEEWAY: u64 = 5;

impl Jwt {
    /// Reads the key set for the first time.
    ///
    /// # Errors
    /// If the key set cannot be read.
    pub fn new(settings: JwtSettings) -> anyhow::Result<Self> {
        let keys = Keys::new(settings.jwks.clone())?;
        Ok(Self { settings, keys })
    }

    /// The name whose allow-list external JWTs use.
    pub fn operations_of(&self) -> Option<&str> {
        self.settings.operations_of.as_deref()
    }

    /// Whether a token has the form of a JWT.
    pub fn is_one(token: &str) -> bool {
        token.split('.').count() == 3
    }

    /// The owner of a token, or why it is refused. May read the key set again, which blocks.
    ///
    /// # Errors
    /// If the register cannot be read.
    pub fn viewer(&self, token: &str, register: &impl Register) -> Result<Result<Viewer, Refused>, StoreError> {
        let now = Timestamp::now().micros() / 1_000_000;
        match self.verified(token).and_then(|payload| Claims::new(&payload, &self.settings, now)) {
            Ok(claims) => self.owner(&claims, register),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// The payload of a token that a key of the set signed, after checking issuer, audience and times.
    fn verified(&self, token: &str) -> Result<Vec<u8>, Refused> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(_signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::of("token", "it does not have three parts"));
        };
        let header = Header::read(header)?;
        let key = self.keys.find(&header.kid, header.algorithm)?;
        let mut validation = Validation::new(header.algorithm);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        let key = DecodingKey::from_jwk(&key).map_err(|_| Refused::of("key", "it cannot be read"))?;
        decode::<IgnoredAny>(token, &key, &validation).map_err(|error| from_library(&error))?;
        object::decoded(payload).ok_or_else(|| Refused::of("payload", "it is not base64url"))
    }

    fn owner(&self, claims: &Claims, register: &impl Register) -> Result<Result<Viewer, Refused>, StoreError> {
        let unit_id = match &claims.unit {
            None => None,
            Some(code) => match register.unit(code)? {
                Some(id) => Some(id),
                None => return Ok(Err(Refused::claim(&self.settings.unit_claim, "there is no unit with this code"))),
            },
        };
        let officer_id = match &claims.officer {
            None => None,
            Some(code) => match register.officer(code)? {
                Some(id) => Some(id),
                None => {
                    return Ok(Err(Refused::claim(&self.settings.officer_claim, "there is no officer of this code")));
                }
            },
        };
        if (claims.role == Role::UnitHead) != unit_id.is_some() {
            let why = if unit_id.is_some() { "this role has no unit" } else { "a UNIT_HEAD needs a unit" };
            return Ok(Err(Refused::claim(&self.settings.unit_claim, why)));
        }
        let whose =
            Id(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{} {}", self.settings.issuer, claims.subject).as_bytes()));
        let asserted = Assertion {
            id: whose,
            issuer: self.settings.issuer.clone(),
            subject: claims.subject.clone(),
            role: claims.role,
            unit_id,
            officer_id,
            outside: claims.outside,
            asserted_at: claims.asserted,
        };
        if !register.account(&asserted)? {
            return Ok(Err(Refused::claim("sub", "the account was disabled")));
        }
        Ok(Ok(Viewer {
            token_id: whose,
            principal_id: whose,
            name: format!("{JWT_PREFIX}{}", claims.subject),
            role: claims.role,
            unit_id,
            officer_id,
            outside: claims.outside,
            expires_at: Some(claims.expires),
            day: None,
        }))
    }
}

fn from_library(error: &Error) -> Refused {
    match error.kind() {
        ErrorKind::InvalidSignature => Refused::of("signature", "it does not match the key in the header"),
        ErrorKind::ExpiredSignature => Refused::claim("exp", "the token has expired"),
        ErrorKind::ImmatureSignature => Refused::claim("nbf", "the token is not valid yet"),
        ErrorKind::InvalidIssuer => Refused::claim("iss", "it is not the configured issuer"),
        ErrorKind::InvalidAudience => Refused::claim("aud", "it does not contain the configured audience"),
        ErrorKind::MissingRequiredClaim(name) | ErrorKind::InvalidClaimFormat(name) => {
            Refused::claim(name, "it is missing or has the wrong type")
        }
        _ => Refused::of("token", "it cannot be read"),
    }
}
