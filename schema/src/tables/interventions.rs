//! Tables of guidance, proposals and measures.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    guidance_documents (id) {
        id -> Uid,
        unit_id -> Uid,
        category_id -> Nullable<Uid>,
        title -> Text,
        text -> Text,
        revision -> Integer,
        opined_revision -> Nullable<Integer>,
        state -> Text,
        state_since -> UtcMicros,
        requested_at -> UtcMicros,
        number -> Nullable<Text>,
        issued_on -> Nullable<Date>,
        reason -> Nullable<Text>,
        version -> Integer,
        actor -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    guidance_opinions (document_id, revision) {
        document_id -> Uid,
        revision -> Integer,
        verdict -> Text,
        text -> Text,
        given_at -> UtcMicros,
        actor -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    proposals (id) {
        id -> Uid,
        title -> Text,
        text -> Text,
        state -> Text,
        state_since -> UtcMicros,
        proposed_at -> UtcMicros,
        implemented_on -> Nullable<Date>,
        reason -> Nullable<Text>,
        version -> Integer,
        actor -> Text,
    }
}

diesel::table! {
    use crate::sql_types::Uid;

    proposal_categories (proposal_id, category_id) {
        proposal_id -> Uid,
        category_id -> Uid,
    }
}

diesel::table! {
    use crate::sql_types::Uid;

    proposal_units (proposal_id, unit_id) {
        proposal_id -> Uid,
        unit_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    measures (id) {
        id -> Uid,
        officer_id -> Uid,
        unit_id -> Uid,
        kind -> Text,
        grounds -> Text,
        decision_maker -> Text,
        decision_number -> Nullable<Text>,
        decided_on -> Date,
        starts_on -> Date,
        ends_on -> Nullable<Date>,
        end_reason -> Nullable<Text>,
        flag_id -> Nullable<Uid>,
        void_reason -> Nullable<Text>,
        recorded_by_unit_id -> Uid,
        recorded_at -> UtcMicros,
        version -> Integer,
        actor -> Text,
        ground -> Nullable<Text>,
        explanation -> Nullable<Text>,
        explained_on -> Nullable<Date>,
        explanation_refused_on -> Nullable<Date>,
        limits_version -> Nullable<Text>,
        limit_days -> Nullable<Integer>,
        extension_limit_days -> Nullable<Integer>,
        extended_from -> Nullable<Date>,
        extension_decided_on -> Nullable<Date>,
        extension_reason -> Nullable<Text>,
        lifted_on -> Nullable<Date>,
        basis -> Nullable<Text>,
        no_basis_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::sql_types::Uid;

    measure_complaints (measure_id, complaint_id) {
        measure_id -> Uid,
        complaint_id -> Uid,
    }
}
