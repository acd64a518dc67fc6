//! Confidential complaints, as far as a unit may read them.

use super::both;
use crate::graphql::connection::Counter;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::bad_input;
use crate::graphql::filters::RedactedComplaintFilter;
use crate::graphql::page::{Cursor, PageArgs, PageInfo, Place};
use crate::graphql::types::{RedactedComplaint, RedactedComplaintConnection, RedactedComplaintEdge};
use async_graphql::{Context, Object, Result};
use diesel::prelude::*;
use schema::StoreError;
use schema::db::MultiBackend;
use schema::queries::{self, ComplaintSort, Direction, Key, Pred, in_select};
use schema::tables::{complaints, redactions};
use std::sync::Arc;

/// What its cursors are of.
const LIST: &str = "redacted";

#[derive(Default)]
pub struct RedactedQuery;

#[Object]
impl RedactedQuery {
    /// Confidential complaints about your unit and those below it whose text the Board has redacted, the latest first.
    async fn redacted_complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<RedactedComplaintFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<RedactedComplaintConnection> {
        let request = request(ctx)?;
        // Cursors hold the time of a complaint, and pseudonyms stand for it: both need a key.
        request.keys()?;
        let known = Arc::clone(&snapshot(ctx)?.reference);
        let scope = viewer(ctx)?.scope(&known.tree);
        let condition = Arc::new(move || {
            let redacted = redactions::table.into_boxed::<MultiBackend>().select(redactions::complaint_id);
            let seen: Pred<complaints::table> = Box::new(scope.confidential().and(in_select(complaints::id, redacted)));
            let own = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            Ok::<_, StoreError>(both!(Some(seen), own))
        });
        let sealer = &request.app.cursors;
        let mut window = PageArgs { first, last, ..PageArgs::default() }.window(request.limits.page_size, sealer)?;
        // Its cursors are of this list alone: in another they would tell when a complaint was received.
        let keys_of = |name: &str, cursor: Option<String>| -> Result<Option<Vec<Key>>> {
            let Some(cursor) = cursor else { return Ok(None) };
            let (list, keys): (String, Vec<Key>) = sealer.decode(name, &cursor)?;
            if list != LIST {
                return Err(bad_input(format!("{name} is no cursor of this list")));
            }
            Ok(Some(keys))
        };
        (window.after, window.before) = (keys_of("after", after)?, keys_of("before", before)?);
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
        let keys = |row| sealer.at(Place::Of(LIST, ComplaintSort::keys(&order, row)));
        let cursors: Vec<Cursor> = slice.rows.iter().map(keys).collect();
        let page_info = PageInfo::new(&slice, &window, &cursors);
        request.saw_complaints(slice.rows.iter().map(|row| row.id));
        let edges = slice.rows.into_iter().zip(cursors).filter_map(|(complaint, cursor)| {
            let text = texts.remove(&complaint.id)?.text;
            Some(RedactedComplaintEdge { cursor, node: RedactedComplaint { complaint, text } })
        });
        let counter = Counter::Query(Arc::new(move |conn| queries::count_complaints(conn, condition()?)));
        Ok(RedactedComplaintConnection { edges: edges.collect(), page_info, counter })
    }
}
