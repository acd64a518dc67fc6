//! Aggregates, and the service itself.

use crate::graphql::context::{blocking, request, snapshot, viewer};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::scalars::parse_id;
use crate::graphql::statistics::{
    self, ComplaintStatisticsFilter, StatisticsComparison, StatisticsDimension, StatisticsHaving, StatisticsOrder,
};
use crate::graphql::types::*;
use crate::limits::Limits;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::facts::frames::day_number;
use jobs::snapshot::{Earlier, Snapshot};
use schema::{Db, Timestamp};
use std::sync::Arc;

/// What this service is.
#[derive(SimpleObject)]
pub struct ServiceInfo {
    pub version: &'static str,
    /// Whether everything that it holds is invented.
    pub demonstration: bool,
    /// What you may ask for at once.
    pub limits: Limits,
}

#[derive(Default)]
pub struct StatisticsQuery;

#[Object]
impl StatisticsQuery {
    /// Whatever has this id; null where there is nothing, or nothing that you may see.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        crate::graphql::node::node(ctx, parse_id(&id)?).await
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
        #[graphql(
            desc = "By the end of this past day, in Vietnam: what had been received, answered, decided and found by then, as the register knows it now. Today unless told. Not for a DASHBOARD."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<ComplaintStatistics> {
        let viewer = viewer(ctx)?;
        let app = &request(ctx)?.app;
        let thresholds = viewer.thresholds(&request(ctx)?.limits);
        if thresholds.is_some() && as_of.is_some() {
            // Two days that follow one another differ by what happened on one: months are the smallest cells of time.
            return Err(bad_input("asOf is not for your role, which reads whole months: give receivedBefore"));
        }
        let snapshot = if thresholds.is_some() {
            edition(ctx, min_position).await?
        } else {
            if let Some(position) = min_position {
                wait_for(ctx, position).await?;
            }
            snapshot(ctx)?
        };
        let scope = viewer.scope(&snapshot.reference.tree);
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
            after: after.map(|after| request(ctx)?.cursors().decode("after", &after)).transpose()?,
            timezone,
            fill,
            compare,
            other,
            thresholds: thresholds.map(|thresholds| (thresholds, app.editions.noise_key())),
            disguise: statistics::disguise(&snapshot, request(ctx)?.ordering_pseudonyms()),
            as_of: as_of.map(|day| statistics::past_day(&snapshot, Some(day))).transpose()?,
        };
        let steps = arguments.steps();
        let question = statistics::question(&snapshot, &scope, arguments, ctx.field())?;
        let dimensions = question.group_by.clone();
        let of = Arc::clone(&snapshot);
        let database = app.db.clone();
        let computing = move || {
            let past = match as_of.filter(|_| steps != (false, false)) {
                None => of,
                Some(day) => Arc::new(as_it_was(&database, &of, day, steps).map_err(from_job)?),
            };
            jobs::statistics::statistics(&past, &question).map_err(from_job)
        };
        let answer = request(ctx)?.compute(computing).await?;
        Ok(ComplaintStatistics::new(&snapshot, answer, dimensions, request(ctx)?.cursors()))
    }
}

/// The states and findings of a past day.
fn as_it_was(
    database: &Db,
    snapshot: &Snapshot,
    day: NaiveDate,
    (states, findings): (bool, bool),
) -> Result<Snapshot, JobError> {
    let earlier = database.read_snapshot(|conn| Earlier::read(conn, &snapshot.officers, day, states, findings))?;
    snapshot.as_of(day_number(day), &earlier)
}

/// How long a position may take to arrive: a replica is a little behind.
const ARRIVES_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// The state that is shown to who sees aggregates alone. Waiting for a position would tell what is written meanwhile.
async fn edition(ctx: &Context<'_>, min_position: Option<i64>) -> Result<Arc<Snapshot>> {
    let (app, minutes) = (request(ctx)?.app.clone(), request(ctx)?.limits.edition_minutes);
    let current = move || app.editions.current(&app.snapshots, minutes, Timestamp::now()).map_err(from_job);
    let edition = blocking(current).await?;
    match min_position.filter(|position| *position > edition.position) {
        None => Ok(edition),
        Some(position) => Err(bad_input(format!(
            "minPosition: your role reads an edition of the register, of position {} and not yet {position}; one lasts {minutes} minutes",
            edition.position
        ))),
    }
}

/// Waits until the snapshot knows a position.
async fn wait_for(ctx: &Context<'_>, position: i64) -> Result<()> {
    let app = request(ctx)?.app.clone();
    if app.snapshots.current().position >= position || app.refresher.reaches(position, ARRIVES_WITHIN).await {
        return Ok(());
    }
    let known = app.snapshots.current().position;
    Err(bad_input(format!("minPosition: the register is at {known} and has not reached {position}")))
}
