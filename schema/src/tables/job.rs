//! Tables of jobs, their runs and results.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    jobs (job) {
        job -> Text,
        since -> UtcMicros,
        paused_at -> Nullable<UtcMicros>,
        paused_by -> Nullable<Text>,
        pause_reason -> Nullable<Text>,
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
