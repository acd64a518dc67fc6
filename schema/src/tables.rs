//! The tables as diesel sees them: one description for both databases, see `crate::sql_types`.

mod access;
mod interventions;
mod reference;
mod register;
mod results;

pub use access::{
    __diesel_schema_migrations, api_tokens, audit_log, audit_position, principals, seals, state_events, state_position,
    trusted_operations,
};
pub use interventions::{
    guidance_documents, guidance_opinions, measures, proposal_categories, proposal_units, proposals,
};
pub use reference::{
    enterprises, issue_categories, officers, postings, reference_event_values, reference_events, register_info,
    register_position, system_incidents, unit_parents, units, workload,
};
pub use register::{
    complaint_event_values, complaint_events, complaint_matters, complaint_officers, complaint_sources, complaints,
    escalations, redactions, unit_responses,
};
pub use results::{
    deliveries, digest_subscriptions, digests, flag_assessments, flag_reviews, flags, job_results, job_runs, jobs,
};

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
    complaint_matters,
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
