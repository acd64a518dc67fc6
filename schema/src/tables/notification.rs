//! Tables of alerts, the endpoints that they are sent to, and the messages on their way.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    notification_endpoints (id) {
        id -> Uid,
        channel -> Text,
        name -> Text,
        address -> Text,
        locale -> Text,
        events -> Document,
        key_version -> Integer,
        secret_number -> Integer,
        previous_key_version -> Nullable<Integer>,
        previous_until -> Nullable<UtcMicros>,
        created_at -> UtcMicros,
        created_by -> Text,
        disabled_at -> Nullable<UtcMicros>,
        disabled_reason -> Nullable<Text>,
        principal_id -> Nullable<Uid>,
        unit_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    notifications (id) {
        id -> Uid,
        endpoint_id -> Uid,
        event -> Text,
        body -> Text,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> UtcMicros,
        created_at -> UtcMicros,
        sent_at -> Nullable<UtcMicros>,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    alerts (id) {
        id -> Uid,
        kind -> Text,
        subject -> Text,
        day -> Date,
        details -> Document,
        raised_at -> UtcMicros,
        cleared_at -> Nullable<UtcMicros>,
        principal_id -> Nullable<Uid>,
        unit_id -> Nullable<Uid>,
    }
}
