//! What a sender may know of what it submitted.

use crate::graphql::context::{request, viewer};
use crate::graphql::types::Receipt;
use async_graphql::{Context, Object, Result};
use schema::register::{source_of, submitted};

#[derive(Default)]
pub struct ReceiptQuery;

#[Object]
impl ReceiptQuery {
    /// The receipt of what you submitted under a key, with what became of it since; null where you submitted nothing under it.
    async fn receipt(&self, ctx: &Context<'_>, idempotency_key: String) -> Result<Option<Receipt>> {
        let source = source_of(&viewer(ctx)?.name);
        let key = idempotency_key.trim().to_owned();
        let found = request(ctx)?.read(move |conn| submitted(conn, &source, &key)).await?;
        Ok(found.as_ref().map(Receipt::of))
    }
}
