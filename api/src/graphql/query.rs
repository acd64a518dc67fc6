//! What can be asked.

use super::connection::connect;
use super::context::{blocking, loaders, request, snapshot, viewer};
use super::error::{bad_input, from_job, from_store};
use super::filters::*;
use super::loaders::{EnterpriseKey, OfficerKey, UnitKey};
use super::page::{PageArgs, SortDirection};
use super::ranked::{At, ByMeasure, ranked};
use super::scalars::parse_id;
use super::statistics::{
    self, ComplaintStatisticsFilter, StatisticsComparison, StatisticsDimension, StatisticsHaving, StatisticsMeasure,
    StatisticsOrder,
};
use super::types::*;
use crate::auth::{Scope, Viewer};
use crate::limits::Limits;
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use diesel::prelude::*;
use jobs::JobError;
use jobs::backtest::{History, Question, backtest};
use jobs::statistics::Dimension;
use jobs::work::recurrence::RecurrenceDocument;
use jobs::work::trends::trends;
use jobs::work::{latest_result, timeliness};
use schema::db::MultiBackend;
use schema::domain::calendar::local_date;
use schema::queries::{self, Direction, Pred, in_select};
use schema::tables::{complaints, enterprises, flags, officers, unit_responses, units};
use schema::{Id, StoreError};

/// Defines how a list can be ordered.
macro_rules! order {
    ($field:ident, $order:ident, $sort:path { $($variant:ident),+ } default $default:ident $direction:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum $field { $($variant),+ }

        #[derive(Debug, Clone, Copy, InputObject)]
        pub struct $order {
            pub field: $field,
            #[graphql(default_with = "SortDirection::Asc")]
            pub direction: SortDirection,
        }

        impl $order {
            pub fn list(order: Option<Vec<Self>>) -> Vec<($sort, Direction)> {
                use $sort as Sort;
                match order.filter(|order| !order.is_empty()) {
                    None => vec![(Sort::$default, Direction::$direction)],
                    Some(order) => order
                        .into_iter()
                        .map(|one| (match one.field { $($field::$variant => Sort::$variant),+ }, one.direction.into()))
                        .collect(),
                }
            }
        }
    };
}

/// The same for a list that can also be ordered by a measure of the complaints of its rows.
macro_rules! measured_order {
    ($field:ident, $order:ident, $sort:path { $($variant:ident),+ } default $default:ident $direction:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum $field { $($variant),+ }

        /// By a field, or by a measure of the complaints of each row: then it is the only order, and rows without
        /// complaints come last.
        #[derive(Debug, Clone, InputObject)]
        pub struct $order {
            pub field: Option<$field>,
            /// ASC for fields and DESC for measures unless told.
            pub direction: Option<SortDirection>,
            pub measure: Option<StatisticsMeasure>,
            /// Which complaints are measured.
            pub filter: Option<ComplaintStatisticsFilter>,
            /// Only those of the last so many days.
            pub days: Option<i32>,
        }

        impl $order {
            /// The fields to order by, or the measure.
            fn list(order: Option<Vec<Self>>) -> Result<std::result::Result<Vec<($sort, Direction)>, ByMeasure>> {
                use $sort as Sort;
                let mut order = order.unwrap_or_default();
                if let Some(at) = order.iter().position(|one| one.measure.is_some()) {
                    let one = order.swap_remove(at);
                    let (Some(measure), None, true) = (one.measure, one.field, order.is_empty()) else {
                        return Err(bad_input("orderBy: a measure is the only order"));
                    };
                    let direction = one.direction.unwrap_or(SortDirection::Desc);
                    return Ok(Err(ByMeasure { measure, direction, filter: one.filter, days: one.days }));
                }
                if order.is_empty() {
                    return Ok(Ok(vec![(Sort::$default, Direction::$direction)]));
                }
                let field = |one: &Self| match one.field {
                    _ if one.filter.is_some() || one.days.is_some() => Err(bad_input("orderBy: filter and days go with a measure")),
                    Some(field) => Ok((
                        match field { $($field::$variant => Sort::$variant),+ },
                        one.direction.unwrap_or(SortDirection::Asc).into(),
                    )),
                    None => Err(bad_input("orderBy: name a field or a measure")),
                };
                Ok(Ok(order.iter().map(field).collect::<Result<Vec<_>>>()?))
            }
        }
    };
}

