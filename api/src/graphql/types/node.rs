//! The `Node` interface of the Relay specification, and the query `node`.

use super::{
    Complaint, Digest, Enterprise, Flag, GuidanceDocument, IssueCategory, JobRun, Measure, Officer, Proposal, Unit,
    UnitResponse,
};
use crate::access::allowed;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, Interface, Object, Result};
use schema::queries::{
    complaint_by_id, digest_by_id, enterprise_by_id, flag_by_id, guidance_document_by_id, job_run_by_id, measure_by_id,
    officer_by_id, proposal_by_id, unit_response_by_id,
};
use schema::{Conn, Id, StoreError};

/// An object with a globally unique id.
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

#[derive(Default)]
pub struct NodeQueries;

#[Object]
impl NodeQueries {
    /// The object with this id; null if none exists, or you may not see it.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        find_node(ctx, parse_id(&id)?).await
    }
}

async fn find_node(ctx: &Context<'_>, id: Id) -> Result<Option<Node>> {
    let viewer = viewer(ctx)?.clone();
    let reference = snapshot(ctx)?.reference.clone();
    let may = |list: &str| allowed(viewer.role, "Query", list);
    if let Some(unit) = reference.unit_index(id).and_then(|index| reference.units.get(index as usize)) {
        return Ok(may("unit").then(|| Node::Unit(Unit(unit.clone()))));
    }
    if let Some(category) = reference.category_index(id).and_then(|index| reference.categories.get(index as usize)) {
        return Ok(may("issueCategories").then(|| Node::IssueCategory(IssueCategory(category.clone()))));
    }
    // By the lists: an ADMIN may ask for an officer by code alone.
    let (complaints, officers, enterprises) = (may("complaint"), may("officers"), may("enterprises"));
    let (flags, runs, reports) = (may("flag"), may("jobRuns"), may("digests"));
    let (documents, advice, decided) = (may("guidanceDocuments"), may("proposals"), may("measures"));
    let scope = viewer.scope(&reference.tree);
    let find = move |conn: &mut Conn| -> Result<Option<Node>, StoreError> {
        let tree = &reference.tree;
        if complaints && let Some(row) = complaint_by_id(conn, id, scope.condition())? {
            return Ok(Some(Node::Complaint(Complaint(row))));
        }
        if complaints
            && let Some(row) = unit_response_by_id(conn, id)?
            && complaint_by_id(conn, row.complaint_id, scope.condition())?.is_some()
        {
            return Ok(Some(Node::UnitResponse(UnitResponse(row))));
        }
        if officers && let Some(row) = officer_by_id(conn, id, viewer.officers(tree))? {
            return Ok(Some(Node::Officer(Officer(row))));
        }
        if enterprises && let Some(row) = enterprise_by_id(conn, id, viewer.enterprises(tree))? {
            return Ok(Some(Node::Enterprise(Enterprise(row))));
        }
        if flags && let Some(row) = flag_by_id(conn, id, viewer.flags(tree))? {
            return Ok(Some(Node::Flag(Flag(row))));
        }
        if documents && let Some(row) = guidance_document_by_id(conn, id, viewer.guidance(tree))? {
            return Ok(Some(Node::GuidanceDocument(GuidanceDocument(row))));
        }
        if decided && let Some(row) = measure_by_id(conn, id, viewer.measures(tree))? {
            return Ok(Some(Node::Measure(Measure(row))));
        }
        if advice && let Some(row) = proposal_by_id(conn, id)? {
            return Ok(Some(Node::Proposal(Proposal(row))));
        }
        if runs && let Some(row) = job_run_by_id(conn, id)? {
            return Ok(Some(Node::JobRun(JobRun(row))));
        }
        if reports && let Some(row) = digest_by_id(conn, id, viewer.digests())? {
            return Ok(Some(Node::Digest(Digest(row))));
        }
        Ok(None)
    };
    let found = request(ctx)?.read(find).await?;
    match &found {
        Some(Node::Complaint(Complaint(row))) => request(ctx)?.note_complaints([row.id]),
        Some(Node::UnitResponse(UnitResponse(row))) => request(ctx)?.note_complaints([row.complaint_id]),
        _ => {}
    }
    Ok(found)
}
