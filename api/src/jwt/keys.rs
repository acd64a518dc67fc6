//! The key set, and which of its keys may verify what.

use super::Refused;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyOperations, PublicKeyUse};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ureq::tls::{RootCerts, TlsConfig};

/// The key set as it was read last.
pub struct Keys {
    place: String,
    read: Mutex<Read>,
}

struct Read {
    set: JwkSet,
    at: Instant,
    /// When it was tried to read them, successfully or not.
    tried: Instant,
    failed: bool,
}

const READ_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Where the set cannot be read, its keys are taken no longer than this.
const STALE_AFTER: Duration = Duration::from_secs(3_600);
/// A key that was withdrawn is taken no longer than this.
const OLD_AFTER: Duration = Duration::from_secs(300);
const TAKES_AT_MOST: Duration = Duration::from_secs(5);
/// Bytes of the modulus of an RSA key: 2,048 bits.
const LEAST_MODULUS: usize = 256;

impl Keys {
    /// Reads the set for the first time.
    ///
    /// # Errors
    /// Where it cannot be read, and why.
    pub fn new(place: String) -> anyhow::Result<Self> {
        let (set, now) = (read(&place)?, Instant::now());
        Ok(Self { place, read: Mutex::new(Read { set, at: now, tried: now, failed: false }) })
    }

    /// The one key of this name that may verify what this algorithm signed. May read the set again: it blocks.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find(&self, kid: &str, algorithm: Algorithm) -> Result<Jwk, Refused> {
        {
            let mut known = self.known();
            let found = known.find(kid, algorithm);
            if known.tried.elapsed() < READ_AGAIN_AFTER || found.is_ok() && known.at.elapsed() < OLD_AFTER {
                return found;
            }
            // Others go on with what is known meanwhile.
            known.tried = Instant::now();
        }
        let fresh = read(&self.place);
        let mut known = self.known();
        match fresh {
            Ok(set) => (known.set, known.at, known.failed) = (set, Instant::now(), false),
            Err(error) => {
                known.failed = true;
                tracing::warn!(%error, "the key set could not be read again");
            }
        }
        known.find(kid, algorithm)
    }

    fn known(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read {
    fn find(&self, kid: &str, algorithm: Algorithm) -> Result<Jwk, Refused> {
        if self.failed && self.at.elapsed() > STALE_AFTER {
            return Err(Refused::of("key", "the key set could not be read for too long"));
        }
        let named: Vec<&Jwk> = self.set.keys.iter().filter(|key| key.common.key_id.as_deref() == Some(kid)).collect();
        // The key says what it is for: a token cannot choose.
        let fitting: Vec<&Jwk> = named.iter().copied().filter(|key| unfit(key, algorithm).is_none()).collect();
        match (named.as_slice(), fitting.as_slice()) {
            (_, [key]) => Ok((*key).clone()),
            ([], _) => Err(Refused::header("kid", "the key set has no such key")),
            ([key, ..], []) => Err(unfit(key, algorithm).unwrap_or_else(|| Refused::of("key", "it does not fit"))),
            _ => Err(Refused::header("kid", "the key set has several such keys")),
        }
    }
}

/// Why a key may not verify what an algorithm signed; None where it may.
fn unfit(key: &Jwk, algorithm: Algorithm) -> Option<Refused> {
    if key.common.public_key_use.as_ref().is_some_and(|of| *of != PublicKeyUse::Signature) {
        return Some(Refused::of("key use", "the key is not for signatures"));
    }
    if key.common.key_operations.as_ref().is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
        return Some(Refused::of("key key_ops", "the key is not for verifying"));
    }
    if key.common.key_algorithm.is_some_and(|of| of.to_string() != format!("{algorithm:?}")) {
        return Some(Refused::header("alg", "the key is of another algorithm"));
    }
    let fits = match &key.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            if super::object::decoded(&rsa.n).is_none_or(|modulus| modulus.len() < LEAST_MODULUS) {
                return Some(Refused::of("key n", "an RSA key has 2,048 bits or more"));
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
    if fits { None } else { Some(Refused::header("alg", "the key is of another kind")) }
}

fn read(place: &str) -> anyhow::Result<JwkSet> {
    use anyhow::Context;
    let text = if place.starts_with("https://") {
        // Whom this machine trusts: on a closed network that is an authority of one's own.
        let trust = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder().timeout_global(Some(TAKES_AT_MOST)).tls_config(trust);
        let agent: ureq::Agent = config.build().into();
        agent
            .get(place)
            .call()
            .and_then(|mut answer| answer.body_mut().read_to_string())
            .with_context(|| format!("api.jwt.jwks: {place}"))?
    } else {
        anyhow::ensure!(!place.starts_with("http://"), "api.jwt.jwks: {place} can be changed on its way: take https");
        std::fs::read_to_string(place).with_context(|| format!("api.jwt.jwks: {place}"))?
    };
    serde_json::from_str(&text).with_context(|| format!("api.jwt.jwks: {place} is no key set"))
}
