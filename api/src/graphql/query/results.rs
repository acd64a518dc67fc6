//! What jobs found.

use super::sort_fields::*;
use super::{both, seen_flag};
use crate::graphql::connection::connect;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::filters::*;
use crate::graphql::input::day;
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{id, parse_id};
use crate::graphql::statistics::{self};
use crate::graphql::types::*;
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use diesel::prelude::*;
use jobs::analyses::backtest::{History, Question, backtest};
use jobs::facts::frames::day_number;
use jobs::flags;
use jobs::scheduled::blame::{Blame, BlameDocument, blame_check_without};
use jobs::scheduled::recurrence::RecurrenceDocument;
use jobs::scheduled::trends::trends;
use jobs::scheduled::{latest_result, timeliness};
use schema::StoreError;
use schema::domain::ids::reference_id;
use schema::enums::SubjectKind;
use schema::events::Entity;
use schema::queries;

#[derive(Default)]
pub struct ResultsQuery;

#[Object]
impl ResultsQuery {
    /// Flags, the gravest first.
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
        let viewer = viewer(ctx)?.clone();
        let known = snapshot(ctx)?.reference.clone();
        let make = move || {
            let asked = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            Ok::<_, StoreError>(both!(viewer.flags(&known.tree), asked))
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            FlagOrder::list(order_by),
            queries::list_flags,
            queries::count_flags,
            queries::FlagSort,
            Flag,
            FlagConnection,
            FlagEdge
        )
    }

    async fn flag(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Flag>> {
        let seen = seen_flag(viewer(ctx)?.clone(), snapshot(ctx)?.reference.clone(), parse_id(&id)?);
        let found = request(ctx)?.read(seen).await?;
        Ok(found.map(Flag))
    }

    /// What the last run of the recurrence job for a day found, whatever stands today; null where none is for that day, and
    /// where you are an officer: it counts complaints that name you.
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
                request(ctx)?.saw(|seen| &mut seen.files, stored.subject);
            }
            let evidence: Vec<schema::Id> = serde_json::from_value(stored.assessment.evidence.0.clone())?;
            request(ctx)?.saw_complaints(evidence);
        }
        let found = found.into_iter().map(FoundFlag::of).collect::<Result<_>>()?;
        Ok(Some(FlagsFound { as_of, run_id: id(run), found }))
    }

    /// Runs of jobs, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn job_runs(
        &self,
        ctx: &Context<'_>,
        filter: Option<JobRunFilter>,
        order_by: Option<Vec<JobRunOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<JobRunConnection> {
        viewer(ctx)?;
        let make = move || filter.as_ref().map_or(Ok(None), JobRunFilter::condition);
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            JobRunOrder::list(order_by),
            queries::list_job_runs,
            queries::count_job_runs,
            queries::JobRunSort,
            JobRun,
            JobRunConnection,
            JobRunEdge
        )
    }

    /// The Board's digests, the latest first. None where you are an officer: their totals count complaints that name you.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn digests(
        &self,
        ctx: &Context<'_>,
        filter: Option<DigestFilter>,
        order_by: Option<Vec<DigestOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<DigestConnection> {
        let viewer = viewer(ctx)?.clone();
        let make = move || {
            let asked = filter.as_ref().map_or(Ok(None), DigestFilter::condition)?;
            Ok::<_, StoreError>(both!(viewer.digests(), asked))
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            DigestOrder::list(order_by),
            queries::list_digests,
            queries::count_digests,
            queries::DigestSort,
            Digest,
            DigestConnection,
            DigestEdge
        )
    }

    /// Observed against expected of all branches, from the latest run of the recurrence job; null before the
    /// first run, where no exposure is known, and where you are an officer: it counts complaints that name you.
    async fn funnel_plot(&self, ctx: &Context<'_>) -> Result<Option<FunnelPlot>> {
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let found = request(ctx)?
            .read(|conn| latest_result::<RecurrenceDocument>(conn, jobs::scheduled::recurrence::NAME))
            .await?;
        Ok(found
            .filter(|(_, document)| !document.funnel.units.is_empty())
            .map(|(as_of, document)| FunnelPlot::new(Some(as_of), document.funnel)))
    }

    /// How the units of a level answered what they received in the last days, the best first; of what you may see.
    async fn response_timeliness(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "UnitLevel::Branch")] level: UnitLevel,
        #[graphql(default = 365)] days: i32,
        #[graphql(
            desc = "By the end of this past day, in Vietnam: what had happened by then, as the register knows it now. Today unless told."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<Vec<ResponseTimeliness>> {
        let days = statistics::days(days)?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let as_of = day_number(statistics::past_day(&snapshot, as_of)?);
        let computing = request(ctx)?.compute(move || {
            let snapshot = statistics::seen(snapshot, &scope)?;
            let mut units = timeliness::of_level(&snapshot, as_of, days, level.column()).map_err(from_job)?;
            units.sort_by(|a, b| {
                let of = |unit: &timeliness::UnitTimeliness| unit.shrunk_share.unwrap_or(-1.0);
                of(b).total_cmp(&of(a)).then_with(|| a.code.cmp(&b.code))
            });
            Ok(units.into_iter().map(Into::into).collect())
        });
        computing.await
    }

    /// Who blames the system where no incident is recorded, from the latest run of the blame-check job; null
    /// before the first. Where you are an officer, it is computed anew for the same day without complaints that name you.
    async fn blame_check(&self, ctx: &Context<'_>) -> Result<Option<BlameCheck>> {
        let found = request(ctx)?.read(|conn| latest_result(conn, jobs::scheduled::blame::NAME)).await?;
        let Some((as_of, mut document)): Option<(NaiveDate, BlameDocument)> = found else { return Ok(None) };
        if let Some(own) = viewer(ctx)?.officer_id {
            document = request(ctx)?.read(move |conn| blame_check_without(conn, as_of, own)).await?;
        }
        let of_officer =
            |blame: &Blame| (blame.kind == SubjectKind::Officer).then(|| reference_id(Entity::Officer, &blame.code));
        for officer in document.subjects.iter().filter_map(of_officer) {
            request(ctx)?.saw(|seen| &mut seen.files, officer);
        }
        Ok(Some(BlameCheck::new(as_of, document)))
    }

    /// The categories of complaints by their share, and which of them rise; of what you may see.
    async fn category_trends(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "By the end of this past day, in Vietnam: what had happened by then, as the register knows it now. Today unless told."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<CategoryTrends> {
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let as_of = statistics::past_day(&snapshot, as_of)?;
        let computing = request(ctx)?.compute(move || {
            let first = statistics::first_day(&snapshot, &scope)?;
            let snapshot = statistics::seen(snapshot, &scope)?;
            let document = trends(&snapshot, first, as_of, Default::default()).map_err(from_job)?;
            Ok(document.into())
        });
        computing.await
    }

    /// How well rankings of the past found those of whom complaints were sustained later: origins on the first
    /// day of each year. Of what you may see.
    async fn backtest(
        &self,
        ctx: &Context<'_>,
        from: i32,
        to: i32,
        #[graphql(default = 730)] horizon: i32,
        #[graphql(default = 0.05)] top: f64,
    ) -> Result<Vec<BacktestOutcome>> {
        if !(1970..=2200).contains(&from) || !(from..=from + 30).contains(&to) {
            return Err(bad_input("from is a year from 1970, to a year from it on, at most 30 later"));
        }
        if !((1..=36_500).contains(&horizon) && top > 0.0 && top < 1.0) {
            return Err(bad_input("horizon is from 1 to 36,500 days, top a share above 0 and below 1"));
        }
        let origins = (from..=to).filter_map(|year| NaiveDate::from_ymd_opt(year, 1, 1)).collect();
        let question = Question { origins, horizon, top };
        let app = request(ctx)?.app.clone();
        let own = viewer(ctx)?.officer_id;
        let computing = request(ctx)?.compute(move || {
            let history = app.db.read_snapshot(|conn| History::load(conn, own)).map_err(from_job)?;
            let outcomes = backtest(&history, &question).map_err(from_job)?;
            Ok(outcomes.into_iter().map(Into::into).collect())
        });
        computing.await
    }
}
