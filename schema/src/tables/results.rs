//! Runs of jobs, and what they came to.

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
