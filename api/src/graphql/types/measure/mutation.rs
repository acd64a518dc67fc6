//! Mutations of measures.

use super::Measure;
use crate::graphql::context::{own_unit, request, viewer};
use crate::graphql::enums::MeasureKind;
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, SHORT, day, optional, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::queries;
use schema::register::{MeasureStep, NewMeasure, change_measure, no_such_flag, record_measure};

/// A measure decided about an officer.
#[derive(Debug, InputObject)]
pub struct RecordMeasureInput {
    /// The code of an officer who served in your unit or below it on the day of the decision.
    pub officer: String,
    pub kind: MeasureKind,
    /// 1 to 100,000 characters.
    pub grounds: String,
    /// The office and name of the decision maker, 1 to 500 characters.
    pub decision_maker: String,
    /// The number of the decision, at most 500 characters.
    pub decision_number: Option<String>,
    /// The day of the decision, not in the future.
    pub decided_on: NaiveDate,
    /// The first day, not before `decidedOn`. Default: `decidedOn`.
    pub starts_on: Option<NaiveDate>,
    /// The last day, if known; not before `startsOn`.
    pub ends_on: Option<NaiveDate>,
    /// The flag on the officer that led to the measure. You must be able to see it.
    pub flag_id: Option<ID>,
}

/// The end of a measure.
#[derive(Debug, InputObject)]
pub struct EndMeasureInput {
    pub measure_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The last day, not before the measure started.
    pub ends_on: NaiveDate,
    /// 1 to 100,000 characters.
    pub reason: String,
}

/// A measure to mark as recorded by mistake.
#[derive(Debug, InputObject)]
pub struct VoidMeasureInput {
    pub measure_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// 1 to 100,000 characters.
    pub reason: String,
}

#[derive(SimpleObject)]
pub struct MeasurePayload {
    pub measure: Measure,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct MeasureMutations;

#[Object]
impl MeasureMutations {
    /// Records a measure decided about an officer of your unit. FORBIDDEN if you head no unit, BAD_USER_INPUT
    /// if the officer, a day or the flag is wrong, CONFLICT if the measure is recorded already.
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
                // A flag outside the row scope answers as one that does not exist, so that the answer does not
                // tell.
                if let Some(flag) = new.flag
                    && queries::flag_by_id(tx.conn, flag, viewer.flags(&reference.tree))?.is_none()
                {
                    return Err(no_such_flag(flag));
                }
                record_measure(tx, unit, viewer.officer_id, new)
            });
            write.map_err(from_store)
        })
        .await?;
        Ok(MeasurePayload { measure: done.value.into(), position: done.position })
    }

    /// Records or corrects the end of a measure, as the head of the unit that recorded it or one above.
    /// NOT_FOUND if you may not see it, BAD_USER_INPUT if another unit recorded it or the day is wrong,
    /// CONFLICT if it has changed or is void.
    async fn end_measure(&self, ctx: &Context<'_>, input: EndMeasureInput) -> Result<MeasurePayload> {
        let step =
            MeasureStep::End { on: day("endsOn", input.ends_on)?, reason: required("reason", &input.reason, LONG)? };
        changed(ctx, &input.measure_id, input.expected_version, step).await
    }

    /// Marks a measure as recorded by mistake; it stays in the register as void. NOT_FOUND, BAD_USER_INPUT and
    /// CONFLICT as for `endMeasure`.
    async fn void_measure(&self, ctx: &Context<'_>, input: VoidMeasureInput) -> Result<MeasurePayload> {
        let step = MeasureStep::Void { reason: required("reason", &input.reason, LONG)? };
        changed(ctx, &input.measure_id, input.expected_version, step).await
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
            let seen = |conn: &mut schema::Conn| queries::measure_meets(conn, id, viewer.measures(&reference.tree));
            // A unit that has ended has no head: any head who sees its measures now may act for it.
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
