//! Principals, their tokens, allow-lists and sessions of the web page.

use crate::enums::Role;
use crate::sql_types::{Id, Timestamp};
use crate::tables;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    /// A holder of tokens, or of an account of another issuer.
    principals Principal {
        id: Id,
        name: String,
        role: Role,
        unit_id: Option<Id>,
        created_at: Timestamp,
        disabled_at: Option<Timestamp>,
        /// The officer who uses it; complaints that name this officer are hidden from it.
        officer_id: Option<Id>,
        /// Whether what it is shown leaves the organisation; it needs larger groups (suppression of small groups).
        outside: bool,
        /// The issuer of an account (OpenID Connect, JWT); None for who holds tokens.
        issuer: Option<String>,
        /// The account as its issuer names it.
        subject: Option<String>,
        /// When the issuer last asserted role, unit, officer and `outside`.
        asserted_at: Option<Timestamp>,
    }
);

model!(api_tokens ApiToken {
    id: Id,
    principal_id: Id,
    hash: Vec<u8>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
});

model!(trusted_operations TrustedOperation {
    principal_id: Id,
    signature: String,
    name: Option<String>,
    document: String,
    added_at: Timestamp,
});

model!(web_sessions WebSession {
    id: Id,
    /// The SHA-256 of the secret in the cookie.
    hash: Vec<u8>,
    /// The code of the secret and the holder by the key file; empty where the server has none.
    proof: Vec<u8>,
    /// None for an external JWT; then the fields up to `outside` hold what its claims said.
    token_id: Option<Id>,
    principal_id: Id,
    name: String,
    role: Role,
    unit_id: Option<Id>,
    officer_id: Option<Id>,
    outside: bool,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    /// When the principal used its session before this one.
    last_looked_at: Option<Timestamp>,
});
