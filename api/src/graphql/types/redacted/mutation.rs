//! The mutations by which the head of a unit answers or transfers a confidential complaint that the Board has redacted.

use super::RedactedComplaint;
use crate::access::Scope;
use crate::graphql::context::{own_unit, request, snapshot, viewer};
use crate::graphql::enums::{ResponseAction, ResponseVisibility};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, optional, required};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use schema::db::dialect::lock_tree_shared;
use schema::domain::ids::random_id;
use schema::pseudonyms::Subject;
use schema::refusal::CaseRefusal;
use schema::register::complaints::load_for_update;
use schema::register::{Handling, NewResponse, handle, respond};
use schema::{Conn, Id, StoreError, Timestamp, queries};

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

/// The transfer of a confidential complaint to another unit.
#[derive(Debug, InputObject)]
pub struct TransferRedactedComplaintInput {
    /// The pseudonym of the complaint in `redactedComplaints`.
    pub pseudonym: String,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The code of the unit that has to answer from now on.
    pub unit: String,
    /// The reason why it has to answer: 1 to 100,000 characters.
    pub reason: String,
}

#[derive(SimpleObject)]
pub struct TransferRedactedComplaintPayload {
    /// Null if you may no longer read the complaint.
    pub complaint: Option<RedactedComplaint>,
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
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&snapshot(ctx)?.reference.tree);
        let found = by_pseudonym(ctx, &scope, &input.pseudonym).await?;
        let id = found.ok_or_else(|| from_store(no_such_complaint(&input.pseudonym)))?;
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

    /// Makes another unit responsible for a confidential complaint that the Board has redacted; its state and the unit
    /// complained about stay. The head of the responsible unit or of one above it may; a complaint that is not redacted
    /// is transferred by the Board. NOT_FOUND if no complaint that you may read has the pseudonym, or you head another
    /// unit; BAD_USER_INPUT if the unit is unknown, has ended or is responsible already, or the reason is missing;
    /// CONFLICT if the complaint has changed, is ANSWERED or has ended; FORBIDDEN if the server has no key file.
    async fn transfer_redacted_complaint(
        &self,
        ctx: &Context<'_>,
        input: TransferRedactedComplaintInput,
    ) -> Result<TransferRedactedComplaintPayload> {
        let TransferRedactedComplaintInput { pseudonym, expected_version, unit, reason } = input;
        let handling = Handling::Transfer { unit, reason: required("reason", &reason, LONG)? };
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&snapshot(ctx)?.reference.tree);
        let found = by_pseudonym(ctx, &scope, &pseudonym).await?;
        let id = found.ok_or_else(|| from_store(no_such_transfer(&pseudonym)))?;
        let noting = request(ctx)?.clone();
        blocking(move || {
            let done = app.db.write(&viewer.actor(), |tx| {
                // The lock on the tree comes first, as in all writers of complaints.
                lock_tree_shared(tx.conn)?;
                let found = load_for_update(tx.conn, &[id])?.remove(&id);
                let answers = found.is_some_and(|case| scope.answers(&case.complaint));
                if !answers || !queries::complaint_meets(tx.conn, id, scope.confidential())? {
                    return Err(no_such_transfer(&pseudonym));
                }
                let case = handle(tx, id, expected_version, &handling)?;
                if !queries::complaint_meets(tx.conn, id, scope.confidential())? {
                    return Ok(None);
                }
                let text = queries::redactions_of(tx.conn, &[id])?.remove(&id).map(|row| row.text).unwrap_or_default();
                Ok(Some(RedactedComplaint { complaint: case.complaint, text }))
            });
            let done = done.map_err(from_store)?;
            noting.note_complaints([id]);
            Ok(TransferRedactedComplaintPayload { complaint: done.value, position: done.position })
        })
        .await
    }
}

/// The readable complaint behind a pseudonym. A pseudonym is not stored: those of all readable complaints are computed
/// and compared, before a transaction takes a lock.
async fn by_pseudonym(ctx: &Context<'_>, scope: &Scope, pseudonym: &str) -> Result<Option<Id>> {
    let (scope, pseudonym) = (scope.clone(), pseudonym.to_owned());
    let pseudonyms = request(ctx)?.pseudonyms()?.clone();
    let redacted = move |conn: &mut Conn| {
        let mut visible = queries::ids_of_redacted_complaints(conn, scope.confidential())?.into_iter();
        Ok(visible.find(|id| pseudonyms.stands_for(&pseudonym, Subject::Complaint, *id)))
    };
    request(ctx)?.read(redacted).await
}

fn no_such_transfer(pseudonym: &str) -> StoreError {
    StoreError::NotFound(format!(
        "pseudonym: there is no complaint {pseudonym:?} that you may transfer: the query `redactedComplaints` lists \
         those that you may read"
    ))
}

fn no_such_complaint(pseudonym: &str) -> StoreError {
    CaseRefusal::NoSuchPseudonym { pseudonym: pseudonym.to_owned() }.into()
}
