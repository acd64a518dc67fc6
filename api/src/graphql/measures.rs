//! What heads record about their officers: measures, and what an officer said about a flag.

use super::context::{blocking, own_unit, request, viewer};
use super::enums::MeasureKind;
use super::error::from_store;
use super::input::{LONG, SHORT, day, optional, required};
use super::query::{seen_flag, sees_measure};
use super::scalars::parse_id;
use super::types::{Flag, Measure};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::StoreError;
use schema::register::{MeasureStep, NewMeasure, change_measure, no_such_flag, record_measure};

/// What was decided about an officer.
#[derive(Debug, InputObject)]
pub struct RecordMeasureInput {
    /// The code of an officer who served in your unit, or below it, on the day of the decision.
    pub officer: String,
    pub kind: MeasureKind,
    pub grounds: String,
    /// Who decided: an office and a name.
    pub decision_maker: String,
    pub decision_number: Option<String>,
    /// Today at the latest.
    pub decided_on: NaiveDate,
    /// The first day; that of the decision unless told.
    pub starts_on: Option<NaiveDate>,
    /// The last day, where it is known.
    pub ends_on: Option<NaiveDate>,
    /// The flag on the officer that led to it.
    pub flag_id: Option<ID>,
}

/// The end of a measure.
#[derive(Debug, InputObject)]
pub struct EndMeasureInput {
    pub measure_id: ID,
    /// The version of the measure that you know.
    pub expected_version: i32,
    /// The last day.
    pub ends_on: NaiveDate,
    pub reason: String,
}

/// That a measure was recorded by mistake.
#[derive(Debug, InputObject)]
pub struct VoidMeasureInput {
    pub measure_id: ID,
    /// The version of the measure that you know.
    pub expected_version: i32,
    pub reason: String,
}

#[derive(SimpleObject)]
pub struct MeasurePayload {
    pub measure: Measure,
    /// The register's position of the change.
    pub position: Option<i64>,
}

/// What an officer said about a flag.
#[derive(Debug, InputObject)]
pub struct RecordExplanationInput {
    pub flag_id: ID,
    /// When the officer was told of the flag.
    pub notified_on: NaiveDate,
    /// What the officer said, or that nothing was said.
    pub explanation: String,
    /// The run whose numbers the officer was told (`flag { runId }`). If a later
    /// run has assessed the flag since, nothing is recorded, and the answer is a CONFLICT.
    pub seen_run_id: Option<ID>,
}

#[derive(SimpleObject)]
pub struct RecordExplanationPayload {
    pub flag: Flag,
}

#[derive(Default)]
pub struct MeasureMutation;

#[Object]
impl MeasureMutation {
    /// Records a measure that was decided about an officer of your unit.
    async fn record_measure(&self, ctx: &Context<'_>, input: RecordMeasureInput) -> Result<MeasurePayload> {
        let unit = own_unit(ctx)?;
        let new = NewMeasure {
            officer: input.officer,
            kind: input.kind.into(),
            grounds: required("grounds", &input.grounds, LONG)?,
            decision_maker: required("decisionMaker", &input.decision_maker, SHORT)?,
            decision_number: optional("decisionNumber", input.decision_number.as_deref(), SHORT)?,
            decided_on: day("decidedOn", input.decided_on)?,
            starts_on: day("startsOn", input.starts_on.unwrap_or(input.decided_on))?,
            ends_on: input.ends_on.map(|end| day("endsOn", end)).transpose()?,
            flag: input.flag_id.as_ref().map(parse_id).transpose()?,
        };
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            let reference = app.snapshots.current().reference.clone();
            let write = app.db.write(&viewer.actor(), |tx| {
                // A flag that is not there for the head is none: whether there is one would tell.
                if let Some(flag) = new.flag
                    && seen_flag(viewer.clone(), reference, flag)(tx.conn)?.is_none()
                {
                    return Err(no_such_flag());
                }
                record_measure(tx, unit, viewer.officer_id, new)
            });
            write.map_err(from_store)
        })
        .await?;
        Ok(MeasurePayload { measure: done.value.into(), position: done.position })
    }

    /// Says when a measure ends, or ended, also another day than was said before; by the head who recorded it or one above.
    async fn end_measure(&self, ctx: &Context<'_>, input: EndMeasureInput) -> Result<MeasurePayload> {
        let step =
            MeasureStep::End { on: day("endsOn", input.ends_on)?, reason: required("reason", &input.reason, LONG)? };
        changed(ctx, &input.measure_id, input.expected_version, step).await
    }

    /// Says that a measure was recorded by mistake; it stays in the register as void.
    async fn void_measure(&self, ctx: &Context<'_>, input: VoidMeasureInput) -> Result<MeasurePayload> {
        let step = MeasureStep::Void { reason: required("reason", &input.reason, LONG)? };
        changed(ctx, &input.measure_id, input.expected_version, step).await
    }

    /// Records when an officer was told of a flag and what the officer said: without both no flag is upheld.
    async fn record_explanation(
        &self,
        ctx: &Context<'_>,
        input: RecordExplanationInput,
    ) -> Result<RecordExplanationPayload> {
        let id = parse_id(&input.flag_id)?;
        let explanation = required("explanation", &input.explanation, LONG)?;
        let notified_on = day("notifiedOn", input.notified_on)?;
        let seen_run = input.seen_run_id.as_ref().map(parse_id).transpose()?;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            let reference = app.snapshots.current().reference.clone();
            let write = app.db.write(&viewer.actor(), |tx| {
                if seen_flag(viewer.clone(), reference, id)(tx.conn)?.is_none() {
                    return Err(StoreError::NotFound("there is no such flag".into()));
                }
                jobs::flags::explain(tx, id, notified_on, explanation, seen_run)
            });
            write.map_err(from_store)
        })
        .await?;
        Ok(RecordExplanationPayload { flag: done.value.into() })
    }
}

async fn changed(ctx: &Context<'_>, id: &ID, expected: i32, step: MeasureStep) -> Result<MeasurePayload> {
    let unit = own_unit(ctx)?;
    let id = parse_id(id)?;
    let viewer = viewer(ctx)?.clone();
    let app = request(ctx)?.app.clone();
    let done = blocking(move || {
        let reference = app.snapshots.current().reference.clone();
        let today = schema::domain::calendar::local_date(schema::Timestamp::now());
        let below = reference.tree.below_on(unit, today);
        let write = app.db.write(&viewer.actor(), |tx| {
            let seen = |conn: &mut schema::Conn| sees_measure(&viewer, &reference, id, conn);
            // A unit that is no more has no head: whoever sees its measures now speaks for it.
            let own = |measure: &schema::models::Measure| {
                let recorded_by = reference.unit(measure.recorded_by_unit_id);
                let is_over = recorded_by.and_then(|unit| unit.valid_to).is_some_and(|end| end < today);
                is_over || below.contains(&measure.recorded_by_unit_id)
            };
            change_measure(tx, id, expected, step, seen, own)
        });
        write.map_err(from_store)
    })
    .await?;
    Ok(MeasurePayload { measure: done.value.into(), position: done.position })
}
