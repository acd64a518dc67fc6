//! What the Board does with a complaint.

use super::context::{blocking, request, viewer};
use super::enums::{Attribution, ComplaintState, Finding};
use super::error::from_store;
use super::input::{LONG, optional, required};
use super::scalars::parse_id;
use super::types::Complaint;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::register::{Handling, handle};
use schema::{Id, StoreError};

/// What a complaint is about.
#[derive(Debug, InputObject)]
pub struct ClassifyComplaintInput {
    pub complaint_id: ID,
    /// The version of the complaint that you know.
    pub expected_version: i32,
    /// The code of the category.
    pub category: String,
    /// Whether it was the officers whom it names: above WATCH only confirmed attributions count.
    #[graphql(default)]
    pub attributions: Vec<AttributionInput>,
}

/// Whether it was an officer whom a complaint names.
#[derive(Debug, InputObject)]
pub struct AttributionInput {
    /// The code of the officer.
    pub officer: String,
    pub attribution: Attribution,
}

/// Who has to answer a complaint.
#[derive(Debug, InputObject)]
pub struct AssignComplaintInput {
    pub complaint_id: ID,
    /// The version of the complaint that you know.
    pub expected_version: i32,
    /// The code of the unit; the one that the complaint is about unless told.
    pub unit: Option<String>,
}

/// An end of a complaint, or its reopening.
#[derive(Debug, InputObject)]
pub struct ChangeComplaintStateInput {
    pub complaint_id: ID,
    /// The version of the complaint that you know.
    pub expected_version: i32,
    /// CLOSED after an answer, WITHDRAWN or REJECTED while it is open, or ASSIGNED to reopen one that was answered.
    pub state: ComplaintState,
    /// The grounds: required to reject or reopen.
    pub reason: Option<String>,
}

/// What was found.
#[derive(Debug, InputObject)]
pub struct RecordFindingInput {
    pub complaint_id: ID,
    /// The version of the complaint that you know.
    pub expected_version: i32,
    /// The code of the officer; none for a complaint that names nobody.
    pub officer: Option<String>,
    pub finding: Finding,
    /// The day of the decision, from which the finding counts.
    pub decided_on: NaiveDate,
}

/// What a unit may read of a confidential complaint.
#[derive(Debug, InputObject)]
pub struct RedactComplaintInput {
    pub complaint_id: ID,
    /// The version of the complaint that you know.
    pub expected_version: i32,
    /// A text without what would tell who complained; it takes the place of an earlier one.
    pub text: String,
}

#[derive(SimpleObject)]
pub struct HandleComplaintPayload {
    pub complaint: Complaint,
    /// The register's position of the change, for `minPosition`; null where nothing changed.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct CaseworkMutation;

#[Object]
impl CaseworkMutation {
    /// Says what a complaint is about.
    async fn classify_complaint(
        &self,
        ctx: &Context<'_>,
        input: ClassifyComplaintInput,
    ) -> Result<HandleComplaintPayload> {
        let attributions = input.attributions.into_iter().map(|one| (one.officer, one.attribution.into())).collect();
        let handling = Handling::Classify { category: input.category, attributions };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Says who has to answer a complaint.
    async fn assign_complaint(&self, ctx: &Context<'_>, input: AssignComplaintInput) -> Result<HandleComplaintPayload> {
        let handling = Handling::Assign { unit: input.unit };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Closes, rejects or reopens a complaint, or notes that it was withdrawn.
    async fn change_complaint_state(
        &self,
        ctx: &Context<'_>,
        input: ChangeComplaintStateInput,
    ) -> Result<HandleComplaintPayload> {
        let reason = optional("reason", input.reason.as_deref(), LONG)?;
        let handling = Handling::Change { state: input.state.into(), reason };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Lets the unit read a redacted text of a confidential complaint (`redactedComplaints`).
    async fn redact_complaint(&self, ctx: &Context<'_>, input: RedactComplaintInput) -> Result<HandleComplaintPayload> {
        let handling = Handling::Redact { text: required("text", &input.text, LONG)? };
        handled(ctx, &input.complaint_id, input.expected_version, handling).await
    }

    /// Records what was found about an officer whom a complaint names.
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
            // Nobody decides about a complaint that names himself: it is not there for him.
            let found = schema::register::complaints::load(tx.conn, &[id])?;
            let seen = found.get(&id).is_some_and(|case| {
                let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
                scope.contains(&case.complaint, &officers)
            });
            if !seen {
                return Err(StoreError::NotFound("there is no such complaint".into()));
            }
            handle(tx, id, expected_version, &handling)
        });
        done.map_err(from_store)
    })
    .await?;
    request(ctx)?.saw_complaints([id]);
    Ok(HandleComplaintPayload { complaint: Complaint(done.value.complaint), position: done.position })
}
