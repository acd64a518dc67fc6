//! The header of an external JWT: algorithm and key id.

use super::{Refused, object};
use jsonwebtoken::Algorithm;
use serde_json::Value;
use std::str::FromStr;

/// Accepted algorithms, all asymmetric: with a shared secret, each verifier could also sign.
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

/// Accepted values of `typ` (RFC 7519, RFC 9068), compared without case like media types.
const TYPES: [&str; 4] = ["jwt", "application/jwt", "at+jwt", "application/at+jwt"];

/// Refused parameters, which change what a token is or how it is read: `crit` lists extensions that must be
/// understood (RFC 7515), and the server supports none; `b64` changes the encoding of the payload (RFC 7797); `enc`,
/// `zip` and `cty` belong to encrypted and nested tokens; the others carry or locate a key, and only configured keys
/// count.
const NOT_UNDERSTOOD: [&str; 9] = ["crit", "b64", "enc", "zip", "cty", "jku", "jwk", "x5u", "x5c"];

/// The parameters that the server reads.
#[derive(Debug)]
pub struct Header {
    pub algorithm: Algorithm,
    pub kid: String,
}

impl Header {
    /// Parses the first part of a token.
    ///
    /// # Errors
    /// Names the parameter that is refused.
    pub fn read(part: &str) -> Result<Self, Refused> {
        let object = object::decoded(part).and_then(|bytes| object::read(&bytes).ok());
        let object =
            object.ok_or_else(|| Refused::of("header", "it is not a JSON object in base64url, or has a name twice"))?;
        if let Some(name) = NOT_UNDERSTOOD.into_iter().find(|name| object.contains_key(*name)) {
            return Err(Refused::header(name, "it is not supported"));
        }
        let text = |name: &str| match object.get(name) {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => None,
        };
        if object.contains_key("typ")
            && !text("typ").is_some_and(|typ| TYPES.iter().any(|allowed| typ.eq_ignore_ascii_case(allowed)))
        {
            return Err(Refused::header("typ", "it is neither JWT nor at+jwt"));
        }
        let algorithm = text("alg").and_then(|name| Algorithm::from_str(name).ok());
        let algorithm = algorithm
            .filter(|algorithm| ALGORITHMS.contains(algorithm))
            .ok_or_else(|| Refused::header("alg", "it is not a supported asymmetric algorithm"))?;
        match text("kid") {
            Some(kid) if !kid.is_empty() => Ok(Self { algorithm, kid: kid.to_owned() }),
            _ => Err(Refused::header("kid", "it is missing or empty")),
        }
    }
}
