//! The tables as diesel sees them: one description for both databases, see `crate::sql_types`.

mod work;

pub use work::{guidance_documents, guidance_opinions, measures, proposal_categories, proposal_units, proposals};

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    register_position (id) {
        id -> Integer,
        value -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    register_info (key) {
        key -> Text,
        value -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    units (id) {
        id -> Uid,
        code -> Text,
        name_vi -> Text,
        name_en -> Nullable<Text>,
        kind -> Text,
        peer_group -> Nullable<Text>,
        field -> Nullable<Text>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        unknown -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    unit_parents (unit_id, valid_from) {
        unit_id -> Uid,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        parent_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    officers (id) {
        id -> Uid,
        code -> Text,
        name -> Nullable<Text>,
        rank -> Nullable<Text>,
        appointed_on -> Nullable<Date>,
        unknown -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    postings (officer_id, unit_id, valid_from) {
        officer_id -> Uid,
        unit_id -> Uid,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    enterprises (id) {
        id -> Uid,
        tax_code -> Text,
        name -> Nullable<Text>,
        group_code -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    issue_categories (id) {
        id -> Uid,
        code -> Text,
        parent_id -> Nullable<Uid>,
        name_vi -> Text,
        name_en -> Nullable<Text>,
        kind -> Text,
        serious -> Bool,
        deadline_days -> Nullable<Integer>,
        owner_unit_id -> Nullable<Uid>,
        unknown -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    workload (id) {
        id -> Uid,
        unit_id -> Uid,
        officer_id -> Nullable<Uid>,
        month -> Date,
        declarations -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    system_incidents (id) {
        id -> Uid,
        reference -> Text,
        unit_id -> Nullable<Uid>,
        started_at -> UtcMicros,
        ended_at -> Nullable<UtcMicros>,
        description -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    reference_events (position, ordinal) {
        position -> BigInt,
        ordinal -> Integer,
        entity -> Text,
        entity_id -> Uid,
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

    reference_event_values (position, ordinal, side, field) {
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
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    job_runs (id) {
        id -> Uid,
        job -> Text,
        scheduled_at -> UtcMicros,
        started_at -> UtcMicros,
        finished_at -> Nullable<UtcMicros>,
        state -> Text,
        as_of -> Nullable<Date>,
        known_at -> Nullable<BigInt>,
        rules -> Nullable<Document>,
        rules_version -> Nullable<Text>,
        code_version -> Text,
        inputs -> Nullable<Document>,
        input_hash -> Nullable<Text>,
        output_hash -> Nullable<Text>,
        result_hash -> Nullable<Text>,
        summary -> Nullable<Document>,
        error -> Nullable<Text>,
        origin -> Text,
        attempt -> Integer,
        retry_at -> Nullable<UtcMicros>,
        node -> Nullable<Text>,
    }
}

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

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    principals (id) {
        id -> Uid,
        name -> Text,
        role -> Text,
        unit_id -> Nullable<Uid>,
        created_at -> UtcMicros,
        disabled_at -> Nullable<UtcMicros>,
        officer_id -> Nullable<Uid>,
        outside -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    api_tokens (id) {
        id -> Uid,
        principal_id -> Uid,
        hash -> Binary,
        created_at -> UtcMicros,
        expires_at -> Nullable<UtcMicros>,
        revoked_at -> Nullable<UtcMicros>,
        last_used_at -> Nullable<UtcMicros>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    jobs (job) {
        job -> Text,
        since -> UtcMicros,
        paused_at -> Nullable<UtcMicros>,
        paused_by -> Nullable<Text>,
        run_id -> Nullable<Uid>,
        node -> Nullable<Text>,
        lease_until -> Nullable<UtcMicros>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    job_results (run_id, name) {
        run_id -> Uid,
        name -> Text,
        as_of -> Date,
        document -> Document,
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

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::{Uid, UtcMicros};

    trusted_operations (principal_id, signature) {
        principal_id -> Uid,
        signature -> Text,
        name -> Nullable<Text>,
        document -> Text,
        added_at -> UtcMicros,
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

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    audit_log (number) {
        number -> BigInt,
        at -> UtcMicros,
        actor -> Text,
        role -> Nullable<Text>,
        action -> Text,
        operation -> Nullable<Text>,
        objects -> Document,
    }
}

diesel::table! {
    audit_position (id) {
        id -> Integer,
        value -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    seals (chain, number) {
        chain -> Text,
        number -> BigInt,
        after -> BigInt,
        until -> BigInt,
        rows -> BigInt,
        marks -> Binary,
        previous -> Binary,
        hash -> Binary,
        key_version -> Integer,
        signature -> Binary,
        sealed_at -> UtcMicros,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    register_position,
    redactions,
    register_info,
    units,
    unit_parents,
    officers,
    postings,
    enterprises,
    issue_categories,
    workload,
    system_incidents,
    reference_events,
    reference_event_values,
    complaints,
    complaint_sources,
    complaint_officers,
    complaint_events,
    complaint_event_values,
    unit_responses,
    job_runs,
    jobs,
    job_results,
    escalations,
    digests,
    digest_subscriptions,
    deliveries,
    flags,
    flag_assessments,
    flag_reviews,
    principals,
    api_tokens,
    trusted_operations,
    guidance_documents,
    guidance_opinions,
    proposals,
    proposal_categories,
    proposal_units,
    measures,
);
