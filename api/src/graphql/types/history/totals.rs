//! Counts how often complaints changed between two positions of the register.

use super::entries::ComplaintHistoryKind;
use crate::graphql::context::{request, viewer};
use async_graphql::{Context, Object, Result, SimpleObject};
use schema::enums::ComplaintEventKind;
use schema::queries::event_counts_between;

/// A kind of change of complaints, and how often it happened.
#[derive(SimpleObject)]
pub struct RegisterChange {
    kind: ComplaintHistoryKind,
    changes: i64,
}

#[derive(Default)]
pub struct RegisterChangeQueries;

#[Object]
impl RegisterChangeQueries {
    /// How often complaints changed after a position of the register, and up to another one, by kind; without
    /// escalations. Null if you are an officer: it counts changes of complaints that name you.
    async fn register_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Exclusive lower position; -1 counts from the beginning.")] after: i64,
        until: i64,
    ) -> Result<Option<Vec<RegisterChange>>> {
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let counts = request(ctx)?.read(move |conn| event_counts_between(conn, after, until)).await?;
        let change_of = |(word, changes): (String, i64)| {
            let kind: ComplaintEventKind = word.parse().ok()?;
            Some(RegisterChange { kind: kind.into(), changes })
        };
        Ok(Some(counts.into_iter().filter_map(change_of).collect()))
    }
}
