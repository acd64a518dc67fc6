//! Saved questions in SQL, and their versions.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    saved_queries (id) {
        id -> Uid,
        name -> Text,
        name_key -> Text,
        owner -> Text,
        version -> Integer,
        description -> Nullable<Text>,
        text -> Text,
        parameters -> Document,
        for_board -> Bool,
        for_data_team -> Bool,
        changed_at -> UtcMicros,
        deleted_at -> Nullable<UtcMicros>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    saved_query_versions (id) {
        id -> Uid,
        query_id -> Uid,
        version -> Integer,
        description -> Nullable<Text>,
        text -> Text,
        parameters -> Document,
        for_board -> Bool,
        for_data_team -> Bool,
        actor -> Text,
        created_at -> UtcMicros,
    }
}
