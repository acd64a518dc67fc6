//! The queries of analyses: funnel plot, timeliness, blame check, trends and backtest.

use super::{BacktestOutcome, BlameCheck, CategoryTrends, FunnelPlot, ResponseTimeliness, TrendPeriod, UnitLevel};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::filter::LegalFormOps;
use crate::graphql::statistics_cache::StatisticKey;
use crate::graphql::types::UnitFilter;
use crate::graphql::types::statistics::{self, ComplaintStatisticsFilter, DimensionFilter, Selection};
use async_graphql::{Context, Object, Result};
use chrono::NaiveDate;
use jobs::analyses::backtest::{History, Question, backtest};
use jobs::analyses::blame::{Blame, BlameDocument};
use jobs::analyses::category_trends;
use jobs::analyses::timeliness;
use jobs::analyses::trends::trends_of;
use jobs::facts::days::day_number;
use jobs::results::latest_result;
use jobs::scheduled::blame::{self, blame_check_without};
use schema::domain::ids::reference_id;
use schema::enums::SubjectKind;
use schema::events::Entity;
use std::sync::Arc;

#[derive(Default)]
pub struct AnalysisQueries;

#[Object]
impl AnalysisQueries {
    /// Observed against expected episodes of all branches, from the latest recurrence run. Null before the
    /// first run, where no exposure is known, and if you are an officer: it counts complaints that name you.
    async fn funnel_plot(&self, ctx: &Context<'_>) -> Result<Option<FunnelPlot>> {
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let latest = Arc::clone(&request(ctx)?.app.latest_recurrence);
        let found = request(ctx)?.read(move |conn| latest.read(conn)).await?;
        Ok(found
            .filter(|(_, document)| !document.funnel.units.is_empty())
            .map(|(as_of, document)| FunnelPlot::new(Some(as_of), document.funnel.clone())))
    }

    /// How the units of a level answered the complaints of the last `days` days (1 to 36,500) that they have to
    /// answer, among those that you may see. The best unit first.
    async fn response_timeliness(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "UnitLevel::Branch")] level: UnitLevel,
        #[graphql(default = 365)] days: i32,
        #[graphql(
            desc = "A past day (Vietnam): counts what had happened by its end, as the register knows it now. Default: today. A future day gives BAD_USER_INPUT."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<Vec<ResponseTimeliness>> {
        let days = statistics::days(days)?;
        let today = request(ctx)?.today();
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let as_of = day_number(statistics::past_day(&snapshot, as_of)?);
        let key = StatisticKey::of(ctx, &snapshot, viewer(ctx)?, today, String::new());
        let computing = request(ctx)?.compute_once(key, move || {
            let snapshot = scope.of_snapshot(snapshot).map_err(from_job)?;
            let mut units = timeliness::of_level(&snapshot, as_of, days, level.column()).map_err(from_job)?;
            units.sort_by(|a, b| {
                let of = |unit: &timeliness::UnitTimeliness| unit.shrunk_share.unwrap_or(-1.0);
                of(b).total_cmp(&of(a)).then_with(|| a.code.cmp(&b.code))
            });
            Ok(units)
        });
        Ok(computing.await?.iter().cloned().map(Into::into).collect())
    }

    /// Officers and branches that blame the IT system where no incident is recorded, from the latest
    /// blame-check run; null before the first. If you are an officer, it is computed again for the same day
    /// without complaints that name you.
    async fn blame_check(&self, ctx: &Context<'_>) -> Result<Option<BlameCheck>> {
        let found = request(ctx)?.read(|conn| latest_result(conn, blame::NAME)).await?;
        let Some((as_of, mut document)): Option<(NaiveDate, BlameDocument)> = found else { return Ok(None) };
        if let Some(own) = viewer(ctx)?.officer_id {
            document = request(ctx)?.read(move |conn| blame_check_without(conn, as_of, own)).await?;
        }
        let of_officer =
            |blame: &Blame| (blame.kind == SubjectKind::Officer).then(|| reference_id(Entity::Officer, &blame.code));
        for officer in document.subjects.iter().filter_map(of_officer) {
            request(ctx)?.note_shown(|seen| &mut seen.files, officer);
        }
        Ok(Some(BlameCheck::new(as_of, document)))
    }

    /// The categories by their share of complaints, with those that rise, among the complaints that you may see.
    async fn category_trends(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "A past day (Vietnam): counts what had happened by its end, as the register knows it now. Default: today. A future day gives BAD_USER_INPUT."
        )]
        as_of: Option<NaiveDate>,
        #[graphql(
            desc = "The recent period. Not together with `asOf`. Default: the 30 days up to `asOf`, compared with the 180 days before them."
        )]
        period: Option<TrendPeriod>,
        #[graphql(
            desc = "Conditions on the unit complained about, as in the filter of `complaints`: `within` takes the units below it on the day of each complaint."
        )]
        unit: Option<UnitFilter>,
        legal_form: Option<LegalFormOps>,
    ) -> Result<CategoryTrends> {
        let today = request(ctx)?.today();
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let period = match period {
            Some(_) if as_of.is_some() => {
                return Err(bad_input("asOf and period: give one of them; a period ends on a day of its own"));
            }
            Some(period) => period.checked(statistics::past_day(&snapshot, None)?)?,
            None => category_trends::TrendPeriod::up_to(statistics::past_day(&snapshot, as_of)?),
        };
        let dimensions = DimensionFilter { legal_form, ..DimensionFilter::default() };
        let filter = ComplaintStatisticsFilter { unit, dimensions, ..ComplaintStatisticsFilter::default() };
        let selection = Selection::of(request(ctx)?, &snapshot, &scope, Some(&filter)).await?;
        let condition = selection.condition(Some(&filter))?;
        let key = StatisticKey::of(ctx, &snapshot, viewer(ctx)?, today, format!("{:?}", selection.read));
        let computing = request(ctx)?.compute_once(key, move || {
            let first = statistics::first_day(&snapshot, &scope)?;
            let part = match condition {
                Some(condition) => Arc::new(snapshot.of(condition).map_err(from_job)?),
                None => snapshot,
            };
            trends_of(&part, first, period, Default::default()).map_err(from_job)
        });
        Ok((*computing.await?).clone().into())
    }

    /// How well past rankings predicted against which officers complaints were sustained later. Complaints that
    /// name you are left out. One origin on 1 January of each year `from` to `to` (1970 to 2200, at most 30
    /// years apart); `horizon` in days (1 to 36,500); `top` is the share of officers that a ranking names,
    /// between 0 and 1. Other values give BAD_USER_INPUT.
    async fn backtest(
        &self,
        ctx: &Context<'_>,
        from: i32,
        to: i32,
        #[graphql(default = 730)] horizon: i32,
        #[graphql(default = 0.05)] top: f64,
    ) -> Result<Vec<BacktestOutcome>> {
        if !(1970..=2200).contains(&from) || !(from..=from + 30).contains(&to) {
            return Err(bad_input("from must be from 1970 to 2200, and to from `from` to 30 years later"));
        }
        if !((1..=36_500).contains(&horizon) && top > 0.0 && top < 1.0) {
            return Err(bad_input("horizon must be from 1 to 36,500 days, and top between 0 and 1"));
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
