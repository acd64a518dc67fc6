//! Principals, their tokens and allow-lists.

use crate::enums::Role;
use crate::sql_types::{Id, Timestamp};
use crate::tables;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(principals Principal {
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
});

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
