//! Mutations of measures.

use super::Measure;
use crate::graphql::context::{own_unit, request, viewer};
use crate::graphql::enums::{MeasureKind, SuspensionGround};
use crate::graphql::error::{from_store, refuse};
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, SHORT, day, optional, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::refusal::InputRefusal;
use schema::register::{
    Extension, MeasureStep, NewMeasure, change_measure, complaints, no_such_complaint, no_such_flag, record_measure,
};
use schema::{Id, queries};

/// The most complaints that a measure may name.
const MOST_COMPLAINTS: usize = 100;

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
    /// The last day, if known; not before `startsOn`. A suspension lasts at most 15 working days (or what the server is
    /// configured to); defaults to that maximum.
    pub ends_on: Option<NaiveDate>,
    /// Required for a suspension.
    pub ground: Option<SuspensionGround>,
    /// What the officer said before the decision, at most 100,000 characters. A suspension needs it, unless the
    /// officer refused, or the flag has an explanation with a `notifiedOn` that is not after `decidedOn`.
    pub explanation: Option<String>,
    /// The day of the explanation, not after `decidedOn`. Default: `decidedOn`.
    pub explained_on: Option<NaiveDate>,
    /// The day on which the officer refused to explain, not after `decidedOn`.
    pub explanation_refused_on: Option<NaiveDate>,
    /// The flag on the officer that the measure rests on. You must be able to see it.
    pub flag_id: Option<ID>,
    /// The complaints that the measure rests on, at most 100. They must name the officer, and you must be able to
    /// see them.
    pub complaint_ids: Option<Vec<ID>>,
    /// Why the measure rests on neither a flag nor complaints, 1 to 100,000 characters. Required if you name none.
    pub no_basis_reason: Option<String>,
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

/// The early end of a measure.
#[derive(Debug, InputObject)]
pub struct LiftMeasureInput {
    pub measure_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The last day, not before the measure started and before it would have ended.
    pub lifted_on: NaiveDate,
    /// 1 to 100,000 characters.
    pub reason: String,
}