order!(ComplaintOrderField, ComplaintOrder, queries::ComplaintSort { ReceivedAt, RecordedAt, StateSince, CostVnd, DelayHours } default ReceivedAt Desc);
measured_order!(UnitOrderField, UnitOrder, queries::UnitSort { Code, NameVi, Kind } default Code Asc);
measured_order!(OfficerOrderField, OfficerOrder, queries::OfficerSort { Code, Name } default Code Asc);
measured_order!(EnterpriseOrderField, EnterpriseOrder, queries::EnterpriseSort { TaxCode, Name } default TaxCode Asc);
order!(IssueCategoryOrderField, IssueCategoryOrder, queries::CategorySort { Code, NameVi, Kind } default Code Asc);
order!(UnitResponseOrderField, UnitResponseOrder, queries::ResponseSort { RespondedAt } default RespondedAt Desc);
order!(FlagOrderField, FlagOrder, queries::FlagSort { ChangedAt, OpenedAt, Tier } default Tier Desc);
order!(JobRunOrderField, JobRunOrder, queries::JobRunSort { StartedAt } default StartedAt Desc);

order!(DigestOrderField, DigestOrder, queries::DigestSort { CreatedAt } default CreatedAt Desc);

/// What this service is.
#[derive(SimpleObject)]
pub struct ServiceInfo {
    pub version: &'static str,
    /// Whether everything that it holds is invented.
    pub demonstration: bool,
    /// What you may ask for at once.
    pub limits: Limits,
}

/// The ids of a list, in an order of its own.
macro_rules! all_ids {
    ($conn:expr, $table:ident, $model:ident, $by:expr, $filter:expr) => {{
        let mut query = $table::table.into_boxed::<MultiBackend>();
        if let Some(filter) = $filter {
            query = query.filter(filter);
        }
        Ok(query.order($by).select($table::id).load::<Id>($conn)?)
    }};
}

/// The rows of a page of ids, as a connection.
macro_rules! rows_of {
    ($ctx:expr, $found:expr, $key:ident, $node:ident, $connection:ident, $edge:ident) => {{
        let found = $found;
        let keys: Vec<$key> = found.rows.iter().map(|(id, _)| $key(*id)).collect();
        let rows = loaders($ctx)?.load_many(keys).await.map_err(|e| (*e).clone())?;
        let edges = found
            .rows
            .into_iter()
            .filter_map(|(id, cursor)| Some($edge { cursor, node: $node::from(rows.get(&$key(id))?.clone()) }));
        Ok($connection { edges: edges.collect(), page_info: found.page_info, counter: found.counter })
    }};
}

pub struct Query;

