//! Measures about officers: the type, its outcome, list, filter, order and mutations.

mod filter;
mod list;
mod mutation;
mod order;
mod outcome;

pub use filter::MeasureFilter;
pub use list::MeasureQueries;
pub use mutation::MeasureMutations;
pub use order::MeasureOrder;
pub use outcome::MeasureOutcome;

use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::enums::{MeasureBasisKind, MeasureKind, MeasureState, SuspensionGround};
use crate::graphql::error::from_job;
use crate::graphql::execute::blocking;
use crate::graphql::loaders::{
    MeasureComplaintsKey, OfficerComplaintsKey, OfficerKey, UnitKey, VisibleFlagKey, loaders, one, reference_row,
};
use crate::graphql::scalars::Moment;
use crate::graphql::scalars::id;
use crate::graphql::types::flag::visible_ids;
use crate::graphql::types::statistics;
use crate::graphql::types::{Flag, Officer, Unit};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::analyses::before_after::aftermath;
use jobs::analyses::scorecard::rows_of_officer;
use jobs::facts::days::day_number;
use schema::domain::calendar::local_date;
use schema::register::state_on;
use schema::{Timestamp, models};

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

    /// The last day of the measure, also after an extension or a lift; null while no end is recorded.
    async fn ends_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        self.looked_at(ctx)?;
        Ok(self.0.ends_on)
    }

    /// The reason for the end; null until `endMeasure` or `liftMeasure` records it.
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
        flag(ctx, self.0.flag_id).await
    }

    /// The basis of the measure; null if it was recorded before a basis was required.
    async fn basis(&self, ctx: &Context<'_>) -> Result<Option<MeasureBasis>> {
        self.looked_at(ctx)?;
        Ok(self.0.basis.map(|kind| MeasureBasis { kind, measure: self.0.clone() }))
    }

    /// The state of the measure today.
    async fn state(&self, ctx: &Context<'_>) -> Result<MeasureState> {
        self.looked_at(ctx)?;
        Ok(state_on(&self.0, local_date(Timestamp::now())).into())
    }

    /// Why the officer is suspended; null for other measures, and for suspensions recorded before grounds were.
    async fn ground(&self, ctx: &Context<'_>) -> Result<Option<SuspensionGround>> {
        self.looked_at(ctx)?;
        Ok(self.0.ground.map(Into::into))
    }

    /// What the officer said before the decision; null if the flag holds it, or the officer refused.
    async fn explanation(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.looked_at(ctx)?;
        Ok(self.0.explanation.as_deref())
    }

    /// The time of the officer's explanation.
    async fn explained_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        self.looked_at(ctx)?;
        Ok(self.0.explained_on)
    }

    /// The time of the officer's refusal to explain.
    async fn explanation_refused_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        self.looked_at(ctx)?;
        Ok(self.0.explanation_refused_on)
    }

    /// The limits of a suspension; null for other measures, and for suspensions recorded before limits were.
    async fn limits(&self, ctx: &Context<'_>) -> Result<Option<SuspensionLimits>> {
        self.looked_at(ctx)?;
        Ok(SuspensionLimits::of(&self.0))
    }

    /// The working days from the first to the last day, both included. Null without an end, or if the calendar lacks one
    /// of the years.
    async fn working_days(&self, ctx: &Context<'_>) -> Result<Option<u32>> {
        self.looked_at(ctx)?;
        let clock = snapshot(ctx)?.reference.clock_rules.clone();
        Ok(self.0.ends_on.and_then(|end| clock.calendar.working_days_between(self.0.starts_on, end).ok()))
    }

    /// How a suspension was extended; null if it was not.
    async fn extension(&self, ctx: &Context<'_>) -> Result<Option<MeasureExtension>> {
        self.looked_at(ctx)?;
        Ok(MeasureExtension::of(&self.0))
    }

    /// The last day of a measure that was ended early; null if it was not.
    async fn lifted_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        self.looked_at(ctx)?;
        Ok(self.0.lifted_on)
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
        let sees_all = scope.condition().is_none();
        let within = scope.expression(&snapshot);
        let complaints =
            one(loaders(ctx)?, OfficerComplaintsKey { officer: self.0.officer_id, as_of: local_date(snapshot.as_of) })
                .await?
                .unwrap_or_default();
        let (day, officer) = (day_number(self.0.starts_on), self.0.officer_id);
        let made = blocking(move || {
            let rows = rows_of_officer(&snapshot.facts, &complaints, within).map_err(JobError::from);
            let today = statistics::today(&snapshot);
            let first = statistics::first_day(&snapshot, &scope)?.unwrap_or(today);
            let found = rows.and_then(|rows| aftermath(&rows, day, days, first, today)).map_err(from_job)?;
            Ok(found.map(|found| MeasureOutcome { snapshot, officer, found, sees_all }))
        });
        Box::pin(made).await
    }
}

/// The basis of a measure.
pub struct MeasureBasis {
    kind: schema::enums::MeasureBasisKind,
    measure: models::Measure,
}

/// The basis of a measure.
#[Object]
impl MeasureBasis {
    async fn kind(&self) -> MeasureBasisKind {
        self.kind.into()
    }

    /// The flag; null if the measure rests on none, or you may not see it.
    async fn flag(&self, ctx: &Context<'_>) -> Result<Option<Flag>> {
        flag(ctx, self.measure.flag_id).await
    }

    /// Ids of the complaints, among those that you may see.
    async fn complaint_ids(&self, ctx: &Context<'_>) -> Result<Vec<ID>> {
        let ids = one(loaders(ctx)?, MeasureComplaintsKey(self.measure.id)).await?.unwrap_or_default();
        visible_ids(ctx, ids).await
    }

    /// Why the measure rests on neither a flag nor complaints; null if it rests on one.
    async fn reason(&self) -> Option<&str> {
        self.measure.no_basis_reason.as_deref()
    }
}

async fn flag(ctx: &Context<'_>, id: Option<schema::Id>) -> Result<Option<Flag>> {
    let Some(id) = id else { return Ok(None) };
    Ok(one(loaders(ctx)?, VisibleFlagKey(id)).await?.map(Flag))
}

/// The extension of a suspension.
#[derive(SimpleObject)]
pub struct MeasureExtension {
    /// The last day of the suspension as it was decided.
    pub from: NaiveDate,
    pub decided_on: NaiveDate,
    pub reason: String,
}

impl MeasureExtension {
    fn of(row: &models::Measure) -> Option<Self> {
        let reason = row.extension_reason.clone()?;
        Some(Self { from: row.extended_from?, decided_on: row.extension_decided_on?, reason })
    }
}

/// The limits by which a suspension was recorded, in working days.
#[derive(SimpleObject)]
pub struct SuspensionLimits {
    /// The version of the limits.
    pub version: String,
    /// The longest suspension, its first day included.
    pub working_days: i32,
    /// The longest extension; 0 if there can be none.
    pub extension_working_days: i32,
}

impl SuspensionLimits {
    fn of(row: &models::Measure) -> Option<Self> {
        Some(Self {
            version: row.limits_version.clone()?,
            working_days: row.limit_days?,
            extension_working_days: row.extension_limit_days?,
        })
    }
}
