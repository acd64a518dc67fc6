//! The tables as diesel sees them, described once for both databases (see `crate::sql_types`).

mod access;
mod audit;
mod classification;
mod complaint;
mod corrections;
mod digest;
mod flag;
mod intake;
mod interventions;
mod job;
mod notification;
mod reference;
mod saved_query;

pub use access::{api_tokens, principals, trusted_operations, web_sessions};
pub use audit::{__diesel_schema_migrations, audit_log, audit_position, seals, state_events, state_position};
pub use classification::{category_suggestions, classifications, classifier_models, classifier_weights};
pub use complaint::{
    complaint_clocks, complaint_event_values, complaint_events, complaint_matters, complaint_officers,
    complaint_sources, complaints, escalations, legal_clock, redactions, unit_responses,
};
pub use corrections::{correction_proposal_officers, correction_proposals, merges};
pub use digest::{deliveries, digest_deliveries, digest_subscriptions, digests, reader_digests};
pub use flag::{flag_assessments, flag_reviews, flags};
pub use intake::{attachments, complaint_additions, complaint_links, receipts};
pub use interventions::{
    guidance_documents, guidance_opinions, measure_complaints, measures, proposal_categories, proposal_units, proposals,
};
pub use job::{job_results, job_runs, jobs};
pub use notification::{alerts, notification_endpoints, notifications};
pub use reference::{
    deferred_indexes, enterprises, holiday_years, issue_categories, officers, postings, reference_event_values,
    reference_events, register_info, register_position, routing_rules, system_incidents, unit_parents, units, workload,
};
pub use saved_query::{saved_queries, saved_query_versions};

diesel::allow_tables_to_appear_in_same_query!(
    register_position,
    deferred_indexes,
    redactions,
    register_info,
    units,
    unit_parents,
    officers,
    postings,
    enterprises,
    issue_categories,
    routing_rules,
    holiday_years,
    workload,
    system_incidents,
    reference_events,
    reference_event_values,
    complaints,
    complaint_sources,
    complaint_officers,
    complaint_matters,
    complaint_clocks,
    legal_clock,
    complaint_events,
    complaint_event_values,
    unit_responses,
    receipts,
    complaint_additions,
    attachments,
    complaint_links,
    job_runs,
    jobs,
    job_results,
    escalations,
    digests,
    digest_subscriptions,
    deliveries,
    reader_digests,
    notification_endpoints,
    notifications,
    alerts,
    flags,
    flag_assessments,
    flag_reviews,
    principals,
    api_tokens,
    trusted_operations,
    web_sessions,
    guidance_documents,
    guidance_opinions,
    proposals,
    proposal_categories,
    proposal_units,
    measures,
    classifier_models,
    classifier_weights,
    classifications,
    category_suggestions,
    measure_complaints,
    correction_proposals,
    correction_proposal_officers,
    merges,
    saved_queries,
    saved_query_versions,
);
