//! The queries `flags`, `flag` and `flagsFound`.

use super::{Flag, FlagConnection, FlagFilter, FlagOrder, FlagsFound, FoundFlag};
use crate::graphql::connection::list;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::input::day;
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{id, parse_id};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::flags;
use schema::enums::SubjectKind;
use schema::{Conn, Id, StoreError, queries};

#[derive(Default)]
pub struct FlagQueries;

#[Object]
impl FlagQueries {
    /// Flags that you may see, the gravest first by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn flags(
        &self,
        ctx: &Context<'_>,
        filter: Option<FlagFilter>,
        order_by: Option<Vec<FlagOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<FlagConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.flags(&reference.tree), filter.condition(&reference)?));
        list::<Flag>(ctx, page, FlagOrder::list(order_by), condition).await
    }

    /// One flag by id; null if there is none, or you may not see it.
    async fn flag(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Flag>> {
        let (viewer, reference, id) = (viewer(ctx)?.clone(), snapshot(ctx)?.reference.clone(), parse_id(&id)?);
        let find = move |conn: &mut Conn| queries::flag_by_id(conn, id, viewer.flags(&reference.tree));
        let found = request(ctx)?.read(find).await?;
        Ok(found.map(Flag))
    }

    /// What the latest recurrence run for a day found, whatever became of the flags since. Null if no run was
    /// for that day, or you are an officer: it counts complaints that name you.
    async fn flags_found(&self, ctx: &Context<'_>, as_of: NaiveDate) -> Result<Option<FlagsFound>> {
        let as_of = day("asOf", as_of)?;
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let found = request(ctx)?
            .read(move |conn| {
                let Some(run) = flags::latest_for(conn, as_of)? else { return Ok::<_, StoreError>(None) };
                Ok(Some((run.id, flags::of_run(conn, run.id)?)))
            })
            .await?;
        let Some((run, found)) = found else { return Ok(None) };
        for stored in &found {
            if stored.kind == SubjectKind::Officer {
                request(ctx)?.note_shown(|seen| &mut seen.files, stored.subject);
            }
            let evidence: Vec<Id> = serde_json::from_value(stored.assessment.evidence.0.clone())?;
            request(ctx)?.note_complaints(evidence);
        }
        let found = found.into_iter().map(FoundFlag::of).collect::<Result<_>>()?;
        Ok(Some(FlagsFound { as_of, run_id: id(run), found }))
    }
}
