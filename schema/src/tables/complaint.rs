//! Tables of complaints, their allegations, responses, redactions and events.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaints (id) {
        id -> Uid,
        received_at -> UtcMicros,
        occurred_at -> Nullable<UtcMicros>,
        recorded_at -> UtcMicros,
        legal_form -> Text,
        channel -> Text,
        enterprise_id -> Nullable<Uid>,
        unit_id -> Nullable<Uid>,
        department_id -> Nullable<Uid>,
        branch_id -> Nullable<Uid>,
        team_id -> Nullable<Uid>,
        category_id -> Nullable<Uid>,
        declaration_number -> Nullable<Text>,
        text -> Nullable<Text>,
        cost_vnd -> Nullable<BigInt>,
        delay_hours -> Nullable<Double>,
        blames_system -> Bool,
        confidential -> Bool,
        state -> Text,
        state_since -> UtcMicros,
        version -> Integer,
        finding -> Nullable<Text>,
        decided_on -> Nullable<Date>,
        source_codes -> Nullable<Document>,
        received_precision -> Nullable<Text>,
        responsible_unit_id -> Nullable<Uid>,
        due_on -> Nullable<Date>,
        answered_on -> Nullable<Date>,
        clock_stopped_since -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_clocks (complaint_id, round) {
        complaint_id -> Uid,
        round -> Integer,
        started_at -> UtcMicros,
        accepted_on -> Nullable<Date>,
        remote_area -> Bool,
        extensions -> Integer,
        extended_days -> Integer,
        stops -> Nullable<Document>,
        due_on -> Nullable<Date>,
        answered_on -> Nullable<Date>,
    }
}

diesel::table! {
    legal_clock (id) {
        id -> Integer,
        rules -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_sources (source, reference) {
        source -> Text,
        reference -> Text,
        complaint_id -> Uid,
        content_hash -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_officers (complaint_id, officer_id, ordinal) {
        complaint_id -> Uid,
        officer_id -> Uid,
        ordinal -> Integer,
        category_id -> Nullable<Uid>,
        unit_id -> Nullable<Uid>,
        attribution -> Text,
        finding -> Text,
        decided_on -> Nullable<Date>,
        source_codes -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_matters (complaint_id, ordinal) {
        complaint_id -> Uid,
        ordinal -> Integer,
        category_id -> Nullable<Uid>,
        unit_id -> Nullable<Uid>,
        finding -> Text,
        decided_on -> Nullable<Date>,
        source_codes -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_events (complaint_id, position, ordinal) {
        complaint_id -> Uid,
        position -> BigInt,
        ordinal -> Integer,
        kind -> Text,
        recorded_at -> UtcMicros,
        effective_at -> UtcMicros,
        actor -> Text,
        before -> Nullable<Document>,
        after -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    complaint_event_values (complaint_id, position, ordinal, side, field) {
        complaint_id -> Uid,
        position -> BigInt,
        ordinal -> Integer,
        side -> Text,
        field -> Text,
        salt -> Binary,
        value -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    unit_responses (complaint_id, id) {
        complaint_id -> Uid,
        id -> Uid,
        unit_id -> Uid,
        responded_at -> UtcMicros,
        recorded_at -> UtcMicros,
        action -> Text,
        text -> Text,
        outcome -> Nullable<Text>,
        satisfied -> Nullable<Bool>,
        actor -> Text,
        statement -> Nullable<Bool>,
        visibility -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    escalations (complaint_id, level) {
        complaint_id -> Uid,
        level -> Integer,
        unit_id -> Nullable<Uid>,
        due_on -> Date,
        escalated_at -> UtcMicros,
        run_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    redactions (complaint_id) {
        complaint_id -> Uid,
        text -> Text,
        redacted_at -> UtcMicros,
        actor -> Text,
    }
}
