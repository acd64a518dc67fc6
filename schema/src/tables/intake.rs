//! Tables of what complainants send and do by themselves: receipts, additions and attachments; and of the links between
//! complaints that say the same.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    receipts (complaint_id) {
        complaint_id -> Uid,
        lookup -> BigInt,
        salt -> Binary,
        hash -> Binary,
        issued_at -> UtcMicros,
        reopened_at -> Nullable<UtcMicros>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_additions (complaint_id, ordinal) {
        complaint_id -> Uid,
        ordinal -> Integer,
        text -> Text,
        received_at -> UtcMicros,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    attachments (complaint_id, id) {
        complaint_id -> Uid,
        id -> Uid,
        addition -> Nullable<Integer>,
        ordinal -> Integer,
        name -> Text,
        size -> BigInt,
        media_type -> Text,
        sha256 -> Text,
        url -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_links (complaint_id) {
        complaint_id -> Uid,
        original_id -> Uid,
        linked_at -> UtcMicros,
        actor -> Text,
        reason -> Text,
    }
}
