//! The query `complaintStatistics`.

use super::lake;
use super::{
    Arguments, ComplaintStatistics, ComplaintStatisticsFilter, PastColumns, Selection, StatisticsComparison,
    StatisticsDimension, StatisticsHaving, StatisticsOrder, disguise, past_day, question,
};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::execute::blocking;
use crate::graphql::statistics_cache::StatisticKey;
use crate::graphql::types::sql::SqlSource;
use async_graphql::{Context, Object, Result};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::facts::days::day_number;
use jobs::snapshot::{Earlier, Snapshot};
use jobs::statistics::statistics as compute_statistics;
use schema::Db;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use std::sync::Arc;

#[derive(Default)]
pub struct StatisticsQueries;

#[Object]
impl StatisticsQueries {
    /// Counts of complaints by group, from the columnar snapshot. BAD_USER_INPUT names the argument that is
    /// wrong; TIMEOUT if the deadline passes. `first` is limited by the limit `groups`. `fill` needs exactly
    /// one time dimension in `groupBy`. `minPosition` waits up to 2 seconds and then gives BAD_USER_INPUT; for
    /// a DASHBOARD it does not wait.
    #[allow(clippy::too_many_arguments, reason = "each says one thing")]
    async fn complaint_statistics(
        &self,
        ctx: &Context<'_>,
        filter: Option<ComplaintStatisticsFilter>,
        #[graphql(default)] group_by: Vec<StatisticsDimension>,
        #[graphql(desc = "Which groups to keep, by their measures.")] having: Option<StatisticsHaving>,
        order_by: Option<Vec<StatisticsOrder>>,
        #[graphql(default = 1000, desc = "At most this many groups. The measures do not depend on it.")] first: i32,
        #[graphql(desc = "An `endCursor`: returns the groups after it.")] after: Option<String>,
        #[graphql(
            default_with = "\"Asia/Ho_Chi_Minh\".to_owned()",
            desc = "The time zone in which days begin: a name of the IANA time zone database."
        )]
        timezone: String,
        #[graphql(default, desc = "Whether to return all time buckets of the period, also empty ones.")] fill: bool,
        compare: Option<StatisticsComparison>,
        #[graphql(default, desc = "Whether to return the groups beyond `first` as one more group.")] other: bool,
        #[graphql(desc = "Waits until the snapshot holds this position, such as that of your write.")]
        min_position: Option<i64>,
        #[graphql(
            desc = "A past day (Vietnam): counts what had been received, answered, decided and found by its end, as the register knows it now. Default: today. A future day gives BAD_USER_INPUT, as does any day for a DASHBOARD."
        )]
        as_of: Option<NaiveDate>,
        #[graphql(
            default_with = "SqlSource::Register",
            desc = "LAKE counts in the lake of the server as it was at its last sync; what the lake does not have gives BAD_USER_INPUT."
        )]
        source: SqlSource,
    ) -> Result<ComplaintStatistics> {
        let today = local_date(Timestamp::now());
        let viewer = viewer(ctx)?;
        let app = &request(ctx)?.app;
        let thresholds = viewer.thresholds(&request(ctx)?.limits);
        if thresholds.is_some() && as_of.is_some() {
            // Numbers of two successive days differ by what happened on one: the smallest time cell is a month.
            return Err(bad_input("asOf is not allowed for your role, which reads whole months: use receivedBefore"));
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
            .ok_or_else(|| bad_input(format!("first must be from 0 to {groups}")))?;
        let mut selection = Selection::of(request(ctx)?, &snapshot, &scope, filter.as_ref()).await?;
        let read = std::mem::take(&mut selection.read);
        let over_lake = match source {
            SqlSource::Register => None,
            SqlSource::Lake if as_of.is_some() => return Err(bad_input("asOf: the lake has the day of its last sync")),
            SqlSource::Lake => {
                let translation = lake::Translation { request: request(ctx)?, snapshot: &snapshot, scope: &scope };
                Some(translation.question(filter.as_ref()).await?)
            }
        };
        let arguments = Arguments {
            selection,
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
            disguise: disguise(&snapshot, request(ctx)?.ordering_pseudonyms()),
            as_of: as_of.map(|day| past_day(&snapshot, Some(day))).transpose()?,
        };
        let needs_past = arguments.needs_past();
        let question = question(&snapshot, arguments, ctx.field())?;
        let dimensions = question.group_by.clone();
        if let Some(condition) = over_lake {
            lake::check(&question)?;
            let answer = lake::ask(request(ctx)?, &snapshot, &scope, question, condition).await?;
            return Ok(ComplaintStatistics::new(&snapshot, &answer, dimensions, request(ctx)?.cursors()));
        }
        let more = format!("{:?} {:?} {} {read:?}", question.as_of, question.wanted, question.totals);
        // States and findings of a past day come from the database.
        let is_of_snapshot = as_of.is_none() || !needs_past.any();
        let key = if is_of_snapshot { StatisticKey::of(ctx, &snapshot, viewer, today, more) } else { None };
        let of = Arc::clone(&snapshot);
        let database = app.db.clone();
        let computing = move || {
            let past = match as_of.filter(|_| needs_past.any()) {
                None => of,
                Some(day) => Arc::new(snapshot_on(&database, &of, day, needs_past).map_err(from_job)?),
            };
            compute_statistics(&past, &question).map_err(from_job)
        };
        let answer = request(ctx)?.compute_once(key, computing).await?;
        Ok(ComplaintStatistics::new(&snapshot, &answer, dimensions, request(ctx)?.cursors()))
    }
}

/// The snapshot with the states, and findings, of a past day.
fn snapshot_on(
    database: &Db,
    snapshot: &Snapshot,
    day: NaiveDate,
    needs_past: PastColumns,
) -> Result<Snapshot, JobError> {
    let PastColumns { states, findings } = needs_past;
    let earlier = database.read_snapshot(|conn| Earlier::read(conn, &snapshot.officers, day, states, findings))?;
    snapshot.as_of(day_number(day), &earlier)
}

/// A query waits this long for a position: a replica lags a little.
const ARRIVES_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// The edition for a viewer of aggregates only. It never waits for a position: waiting would tell what is
/// written meanwhile.
///
/// # Errors
/// BAD_USER_INPUT if the edition is older than `min_position`.
async fn edition(ctx: &Context<'_>, min_position: Option<i64>) -> Result<Arc<Snapshot>> {
    let (app, minutes) = (request(ctx)?.app.clone(), request(ctx)?.limits.edition_minutes);
    let current = move || app.editions.current(&app.snapshots, minutes, Timestamp::now()).map_err(from_job);
    let edition = blocking(current).await?;
    match min_position.filter(|position| *position > edition.position) {
        None => Ok(edition),
        Some(position) => Err(bad_input(format!(
            "minPosition: your role reads an edition of the register, at position {} and not yet {position}: leave it out; an edition lasts {minutes} minutes",
            edition.position
        ))),
    }
}

/// Waits until the snapshot holds a position.
///
/// # Errors
/// BAD_USER_INPUT if the position does not arrive in time.
async fn wait_for(ctx: &Context<'_>, position: i64) -> Result<()> {
    let app = request(ctx)?.app.clone();
    if app.snapshots.current().position >= position || app.refresher.reaches(position, ARRIVES_WITHIN).await {
        return Ok(());
    }
    let current = app.snapshots.current().position;
    Err(bad_input(format!("minPosition: the snapshot is at {current} and has not reached {position}: try again")))
}
