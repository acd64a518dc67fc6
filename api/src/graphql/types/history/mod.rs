//! The history of complaints and of reference data: every step, with who did it, when, and what changed.
//!
//! [`rights`] says what a viewer may read. [`entries`] makes the entries of a complaint of its events, and
//! [`changed_fields`] compares the fields of one. [`reference`] makes the entries of units, officers, categories,
//! enterprises and holidays. [`totals`] counts the events of complaints. [`change`] and [`actor`] are the types that both kinds of entries share.

mod actor;
mod change;
mod changed_fields;
mod complaint;
mod entries;
mod reference;
mod rights;
mod totals;
mod values;

use crate::graphql::connection::{Connects, Counter, assemble};
use crate::graphql::context::request;
use crate::graphql::error::refuse;
use crate::graphql::execute::ListNode;
use crate::graphql::page::{Beyond, PageArgs, Place, SortDirection};
use async_graphql::{Context, Result};
use schema::queries::Key;
use schema::refusal::FilterRefusal;

pub use complaint::{ComplaintHistoryConnection, history_of_complaint};
pub use reference::{Recorded, ReferenceHistoryConnection, history_of_reference};
pub use totals::RegisterChangeQueries;

/// A page of the entries of a history, each with its place, which its cursor holds; `entries` are in the order of the
/// register.
///
/// # Errors
/// BAD_USER_INPUT if a page argument is wrong.
fn page<E: Clone, N: Connects>(
    ctx: &Context<'_>,
    entries: &[E],
    place: impl Fn(&E) -> (i64, i64),
    direction: SortDirection,
    arguments: &PageArgs,
    node: impl Fn(E) -> N,
) -> Result<N::Connection> {
    let request = request(ctx)?;
    let window = arguments.window(request.limits.page_size, request.cursors())?;
    let index_of = |keys: &Option<Vec<Key>>| match keys.as_deref() {
        None => Ok(None),
        Some([Key::Int(position), Key::Int(number)]) => Ok(Some((*position, *number))),
        Some(_) => Err(refuse(FilterRefusal::OfAnotherList)),
    };
    let (after, before) = (index_of(&window.after)?, index_of(&window.before)?);
    let follows = |one: (i64, i64), other: (i64, i64)| match direction {
        SortDirection::Asc => one > other,
        SortDirection::Desc => one < other,
    };
    let is_within = |entry: &&E| {
        let at = place(entry);
        after.is_none_or(|after| follows(at, after)) && before.is_none_or(|before| follows(before, at))
    };
    let mut rows: Vec<&E> = entries.iter().filter(is_within).collect();
    if direction == SortDirection::Desc {
        rows.reverse();
    }
    let beyond = rows.len().saturating_sub(window.limit);
    if window.backward {
        rows.drain(..beyond);
    } else {
        rows.truncate(window.limit);
    }
    let edges = rows.into_iter().map(|entry| {
        let (position, number) = place(entry);
        let cursor = request.cursors().at(Place::Keys(vec![Key::Int(position), Key::Int(number)]));
        (cursor, ListNode::from(node(entry.clone())))
    });
    let number = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    Ok(assemble::<N>(edges, Beyond::window(&window, beyond > 0), Counter::Known(number)))
}
