//! Receipts of submitted complaints: the type, its query, and the renewal of a code.

use crate::graphql::context::{request, viewer};
use crate::graphql::enums::ComplaintState;
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::scalars::{Moment, id, parse_id};
use crate::graphql::types::duplicate::DuplicateHint;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use schema::domain::ids::human_reference;
use schema::enums::Role;
use schema::register::{renew_receipt, source_of, submitted};
use schema::{Id, StoreError, models, queries};

/// The receipt of a submitted complaint: what its sender may know of it.
#[derive(SimpleObject)]
pub struct Receipt {
    pub id: ID,
    /// The human-readable reference, such as PA-20101231-7F3KQ2M9ZX.
    pub reference: String,
    pub received_at: Moment,
    pub state: ComplaintState,
    pub version: i32,
    /// False if the same submission was made before.
    pub created: bool,
    /// The position of the register after the submission, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
    /// The code by which the complainant follows the complaint without a token. It is shown this once: null if the
    /// same submission was made before (`renewReceipt` gives a new one).
    pub receipt_code: Option<String>,
    /// Complaints that probably say the same: those that you submitted, or may see. Empty if the same submission was
    /// made before.
    pub possible_duplicates: Vec<DuplicateHint>,
}

impl Receipt {
    /// The receipt of an earlier submission.
    pub fn of(complaint: &models::Complaint) -> Self {
        Self {
            id: id(complaint.id),
            reference: human_reference(complaint.id),
            received_at: complaint.received_at.into(),
            state: complaint.state.into(),
            version: complaint.version,
            created: false,
            position: None,
            receipt_code: None,
            possible_duplicates: Vec::new(),
        }
    }
}

#[derive(Default)]
pub struct ReceiptQueries;

#[Object]
impl ReceiptQueries {
    /// The receipt of the complaint that you submitted under an idempotency key, with its present state; null
    /// if you submitted none under it.
    async fn receipt(&self, ctx: &Context<'_>, idempotency_key: String) -> Result<Option<Receipt>> {
        let source = source_of(&viewer(ctx)?.name);
        let key = idempotency_key.trim().to_owned();
        let found = request(ctx)?.read(move |conn| submitted(conn, &source, &key)).await?;
        Ok(found.as_ref().map(Receipt::of))
    }
}

/// The complaint whose receipt code is replaced: give exactly one of the two.
#[derive(Debug, InputObject)]
pub struct RenewReceiptInput {
    /// A complaint that you submitted; for the BOARD any that it may see.
    pub complaint_id: Option<ID>,
    /// The key under which you submitted it.
    pub idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub struct RenewReceiptPayload {
    /// The new code, shown this once. The earlier one is worth nothing any more.
    receipt_code: String,
    /// The human-readable reference, such as PA-20101231-7F3KQ2M9ZX.
    reference: String,
}

enum Whose {
    Complaint(Id),
    Key(String),
}

#[derive(Default)]
pub struct ReceiptMutations;

#[Object]
impl ReceiptMutations {
    /// Gives a complaint a new receipt code, such as for a complainant who lost it. NOT_FOUND if you did not submit the
    /// complaint, and for the BOARD if it may not see it; BAD_USER_INPUT for a key that you did not send.
    async fn renew_receipt(&self, ctx: &Context<'_>, input: RenewReceiptInput) -> Result<RenewReceiptPayload> {
        let whose = match (input.complaint_id, input.idempotency_key) {
            (Some(id), None) => Whose::Complaint(parse_id(&id)?),
            (None, Some(key)) => Whose::Key(key.trim().to_owned()),
            _ => return Err(bad_input("give exactly one of complaintId and idempotencyKey")),
        };
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&app.snapshots.current().reference.tree);
        let (id, code) = blocking(move || {
            let source = source_of(&viewer.name);
            let done = app.db.write(&viewer.actor(), |tx| {
                let id = match &whose {
                    Whose::Key(key) => {
                        let message = "idempotencyKey: you submitted no complaint under this key: give the key that you \
                                       sent";
                        let own = submitted(tx.conn, &source, key)?.map(|complaint| complaint.id);
                        own.ok_or_else(|| StoreError::Rule(message.into()))?
                    }
                    Whose::Complaint(id) => {
                        let is_own = queries::senders_of(tx.conn, &[*id])?.get(id) == Some(&source);
                        let mut sees = || queries::complaint_ids_among(tx.conn, &[*id], || scope.condition());
                        if !is_own && (viewer.role != Role::Board || sees()?.is_empty()) {
                            return Err(StoreError::no_such("complaint", id, "complaints"));
                        }
                        *id
                    }
                };
                Ok((id, renew_receipt(tx, id)?))
            });
            done.map(|done| done.value).map_err(from_store)
        })
        .await?;
        request(ctx)?.note_complaints([id]);
        Ok(RenewReceiptPayload { receipt_code: code.shown(), reference: human_reference(id) })
    }
}
