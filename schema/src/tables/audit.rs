//! Tables of the audit log, seals, states and migrations.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    audit_log (number) {
        number -> BigInt,
        at -> UtcMicros,
        actor -> Text,
        role -> Nullable<Text>,
        action -> Text,
        operation -> Nullable<Text>,
        objects -> Document,
    }
}

diesel::table! {
    audit_position (id) {
        id -> Integer,
        value -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    seals (chain, number) {
        chain -> Text,
        number -> BigInt,
        after -> BigInt,
        until -> BigInt,
        rows -> BigInt,
        marks -> Binary,
        previous -> Binary,
        hash -> Binary,
        key_version -> Integer,
        signature -> Binary,
        sealed_at -> UtcMicros,
    }
}

diesel::table! {
    state_position (id) {
        id -> Integer,
        value -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    state_events (number) {
        number -> BigInt,
        table_name -> Text,
        row_key -> Text,
        recorded_at -> UtcMicros,
        actor -> Text,
        hash -> Nullable<Binary>,
        column_hashes -> Document,
        salt -> Binary,
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}
