//! The query `redactedComplaints`: confidential complaints as far as a unit may read them.

use super::{RedactedComplaint, RedactedComplaintConnection, RedactedComplaintFilter, month_of};
use crate::graphql::connection::{Counter, assemble};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::refuse;
use crate::graphql::execute::ListNode;
use crate::graphql::filter::Filter;
use crate::graphql::page::{Beyond, PageArgs, Place};
use async_graphql::{Context, Error, Object, Result};
use schema::pseudonyms::Subject;
use schema::queries::{Key, Slice, Window};
use schema::refusal::FilterRefusal;
use schema::{Conn, Id, Timestamp, queries};
use std::cmp::Reverse;
use std::sync::Arc;

/// The name of this list in its cursors.
const LIST: &str = "redacted";

/// The sort key: the latest month first, then the pseudonym. An order by the time itself would tell more than
/// the month that is shown.
type SortKey = (Reverse<String>, String);

/// Refuses a cursor; `name` is the argument that held it.
fn of_another_list(name: &str) -> Error {
    refuse(FilterRefusal::NotOfThisList { field: name.to_owned() })
}

#[derive(Default)]
pub struct RedactedQueries;

#[Object]
impl RedactedQueries {
    /// Confidential complaints about your unit and the units below it, or that they have to answer, that the Board
    /// has redacted, the latest month first. FORBIDDEN if the server has no key file.
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
        let pseudonyms = request.pseudonyms()?.clone();
        let reference = Arc::clone(&snapshot(ctx)?.reference);
        let scope = viewer(ctx)?.scope(&reference.tree);
        let sealer = request.cursors();
        let window = PageArgs { first, last, ..PageArgs::default() }.window(request.limits.page_size, sealer)?;
        // No other list accepts these cursors: there they would tell more of a complaint than is shown here.
        let cursor_key = |name: &str, cursor: Option<String>| -> Result<Option<SortKey>> {
            let Some(cursor) = cursor else { return Ok(None) };
            match sealer.decode::<(String, Vec<Key>)>(name, &cursor)? {
                (list, keys) if list == LIST => match <[Key; 2]>::try_from(keys) {
                    Ok([Key::Text(month), Key::Text(pseudonym)]) => Ok(Some((Reverse(month), pseudonym))),
                    _ => Err(of_another_list(name)),
                },
                _ => Err(of_another_list(name)),
            }
        };
        let (after, before) = (cursor_key("after", after)?, cursor_key("before", before)?);
        let window =
            Window { after: after.as_ref().map(|_| Vec::new()), before: before.as_ref().map(|_| Vec::new()), ..window };
        let part = window.clone();
        let read = move |conn: &mut Conn| {
            let condition = filter.condition(&reference)?;
            // A person redacted each of them, so there are few.
            let all = queries::times_of_redacted_complaints(conn, scope.confidential(), condition)?;
            let number = i64::try_from(all.len()).unwrap_or(i64::MAX);
            let sort_key =
                |(id, at): (Id, Timestamp)| ((Reverse(month_of(at)), pseudonyms.of(Subject::Complaint, id)), id);
            let mut all: Vec<(SortKey, Id)> = all.into_iter().map(sort_key).collect();
            all.retain(|(at, _)| {
                after.as_ref().is_none_or(|after| at > after) && before.as_ref().is_none_or(|before| at < before)
            });
            all.sort_unstable();
            let more = all.len() > part.limit;
            if part.backward {
                all.drain(..all.len().saturating_sub(part.limit));
            } else {
                all.truncate(part.limit);
            }
            let ids: Vec<Id> = all.iter().map(|(_, id)| *id).collect();
            let rows = queries::complaints_of_page(conn, &ids)?;
            let texts = queries::redactions_of(conn, &ids)?;
            Ok((Slice { rows: all, more }, rows, texts, number))
        };
        let (slice, mut rows, mut texts, number) = request.read(read).await?;
        request.note_complaints(slice.rows.iter().map(|(_, id)| *id));
        let edges = slice.rows.into_iter().filter_map(|((Reverse(month), pseudonym), id)| {
            let (complaint, text) = (rows.remove(&id)?, texts.remove(&id)?.text);
            let cursor = sealer.at(Place::Of(LIST, vec![Key::Text(month), Key::Text(pseudonym)]));
            Some((cursor, ListNode::from(RedactedComplaint { complaint, text })))
        });
        Ok(assemble::<RedactedComplaint>(edges, Beyond::window(&window, slice.more), Counter::Known(number)))
    }
}
