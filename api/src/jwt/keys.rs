//! The key set (JWKS) of external JWTs: loads and refreshes it, and finds the key for a token.

use super::Refused;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyOperations, PublicKeyUse};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ureq::tls::{RootCerts, TlsConfig};

/// The cached key set.
pub struct Keys {
    place: String,
    read: Mutex<Read>,
}

struct Read {
    set: JwkSet,
    at: Instant,
    /// When a read was last attempted, successful or not.
    tried: Instant,
    failed: bool,
}

const READ_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// If the key set cannot be read, cached keys expire after this time.
const STALE_AFTER: Duration = Duration::from_secs(3_600);
/// The key set is read again after this time, so that withdrawn keys expire.
const OLD_AFTER: Duration = Duration::from_secs(300);
const TAKES_AT_MOST: Duration = Duration::from_secs(5);
/// Minimum length of an RSA modulus, in bytes: 2,048 bits.
const LEAST_MODULUS: usize = 256;

impl Keys {
    /// Reads the key set for the first time.
    ///
    /// # Errors
    /// If the key set cannot be read.
    pub fn new(place: String) -> anyhow::Result<Self> {
        let (set, now) = (read(&place)?, Instant::now());
        Ok(Self { place, read: Mutex::new(Read { set, at: now, tried: now, failed: false }) })
    }

    /// The only key with this id that may verify this algorithm. May read the key set again, which blocks.
    ///
    /// # Errors
    /// The reason why no key matches.
    pub fn find(&self, kid: &str, algorithm: Algorithm) -> Result<Jwk, Refused> {
        {
            let mut cached = self.cached();
            let found = cached.find(kid, algorithm);
            if cached.tried.elapsed() < READ_AGAIN_AFTER || found.is_ok() && cached.at.elapsed() < OLD_AFTER {
                return found;
            }
            // Meanwhile, other threads use the cached set.
            cached.tried = Instant::now();
        }
        let fresh = read(&self.place);
        let mut cached = self.cached();
        match fresh {
            Ok(set) => (cached.set, cached.at, cached.failed) = (set, Instant::now(), false),
            Err(error) => {
                cached.failed = true;
                tracing::warn!(%error, "the key set could not be read again");
            }
        }
        cached.find(kid, algorithm)
    }

    fn cached(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read {
    fn find(&self, kid: &str, algorithm: Algorithm) -> Result<Jwk, Refused> {
        if self.failed && self.at.elapsed() > STALE_AFTER {
            return Err(Refused::of("key", "the key set has been unreadable for too long"));
        }
        let named: Vec<&Jwk> = self.set.keys.iter().filter(|key| key.common.key_id.as_deref() == Some(kid)).collect();
        // The key restricts the algorithm; the token must not choose it.
        let fitting: Vec<&Jwk> = named.iter().copied().filter(|key| unfit(key, algorithm).is_none()).collect();
        match (named.as_slice(), fitting.as_slice()) {
            (_, [key]) => Ok((*key).clone()),
            ([], _) => Err(Refused::header("kid", "the key set has no key with this id")),
            ([key, ..], []) => Err(unfit(key, algorithm).unwrap_or_else(|| Refused::of("key", "it does not match"))),
            _ => Err(Refused::header("kid", "the key set has several keys with this id")),
        }
    }
}

/// The reason why a key may not verify an algorithm; None if it may.
fn unfit(key: &Jwk, algorithm: Algorithm) -> Option<Refused> {
    if key.common.public_key_use.as_ref().is_some_and(|of| *of != PublicKeyUse::Signature) {
        return Some(Refused::of("key use", "the key is not for signatures"));
    }
    if key.common.key_operations.as_ref().is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
        return Some(Refused::of("key key_ops", "the key is not for verification"));
    }
    if key.common.key_algorithm.is_some_and(|of| of.to_string() != format!("{algorithm:?}")) {
        return Some(Refused::header("alg", "the key is for another algorithm"));
    }
    let fits = match &key.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            if super::object::decoded(&rsa.n).is_none_or(|modulus| modulus.len() < LEAST_MODULUS) {
                return Some(Refused::of("key n", "an RSA key must have 2,048 bits or more"));
            }
            format!("{algorithm:?}").starts_with(['R', 'P'])
        }
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => algorithm == Algorithm::ES256,
            EllipticCurve::P384 => algorithm == Algorithm::ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(pair) => {
            pair.curve == EllipticCurve::Ed25519 && algorithm == Algorithm::EdDSA
        }
        _ => false,
    };
    if fits { None } else { Some(Refused::header("alg", "the key has another type")) }
}

fn read(place: &str) -> anyhow::Result<JwkSet> {
    use anyhow::Context;
    let text = if place.starts_with("https://") {
        // Use the system's trust store: a closed network has its own certificate authority.
        let trust = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder().timeout_global(Some(TAKES_AT_MOST)).tls_config(trust);
        let agent: ureq::Agent = config.build().into();
        agent
            .get(place)
            .call()
            .and_then(|mut answer| answer.body_mut().read_to_string())
            .with_context(|| format!("api.jwt.jwks: {place}"))?
    } else {
        anyhow::ensure!(!place.starts_with("http://"), "api.jwt.jwks: {place} is not protected in transit: use https");
        std::fs::read_to_string(place).with_context(|| format!("api.jwt.jwks: {place}"))?
    };
    serde_json::from_str(&text).with_context(|| format!("api.jwt.jwks: {place} is not a key set"))
}
