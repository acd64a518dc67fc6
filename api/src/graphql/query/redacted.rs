//! Confidential complaints, as far as a unit may read them.

use crate::graphql::connection::Counter;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::page::{Cursor, PageArgs, PageInfo, Place};
use crate::graphql::types::{RedactedComplaint, RedactedComplaintConnection, RedactedComplaintEdge};
use async_graphql::{Context, Object, Result};
use diesel::prelude::*;
use schema::StoreError;
use schema::db::MultiBackend;
use schema::queries::{self, ComplaintSort, Direction, Pred, in_select};
use schema::tables::{complaints, redactions};
use std::sync::Arc;

#[derive(Default)]
pub struct RedactedQuery;

#[Object]
impl RedactedQuery {
    /// Confidential complaints about your unit and those below it whose text the Board has redacted, the latest first.
    async fn redacted_complaints(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<RedactedComplaintConnection> {
        let request = request(ctx)?;
        // Cursors hold the time of a complaint, and pseudonyms stand for it: both need a key.
        request.keys()?;
        let scope = viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree);
        let condition = Arc::new(move || {
            let redacted = redactions::table.into_boxed::<MultiBackend>().select(redactions::complaint_id);
            let seen: Pred<complaints::table> = Box::new(scope.confidential().and(in_select(complaints::id, redacted)));
            Ok::<_, StoreError>(Some(seen))
        });
        let sealer = &request.app.cursors;
        let window = PageArgs { first, after, last, before }.window(request.limits.page_size, sealer)?;
        let order = [(ComplaintSort::ReceivedAt, Direction::Desc)];
        let (make, part) = (Arc::clone(&condition), window.clone());
        let (slice, mut texts) = request
            .read(move |conn| {
                let slice = queries::list_complaints(conn, make()?, &order, &part)?;
                let ids: Vec<schema::Id> = slice.rows.iter().map(|row| row.id).collect();
                let texts = queries::redactions_of(conn, &ids)?;
                Ok((slice, texts))
            })
            .await?;
        let keys = |row| sealer.at(Place::Keys(ComplaintSort::keys(&order, row)));
        let cursors: Vec<Cursor> = slice.rows.iter().map(keys).collect();
        let page_info = PageInfo::new(&slice, &window, &cursors);
        let edges = slice.rows.into_iter().zip(cursors).filter_map(|(complaint, cursor)| {
            let text = texts.remove(&complaint.id)?.text;
            Some(RedactedComplaintEdge { cursor, node: RedactedComplaint { complaint, text } })
        });
        let counter = Counter::Query(Arc::new(move |conn| queries::count_complaints(conn, condition()?)));
        Ok(RedactedComplaintConnection { edges: edges.collect(), page_info, counter })
    }
}
