//! The claims of an external JWT: role, unit, officer and validity.

use super::{LEEWAY, Refused, object};
use crate::config::JwtSettings;
use schema::Timestamp;
use schema::domain::inert;
use schema::enums::Role;
use serde_json::{Map, Value};
use std::str::FromStr;

/// The claims that the server reads; it ignores others.
#[derive(Debug)]
pub struct Claims {
    pub subject: String,
    pub role: Role,
    pub unit: Option<String>,
    pub officer: Option<String>,
    pub outside: bool,
    /// When the issuer asserted this: by `iat`; without it the earliest time at which it can have done so.
    pub asserted: Timestamp,
    pub expires: Timestamp,
}

/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;
/// Longest code, in characters.
const LONGEST_CODE: usize = 200;
/// Seconds by which the issuer's clock may be ahead.
const AHEAD: i64 = 60;

impl Claims {
    /// Parses and checks the payload of a token with a verified signature. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Names the claim that is refused.
    pub fn new(payload: &[u8], settings: &JwtSettings, now: i64) -> Result<Self, Refused> {
        let object = object::read(payload)
            .map_err(|_| Refused::of("payload", "it is not a JSON object, or has a claim twice"))?;
        if !matches!(object.get("iss"), Some(Value::String(issuer)) if *issuer == settings.issuer) {
            return Err(Refused::claim("iss", "it is not the configured issuer as a string"));
        }
        let is_for_us = match object.get("aud") {
            Some(Value::String(audience)) => *audience == settings.audience,
            Some(Value::Array(all)) => {
                all.iter().all(Value::is_string) && all.iter().any(|one| *one == settings.audience)
            }
            _ => false,
        };
        if !is_for_us {
            return Err(Refused::claim("aud", "it lacks the configured audience as a string or a list of strings"));
        }
        let (asserted, expires) = times(&object, settings, now)?;
        let subject = text(&object, "sub")?.ok_or_else(|| Refused::claim("sub", "it is missing"))?;
        if inert::name("sub", subject, LONGEST_SUBJECT).is_err() {
            let why = "it is empty, too long, or has line breaks, invisible characters or white space at an end";
            return Err(Refused::claim("sub", why));
        }
        spelt_otherwise(&object, settings)?;
        let role = text(&object, &settings.role_claim)?.and_then(|word| Role::from_str(word).ok());
        let role = role.ok_or_else(|| Refused::claim(&settings.role_claim, "it is not a role"))?;
        let outside = match object.get(&settings.outside_claim) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(outside)) => *outside,
            Some(_) => return Err(Refused::claim(&settings.outside_claim, "it is neither true nor false")),
        };
        if outside && role != Role::Dashboard {
            return Err(Refused::claim(&settings.outside_claim, "only a DASHBOARD may have it"));
        }
        Ok(Self {
            subject: subject.to_owned(),
            role,
            unit: code(&object, &settings.unit_claim)?,
            officer: code(&object, &settings.officer_claim)?,
            outside,
            asserted,
            expires,
        })
    }
}

/// When a token was made, and when it expires. Refuses tokens that are expired, not valid yet, or valid for too long.
fn times(object: &Map<String, Value>, settings: &JwtSettings, now: i64) -> Result<(Timestamp, Timestamp), Refused> {
    let seconds = |name: &str| match object.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64().filter(|seconds| *seconds >= 0) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Refused::claim(name, "it is not a whole number of seconds since 1970")),
        },
    };
    let (issued, from, until) = (seconds("iat")?, seconds("nbf")?, seconds("exp")?);
    let until = until.ok_or_else(|| Refused::claim("exp", "it is missing"))?;
    let leeway = i64::try_from(LEEWAY).unwrap_or(i64::MAX);
    if until <= now.saturating_sub(leeway) {
        return Err(Refused::claim("exp", "the token has expired"));
    }
    let longest = i64::from(settings.longest_hours).saturating_mul(3_600).saturating_add(AHEAD);
    if until > now.saturating_add(longest) {
        return Err(Refused::claim("exp", "it is further ahead than api.jwt.longest_hours"));
    }
    if issued.is_some_and(|issued| issued > now.saturating_add(AHEAD) || issued > until) {
        return Err(Refused::claim("iat", "it is in the future or after exp"));
    }
    if from.is_some_and(|from| from > now.saturating_add(leeway)) {
        return Err(Refused::claim("nbf", "the token is not valid yet"));
    }
    let moment = |name: &str, seconds: i64| {
        let micros = seconds.checked_mul(1_000_000).and_then(Timestamp::from_micros);
        micros.ok_or_else(|| Refused::claim(name, "it is out of range"))
    };
    // Tokens without `iat` are ordered by their expiry: a token that expires later counts as the later one.
    let asserted = issued.unwrap_or(until.saturating_sub(longest)).clamp(0, now.max(0));
    Ok((moment("iat", asserted)?, moment("exp", until)?))
}

/// Refuses claims whose names differ from ours in case or white space, such as `Officer` for `officer`: they would be
/// ignored, and complaints about the officer would not be withheld.
fn spelt_otherwise(object: &Map<String, Value>, settings: &JwtSettings) -> Result<(), Refused> {
    let ours = [&settings.role_claim, &settings.unit_claim, &settings.officer_claim, &settings.outside_claim];
    for name in object.keys() {
        let alike = |own: &&&String| name.trim().to_lowercase() == own.to_lowercase() && name != **own;
        if let Some(own) = ours.iter().find(alike) {
            return Err(Refused::claim(own, "a claim has this name in other letters or with white space"));
        }
    }
    Ok(())
}

/// A string claim; None if it is missing or null.
fn text<'o>(object: &'o Map<String, Value>, name: &str) -> Result<Option<&'o str>, Refused> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::claim(name, "it is not a string")),
    }
}

/// A claim with a code of the register, which must match exactly.
fn code(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refused> {
    let Some(code) = text(object, name)? else { return Ok(None) };
    match inert::name(name, code, LONGEST_CODE) {
        Ok(code) => Ok(Some(code.to_owned())),
        Err(_) => Err(Refused::claim(name, "it is empty, padded, too long or has characters not allowed in codes")),
    }
}
