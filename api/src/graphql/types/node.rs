//! What has an id that is the only one of its kind: the Node of the Relay specification.

use super::{
    Complaint, Digest, Enterprise, Flag, GuidanceDocument, IssueCategory, JobRun, Measure, Officer, Proposal, Unit,
    UnitResponse,
};
use async_graphql::{ID, Interface};

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID"))]
pub enum Node {
    Complaint(Complaint),
    Digest(Digest),
    Enterprise(Enterprise),
    Flag(Flag),
    GuidanceDocument(GuidanceDocument),
    IssueCategory(IssueCategory),
    JobRun(JobRun),
    Measure(Measure),
    Officer(Officer),
    Proposal(Proposal),
    Unit(Unit),
    UnitResponse(UnitResponse),
}
