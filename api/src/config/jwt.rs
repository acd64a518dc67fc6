//! Settings of external JWTs.

use serde::Deserialize;

/// The table `[api.jwt]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtSettings {
    /// The key set: a file or an https URL. It is read again every five minutes, and at most once per minute if a key
    /// is missing.
    pub jwks: String,
    /// Required values of `iss` and `aud`.
    pub issuer: String,
    pub audience: String,
    /// Names of the claims with the role, the code of the unit, the code of the officer that the viewer is, and
    /// whether the data shown leaves the organisation.
    #[serde(default = "role_claim")]
    pub role_claim: String,
    #[serde(default = "unit_claim")]
    pub unit_claim: String,
    #[serde(default = "officer_claim")]
    pub officer_claim: String,
    #[serde(default = "outside_claim")]
    pub outside_claim: String,
    /// Longest remaining validity of a token, in hours: the register cannot revoke it.
    #[serde(default = "longest_hours")]
    pub longest_hours: u32,
    /// The name whose allow-list external JWTs use, if their role needs one.
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
