//! Tables of flags, their assessments and reviews.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    flags (id) {
        id -> Uid,
        subject_kind -> Text,
        officer_id -> Nullable<Uid>,
        unit_id -> Nullable<Uid>,
        tier -> Text,
        state -> Text,
        run_id -> Uid,
        opened_at -> UtcMicros,
        changed_at -> UtcMicros,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    flag_assessments (flag_id, run_id) {
        flag_id -> Uid,
        run_id -> Uid,
        tier -> Text,
        numbers -> Document,
        reason_vi -> Text,
        reason_en -> Text,
        evidence -> Document,
        new_evidence -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    flag_reviews (id) {
        id -> Uid,
        flag_id -> Uid,
        run_id -> Uid,
        from_state -> Text,
        to_state -> Text,
        reason -> Nullable<Text>,
        notified_on -> Nullable<Date>,
        explanation -> Nullable<Text>,
        evidence -> Document,
        actor -> Text,
        reviewed_at -> UtcMicros,
    }
}
