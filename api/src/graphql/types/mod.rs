//! GraphQL types, each its own struct around what is stored.

mod access;
mod analyses;
mod complaint;
mod control;
mod digest;
mod evidence;
mod flag;
mod found;
mod guidance;
mod job_run;
mod measure;
mod node;
mod people;
mod proposal;
mod receipt;
mod redacted;
mod response;
mod scorecard;
mod sql;
mod statistics;
mod unit;

pub use access::{AuditEntry, AuditEntryConnection, AuditEntryEdge, Principal, PrincipalConnection, PrincipalEdge};
pub use analyses::{BacktestOutcome, BlameCheck, CategoryTrends, ResponseTimeliness, UnitLevel};
pub use complaint::{Complaint, ComplaintConnection, ComplaintEdge, end_of_responses};
pub use control::{CusumSeries, FunnelPlot};
pub use digest::{Digest, DigestConnection, DigestEdge};
pub use evidence::FlagReview;
pub use flag::{Flag, FlagConnection, FlagEdge};
pub use found::{FlagsFound, FoundFlag};
pub use guidance::{GuidanceDocument, GuidanceDocumentConnection, GuidanceDocumentEdge};
pub use job_run::{JobRun, JobRunConnection, JobRunEdge};
pub use measure::{Measure, MeasureConnection, MeasureEdge};
pub use node::Node;
pub use people::{
    Enterprise, EnterpriseConnection, EnterpriseEdge, IssueCategory, IssueCategoryConnection, IssueCategoryEdge,
    Officer, OfficerConnection, OfficerEdge,
};
pub use proposal::{Proposal, ProposalConnection, ProposalEdge};
pub use receipt::Receipt;
pub use redacted::{RedactedComplaint, RedactedComplaintConnection, RedactedComplaintEdge, month_of};
pub use response::{UnitResponse, UnitResponseConnection, UnitResponseEdge};
pub use scorecard::Scorecard;
pub use sql::SqlAnswer;
pub use statistics::ComplaintStatistics;
pub use unit::{Unit, UnitConnection, UnitEdge};
