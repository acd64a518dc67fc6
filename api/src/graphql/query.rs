//! The query root.

use super::types::analyses::AnalysisQueries;
use super::types::audit::AuditQueries;
use super::types::category::IssueCategoryQueries;
use super::types::complaint::ComplaintQueries;
use super::types::digest::DigestQueries;
use super::types::enterprise::EnterpriseQueries;
use super::types::flag::FlagQueries;
use super::types::guidance::GuidanceDocumentQueries;
use super::types::job_run::JobRunQueries;
use super::types::measure::MeasureQueries;
use super::types::node::NodeQueries;
use super::types::officer::OfficerQueries;
use super::types::principal::PrincipalQueries;
use super::types::proposal::ProposalQueries;
use super::types::receipt::ReceiptQueries;
use super::types::redacted::RedactedQueries;
use super::types::response::UnitResponseQueries;
use super::types::service::ServiceQueries;
use super::types::sql::SqlQueries;
use super::types::statistics::StatisticsQueries;
use super::types::unit::UnitQueries;
use async_graphql::MergedObject;

/// All queries. Each merged object holds the one before it, and the executor descends from the last: what is asked for most,
/// and nests deepest, comes last, so that its futures take the least of a thread's stack.
#[derive(MergedObject, Default)]
pub struct Query(AdministrationQueries, InterventionQueries, ResultQueries, RegisterQueries);

/// The register: complaints and reference data.
#[derive(MergedObject, Default)]
pub struct RegisterQueries(
    RedactedQueries,
    ReceiptQueries,
    UnitResponseQueries,
    IssueCategoryQueries,
    EnterpriseQueries,
    OfficerQueries,
    UnitQueries,
    NodeQueries,
    ComplaintQueries,
);

/// What is computed from the register.
#[derive(MergedObject, Default)]
pub struct ResultQueries(SqlQueries, DigestQueries, JobRunQueries, AnalysisQueries, FlagQueries, StatisticsQueries);

/// What the Board and the units do about complaints.
#[derive(MergedObject, Default)]
pub struct InterventionQueries(GuidanceDocumentQueries, ProposalQueries, MeasureQueries);

/// The service and its principals.
#[derive(MergedObject, Default)]
pub struct AdministrationQueries(AuditQueries, PrincipalQueries, ServiceQueries);
