//! The types of the GraphQL schema, a file or a folder for each subject: the type with its fields, its lists, filter,
//! orders, inputs and mutations. Types refer to one another, so these modules do, too. The roots merge the queries and
//! the mutations of all subjects.

pub mod administration;
pub mod alert;
pub mod alert_subscription;
pub mod analyses;
pub mod attachment;
pub mod audit;
pub mod category;
pub mod classification;
pub mod complainant;
pub mod complaint;
pub mod correction;
pub mod digest;
pub mod digest_delivery;
pub mod digest_subscription;
pub mod digest_suspension;
pub mod duplicate;
pub mod enterprise;
pub mod escalation;
pub mod flag;
pub mod guidance;
pub mod history;
pub mod job;
pub mod job_run;
pub mod measure;
pub mod merge;
pub mod node;
pub mod notification;
pub mod officer;
pub mod order;
pub mod principal;
pub mod proposal;
pub mod reader_digest;
pub mod receipt;
pub mod redacted;
pub mod response;
pub mod routing;
pub mod saved_query;
pub mod service;
pub mod sql;
pub mod statistics;
pub mod unit;

pub use alert::Alert;
pub use analyses::{CusumSeries, Scorecard};
pub use category::{CategoryFilter, IssueCategory};
pub use complaint::{Complaint, ComplaintConnection, ComplaintFilter, ComplaintOrder, ResponsibleUnitOps};
pub use digest::Digest;
pub use enterprise::{Enterprise, EnterpriseFilter};
pub use escalation::Escalation;
pub use flag::Flag;
pub use guidance::GuidanceDocument;
pub use job_run::JobRun;
pub use measure::Measure;
pub use officer::{Officer, OfficerFilter};
pub use proposal::Proposal;
pub use receipt::Receipt;
pub use response::{ResponseFilter, UnitResponse, UnitResponseConnection, UnitResponseOrder};
pub use unit::{Unit, UnitFilter};

use async_graphql::MergedObject;

// Each merged object holds the one before it, and the executor descends from the last: what is asked for most, and
// nests deepest, comes last, so that its futures take the least of a thread's stack.
/// All queries.
#[derive(MergedObject, Default)]
pub struct Query(AdministrationQueries, InterventionQueries, ResultQueries, RegisterQueries);

/// The register: complaints and reference data.
#[derive(MergedObject, Default)]
pub struct RegisterQueries(
    redacted::RedactedQueries,
    receipt::ReceiptQueries,
    classification::QueueQueries,
    complainant::ComplainantQueries,
    duplicate::DuplicateQueries,
    response::UnitResponseQueries,
    escalation::EscalationQueries,
    category::IssueCategoryQueries,
    enterprise::EnterpriseQueries,
    officer::OfficerQueries,
    unit::UnitQueries,
    node::NodeQueries,
    complaint::ComplaintQueries,
);

/// Results that are computed from the register.
#[derive(MergedObject, Default)]
pub struct ResultQueries(
    saved_query::SavedQueryQueries,
    sql::SqlQueries,
    classification::EmergingQueries,
    digest_delivery::DigestDeliveryQueries,
    digest_subscription::DigestSubscriptionQueries,
    digest::DigestQueries,
    history::RegisterChangeQueries,
    alert_subscription::AlertSubscriptionQueries,
    alert::AlertQueries,
    job_run::JobRunQueries,
    analyses::AnalysisQueries,
    flag::FlagQueries,
    statistics::StatisticsQueries,
);

/// Interventions of the Board and the units.
#[derive(MergedObject, Default)]
pub struct InterventionQueries(
    merge::MergeQueries,
    correction::CorrectionQueries,
    guidance::GuidanceDocumentQueries,
    proposal::ProposalQueries,
    measure::MeasureQueries,
);

/// The service and its principals.
#[derive(MergedObject, Default)]
pub struct AdministrationQueries(
    audit::AuditQueries,
    principal::PrincipalQueries,
    notification::NotificationQueries,
    routing::RoutingQueries,
    administration::HolidayQueries,
    job::JobQueries,
    service::ServiceQueries,
);

// As in `Query`, what nests deepest comes last.
/// All mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    AdministrationMutations,
    principal::TokenMutations,
    alert_subscription::AlertSubscriptionMutations,
    digest_subscription::DigestSubscriptionMutations,
    routing::RoutingMutations,
    saved_query::SavedQueryMutations,
    merge::MergeMutations,
    guidance::GuidanceMutations,
    proposal::ProposalMutations,
    measure::MeasureMutations,
    redacted::RedactedMutations,
    flag::FlagMutations,
    classification::ClassificationMutations,
    complainant::ComplainantMutations,
    receipt::ReceiptMutations,
    duplicate::DuplicateMutations,
    complaint::SubmitMutations,
    response::UnitResponseMutations,
    complaint::TransferMutations,
    correction::CorrectionMutations,
    complaint::ComplaintMutations,
);

/// Changes by an ADMIN other than those of tokens.
#[derive(MergedObject, Default)]
pub struct AdministrationMutations(
    administration::ReorganisationMutations,
    administration::HolidayMutations,
    administration::OfficerMutations,
    administration::CategoryMutations,
    administration::UnitMutations,
    notification::NotificationMutations,
    job::JobMutations,
);