#[Object]
impl Query {
    /// Complaints, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<ComplaintFilter>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        complaints_where(ctx, filter, order_by, PageArgs { first, after, last, before }).await
    }

    /// One complaint; null where there is none, or none that you may see.
    async fn complaint(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Complaint>> {
        let (scope, id) = (viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree), parse_id(&id)?);
        let found = request(ctx)?
            .read(move |conn| {
                let mut query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::id.eq(id).nullable());
                if let Some(seen) = scope.condition() {
                    query = query.filter(seen);
                }
                Ok(query.select(schema::models::Complaint::as_select()).first(conn).optional()?)
            })
            .await?;
        Ok(found.map(Complaint))
    }

    /// The categories of issues, on two levels.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn issue_categories(
        &self,
        ctx: &Context<'_>,
        filter: Option<CategoryFilter>,
        order_by: Option<Vec<IssueCategoryOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<IssueCategoryConnection> {
        viewer(ctx)?;
        let make = move || filter.as_ref().map_or(Ok(None), CategoryFilter::condition);
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            IssueCategoryOrder::list(order_by),
            queries::list_categories,
            queries::count_categories,
            queries::CategorySort,
            IssueCategory,
            IssueCategoryConnection,
            IssueCategoryEdge
        )
    }

    /// Responses of units, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn unit_responses(
        &self,
        ctx: &Context<'_>,
        filter: Option<ResponseFilter>,
        order_by: Option<Vec<UnitResponseOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<UnitResponseConnection> {
        let known = snapshot(ctx)?.reference.clone();
        let scope = viewer(ctx)?.scope(&known.tree);
        let make = move || {
            let own = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            let Some(scope) = scope.condition() else { return Ok::<_, StoreError>(own) };
            let seen = complaints::table.into_boxed::<MultiBackend>().filter(scope).select(complaints::id);
            let seen: Pred<unit_responses::table> = Box::new(in_select(unit_responses::complaint_id, seen));
            Ok(Some(match own {
                None => seen,
                Some(own) => Box::new(seen.and(own)),
            }))
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            UnitResponseOrder::list(order_by),
            queries::list_responses,
            queries::count_responses,
            queries::ResponseSort,
            UnitResponse,
            UnitResponseConnection,
            UnitResponseEdge
        )
    }

    /// Units, by code.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn units(
        &self,
        ctx: &Context<'_>,
        filter: Option<UnitFilter>,
        order_by: Option<Vec<UnitOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<UnitConnection> {
        viewer(ctx)?;
        let known = snapshot(ctx)?.reference.clone();
        let make = move || filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known));
        let order = match UnitOrder::list(order_by)? {
            Ok(order) => order,
            Err(by) => {
                let all = request(ctx)?.read(move |conn| all_ids!(conn, units, Unit, units::code, make()?)).await?;
                let at: At = |snapshot, place| Some(snapshot.reference.units.get(place as usize)?.id);
                // Each unit has the measure of everything below it.
                let dimensions =
                    [Dimension::Department, Dimension::Branch, Dimension::Team, Dimension::Unit].map(|one| (one, at));
                let page = PageArgs { first, after, last, before };
                let found = ranked(ctx, all, by, dimensions.to_vec(), page).await?;
                return rows_of!(ctx, found, UnitKey, Unit, UnitConnection, UnitEdge);
            }
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            order,
            queries::list_units,
            queries::count_units,
            queries::UnitSort,
            Unit,
            UnitConnection,
            UnitEdge
        )
    }

    /// One unit, by its id or its code.
    async fn unit(&self, ctx: &Context<'_>, id: Option<ID>, code: Option<String>) -> Result<Option<Unit>> {
        viewer(ctx)?;
        let by = id_or_code(id, code)?;
        let found = request(ctx)?
            .read(move |conn| {
                let query = units::table.into_boxed();
                let query = match by {
                    IdOrCode::Id(id) => query.filter(units::id.eq(id)),
                    IdOrCode::Code(code) => query.filter(units::code.eq(code)),
                };
                Ok(query.select(schema::models::Unit::as_select()).first(conn).optional()?)
            })
            .await?;
        Ok(found.map(Unit))
    }

    /// Officers, by code.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn officers(
        &self,
        ctx: &Context<'_>,
        filter: Option<OfficerFilter>,
        order_by: Option<Vec<OfficerOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<OfficerConnection> {
        viewer(ctx)?;
        let known = snapshot(ctx)?.reference.clone();
        let make = move || filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known));
        let order = match OfficerOrder::list(order_by)? {
            Ok(order) => order,
            Err(by) => {
                let all =
                    request(ctx)?.read(move |conn| all_ids!(conn, officers, Officer, officers::code, make()?)).await?;
                let at: At = |snapshot, place| snapshot.officers.at(place);
                let page = PageArgs { first, after, last, before };
                let found = ranked(ctx, all, by, vec![(Dimension::Officer, at)], page).await?;
                return rows_of!(ctx, found, OfficerKey, Officer, OfficerConnection, OfficerEdge);
            }
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            order,
            queries::list_officers,
            queries::count_officers,
            queries::OfficerSort,
            Officer,
            OfficerConnection,
            OfficerEdge
        )
    }

    /// One officer, by id or code.
    async fn officer(&self, ctx: &Context<'_>, id: Option<ID>, code: Option<String>) -> Result<Option<Officer>> {
        viewer(ctx)?;
        let by = id_or_code(id, code)?;
        let found = request(ctx)?
            .read(move |conn| {
                let query = officers::table.into_boxed();
                let query = match by {
                    IdOrCode::Id(id) => query.filter(officers::id.eq(id)),
                    IdOrCode::Code(code) => query.filter(officers::code.eq(code)),
                };
                Ok(query.select(schema::models::Officer::as_select()).first(conn).optional()?)
            })
            .await?;
        Ok(found.map(Officer))
    }

    /// Enterprises, by tax code.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn enterprises(
        &self,
        ctx: &Context<'_>,
        filter: Option<EnterpriseFilter>,
        order_by: Option<Vec<EnterpriseOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<EnterpriseConnection> {
        viewer(ctx)?;
        let make = move || filter.as_ref().map_or(Ok(None), EnterpriseFilter::condition);
        let order = match EnterpriseOrder::list(order_by)? {
            Ok(order) => order,
            Err(by) => {
                let all = request(ctx)?
                    .read(move |conn| all_ids!(conn, enterprises, Enterprise, enterprises::tax_code, make()?))
                    .await?;
                let at: At = |snapshot, place| snapshot.enterprises.at(place);
                let page = PageArgs { first, after, last, before };
                let found = ranked(ctx, all, by, vec![(Dimension::Enterprise, at)], page).await?;
                return rows_of!(ctx, found, EnterpriseKey, Enterprise, EnterpriseConnection, EnterpriseEdge);
            }
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            order,
            queries::list_enterprises,
            queries::count_enterprises,
            queries::EnterpriseSort,
            Enterprise,
            EnterpriseConnection,
            EnterpriseEdge
        )
    }

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
            Ok::<_, StoreError>(match (viewer.flags(&known.tree), asked) {
                (None, asked) => asked,
                (seen, None) => seen,
                (Some(seen), Some(asked)) => Some(Box::new(seen.and(asked)) as Pred<flags::table>),
            })
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

    /// The Board's digests, the latest first.
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
        viewer(ctx)?;
        let make = move || filter.as_ref().map_or(Ok(None), DigestFilter::condition);
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
    /// first run, and where no exposure is known.
    async fn funnel_plot(&self, ctx: &Context<'_>) -> Result<Option<FunnelPlot>> {
        let found =
            request(ctx)?.read(|conn| latest_result::<RecurrenceDocument>(conn, jobs::work::recurrence::NAME)).await?;
        Ok(found
            .filter(|(_, document)| !document.funnel.units.is_empty())
            .map(|(as_of, document)| FunnelPlot::new(Some(as_of), document.funnel)))
    }

    /// How the units of a level answered what they received in the last days, the best first.
    async fn response_timeliness(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "UnitLevel::Branch")] level: UnitLevel,
        #[graphql(default = 365)] days: i32,
    ) -> Result<Vec<ResponseTimeliness>> {
        let days = statistics::days(days)?;
        let snapshot = snapshot(ctx)?;
        blocking(move || {
            let as_of = statistics::today(&snapshot);
            let mut units = timeliness::of_level(&snapshot, as_of, days, level.column()).map_err(from_job)?;
            units.sort_by(|a, b| {
                let of = |unit: &timeliness::UnitTimeliness| unit.shrunk_share.unwrap_or(-1.0);
                of(b).total_cmp(&of(a)).then_with(|| a.code.cmp(&b.code))
            });
            Ok(units.into_iter().map(Into::into).collect())
        })
        .await
    }

    /// Who blames the system where no incident is recorded, from the latest run of the blame-check job; null
    /// before the first.
    async fn blame_check(&self, ctx: &Context<'_>) -> Result<Option<BlameCheck>> {
        let found = request(ctx)?.read(|conn| latest_result(conn, jobs::work::blame::NAME)).await?;
        Ok(found.map(|(as_of, document)| BlameCheck::new(as_of, document)))
    }

    /// The categories of complaints by their share, and which of them rise.
    async fn category_trends(&self, ctx: &Context<'_>) -> Result<CategoryTrends> {
        let snapshot = snapshot(ctx)?;
        blocking(move || {
            let document = trends(&snapshot, local_date(snapshot.as_of), Default::default()).map_err(from_job)?;
            Ok(document.into())
        })
        .await
    }

    /// How well rankings of the past found those of whom complaints were sustained later: origins on the first
    /// day of each year.
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
        let origins = (from..=to).filter_map(|year| chrono::NaiveDate::from_ymd_opt(year, 1, 1)).collect();
        let question = Question { origins, horizon, top };
        let app = request(ctx)?.app.clone();
        blocking(move || {
            let history = app.db.read_snapshot(|conn| match History::load(conn) {
                Ok(history) => Ok(Ok(history)),
                Err(JobError::Store(error)) => Err(error),
                Err(other) => Ok(Err(other)),
            });
            let history = history.map_err(from_store)?.map_err(from_job)?;
            Ok(backtest(&history, &question).into_iter().map(Into::into).collect())
        })
        .await
    }

    /// Whatever has this id; null where there is nothing, or nothing that you may see.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        super::node::node(ctx, parse_id(&id)?).await
    }

    /// What this service is.
    async fn service_info(&self, ctx: &Context<'_>) -> Result<ServiceInfo> {
        Ok(ServiceInfo {
            version: env!("CARGO_PKG_VERSION"),
            demonstration: snapshot(ctx)?.demonstration,
            limits: request(ctx)?.limits.as_ref().clone(),
        })
    }

    /// Counts of complaints by groups, from the columnar snapshot.
    #[allow(clippy::too_many_arguments, reason = "each says one thing")]
    async fn complaint_statistics(
        &self,
        ctx: &Context<'_>,
        filter: Option<ComplaintStatisticsFilter>,
        #[graphql(default)] group_by: Vec<StatisticsDimension>,
        #[graphql(desc = "Which groups are kept, by their measures.")] having: Option<StatisticsHaving>,
        order_by: Option<Vec<StatisticsOrder>>,
        #[graphql(default = 1000, desc = "The most groups. No measure depends on it.")] first: i32,
        #[graphql(desc = "The groups after those of an `endCursor`.")] after: Option<String>,
        #[graphql(
            default_with = "\"Asia/Ho_Chi_Minh\".to_owned()",
            desc = "Where days begin: a name of the IANA time zone database."
        )]
        timezone: String,
        #[graphql(default, desc = "All buckets of the time asked for, also those without complaints.")] fill: bool,
        compare: Option<StatisticsComparison>,
        #[graphql(default, desc = "The groups that `first` cuts off come as one more.")] other: bool,
        #[graphql(desc = "Wait until the snapshot knows this position, that of one's own write, say.")]
        min_position: Option<i64>,
    ) -> Result<ComplaintStatistics> {
        if let Some(position) = min_position {
            wait_for(ctx, position).await?;
        }
        let snapshot = snapshot(ctx)?;
        let viewer = viewer(ctx)?;
        let scope = viewer.scope(&snapshot.reference.tree);
        let app = &request(ctx)?.app;
        let groups = request(ctx)?.limits.groups;
        let first = usize::try_from(first)
            .ok()
            .filter(|n| *n <= groups as usize)
            .ok_or_else(|| bad_input(format!("first is from 0 to {groups}")))?;
        let arguments = statistics::Arguments {
            filter,
            group_by,
            having,
            order_by: order_by.unwrap_or_default(),
            first,
            after: after.map(|after| app.cursors.decode("after", &after)).transpose()?,
            timezone,
            fill,
            compare,
            other,
            suppression: viewer.suppression(),
            disguise: statistics::disguise(&snapshot, viewer, app.keys.as_ref()),
        };
        let question = statistics::question(&snapshot, &scope, arguments, ctx.field())?;
        let dimensions = question.group_by.clone();
        let of = std::sync::Arc::clone(&snapshot);
        let answer = blocking(move || jobs::statistics::statistics(&of, &question).map_err(from_job)).await?;
        Ok(ComplaintStatistics::new(&snapshot, answer, dimensions, &app.cursors))
    }
}

