//! Responses of units: the type, its lists, filter, order and mutation.

mod children;
mod filter;
mod list;
mod mutation;
mod order;

pub use children::{end_of_responses, responses_of};
pub use filter::ResponseFilter;
pub use list::UnitResponseQueries;
pub use mutation::UnitResponseMutations;
pub use order::UnitResponseOrder;

use crate::graphql::connection::connection;
use crate::graphql::enums::{ResponseAction, ResponseVisibility};
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{UnitKey, reference_row};
use crate::graphql::scalars::Moment;
use crate::graphql::scalars::id;
use crate::graphql::types::Unit;
use async_graphql::{Context, ID, Object, Result};
use schema::models;

connection!(UnitResponse, UnitResponseConnection, UnitResponseEdge);

pub struct UnitResponse(pub models::UnitResponse);

impl From<models::UnitResponse> for UnitResponse {
    fn from(row: models::UnitResponse) -> Self {
        Self(row)
    }
}

/// A response of a unit to a complaint.
#[Object]
impl UnitResponse {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn complaint_id(&self) -> ID {
        id(self.0.complaint_id)
    }

    /// The unit that responded.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        Ok(reference_row(ctx, UnitKey(self.0.unit_id)).await?.map(Unit).map(Inline))
    }

    async fn responded_at(&self) -> Moment {
        self.0.responded_at.into()
    }

    async fn action(&self) -> ResponseAction {
        self.0.action.into()
    }

    async fn text(&self) -> &str {
        &self.0.text
    }

    /// The outcome in words; null if none was given.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// Whether the enterprise was satisfied; null if it did not say.
    async fn satisfied(&self) -> Option<bool> {
        self.0.satisfied
    }

    /// Whether this is a statement of a unit that is complained about but need not answer. It does not count as
    /// an answer: the complaint stays in its state and its deadline runs.
    async fn statement(&self) -> bool {
        self.0.statement == Some(true)
    }

    /// The readers of the response. INTERNAL for statements, and for responses that were imported.
    async fn visibility(&self) -> ResponseVisibility {
        self.0.visibility.map_or(ResponseVisibility::Internal, Into::into)
    }
}
