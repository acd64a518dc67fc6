//! What heads record about their officers: measures, and what an officer said about a flag.

use super::context::{blocking, request, viewer};
use super::enums::MeasureKind;
use super::error::from_store;
use super::guidance::{LONG, SHORT, optional, own_unit, required};
use super::query::seen_flag;
use super::scalars::parse_id;
use super::types::{Flag, Measure};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::StoreError;
use schema::register::{NewMeasure, end_measure, record_measure};

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
            decided_on: input.decided_on,
            starts_on: input.starts_on.unwrap_or(input.decided_on),
            ends_on: input.ends_on,
            flag: input.flag_id.as_ref().map(parse_id).transpose()?,
        };
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            let write = app.db.write(&viewer.actor(), |tx| record_measure(tx, unit, viewer.officer_id, new));
            write.map_err(from_store)
        })
        .await?;
        Ok(MeasurePayload { measure: done.value.into(), position: done.position })
    }

    /// Ends a measure about an officer of your unit.
    async fn end_measure(&self, ctx: &Context<'_>, input: EndMeasureInput) -> Result<MeasurePayload> {
        let unit = own_unit(ctx)?;
        let (id, expected, ends_on) = (parse_id(&input.measure_id)?, input.expected_version, input.ends_on);
        let reason = required("reason", &input.reason, LONG)?;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            let today = schema::domain::calendar::local_date(schema::Timestamp::now());
            let below = app.snapshots.current().reference.tree.below_on(unit, today);
            // What is not in the list of measures is not there.
            let seen = |measure: &schema::models::Measure| {
                below.contains(&measure.unit_id) && viewer.officer_id != Some(measure.officer_id)
            };
            let write = app.db.write(&viewer.actor(), |tx| end_measure(tx, id, expected, ends_on, reason, seen));
            write.map_err(from_store)
        })
        .await?;
        Ok(MeasurePayload { measure: done.value.into(), position: done.position })
    }

    /// Records when an officer was told of a flag and what the officer said: without both no flag is upheld.
    async fn record_explanation(
        &self,
        ctx: &Context<'_>,
        input: RecordExplanationInput,
    ) -> Result<RecordExplanationPayload> {
        let id = parse_id(&input.flag_id)?;
        let explanation = required("explanation", &input.explanation, LONG)?;
        let notified_on = input.notified_on;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            let reference = app.snapshots.current().reference.clone();
            let write = app.db.write(&viewer.actor(), |tx| {
                if seen_flag(viewer.clone(), reference, id)(tx.conn)?.is_none() {
                    return Err(StoreError::NotFound("there is no such flag".into()));
                }
                jobs::flags::explain(tx, id, notified_on, explanation)
            });
            write.map_err(from_store)
        })
        .await?;
        Ok(RecordExplanationPayload { flag: done.value.into() })
    }
}
