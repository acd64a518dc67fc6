//! The mutation by which a unit answers a confidential complaint that the Board has redacted.

use super::RedactedComplaint;
use crate::graphql::context::{own_unit, request, snapshot, viewer};
use crate::graphql::enums::{ResponseAction, ResponseVisibility};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, optional, required};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use schema::domain::ids::random_id;
use schema::pseudonyms::Subject;
use schema::register::{NewResponse, respond};
use schema::{Conn, StoreError, Timestamp, queries};

/// The response of a unit to a confidential complaint.
#[derive(Debug, InputObject)]
pub struct RespondToRedactedComplaintInput {
    /// The pseudonym of the complaint in `redactedComplaints`.
    pub pseudonym: String,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    pub action: ResponseAction,
    /// 1 to 100,000 characters.
    pub text: String,
    /// At most 100,000 characters.
    pub outcome: Option<String>,
    /// Whether the complainant reads the response by the receipt.
    #[graphql(default_with = "ResponseVisibility::Complainant")]
    pub visibility: ResponseVisibility,
}

#[derive(SimpleObject)]
pub struct RespondToRedactedComplaintPayload {
    pub complaint: RedactedComplaint,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct RedactedMutations;

#[Object]
impl RedactedMutations {
    /// Answers a confidential complaint that the Board has redacted, as the head of the responsible unit or of one
    /// above it. If your unit is only complained about, its response is a statement and answers nothing.
    /// BAD_USER_INPUT if no complaint that you may answer has the pseudonym, CONFLICT if the complaint has
    /// changed or is closed, FORBIDDEN if you head no unit or the server has no key file.
    async fn respond_to_redacted_complaint(
        &self,
        ctx: &Context<'_>,
        input: RespondToRedactedComplaintInput,
    ) -> Result<RespondToRedactedComplaintPayload> {
        let unit_id = own_unit(ctx)?;
        let text = required("text", &input.text, LONG)?;
        let outcome = optional("outcome", input.outcome.as_deref(), LONG)?;
        let viewer = viewer(ctx)?.clone();
        let (app, pseudonyms) = (request(ctx)?.app.clone(), request(ctx)?.pseudonyms()?.clone());
        let scope = viewer.scope(&snapshot(ctx)?.reference.tree);
        // A pseudonym is not stored: compute those of the readable complaints and compare, before the
        // transaction takes a lock.
        let (pseudonym, find) = (input.pseudonym.clone(), scope.clone());
        let redacted = move |conn: &mut Conn| {
            let visible = queries::ids_of_redacted_complaints(conn, find.confidential())?;
            let found = visible.into_iter().find(|id| pseudonyms.stands_for(&pseudonym, Subject::Complaint, *id));
            found.ok_or_else(|| no_such_complaint(&pseudonym))
        };
        let id = request(ctx)?.read(redacted).await?;
        let noting = request(ctx)?.clone();
        blocking(move || {
            let done = app.db.write(&viewer.actor(), |tx| {
                if !queries::complaint_meets(tx.conn, id, scope.confidential())? {
                    return Err(no_such_complaint(&input.pseudonym));
                }
                let response = NewResponse {
                    id: random_id(),
                    unit_id,
                    responded_at: Timestamp::now(),
                    action: input.action.into(),
                    text,
                    outcome,
                    satisfied: None,
                    is_statement: false,
                    visibility: Some(input.visibility.into()),
                };
                let answers = |complaint: &schema::models::Complaint| scope.answers(complaint);
                let case = respond(tx, id, input.expected_version, response, answers)?;
                let text = queries::redactions_of(tx.conn, &[id])?.remove(&id).map(|row| row.text).unwrap_or_default();
                Ok(RedactedComplaint { complaint: case.complaint, text })
            });
            let done = done.map_err(from_store)?;
            noting.note_complaints([id]);
            Ok(RespondToRedactedComplaintPayload { complaint: done.value, position: done.position })
        })
        .await
    }
}

fn no_such_complaint(pseudonym: &str) -> StoreError {
    StoreError::Rule(format!(
        "pseudonym: there is no complaint {pseudonym:?} that you may answer: the query `redactedComplaints` lists those"
    ))
}
