//! `node(id:)`: whatever has the id, if the viewer may see it.

use super::context::{request, snapshot, viewer};
use super::query::seen_flag;
use super::types::*;
use crate::access::allowed;
use async_graphql::{Context, Result};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::tables::{
    complaints, digests, enterprises, guidance_documents, job_runs, measures, officers, proposals, unit_responses,
};
use schema::{Conn, Id, StoreError, models};

/// The row of an id, as what it is.
macro_rules! found {
    ($conn:expr, $table:ident, $model:ident, $id:expr) => {{
        let row: Option<models::$model> =
            $table::table.filter($table::id.eq($id)).select(models::$model::as_select()).first($conn).optional()?;
        row
    }};
}

/// The same, if it lies within what is seen.
macro_rules! seen_row {
    ($conn:expr, $table:ident, $model:ident, $id:expr, $seen:expr) => {{
        let mut query = $table::table.into_boxed::<MultiBackend>().filter($table::id.eq($id).nullable());
        if let Some(seen) = $seen {
            query = query.filter(seen);
        }
        query.select(models::$model::as_select()).first($conn).optional()?
    }};
}

pub async fn node(ctx: &Context<'_>, id: Id) -> Result<Option<Node>> {
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
    let seen = move |conn: &mut Conn, id: Id| -> Result<Option<models::Complaint>, StoreError> {
        let mut query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::id.eq(id).nullable());
        if let Some(seen) = scope.condition() {
            query = query.filter(seen);
        }
        Ok(query.select(models::Complaint::as_select()).first(conn).optional()?)
    };
    let find = move |conn: &mut Conn| -> Result<Option<Node>, StoreError> {
        let theirs = (viewer.guidance(&reference.tree), viewer.measures(&reference.tree), viewer.digests());
        if complaints && let Some(row) = seen(conn, id)? {
            return Ok(Some(Node::Complaint(Complaint(row))));
        }
        if complaints
            && let Some(row) = found!(conn, unit_responses, UnitResponse, id)
            && seen(conn, row.complaint_id)?.is_some()
        {
            return Ok(Some(Node::UnitResponse(UnitResponse(row))));
        }
        if officers && let Some(row) = seen_row!(conn, officers, Officer, id, viewer.officers(&reference.tree)) {
            return Ok(Some(Node::Officer(Officer(row))));
        }
        if enterprises
            && let Some(row) = seen_row!(conn, enterprises, Enterprise, id, viewer.enterprises(&reference.tree))
        {
            return Ok(Some(Node::Enterprise(Enterprise(row))));
        }
        if flags && let Some(row) = seen_flag(viewer, reference, id)(conn)? {
            return Ok(Some(Node::Flag(Flag(row))));
        }
        if documents && let Some(row) = seen_row!(conn, guidance_documents, GuidanceDocument, id, theirs.0) {
            return Ok(Some(Node::GuidanceDocument(GuidanceDocument(row))));
        }
        if decided && let Some(row) = seen_row!(conn, measures, Measure, id, theirs.1) {
            return Ok(Some(Node::Measure(Measure(row))));
        }
        if advice && let Some(row) = found!(conn, proposals, Proposal, id) {
            return Ok(Some(Node::Proposal(Proposal(row))));
        }
        if runs && let Some(row) = found!(conn, job_runs, JobRun, id) {
            return Ok(Some(Node::JobRun(JobRun(row))));
        }
        if reports && let Some(row) = seen_row!(conn, digests, Digest, id, theirs.2) {
            return Ok(Some(Node::Digest(Digest(row))));
        }
        Ok(None)
    };
    let found = request(ctx)?.read(find).await?;
    match &found {
        Some(Node::Complaint(Complaint(row))) => request(ctx)?.saw_complaints([row.id]),
        Some(Node::UnitResponse(UnitResponse(row))) => request(ctx)?.saw_complaints([row.complaint_id]),
        _ => {}
    }
    Ok(found)
}
