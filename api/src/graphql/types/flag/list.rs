//! The queries `flags`, `flag`, `flagWithoutEnterprise`, `flagsFound` and `runReproduction`.

use super::{
    Flag, FlagConnection, FlagFilter, FlagOrder, FlagWithoutEnterprise, FlagsFound, FoundFlag, RunReproduction,
};
use crate::graphql::connection::list;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::from_job;
use crate::graphql::filter::Filter;
use crate::graphql::filter::both;
use crate::graphql::input::day;
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{id, parse_id};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::reproduction::{ReplayPosition, reproduce};
use jobs::without_enterprise::without_enterprise;
use jobs::{JobError, flags};
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

    /// One flag by id; null if none exists, or you may not see it.
    async fn flag(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Flag>> {
        let (viewer, reference, id) = (viewer(ctx)?.clone(), snapshot(ctx)?.reference.clone(), parse_id(&id)?);
        let find = move |conn: &mut Conn| queries::flag_by_id(conn, id, viewer.flags(&reference.tree));
        let found = request(ctx)?.read(find).await?;
        Ok(found.map(Flag))
    }

    /// What the numbers of a flag would be without the complaints of one enterprise about its subject, derived again from
    /// the register as the run of the flag knew it. BAD_USER_INPUT if no complaint of the evidence is by the enterprise.
    /// Null if there is no such flag that you may see, or you are an officer: it counts complaints that name you.
    async fn flag_without_enterprise(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "Its tax code. Its branches and the enterprises of its group count as one with it.")]
        tax_code: String,
    ) -> Result<Option<FlagWithoutEnterprise>> {
        let (viewer, reference, id) = (viewer(ctx)?.clone(), snapshot(ctx)?.reference.clone(), parse_id(&id)?);
        if !viewer.sees_every_complaint() {
            return Ok(None);
        }
        let find = move |conn: &mut Conn| queries::flag_by_id(conn, id, viewer.flags(&reference.tree));
        let Some(flag) = request(ctx)?.read(find).await? else { return Ok(None) };
        if let Some(officer) = flag.officer_id {
            request(ctx)?.note_shown(|seen| &mut seen.files, officer);
        }
        let app = request(ctx)?.app.clone();
        let computing = request(ctx)?.compute(move || without_enterprise(&app.db, &flag, &tax_code).map_err(from_job));
        Ok(Some(Box::pin(computing).await?.into()))
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

    /// Derives a run of recurrence again from the register as the run knew it, compares, and stores nothing. Null if
    /// there is no such run with a result, or you are an officer: it counts complaints that name you.
    async fn run_reproduction(&self, ctx: &Context<'_>, id: ID) -> Result<Option<RunReproduction>> {
        let run = parse_id(&id)?;
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let app = request(ctx)?.app.clone();
        let computing = request(ctx)?.compute(move || match reproduce(&app.db, run, ReplayPosition::Recorded) {
            Ok(found) => Ok(Some(RunReproduction(found))),
            Err(JobError::NotFound(_) | JobError::Store(StoreError::NotFound(_))) => Ok(None),
            Err(error) => Err(from_job(error)),
        });
        Box::pin(computing).await
    }
}
