//! Answers to confidential complaints, of which a unit knows what the Board has redacted.

use super::context::{blocking, own_unit, request, snapshot, viewer};
use super::enums::ResponseAction;
use super::error::from_store;
use super::input::{LONG, optional, required};
use super::types::RedactedComplaint;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::domain::ids::random_id;
use schema::pseudonyms::Subject;
use schema::queries::{in_select, redactions_of};
use schema::register::{NewResponse, respond};
use schema::tables::{complaints, redactions};
use schema::{Conn, Id, StoreError, Timestamp};

/// A unit's answer to a confidential complaint.
#[derive(Debug, InputObject)]
pub struct RespondToRedactedComplaintInput {
    /// What stands for the complaint in `redactedComplaints`.
    pub pseudonym: String,
    /// The version of the complaint that is answered.
    pub expected_version: i32,
    pub action: ResponseAction,
    pub text: String,
    pub outcome: Option<String>,
}

#[derive(SimpleObject)]
pub struct RespondToRedactedComplaintPayload {
    pub complaint: RedactedComplaint,
    /// The register's position of the change.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct RedactedMutation;

#[Object]
impl RedactedMutation {
    /// Answers a confidential complaint whose text the Board has redacted, by the unit responsible.
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
        // A pseudonym is not stored: it is looked for among those of what the unit may read, before anything is held.
        let (pseudonym, find) = (input.pseudonym, scope.clone());
        let redacted = move |conn: &mut Conn| {
            let redacted = redactions::table.into_boxed::<MultiBackend>().select(redactions::complaint_id);
            let seen: Vec<Id> = complaints::table
                .into_boxed::<MultiBackend>()
                .filter(find.confidential().and(in_select(complaints::id, redacted)))
                .select(complaints::id)
                .load(conn)?;
            let found = seen.into_iter().find(|id| pseudonyms.stands_for(&pseudonym, Subject::Complaint, *id));
            found.ok_or_else(no_such_complaint)
        };
        let id = request(ctx)?.read(redacted).await?;
        let noting = request(ctx)?.clone();
        blocking(move || {
            let done = app.db.write(&viewer.actor(), |tx| {
                let still = complaints::table
                    .into_boxed::<MultiBackend>()
                    .filter(scope.confidential().and(complaints::id.eq(id)))
                    .count();
                if still.get_result::<i64>(tx.conn)? == 0 {
                    return Err(no_such_complaint());
                }
                let response = NewResponse {
                    id: random_id(),
                    unit_id,
                    responded_at: Timestamp::now(),
                    action: input.action.into(),
                    text,
                    outcome,
                    satisfied: None,
                };
                let case = respond(tx, id, input.expected_version, response)?;
                let text = redactions_of(tx.conn, &[id])?.remove(&id).map(|row| row.text).unwrap_or_default();
                Ok(RedactedComplaint { complaint: case.complaint, text })
            });
            let done = done.map_err(from_store)?;
            noting.saw_complaints([id]);
            Ok(RespondToRedactedComplaintPayload { complaint: done.value, position: done.position })
        })
        .await
    }
}

fn no_such_complaint() -> StoreError {
    StoreError::Rule("pseudonym: none of the complaints that you may answer has it".into())
}
