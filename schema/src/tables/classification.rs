//! Tables of the classifier: its versions, and the categories that it suggests.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    classifier_models (id) {
        id -> Uid,
        version -> Integer,
        trained_at -> UtcMicros,
        as_of -> Date,
        position -> BigInt,
        seed -> BigInt,
        examples -> Integer,
        hash -> Text,
        metrics -> Document,
        code_version -> Text,
        actor -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    classifier_weights (model_id) {
        model_id -> Uid,
        weights -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    classifications (complaint_id) {
        complaint_id -> Uid,
        complaint_version -> Integer,
        classifier -> Text,
        margin -> Double,
        suggested_at -> UtcMicros,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    category_suggestions (complaint_id, rank) {
        complaint_id -> Uid,
        rank -> Integer,
        category_id -> Uid,
        confidence -> Double,
    }
}
