use super::{Flag, Officer, Unit};
use crate::graphql::connection::connection;
use crate::graphql::context::{blocking, loaders, request, snapshot, viewer};
use crate::graphql::enums::MeasureKind;
use crate::graphql::error::from_job;
use crate::graphql::loaders::{OfficerComplaintsKey, OfficerKey, SeenFlagKey, UnitKey, known, one};
use crate::graphql::scalars::{Moment, id};
use crate::graphql::statistics;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::analyses::before_after::{self, Span, aftermath};
use jobs::analyses::scorecard::{Scorecard, rows_of_officer};
use jobs::facts::frames::day_number;
use schema::domain::calendar::local_date;
use schema::models;

/// What was decided about an officer: by whom, on which grounds, and from when to when.
pub struct Measure(pub models::Measure);

impl From<models::Measure> for Measure {
    fn from(row: models::Measure) -> Self {
        Self(row)
    }
}

impl Measure {
    /// What is said here of an officer is a page of the officer's file.
    fn looked_at(&self, ctx: &Context<'_>) -> Result<()> {
        request(ctx)?.saw(|seen| &mut seen.files, self.0.officer_id);
        Ok(())
    }
}

#[Object]
impl Measure {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        self.looked_at(ctx)?;
        Ok(id(self.0.id))
    }

    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        self.looked_at(ctx)?;
        Ok(known(ctx, OfficerKey(self.0.officer_id)).await?.map(Officer))
    }

    /// The officer's unit on the day of the decision.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        self.looked_at(ctx)?;
        Ok(known(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
    }

    async fn kind(&self, ctx: &Context<'_>) -> Result<MeasureKind> {
        self.looked_at(ctx)?;
        Ok(self.0.kind.into())
    }

    async fn grounds(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.grounds)
    }

    async fn decision_maker(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.decision_maker)
    }

    async fn decision_number(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.looked_at(ctx)?;
        Ok(self.0.decision_number.as_deref())
    }

    async fn decided_on(&self, ctx: &Context<'_>) -> Result<NaiveDate> {
        self.looked_at(ctx)?;
        Ok(self.0.decided_on)
    }

    async fn starts_on(&self, ctx: &Context<'_>) -> Result<NaiveDate> {
        self.looked_at(ctx)?;
        Ok(self.0.starts_on)
    }

    /// The last day; null while it lasts, and for what has no end.
    async fn ends_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        self.looked_at(ctx)?;
        Ok(self.0.ends_on)
    }

    async fn end_reason(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.looked_at(ctx)?;
        Ok(self.0.end_reason.as_deref())
    }

    /// Why it is void: it was recorded by mistake.
    async fn void_reason(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.looked_at(ctx)?;
        Ok(self.0.void_reason.as_deref())
    }

    /// The unit whose head recorded it.
    async fn recorded_by(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        self.looked_at(ctx)?;
        Ok(known(ctx, UnitKey(self.0.recorded_by_unit_id)).await?.map(Unit))
    }

    /// The flag that led to it, if it is there for you.
    async fn flag(&self, ctx: &Context<'_>) -> Result<Option<Flag>> {
        self.looked_at(ctx)?;
        let Some(flag) = self.0.flag_id else { return Ok(None) };
        Ok(one(loaders(ctx)?, SeenFlagKey(flag)).await?.map(Flag))
    }

    async fn recorded_at(&self, ctx: &Context<'_>) -> Result<Moment> {
        self.looked_at(ctx)?;
        Ok(self.0.recorded_at.into())
    }

    async fn version(&self, ctx: &Context<'_>) -> Result<i32> {
        self.looked_at(ctx)?;
        Ok(self.0.version)
    }

    async fn actor(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.actor)
    }

    /// What was complained about the officer in so many days before it started and since, up to yesterday, of what you may
    /// see; null where no day has passed since, or the register is no older.
    async fn outcome(&self, ctx: &Context<'_>, #[graphql(default = 180)] days: i32) -> Result<Option<MeasureOutcome>> {
        self.looked_at(ctx)?;
        let days = statistics::days(days)?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        // Who sees a part of the complaints cannot say that there are none.
        let sees_all = scope.condition().is_none();
        let within = statistics::scoped(&snapshot, &scope);
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

/// Whether complaints about an officer stopped when a measure was taken. Whoever was moved away is complained about less
/// for that alone, and few complaints before say little.
#[derive(SimpleObject)]
pub struct MeasureOutcome {
    /// When the snapshot was taken.
    pub as_of: Moment,
    pub position: i64,
    pub before: OutcomePeriod,
    /// Since the day itself, as far as the days have passed.
    pub after: OutcomePeriod,
    /// Whether nothing at all was received since the measure started. Null where nobody can tell: not 30 days have passed,
    /// nothing had been received before, or you see a part of the complaints only.
    pub stopped: Option<bool>,
    /// The day of the latest complaint since, of those that you may see.
    pub last_complaint_on: Option<NaiveDate>,
}

/// Some days, both ends included, and the complaints about an officer received in them.
#[derive(SimpleObject)]
pub struct OutcomePeriod {
    pub from: NaiveDate,
    pub until: NaiveDate,
    pub days: i32,
    /// Of any kind.
    pub complaints: u32,
    /// About conduct, those of one enterprise within a week as one.
    pub episodes: u32,
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

connection!(Measure, MeasureConnection, MeasureEdge);
