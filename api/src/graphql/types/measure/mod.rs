//! Measures about officers: the type, its outcome, list, filter, order and mutations.

mod filter;
mod list;
mod mutation;
mod order;

pub use filter::MeasureFilter;
pub use list::MeasureQueries;
pub use mutation::MeasureMutations;
pub use order::MeasureOrder;

use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::enums::MeasureKind;
use crate::graphql::error::from_job;
use crate::graphql::execute::blocking;
use crate::graphql::loaders::{OfficerComplaintsKey, OfficerKey, UnitKey, VisibleFlagKey, loaders, one, reference_row};
use crate::graphql::scalars::Moment;
use crate::graphql::scalars::id;
use crate::graphql::types::statistics;
use crate::graphql::types::{Flag, Officer, Unit};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::analyses::before_after::{self, Span, aftermath};
use jobs::analyses::scorecard::{Scorecard, rows_of_officer};
use jobs::facts::days::day_number;
use schema::domain::calendar::local_date;
use schema::models;

connection!(Measure by MeasureSort, MeasureConnection, MeasureEdge);

pub struct Measure(pub models::Measure);

impl From<models::Measure> for Measure {
    fn from(row: models::Measure) -> Self {
        Self(row)
    }
}

impl Measure {
    /// Notes for the audit log that the viewer saw the file of the officer: every field is a part of it.
    fn looked_at(&self, ctx: &Context<'_>) -> Result<()> {
        request(ctx)?.note_shown(|seen| &mut seen.files, self.0.officer_id);
        Ok(())
    }
}

/// A measure decided about an officer. Reading any field is recorded in the audit log.
#[Object]
impl Measure {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        self.looked_at(ctx)?;
        Ok(id(self.0.id))
    }

    /// The officer that the measure is about.
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        self.looked_at(ctx)?;
        Ok(reference_row(ctx, OfficerKey(self.0.officer_id)).await?.map(Officer))
    }

    /// The unit of the officer on the day of the decision.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        self.looked_at(ctx)?;
        Ok(reference_row(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
    }

    async fn kind(&self, ctx: &Context<'_>) -> Result<MeasureKind> {
        self.looked_at(ctx)?;
        Ok(self.0.kind.into())
    }

    async fn grounds(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.grounds)
    }

    /// The office and name of the decision maker.
    async fn decision_maker(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.decision_maker)
    }

    /// The number of the decision; null if it has none.
    async fn decision_number(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.looked_at(ctx)?;
        Ok(self.0.decision_number.as_deref())
    }

    async fn decided_on(&self, ctx: &Context<'_>) -> Result<NaiveDate> {
        self.looked_at(ctx)?;
        Ok(self.0.decided_on)
    }

    /// The first day of the measure.
    async fn starts_on(&self, ctx: &Context<'_>) -> Result<NaiveDate> {
        self.looked_at(ctx)?;
        Ok(self.0.starts_on)
    }

    /// The last day of the measure; null while no end is recorded.
    async fn ends_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        self.looked_at(ctx)?;
        Ok(self.0.ends_on)
    }

    /// Why the measure ends; null until `endMeasure` records it.
    async fn end_reason(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.looked_at(ctx)?;
        Ok(self.0.end_reason.as_deref())
    }

    /// Why the measure is void: it was recorded by mistake. Null if it is valid.
    async fn void_reason(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.looked_at(ctx)?;
        Ok(self.0.void_reason.as_deref())
    }

    /// The unit whose head recorded the measure.
    async fn recorded_by(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        self.looked_at(ctx)?;
        Ok(reference_row(ctx, UnitKey(self.0.recorded_by_unit_id)).await?.map(Unit))
    }

    /// The flag that led to the measure; null if none did, or you may not see it.
    async fn flag(&self, ctx: &Context<'_>) -> Result<Option<Flag>> {
        self.looked_at(ctx)?;
        let Some(flag) = self.0.flag_id else { return Ok(None) };
        Ok(one(loaders(ctx)?, VisibleFlagKey(flag)).await?.map(Flag))
    }

    async fn recorded_at(&self, ctx: &Context<'_>) -> Result<Moment> {
        self.looked_at(ctx)?;
        Ok(self.0.recorded_at.into())
    }

    /// Grows by one with each change. Pass it as `expectedVersion`.
    async fn version(&self, ctx: &Context<'_>) -> Result<i32> {
        self.looked_at(ctx)?;
        Ok(self.0.version)
    }

    /// The author of the record, `token:NAME`.
    async fn actor(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.actor)
    }

    /// Complaints about the officer before and after the measure started, among those that you may see. The
    /// period before has `days` days (1 to 36,500), or fewer if the register begins later; the period after
    /// ends yesterday at the latest. Null if one of the periods has no day.
    async fn outcome(&self, ctx: &Context<'_>, #[graphql(default = 180)] days: i32) -> Result<Option<MeasureOutcome>> {
        self.looked_at(ctx)?;
        let days = statistics::days(days)?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        // A viewer of only some complaints cannot tell that there are none.
        let sees_all = scope.condition().is_none();
        let within = scope.expression(&snapshot);
        let complaints =
            one(loaders(ctx)?, OfficerComplaintsKey { officer: self.0.officer_id, as_of: local_date(snapshot.as_of) })
                .await?
                .unwrap_or_default();
        let day = day_number(self.0.starts_on);
        let made = blocking(move || {
            let rows = rows_of_officer(&snapshot.facts, &complaints, within).map_err(JobError::from);
            let today = statistics::today(&snapshot);
            let first = statistics::first_day(&snapshot, &scope)?.unwrap_or(today);
            let found = rows.and_then(|rows| aftermath(&rows, day, days, first, today)).map_err(from_job)?;
            Ok(found.map(|found| MeasureOutcome {
                as_of: snapshot.as_of.into(),
                position: snapshot.position,
                before: period(found.before.0, &found.before.1),
                after: period(found.after.0, &found.after.1),
                stopped: sees_all.then(|| found.stopped()).flatten(),
                last_complaint_on: found.last.map(before_after::date),
            }))
        });
        Box::pin(made).await
    }
}

/// Complaints about an officer before and after a measure. It shows no cause: an officer who was moved draws
/// fewer complaints for that alone, and few complaints before say little.
#[derive(SimpleObject)]
pub struct MeasureOutcome {
    /// When the snapshot was taken.
    pub as_of: Moment,
    /// The position of the register that the snapshot holds.
    pub position: i64,
    /// The days before `startsOn`.
    pub before: OutcomePeriod,
    /// The days from `startsOn` on.
    pub after: OutcomePeriod,
    /// Whether no complaint was received since the measure started. Null if that cannot be told: fewer than 30
    /// days have passed, there was no complaint before, or you see only some of the complaints.
    pub stopped: Option<bool>,
    /// The day of the latest complaint since the start, among those that you may see; null if there is none.
    pub last_complaint_on: Option<NaiveDate>,
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
