//! Tables of digests, subscriptions and deliveries.

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
