//! Tables of proposed corrections and of merges.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    correction_proposals (id) {
        id -> Uid,
        complaint_id -> Uid,
        complaint_version -> Integer,
        correction -> Text,
        reason -> Text,
        state -> Text,
        state_since -> UtcMicros,
        proposed_at -> UtcMicros,
        unit_id -> Uid,
        actor -> Text,
        decided_by -> Nullable<Text>,
        decision_reason -> Nullable<Text>,
        version -> Integer,
    }
}

diesel::table! {
    use crate::sql_types::Uid;

    correction_proposal_officers (proposal_id, officer_id) {
        proposal_id -> Uid,
        officer_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    merges (id) {
        id -> Uid,
        from_officer_id -> Nullable<Uid>,
        into_officer_id -> Nullable<Uid>,
        from_enterprise_id -> Nullable<Uid>,
        into_enterprise_id -> Nullable<Uid>,
        reason -> Text,
        complaints -> Integer,
        merged_at -> UtcMicros,
        actor -> Text,
        split_at -> Nullable<UtcMicros>,
        split_reason -> Nullable<Text>,
        split_actor -> Nullable<Text>,
        version -> Integer,
    }
}
