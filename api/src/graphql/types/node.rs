//! The `Node` interface of the Relay specification, and the query `node`.

use super::flag::visible_flag;
use super::{
    Complaint, Digest, Enterprise, Flag, GuidanceDocument, IssueCategory, JobRun, Measure, Officer, Proposal, Unit,
    UnitResponse,
};
use crate::access::allowed;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, Interface, Object, Result};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::tables::{
    complaints, digests, enterprises, guidance_documents, job_runs, measures, officers, proposals, unit_responses,
};
use schema::{Conn, Id, StoreError, models};

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
    /// The object with this id; null if there is none, or you may not see it.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        find_node(ctx, parse_id(&id)?).await
    }
}

/// The row of a table with an id, if there is one.
macro_rules! found {
    ($conn:expr, $table:ident, $model:ident, $id:expr) => {{
        let row: Option<models::$model> =
            $table::table.filter($table::id.eq($id)).select(models::$model::as_select()).first($conn).optional()?;
        row
    }};
}

/// The same, within a row scope.
macro_rules! visible_row {
    ($conn:expr, $table:ident, $model:ident, $id:expr, $visible:expr) => {{
        let mut query = $table::table.into_boxed::<MultiBackend>().filter($table::id.eq($id).nullable());
        if let Some(visible) = $visible {
            query = query.filter(visible);
        }
        query.select(models::$model::as_select()).first($conn).optional()?
    }};
}

async fn find_node(ctx: &Context<'_>, id: Id) -> Result<Option<Node>> {
    let viewer = viewer(ctx)?.clone();
    let reference = snapshot(ctx)?.reference.clone();
    let may = |list: &str| allowed(viewer.role, "Query", list);
    if let Some(unit) = reference.unit_place(id).and_then(|place| reference.units.get(place as usize)) {
        return Ok(may("unit").then(|| Node::Unit(Unit(unit.clone()))));
    }
    if let Some(category) = reference.category_place(id).and_then(|place| reference.categories.get(place as usize)) {
        return Ok(may("issueCategories").then(|| Node::IssueCategory(IssueCategory(category.clone()))));
    }
    let (complaints, officers, enterprises) = (may("complaint"), may("officer"), may("enterprises"));
    let (flags, runs, reports) = (may("flag"), may("jobRuns"), may("digests"));
    let (documents, advice, decided) = (may("guidanceDocuments"), may("proposals"), may("measures"));
    let scope = viewer.scope(&reference.tree);
    let visible_complaint = move |conn: &mut Conn, id: Id| -> Result<Option<models::Complaint>, StoreError> {
        let mut query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::id.eq(id).nullable());
        if let Some(visible) = scope.condition() {
            query = query.filter(visible);
        }
        Ok(query.select(models::Complaint::as_select()).first(conn).optional()?)
    };
    let find = move |conn: &mut Conn| -> Result<Option<Node>, StoreError> {
        let conditions = (viewer.guidance(&reference.tree), viewer.measures(&reference.tree), viewer.digests());
        if complaints && let Some(row) = visible_complaint(conn, id)? {
            return Ok(Some(Node::Complaint(Complaint(row))));
        }
        if complaints
            && let Some(row) = found!(conn, unit_responses, UnitResponse, id)
            && visible_complaint(conn, row.complaint_id)?.is_some()
        {
            return Ok(Some(Node::UnitResponse(UnitResponse(row))));
        }
        if officers && let Some(row) = visible_row!(conn, officers, Officer, id, viewer.officers(&reference.tree)) {
            return Ok(Some(Node::Officer(Officer(row))));
        }
        if enterprises
            && let Some(row) = visible_row!(conn, enterprises, Enterprise, id, viewer.enterprises(&reference.tree))
        {
            return Ok(Some(Node::Enterprise(Enterprise(row))));
        }
        if flags && let Some(row) = visible_flag(viewer, reference, id)(conn)? {
            return Ok(Some(Node::Flag(Flag(row))));
        }
        if documents && let Some(row) = visible_row!(conn, guidance_documents, GuidanceDocument, id, conditions.0) {
            return Ok(Some(Node::GuidanceDocument(GuidanceDocument(row))));
        }
        if decided && let Some(row) = visible_row!(conn, measures, Measure, id, conditions.1) {
            return Ok(Some(Node::Measure(Measure(row))));
        }
        if advice && let Some(row) = found!(conn, proposals, Proposal, id) {
            return Ok(Some(Node::Proposal(Proposal(row))));
        }
        if runs && let Some(row) = found!(conn, job_runs, JobRun, id) {
            return Ok(Some(Node::JobRun(JobRun(row))));
        }
        if reports && let Some(row) = visible_row!(conn, digests, Digest, id, conditions.2) {
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