/// How long a position may take to arrive: a replica is a little behind.
const ARRIVES_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// Waits until the snapshot knows a position.
async fn wait_for(ctx: &Context<'_>, position: i64) -> Result<()> {
    let app = request(ctx)?.app.clone();
    let began = std::time::Instant::now();
    loop {
        let known = app.snapshots.current().position;
        if known >= position {
            return Ok(());
        }
        if began.elapsed() > ARRIVES_WITHIN {
            return Err(bad_input(format!("minPosition: the register is at {known} and has not reached {position}")));
        }
        let refreshed = app.clone();
        blocking(move || refreshed.snapshots.refresh(&refreshed.unhurried).map_err(from_job)).await?;
        if app.snapshots.current().position < position {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// Reads a flag, if the viewer may see it.
pub fn seen_flag(
    viewer: Viewer,
    reference: std::sync::Arc<jobs::snapshot::Reference>,
    id: Id,
) -> impl FnOnce(&mut schema::Conn) -> std::result::Result<Option<schema::models::Flag>, StoreError> {
    move |conn| {
        let mut query = flags::table.into_boxed::<MultiBackend>().filter(flags::id.eq(id).nullable());
        if let Some(seen) = viewer.flags(&reference.tree) {
            query = query.filter(seen);
        }
        Ok(query.select(schema::models::Flag::as_select()).first(conn).optional()?)
    }
}

/// The complaints that a filter chooses, of those that the viewer may see.
pub async fn complaints_where(
    ctx: &Context<'_>,
    filter: Option<ComplaintFilter>,
    order_by: Option<Vec<ComplaintOrder>>,
    page: PageArgs,
) -> Result<ComplaintConnection> {
    let known = snapshot(ctx)?.reference.clone();
    let scope = viewer(ctx)?.scope(&known.tree);
    let make = move || {
        let own = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
        Ok::<_, StoreError>(scoped(&scope, own))
    };
    connect!(
        ctx,
        page,
        make,
        ComplaintOrder::list(order_by),
        queries::list_complaints,
        queries::count_complaints,
        queries::ComplaintSort,
        Complaint,
        ComplaintConnection,
        ComplaintEdge
    )
}

/// A condition over complaints, and that the viewer may see them.
pub fn scoped(scope: &Scope, own: Option<Pred<complaints::table>>) -> Option<Pred<complaints::table>> {
    match (scope.condition(), own) {
        (None, own) => own,
        (scope, None) => scope,
        (Some(scope), Some(own)) => Some(Box::new(scope.and(own))),
    }
}

enum IdOrCode {
    Id(Id),
    Code(String),
}

fn id_or_code(id: Option<ID>, code: Option<String>) -> Result<IdOrCode> {
    match (id, code) {
        (Some(id), None) => Ok(IdOrCode::Id(parse_id(&id)?)),
        (None, Some(code)) => Ok(IdOrCode::Code(code)),
        _ => Err(bad_input("give either an id or a code")),
    }
}
