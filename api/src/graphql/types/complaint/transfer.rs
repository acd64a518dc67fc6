//! The mutation by which another unit becomes responsible for a complaint.

use super::Complaint;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use schema::db::dialect::lock_tree_shared;
use schema::enums::Role;
use schema::register::complaints::{Case, load_for_update};
use schema::register::{Handling, handle};
use schema::{Id, StoreError};

/// A transfer of a complaint to another unit.
#[derive(Debug, InputObject)]
pub struct TransferComplaintInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The code of the unit that has to answer from now on.
    pub unit: String,
    /// The reason why it has to answer: 1 to 100,000 characters.
    pub reason: String,
}

#[derive(SimpleObject)]
pub struct TransferComplaintPayload {
    /// Null if you may no longer see the complaint.
    pub complaint: Option<Complaint>,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct TransferMutations;

#[Object]
impl TransferMutations {
    /// Makes another unit responsible for a complaint; its state and the unit complained about stay. The Board may,
    /// and the head of the responsible unit or of one above it. NOT_FOUND if you may not see the complaint, or head
    /// another unit; BAD_USER_INPUT if the unit is unknown, has ended or is responsible already, or the reason is
    /// missing; CONFLICT if the complaint has changed, is ANSWERED or has ended. A head transfers a confidential
    /// complaint by `transferRedactedComplaint`.
    async fn transfer_complaint(
        &self,
        ctx: &Context<'_>,
        input: TransferComplaintInput,
    ) -> Result<TransferComplaintPayload> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&snapshot(ctx)?.reference.tree);
        let id = parse_id(&input.complaint_id)?;
        let handling = Handling::Transfer { unit: input.unit, reason: required("reason", &input.reason, LONG)? };
        let expected_version = input.expected_version;
        let noting = request(ctx)?.clone();
        blocking(move || {
            let done = app.db.write(&viewer.actor(), |tx| {
                // The lock on the tree comes first, as in all writers of complaints.
                lock_tree_shared(tx.conn)?;
                let found = load_for_update(tx.conn, &[id])?.remove(&id);
                let officers = |case: &Case| -> Vec<Id> { case.officers.iter().map(|row| row.officer_id).collect() };
                // A complaint of another unit answers as one that does not exist.
                let may = found.is_some_and(|case| {
                    let answers = viewer.role == Role::Board || scope.answers(&case.complaint);
                    answers && scope.contains(&case.complaint, &officers(&case))
                });
                if !may {
                    return Err(StoreError::no_such("complaint", &id, "complaints"));
                }
                let case = handle(tx, id, expected_version, &handling)?;
                let still_seen = scope.contains(&case.complaint, &officers(&case));
                Ok(still_seen.then_some(case.complaint))
            });
            let done = done.map_err(from_store)?;
            noting.note_complaints([id]);
            Ok(TransferComplaintPayload { complaint: done.value.map(Complaint), position: done.position })
        })
        .await
    }
}
