//! Tokens of others: JSON Web Tokens, signed by a key of a key set (JWKS) that the configuration names. Their
//! claims say which role somebody has, and for how long. Whatever is not exactly understood is refused.

mod claims;
mod header;
mod keys;
mod object;

use crate::auth::Viewer;
use claims::Claims;
use header::Header;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{DecodingKey, Validation, decode};
use keys::Keys;
use schema::enums::Role;
use schema::register::access::OF_OTHERS;
use schema::{Id, StoreError, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// The table `[api.jwt]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtSettings {
    /// A file, or an https address: the key set. It is read again every five minutes, and when a key is not in it, at
    /// most once in a minute.
    pub jwks: String,
    /// What `iss` and `aud` have to be.
    pub issuer: String,
    pub audience: String,
    /// The claims that hold the role, the code of the unit and the code of the officer that somebody is, and whether
    /// what it is shown leaves the house.
    #[serde(default = "role_claim")]
    pub role_claim: String,
    #[serde(default = "unit_claim")]
    pub unit_claim: String,
    #[serde(default = "officer_claim")]
    pub officer_claim: String,
    #[serde(default = "outside_claim")]
    pub outside_claim: String,
    /// For how many hours a token may still be valid: it cannot be revoked here.
    #[serde(default = "longest_hours")]
    pub longest_hours: u32,
    /// The name of a token of ours whose allow-list these follow, where their role needs one.
    #[serde(default)]
    pub operations_of: Option<String>,
}

fn role_claim() -> String {
    "role".into()
}

fn unit_claim() -> String {
    "unit".into()
}

fn officer_claim() -> String {
    "officer".into()
}

fn outside_claim() -> String {
    "outside".into()
}

const fn longest_hours() -> u32 {
    24
}

/// Why a token is refused: which part of it, and what is wrong with that. It holds nothing of the token itself.
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

/// Whose codes stand in claims.
pub trait Register {
    /// The id of the unit that has exactly this code.
    ///
    /// # Errors
    /// Where the register cannot be read.
    fn unit(&self, code: &str) -> Result<Option<Id>, StoreError>;

    /// The id of the officer who has exactly this code.
    ///
    /// # Errors
    /// Where the register cannot be read.
    fn officer(&self, code: &str) -> Result<Option<Id>, StoreError>;
}

/// Verifies tokens.
pub struct Jwt {
    settings: JwtSettings,
    keys: Keys,
}

/// Clocks differ by so many seconds.
const LEEWAY: u64 = 5;

impl Jwt {
    /// Reads the key set for the first time.
    ///
    /// # Errors
    /// Where it cannot be read, and why.
    pub fn new(settings: JwtSettings) -> anyhow::Result<Self> {
        let keys = Keys::new(settings.jwks.clone())?;
        Ok(Self { settings, keys })
    }

    /// The name of a token of ours whose allow-list these follow.
    pub fn operations_of(&self) -> Option<&str> {
        self.settings.operations_of.as_deref()
    }

    /// Whether a token looks like one of these.
    pub fn is_one(token: &str) -> bool {
        token.split('.').count() == 3
    }

    /// The owner of a token, or why it is refused. May read the key set again: it blocks.
    ///
    /// # Errors
    /// Where the register cannot be read.
    pub fn viewer(&self, token: &str, register: &impl Register) -> Result<Result<Viewer, Refused>, StoreError> {
        let now = Timestamp::now().micros() / 1_000_000;
        match self.verified(token).and_then(|payload| Claims::new(&payload, &self.settings, now)) {
            Ok(claims) => self.owner(&claims, register),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// The payload of a token, if a key of the set has signed it for us and for now.
    fn verified(&self, token: &str) -> Result<Vec<u8>, Refused> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(_signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::of("token", "it has not three parts"));
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
                None => return Ok(Err(Refused::claim(&self.settings.unit_claim, "there is no unit of this code"))),
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
            let why = if unit_id.is_some() { "this role is of no unit" } else { "a UNIT_HEAD needs a unit" };
            return Ok(Err(Refused::claim(&self.settings.unit_claim, why)));
        }
        let whose =
            Id(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{} {}", self.settings.issuer, claims.subject).as_bytes()));
        Ok(Ok(Viewer {
            token_id: whose,
            principal_id: whose,
            name: format!("{OF_OTHERS}{}", claims.subject),
            role: claims.role,
            unit_id,
            officer_id,
            outside: claims.outside,
            expires_at: Some(claims.expires),
        }))
    }
}

fn from_library(error: &Error) -> Refused {
    match error.kind() {
        ErrorKind::InvalidSignature => Refused::of("signature", "it is not of the key that the header names"),
        ErrorKind::ExpiredSignature => Refused::claim("exp", "the token has expired"),
        ErrorKind::ImmatureSignature => Refused::claim("nbf", "the token is not valid yet"),
        ErrorKind::InvalidIssuer => Refused::claim("iss", "it is another issuer"),
        ErrorKind::InvalidAudience => Refused::claim("aud", "it is for another audience"),
        ErrorKind::MissingRequiredClaim(name) | ErrorKind::InvalidClaimFormat(name) => {
            Refused::claim(name, "it is missing, or not of its type")
        }
        _ => Refused::of("token", "it cannot be read"),
    }
}
