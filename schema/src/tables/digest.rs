//! Tables of digests, subscriptions and deliveries, and of digests for one reader; and the view of all deliveries.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    digests (id) {
        id -> Uid,
        run_id -> Uid,
        previous_id -> Nullable<Uid>,
        as_of -> Date,
        locale -> Text,
        subject -> Text,
        html -> Text,
        text -> Text,
        document -> Document,
        position -> BigInt,
        created_at -> UtcMicros,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    digest_subscriptions (id) {
        id -> Uid,
        channel -> Text,
        address -> Text,
        locale -> Text,
        created_at -> UtcMicros,
        ended_at -> Nullable<UtcMicros>,
        principal_id -> Nullable<Uid>,
        role -> Nullable<Text>,
        unit_id -> Nullable<Uid>,
        sections -> Nullable<Text>,
        schedule -> Nullable<Text>,
        timezone -> Nullable<Text>,
        condition -> Nullable<Text>,
        min_overdue -> Nullable<Integer>,
        quiet_until -> Nullable<Date>,
        considered_at -> Nullable<UtcMicros>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    reader_digests (id) {
        id -> Uid,
        subscription_id -> Uid,
        run_id -> Uid,
        previous_id -> Nullable<Uid>,
        as_of -> Date,
        locale -> Text,
        subject -> Text,
        html -> Text,
        text -> Text,
        document -> Document,
        position -> BigInt,
        created_at -> UtcMicros,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> UtcMicros,
        sent_at -> Nullable<UtcMicros>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    deliveries (digest_id, subscription_id) {
        digest_id -> Uid,
        subscription_id -> Uid,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> UtcMicros,
        message_id -> Text,
        sent_at -> Nullable<UtcMicros>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    digest_deliveries (digest_id, subscription_id) {
        digest_id -> Uid,
        subscription_id -> Uid,
        for_reader -> Bool,
        channel -> Text,
        address -> Text,
        principal_id -> Nullable<Uid>,
        reader -> Nullable<Text>,
        role -> Nullable<Text>,
        as_of -> Date,
        locale -> Text,
        created_at -> UtcMicros,
        state -> Text,
        attempts -> Integer,
        sent_at -> Nullable<UtcMicros>,
        error -> Nullable<Text>,
    }
}
