//! Mutations by which the Board handles a complaint.

use super::Complaint;
use crate::graphql::context::{request, viewer};
use crate::graphql::enums::{Attribution, ComplaintState, Finding};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, optional, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::register::{Handling, handle};
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
    /// not see it, BAD_USER_INPUT if the unit is unknown, or missing where none is responsible yet, CONFLICT if the
    /// complaint has changed, or is RECEIVED, ANSWERED or ended.
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
    let viewer = viewer(ctx)?.clone();
    let app = request(ctx)?.app.clone();
    let scope = viewer.scope(&app.snapshots.current().reference.tree);
    let id = parse_id(complaint)?;
    let done = blocking(move || {
        let done = app.db.write(&viewer.actor(), |tx| {
            // Row scope: a complaint that names the viewer answers as one that does not exist.
            let found = schema::register::complaints::load(tx.conn, &[id])?;
            let seen = found.get(&id).is_some_and(|case| {
                let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
                scope.contains(&case.complaint, &officers)
            });
            if !seen {
                return Err(StoreError::no_such("complaint", &id, "complaints"));
            }
            handle(tx, id, expected_version, &handling)
        });
        done.map_err(from_store)
    })
    .await?;
    request(ctx)?.note_complaints([id]);
    Ok(HandleComplaintPayload { complaint: Complaint(done.value.complaint), position: done.position })
}
