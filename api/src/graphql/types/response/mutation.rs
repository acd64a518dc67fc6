//! The mutation `respondToComplaint`.

use super::UnitResponse;
use crate::graphql::context::{request, viewer};
use crate::graphql::enums::{ResponseAction, ResponseVisibility};
use crate::graphql::error::{Code, error, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, optional, required};
use crate::graphql::scalars::parse_id;
use crate::graphql::types::Complaint;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use schema::domain::ids::random_id;
use schema::enums::Role;
use schema::register::{NewResponse, respond};
use schema::{Id, StoreError, Timestamp};

/// The response of a unit to a complaint.
#[derive(Debug, InputObject)]
pub struct RespondToComplaintInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    pub action: ResponseAction,
    /// 1 to 100,000 characters.
    pub text: String,
    /// At most 100,000 characters.
    pub outcome: Option<String>,
    /// Whether the complainant reads the response by the receipt. A statement is INTERNAL.
    #[graphql(default_with = "ResponseVisibility::Complainant")]
    pub visibility: ResponseVisibility,
}

#[derive(SimpleObject)]
pub struct RespondToComplaintPayload {
    pub complaint: Complaint,
    pub response: UnitResponse,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct UnitResponseMutations;

#[Object]
impl UnitResponseMutations {
    /// Answers a complaint as the head of the responsible unit or of one above it. If your unit is only complained
    /// about, its response is a statement and answers nothing. FORBIDDEN if you head no unit, NOT_FOUND if you may
    /// not see the complaint, CONFLICT if it has changed or is closed.
    async fn respond_to_complaint(
        &self,
        ctx: &Context<'_>,
        input: RespondToComplaintInput,
    ) -> Result<RespondToComplaintPayload> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&app.snapshots.current().reference.tree);
        let complaint_id = parse_id(&input.complaint_id)?;
        let (text, outcome) =
            (required("text", &input.text, LONG)?, optional("outcome", input.outcome.as_deref(), LONG)?);
        let (Role::UnitHead, Some(unit_id)) = (viewer.role, viewer.unit_id) else {
            return Err(error(Code::Forbidden, "only the head of a unit may answer a complaint"));
        };
        let noting = request(ctx)?.clone();
        blocking(move || {
            let done = app
                .db
                .write(&viewer.actor(), |tx| {
                    let found = schema::register::complaints::load(tx.conn, &[complaint_id])?;
                    // Row scope: a complaint of another unit answers as one that does not exist.
                    let seen = |case: &schema::register::complaints::Case| {
                        let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
                        scope.contains(&case.complaint, &officers)
                    };
                    if !found.get(&complaint_id).is_some_and(seen) {
                        return Err(StoreError::no_such("complaint", &complaint_id, "complaints"));
                    }
                    let response = NewResponse {
                        id: random_id(),
                        unit_id,
                        responded_at: Timestamp::now(),
                        action: input.action.into(),
                        text: text.clone(),
                        outcome: outcome.clone(),
                        satisfied: None,
                        is_statement: false,
                        visibility: Some(input.visibility.into()),
                    };
                    let mut stored = response.clone();
                    let answers = |complaint: &schema::models::Complaint| {
                        stored.is_statement = !scope.answers(complaint);
                        !stored.is_statement
                    };
                    let case = respond(tx, complaint_id, input.expected_version, response, answers)?;
                    Ok((case, stored, tx.now))
                })
                .map_err(from_store)?;
            let (case, response, recorded_at) = done.value;
            let visibility = response.meant_for();
            noting.note_complaints([complaint_id]);
            Ok(RespondToComplaintPayload {
                response: UnitResponse(schema::models::UnitResponse {
                    complaint_id,
                    id: response.id,
                    unit_id,
                    responded_at: response.responded_at,
                    recorded_at,
                    action: response.action,
                    text: response.text,
                    outcome: response.outcome,
                    satisfied: None,
                    statement: response.is_statement.then_some(true),
                    actor: viewer.actor(),
                    visibility,
                }),
                complaint: Complaint(case.complaint),
                position: done.position,
            })
        })
        .await
    }
}
