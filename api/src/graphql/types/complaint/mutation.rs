//! Mutations by which the Board handles a complaint, and by which it and unit heads take the steps of its clock.

use super::Complaint;
use crate::graphql::context::{request, viewer};
use crate::graphql::enums::{Attribution, ComplaintState, Finding};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, optional, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::db::WriteTx;
use schema::enums::Role;
use schema::register::complaints::Case;
use schema::register::{ClockStep, Handling, change_clock, handle};
use schema::{Id, StoreError};

/// The category of a complaint, and the attributions of its officers.
#[derive(Debug, InputObject)]
pub struct ClassifyComplaintInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The code of the category.
    pub category: String,
    /// Attributions of officers that the complaint names. Above tier WATCH only CONFIRMED ones count.
    #[graphql(default)]
    pub attributions: Vec<AttributionInput>,
}

/// The attribution of a complaint to an officer that it names.
#[derive(Debug, InputObject)]
pub struct AttributionInput {
    /// The code of the officer.
    pub officer: String,
    pub attribution: Attribution,
}

/// The unit that has to answer a complaint.
#[derive(Debug, InputObject)]
pub struct AssignComplaintInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The code of the unit; by default the unit that is responsible already. The unit complained about stays.
    pub unit: Option<String>,
}

/// A change of state that ends or reopens a complaint.
#[derive(Debug, InputObject)]
pub struct ChangeComplaintStateInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// CLOSED after an answer, WITHDRAWN or REJECTED while open, ASSIGNED to reopen an answered complaint.
    /// Another step gives CONFLICT.
    pub state: ComplaintState,
    /// The grounds, required to reject or reopen. At most 100,000 characters.
    pub reason: Option<String>,
}

/// The acceptance of a grievance or a denunciation.
#[derive(Debug, InputObject)]
pub struct AcceptComplaintInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The day of acceptance, not before receipt and not in the future. Default: today.
    pub accepted_on: Option<NaiveDate>,
    /// Whether the longer term of remote areas applies.
    #[graphql(default)]
    pub remote_area: bool,
    /// At most 100,000 characters.
    pub reason: Option<String>,
}

/// A step of the clock of a complaint.
#[derive(Debug, InputObject)]
pub struct ClockStepInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// Why, at most 100,000 characters.
    pub reason: String,
}

/// A finding about a complaint.
#[derive(Debug, InputObject)]
pub struct RecordFindingInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The code of the officer; leave it out for a complaint that names none.
    pub officer: Option<String>,
    pub finding: Finding,
    /// The day of the decision, from the day of the complaint to today. The finding counts from this day.
    pub decided_on: NaiveDate,
}

/// The text that a unit may read of a confidential complaint.
#[derive(Debug, InputObject)]
pub struct RedactComplaintInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// 1 to 100,000 characters, without anything that identifies who complained. It replaces an earlier text.
    pub text: String,
}