/// The extension of a suspension.
#[derive(Debug, InputObject)]
pub struct ExtendMeasureInput {
    pub measure_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The day of the decision, not in the future and not after the suspension has lapsed.
    pub decided_on: NaiveDate,
    /// The new last day. Default: as long as the limits of the suspension allow.
    pub ends_on: Option<NaiveDate>,
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
    /// Records a measure decided about an officer of your unit, and what it rests on. FORBIDDEN if you head no unit,
    /// BAD_USER_INPUT if the officer, a day, the basis or something that a suspension needs is wrong or missing,
    /// CONFLICT if the measure is recorded already, or a suspension overlaps another one of the officer.
    async fn record_measure(&self, ctx: &Context<'_>, input: RecordMeasureInput) -> Result<MeasurePayload> {
        let unit = own_unit(ctx)?;
        let named = input.complaint_ids.unwrap_or_default();
        if named.len() > MOST_COMPLAINTS {
            return Err(refuse(InputRefusal::TooManyComplaints { most: MOST_COMPLAINTS }));
        }
        let new = NewMeasure {
            officer: input.officer,
            kind: input.kind.into(),
            grounds: required("grounds", &input.grounds, LONG)?,
            decision_maker: required("decisionMaker", &input.decision_maker, SHORT)?,
            decision_number: optional("decisionNumber", input.decision_number.as_deref(), SHORT)?,
            decided_on: day("decidedOn", input.decided_on)?,
            starts_on: day("startsOn", input.starts_on.unwrap_or(input.decided_on))?,
            ends_on: input.ends_on.map(|end| day("endsOn", end)).transpose()?,
            ground: input.ground.map(Into::into),
            explanation: optional("explanation", input.explanation.as_deref(), LONG)?,
            explained_on: input.explained_on.map(|on| day("explainedOn", on)).transpose()?,
            explanation_refused_on: input
                .explanation_refused_on
                .map(|on| day("explanationRefusedOn", on))
                .transpose()?,
            flag: input.flag_id.as_ref().map(parse_id).transpose()?,
            complaints: named.iter().map(parse_id).collect::<Result<_>>()?,
            no_basis_reason: optional("noBasisReason", input.no_basis_reason.as_deref(), LONG)?,
        };
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            let reference = app.snapshots.current().reference.clone();
            let scope = viewer.scope(&reference.tree);
            let write = app.db.write(&viewer.actor(), |tx| {
                // A flag or complaint outside the row scope answers as one that does not exist, so that the answer
                // does not tell.
                if let Some(flag) = new.flag
                    && queries::flag_by_id(tx.conn, flag, viewer.flags(&reference.tree))?.is_none()
                {
                    return Err(no_such_flag(flag));
                }
                let cases = complaints::load(tx.conn, &new.complaints)?;
                let is_seen = |id: &Id| {
                    cases.get(id).is_some_and(|case| {
                        let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
                        scope.contains(&case.complaint, &officers)
                    })
                };
                if let Some(hidden) = new.complaints.iter().find(|id| !is_seen(id)) {
                    return Err(no_such_complaint(*hidden));
                }
                let sees =
                    |conn: &mut schema::Conn, id| queries::measure_meets(conn, id, viewer.measures(&reference.tree));
                record_measure(tx, &app.suspension_limits, unit, viewer.officer_id, new, sees)
            });
            write.map_err(from_store)
        })
        .await?;
        Ok(MeasurePayload { measure: done.value.into(), position: done.position })
    }

    /// Records or corrects the end of a measure, as the head of the unit that recorded it or one above.
    /// NOT_FOUND if you may not see it, BAD_USER_INPUT if another unit recorded it, the day is wrong or beyond the
    /// limit of a suspension, CONFLICT if it has changed, is void or was lifted.
    async fn end_measure(&self, ctx: &Context<'_>, input: EndMeasureInput) -> Result<MeasurePayload> {
        let step =
            MeasureStep::End { on: day("endsOn", input.ends_on)?, reason: required("reason", &input.reason, LONG)? };
        changed(ctx, &input.measure_id, input.expected_version, step).await
    }

    /// Ends a measure before the day on which it would have ended. NOT_FOUND, BAD_USER_INPUT and CONFLICT as for
    /// `endMeasure`.
    async fn lift_measure(&self, ctx: &Context<'_>, input: LiftMeasureInput) -> Result<MeasurePayload> {
        let step = MeasureStep::Lift {
            on: day("liftedOn", input.lifted_on)?,
            reason: required("reason", &input.reason, LONG)?,
        };
        changed(ctx, &input.measure_id, input.expected_version, step).await
    }

    /// Extends a suspension once, by at most 15 working days (or what the server was configured to when it was
    /// recorded). NOT_FOUND and BAD_USER_INPUT as for `endMeasure`; CONFLICT also if it was extended before, or would
    /// overlap another suspension of the officer.
    async fn extend_measure(&self, ctx: &Context<'_>, input: ExtendMeasureInput) -> Result<MeasurePayload> {
        let step = MeasureStep::Extend(Extension {
            decided_on: day("decidedOn", input.decided_on)?,
            ends_on: input.ends_on.map(|end| day("endsOn", end)).transpose()?,
            reason: required("reason", &input.reason, LONG)?,
        });
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
    own_unit(ctx)?;
    let id = parse_id(id)?;
    let viewer = viewer(ctx)?.clone();
    let app = request(ctx)?.app.clone();
    let done = blocking(move || {
        let reference = app.snapshots.current().reference.clone();
        let today = viewer.today();
        let write = app.db.write(&viewer.actor(), |tx| {
            let sees = |conn: &mut schema::Conn, id| queries::measure_meets(conn, id, viewer.measures(&reference.tree));
            // A unit that has ended has no head: any head who sees its measures now may act for it.
            let own = |measure: &schema::models::Measure| {
                let recorded_by = reference.unit(measure.recorded_by_unit_id);
                let is_over = recorded_by.and_then(|unit| unit.valid_to).is_some_and(|end| end < today);
                is_over || viewer.heads(&reference.tree, measure.recorded_by_unit_id)
            };
            change_measure(tx, &app.suspension_limits, id, expected, step, sees, own)
        });
        write.map_err(from_store)
    })
    .await?;
    Ok(MeasurePayload { measure: done.value.into(), position: done.position })
}
