//! Tokens of others: JSON Web Tokens, signed by a key of a key set (JWKS) that the configuration names. Their
//! claims say which role somebody has, and for how long.

use crate::auth::Viewer;
use jobs::snapshot::Reference;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use schema::Timestamp;
use schema::domain::ids::reference_id;
use schema::enums::Role;
use schema::events::Entity;
use serde::Deserialize;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use ureq::tls::{RootCerts, TlsConfig};
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

/// What a token says. Others' claims are left alone.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

/// Verifies tokens.
pub struct Jwt {
    settings: JwtSettings,
    keys: Mutex<Keys>,
}

struct Keys {
    set: JwkSet,
    read: Instant,
    /// When it was tried to read them, successfully or not.
    tried: Instant,
    failed: bool,
}

impl Keys {
    fn find(&self, kid: &str) -> Option<Jwk> {
        let is_stale = self.failed && self.read.elapsed() > STALE_AFTER;
        self.set.find(kid).filter(|_| !is_stale).cloned()
    }
}

const READ_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Where the set cannot be read, its keys are taken no longer than this.
const STALE_AFTER: Duration = Duration::from_secs(3_600);
/// A key that was withdrawn is taken no longer than this.
const OLD_AFTER: Duration = Duration::from_secs(300);
const TAKES_AT_MOST: Duration = Duration::from_secs(5);
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

impl Jwt {
    /// Reads the key set for the first time.
    ///
    /// # Errors
    /// Where it cannot be read, and why.
    pub fn new(settings: JwtSettings) -> anyhow::Result<Self> {
        let keys = read(&settings.jwks)?;
        let now = Instant::now();
        Ok(Self { settings, keys: Mutex::new(Keys { set: keys, read: now, tried: now, failed: false }) })
    }

    /// The name of a token of ours whose allow-list these follow.
    pub fn operations_of(&self) -> Option<&str> {
        self.settings.operations_of.as_deref()
    }

    /// Whether a token looks like one of these.
    pub fn is_one(token: &str) -> bool {
        token.split('.').count() == 3
    }

    /// The owner of a token; None where it is not valid. May read the key set again: it blocks.
    pub fn viewer(&self, token: &str, reference: &Reference) -> Option<Viewer> {
        let header = decode_header(token).ok().filter(|header| ALGORITHMS.contains(&header.alg))?;
        let key = self.key(header.kid.as_deref()?)?;
        // The key says what it is for: a token cannot choose.
        if !is_for(&key, header.alg) {
            return None;
        }
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 5;
        let claims = decode::<Claims>(token, &DecodingKey::from_jwk(&key).ok()?, &validation).ok()?.claims;
        let text = |name: &str| claims.others.get(name).and_then(|value| value.as_str());
        let role = Role::from_str(text(&self.settings.role_claim)?).ok()?;
        let unit = text(&self.settings.unit_claim);
        let unit_id = match (role, unit) {
            (Role::UnitHead, Some(code)) => Some(reference.unit_by_code(code)?.id),
            // The head of no unit would see everything or nothing: neither is meant.
            (Role::UnitHead, None) => return None,
            (_, _) => None,
        };
        // What is there and does not say "no" is taken for the stricter.
        let outside = claims.others.get(&self.settings.outside_claim);
        let outside = outside.is_some_and(|value| *value != false && !value.is_null());
        if outside && role != Role::Dashboard {
            return None;
        }
        let whose = schema::Id(Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("{} {}", self.settings.issuer, claims.sub).as_bytes(),
        ));
        let expires = Timestamp::from_micros(claims.exp.checked_mul(1_000_000)?)?;
        Some(Viewer {
            token_id: whose,
            principal_id: whose,
            name: format!("jwt:{}", claims.sub),
            role,
            unit_id,
            officer_id: text(&self.settings.officer_claim).map(|code| reference_id(Entity::Officer, code)),
            outside,
            expires_at: Some(expires),
        })
    }

    fn key(&self, kid: &str) -> Option<Jwk> {
        let keys = || self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        {
            let mut known = keys();
            let found = known.find(kid);
            if known.tried.elapsed() < READ_AGAIN_AFTER || found.is_some() && known.read.elapsed() < OLD_AFTER {
                return found;
            }
            // Others go on with what is known meanwhile.
            known.tried = Instant::now();
        }
        let fresh = read(&self.settings.jwks);
        let mut known = keys();
        match fresh {
            Ok(fresh) => (known.set, known.read, known.failed) = (fresh, Instant::now(), false),
            Err(error) => {
                known.failed = true;
                tracing::warn!(%error, "the key set could not be read again");
            }
        }
        known.find(kid)
    }
}

fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    let of_key = key.common.key_algorithm.map(|of_key| of_key.to_string() == format!("{algorithm:?}"));
    let fits = match &key.algorithm {
        AlgorithmParameters::RSA(_) => format!("{algorithm:?}").starts_with(['R', 'P']),
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => algorithm == Algorithm::ES256,
            EllipticCurve::P384 => algorithm == Algorithm::ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        _ => false,
    };
    fits && of_key != Some(false)
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
