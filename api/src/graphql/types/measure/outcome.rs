//! The complaints about an officer after a measure.

use crate::graphql::context::request;
use crate::graphql::error::from_job;
use crate::graphql::scalars::Moment;
use crate::graphql::types::flag::ExposureBasis;
use crate::graphql::types::proposal::RateRatioWithLimits;
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::analyses::before_after::{self, Aftermath, Span};
use jobs::analyses::peers::{self, Peers, Question, by_workload};
use jobs::analyses::scorecard::Scorecard;
use jobs::facts::Facts;
use jobs::snapshot::Snapshot;
use schema::{Id, queries};
use std::sync::Arc;

/// The complaints about an officer before and after a measure, among those that the viewer may see.
pub struct MeasureOutcome {
    pub snapshot: Arc<Snapshot>,
    pub officer: Id,
    pub found: Aftermath,
    /// Whether the viewer sees every complaint.
    pub sees_all: bool,
}

/// Complaints about an officer before and after a measure. It shows no cause: an officer who was moved draws
/// fewer complaints for that alone, and few complaints before say little.
#[Object]
impl MeasureOutcome {
    /// The time of the snapshot.
    async fn as_of(&self) -> Moment {
        self.snapshot.as_of.into()
    }

    /// The position of the register that the snapshot holds.
    async fn position(&self) -> i64 {
        self.snapshot.position
    }

    /// The days before `startsOn`.
    async fn before(&self) -> OutcomePeriod {
        period(self.found.before.0, &self.found.before.1)
    }

    /// The days from `startsOn` on.
    async fn after(&self) -> OutcomePeriod {
        period(self.found.after.0, &self.found.after.1)
    }

    /// Whether no complaint was received since the measure started. Null if that is not known: fewer than 30
    /// days have passed, there was no complaint before, or you see only some of the complaints.
    async fn stopped(&self) -> Option<bool> {
        // A viewer of only some complaints cannot tell that there are none.
        self.sees_all.then(|| self.found.stopped()).flatten()
    }

    /// The day of the latest complaint since the start, among those that you may see; null if none exists.
    async fn last_complaint_on(&self) -> Option<NaiveDate> {
        self.found.last.map(before_after::date)
    }

    /// The same periods by the officer's work in them. Null if the exposure of the officer is unknown in one of
    /// the periods.
    async fn workload(&self, ctx: &Context<'_>) -> Result<Option<OutcomeWorkload>> {
        let ((before, card), (after, later)) = (&self.found.before, &self.found.after);
        let question = Question {
            officer: self.officer,
            episodes: (card.episodes, later.episodes),
            before: *before,
            after: *after,
            compare: self.sees_all,
        };
        let (from, until) = (before_after::date(before.from), before_after::date(after.until));
        let reading = request(ctx)?.read(move |conn| {
            Ok((Facts::load_work(conn, from, until)?, queries::officers_with_measures(conn, from, until)?))
        });
        let (work, decided) = Box::pin(reading).await?;
        let snapshot = Arc::clone(&self.snapshot);
        let computing = request(ctx)?.compute(move || {
            let found = by_workload(&snapshot, &work, &decided, question).map_err(from_job)?;
            Ok(found.map(|found| OutcomeWorkload {
                basis: found.basis.into(),
                before: WorkPeriod::new(found.own.episodes.0, found.own.exposure.0),
                after: WorkPeriod::new(found.own.episodes.1, found.own.exposure.1),
                rate_ratio: found.ratio.map(Into::into),
                peers: found.peers.map(Into::into),
            }))
        });
        Box::pin(computing).await
    }
}

/// A period of whole days, and the complaints about an officer received in it.
#[derive(SimpleObject)]
pub struct OutcomePeriod {
    /// The first day.
    pub from: NaiveDate,
    /// The last day, included.
    pub until: NaiveDate,
    /// Number of days.
    pub days: i32,
    /// Complaints of any kind.
    pub complaints: u32,
    /// Complaints about conduct; those of one enterprise within a week count as one.
    pub episodes: u32,
    /// Enterprises that complained; anonymous complaints count as none.
    pub distinct_enterprises: u32,
}

fn period(span: Span, card: &Scorecard) -> OutcomePeriod {
    OutcomePeriod {
        from: before_after::date(span.from),
        until: before_after::date(span.until),
        days: span.days(),
        complaints: card.handled.complaints,
        episodes: card.episodes,
        distinct_enterprises: card.distinct_enterprises,
    }
}

/// The episodes about an officer before and after a measure, by the officer's work.
#[derive(SimpleObject)]
pub struct OutcomeWorkload {
    /// The unit of the exposure.
    pub basis: ExposureBasis,
    /// The period before the measure.
    pub before: WorkPeriod,
    /// The period since.
    pub after: WorkPeriod,
    /// The rate after / before; null without an episode. It includes regression to the mean: see `peers`.
    pub rate_ratio: Option<RateRatioWithLimits>,
    /// What happened to officers at the same level before, about whom nothing was decided: regression to the mean
    /// alone, and whatever changed for all. Null if fewer than 5 officers are at that level, or you see only some
    /// of the complaints.
    pub peers: Option<OutcomePeers>,
}

/// Work and rate of a period.
#[derive(SimpleObject)]
pub struct WorkPeriod {
    /// Declarations handled, or days in posting (`basis`). A month without workload takes the rate of another one.
    pub exposure: f64,
    /// Episodes for each 1,000 declarations or days.
    pub rate: f64,
}

impl WorkPeriod {
    /// Expects a positive exposure.
    fn new(episodes: u32, exposure: f64) -> Self {
        Self { exposure, rate: 1_000.0 * f64::from(episodes) / exposure }
    }
}

/// Officers who had as many episodes before, with half to twice the work, and about whom no measure started in
/// either period.
#[derive(SimpleObject)]
pub struct OutcomePeers {
    /// Number of officers.
    pub officers: u32,
    /// The fewest episodes of an officer before the measure. The level is widened while there are fewer than 5
    /// officers.
    pub episodes_from: u32,
    /// The most episodes of an officer before the measure.
    pub episodes_until: u32,
    /// The period before the measure, for all officers together.
    pub before: WorkPeriod,
    /// The period since.
    pub after: WorkPeriod,
    /// Their rate after / before: what happens without a measure.
    pub rate_ratio: Option<RateRatioWithLimits>,
    /// The episodes that the officer would have had since, at their rate.
    pub expected_episodes: f64,
    /// The officer's rate since / theirs.
    pub rate_ratio_to_peers: Option<RateRatioWithLimits>,
}

impl From<Peers> for OutcomePeers {
    fn from(found: Peers) -> Self {
        let peers::Record { episodes, exposure } = found.together;
        Self {
            officers: found.officers,
            episodes_from: found.level.0,
            episodes_until: found.level.1,
            before: WorkPeriod::new(episodes.0, exposure.0),
            after: WorkPeriod::new(episodes.1, exposure.1),
            rate_ratio: found.ratio.map(Into::into),
            expected_episodes: found.expected,
            rate_ratio_to_peers: found.against.map(Into::into),
        }
    }
}