#[derive(SimpleObject)]
pub struct HandleComplaintPayload {
    pub complaint: Complaint,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct ComplaintMutations;

#[Object]
impl ComplaintMutations {
    /// Classifies a complaint. Until it is assigned, the responsible unit follows the new category, unless the
    /// complaint was transferred. NOT_FOUND if you may not see it, BAD_USER_INPUT if the category is unknown or
    /// the complaint does not name an officer, CONFLICT if it has changed or has ended.
    async fn classify_complaint(
        &self,
        ctx: &Context<'_>,
        input: ClassifyComplaintInput,
    ) -> Result<HandleComplaintPayload> {
        let attributions = input.attributions.into_iter().map(|one| (one.officer, one.attribution.into())).collect();
        let handling = Handling::Classify { category: input.category, attributions };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Assigns a complaint to the unit that has to answer it. The unit complained about stays. NOT_FOUND if you may
    /// not see it, BAD_USER_INPUT if the unit is unknown or has ended, or missing where none is responsible yet,
    /// CONFLICT if the complaint has changed, or is RECEIVED, ANSWERED or ended.
    async fn assign_complaint(&self, ctx: &Context<'_>, input: AssignComplaintInput) -> Result<HandleComplaintPayload> {
        let handling = Handling::Assign { unit: input.unit };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Closes, withdraws, rejects or reopens a complaint. NOT_FOUND if you may not see it, BAD_USER_INPUT if
    /// the reason is missing, CONFLICT if the complaint has changed or its state does not allow the step.
    async fn change_complaint_state(
        &self,
        ctx: &Context<'_>,
        input: ChangeComplaintStateInput,
    ) -> Result<HandleComplaintPayload> {
        let reason = optional("reason", input.reason.as_deref(), LONG)?;
        let handling = Handling::Change { state: input.state.into(), reason };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Stores the redacted text of a confidential complaint, which the unit then reads in `redactedComplaints`.
    /// NOT_FOUND if you may not see it, BAD_USER_INPUT if it is not confidential, CONFLICT if it has changed.
    async fn redact_complaint(&self, ctx: &Context<'_>, input: RedactComplaintInput) -> Result<HandleComplaintPayload> {
        let handling = Handling::Redact { text: required("text", &input.text, LONG)? };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Accepts a grievance or a denunciation; its term begins. The Board may, and the head of the responsible unit or
    /// of one above it. NOT_FOUND if you may not see it, or head another unit, BAD_USER_INPUT if it is FEEDBACK or
    /// the day is wrong, CONFLICT if it has changed, was accepted or answered, or has ended.
    async fn accept_complaint(&self, ctx: &Context<'_>, input: AcceptComplaintInput) -> Result<HandleComplaintPayload> {
        let AcceptComplaintInput { complaint_id, expected_version, accepted_on, remote_area, reason } = input;
        let reason = optional("reason", reason.as_deref(), LONG)?;
        let step = ClockStep::Accept { on: accepted_on, remote_area };
        let accept =
            move |tx: &mut WriteTx<'_>, id: Id| change_clock(tx, id, expected_version, &step, reason.as_deref());
        changed(ctx, &complaint_id, accept).await
    }

    /// Extends the deadline of a complaint, as often and as long as the terms of its legal form allow. NOT_FOUND as
    /// for `acceptComplaint`, BAD_USER_INPUT if it has no deadline, CONFLICT if it has changed, is overdue, not
    /// accepted yet or answered, has ended, or was extended as often as is allowed.
    async fn extend_deadline(&self, ctx: &Context<'_>, input: ClockStepInput) -> Result<HandleComplaintPayload> {
        stepped(ctx, input, ClockStep::Extend).await
    }

    /// Stops the clock of a complaint: days do not count until it is resumed. NOT_FOUND as for `acceptComplaint`,
    /// BAD_USER_INPUT if it has no deadline, CONFLICT if it has changed, is overdue, stopped or answered, or has ended.
    async fn suspend_clock(&self, ctx: &Context<'_>, input: ClockStepInput) -> Result<HandleComplaintPayload> {
        stepped(ctx, input, ClockStep::Stop).await
    }

    /// Lets the clock of a complaint run again. NOT_FOUND as for `acceptComplaint`, CONFLICT if it has changed or its
    /// clock runs.
    async fn resume_clock(&self, ctx: &Context<'_>, input: ClockStepInput) -> Result<HandleComplaintPayload> {
        stepped(ctx, input, ClockStep::Resume).await
    }

    /// Records a finding about an officer that a complaint names, or about the complaint. NOT_FOUND if you may
    /// not see it, BAD_USER_INPUT if the officer or the day is wrong, CONFLICT if the complaint has changed.
    async fn record_finding(&self, ctx: &Context<'_>, input: RecordFindingInput) -> Result<HandleComplaintPayload> {
        let RecordFindingInput { complaint_id, expected_version, officer, finding, decided_on } = input;
        let handling = Handling::Find { officer, finding: finding.into(), decided_on };
        handled(ctx, &complaint_id, expected_version, handling).await
    }
}

async fn handled(
    ctx: &Context<'_>,
    complaint: &ID,
    expected_version: i32,
    handling: Handling,
) -> Result<HandleComplaintPayload> {
    changed(ctx, complaint, move |tx, id| handle(tx, id, expected_version, &handling)).await
}

/// Takes a step of the clock, which needs a reason.
async fn stepped(ctx: &Context<'_>, input: ClockStepInput, step: ClockStep) -> Result<HandleComplaintPayload> {
    let ClockStepInput { complaint_id, expected_version, reason } = input;
    let reason = required("reason", &reason, LONG)?;
    let change = move |tx: &mut WriteTx<'_>, id: Id| change_clock(tx, id, expected_version, &step, Some(&reason));
    changed(ctx, &complaint_id, change).await
}

/// Changes a complaint that the viewer may change.
async fn changed(
    ctx: &Context<'_>,
    complaint: &ID,
    change: impl FnOnce(&mut WriteTx<'_>, Id) -> Result<Case, StoreError> + Send + 'static,
) -> Result<HandleComplaintPayload> {
    let viewer = viewer(ctx)?.clone();
    let app = request(ctx)?.app.clone();
    let scope = viewer.scope(&app.snapshots.current().reference.tree);
    let id = parse_id(complaint)?;
    let done = blocking(move || {
        let done = app.db.write(&viewer.actor(), |tx| {
            // Row scope: a complaint that names the viewer answers as one that does not exist.
            let found = schema::register::complaints::load(tx.conn, &[id])?;
            // A unit head changes only what its unit, or one below it, has to answer.
            let may = found.get(&id).is_some_and(|case| {
                let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
                let answers = viewer.role == Role::Board || scope.answers(&case.complaint);
                answers && scope.contains(&case.complaint, &officers)
            });
            if !may {
                return Err(StoreError::no_such("complaint", &id, "complaints"));
            }
            change(tx, id)
        });
        done.map_err(from_store)
    })
    .await?;
    request(ctx)?.note_complaints([id]);
    Ok(HandleComplaintPayload { complaint: Complaint(done.value.complaint), position: done.position })
}
