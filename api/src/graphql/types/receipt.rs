//! Receipts of submitted complaints: the type and its query.

use crate::graphql::context::{request, viewer};
use crate::graphql::enums::ComplaintState;
use crate::graphql::scalars::{Moment, id};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use schema::domain::ids::human_reference;
use schema::models;
use schema::register::{source_of, submitted};

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
