//! Tables of principals, tokens, allow-lists and sessions of the web page.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    principals (id) {
        id -> Uid,
        name -> Text,
        role -> Text,
        unit_id -> Nullable<Uid>,
        created_at -> UtcMicros,
        disabled_at -> Nullable<UtcMicros>,
        officer_id -> Nullable<Uid>,
        outside -> Bool,
        issuer -> Nullable<Text>,
        subject -> Nullable<Text>,
        asserted_at -> Nullable<UtcMicros>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    api_tokens (id) {
        id -> Uid,
        principal_id -> Uid,
        hash -> Binary,
        created_at -> UtcMicros,
        expires_at -> Nullable<UtcMicros>,
        revoked_at -> Nullable<UtcMicros>,
        last_used_at -> Nullable<UtcMicros>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    trusted_operations (principal_id, signature) {
        principal_id -> Uid,
        signature -> Text,
        name -> Nullable<Text>,
        document -> Text,
        added_at -> UtcMicros,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    web_sessions (id) {
        id -> Uid,
        hash -> Binary,
        proof -> Binary,
        token_id -> Nullable<Uid>,
        principal_id -> Uid,
        name -> Text,
        role -> Text,
        unit_id -> Nullable<Uid>,
        officer_id -> Nullable<Uid>,
        outside -> Bool,
        created_at -> UtcMicros,
        last_seen_at -> UtcMicros,
        expires_at -> UtcMicros,
        revoked_at -> Nullable<UtcMicros>,
        last_looked_at -> Nullable<UtcMicros>,
    }
}
