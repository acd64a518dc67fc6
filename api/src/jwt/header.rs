//! The header of a token: how it is signed.

use super::{Refused, object};
use jsonwebtoken::Algorithm;
use serde_json::Value;
use std::str::FromStr;

/// What signs with a key that everybody may know. A shared secret would let who verifies also sign.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The types of tokens that say who somebody is (RFC 7519, RFC 9068). Media types are alike in capitals and small letters.
const TYPES: [&str; 4] = ["jwt", "application/jwt", "at+jwt", "application/at+jwt"];

/// Parameters that change what a token is or how it is read: `crit` names extensions that have to be understood (RFC 7515), and
/// none are; `b64` would have the payload read another way (RFC 7797); `enc`, `zip` and `cty` are of encrypted and nested tokens;
/// the others bring a key along or say where it is, and only keys of the set that is configured count.
const NOT_UNDERSTOOD: [&str; 9] = ["crit", "b64", "enc", "zip", "cty", "jku", "jwk", "x5u", "x5c"];

/// What is read of a header.
#[derive(Debug)]
pub struct Header {
    pub algorithm: Algorithm,
    pub kid: String,
}

impl Header {
    /// Reads the first part of a token.
    ///
    /// # Errors
    /// What of it is not understood.
    pub fn read(part: &str) -> Result<Self, Refused> {
        let object = object::decoded(part).and_then(|bytes| object::read(&bytes).ok());
        let object =
            object.ok_or_else(|| Refused::of("header", "it is no object in base64url, or names something twice"))?;
        if let Some(name) = NOT_UNDERSTOOD.into_iter().find(|name| object.contains_key(*name)) {
            return Err(Refused::header(name, "it is not understood"));
        }
        let text = |name: &str| match object.get(name) {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => None,
        };
        if object.contains_key("typ")
            && !text("typ").is_some_and(|of| TYPES.iter().any(|known| of.eq_ignore_ascii_case(known)))
        {
            return Err(Refused::header("typ", "it is neither JWT nor at+jwt"));
        }
        let algorithm = text("alg").and_then(|name| Algorithm::from_str(name).ok());
        let algorithm = algorithm
            .filter(|algorithm| ALGORITHMS.contains(algorithm))
            .ok_or_else(|| Refused::header("alg", "it is none of the algorithms that sign with a public key"))?;
        match text("kid") {
            Some(kid) if !kid.is_empty() => Ok(Self { algorithm, kid: kid.to_owned() }),
            _ => Err(Refused::header("kid", "it names no key")),
        }
    }
}
