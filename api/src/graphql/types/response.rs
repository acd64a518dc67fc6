use super::Unit;
use crate::graphql::connection::connection;
use crate::graphql::enums::ResponseAction;
use crate::graphql::loaders::{UnitKey, known};
use crate::graphql::scalars::{Moment, id};
use async_graphql::{Context, ID, Object, Result};
use schema::models;

/// A unit's answer to a complaint.
pub struct UnitResponse(pub models::UnitResponse);

impl From<models::UnitResponse> for UnitResponse {
    fn from(row: models::UnitResponse) -> Self {
        Self(row)
    }
}

#[Object]
impl UnitResponse {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn complaint_id(&self) -> ID {
        id(self.0.complaint_id)
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(known(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
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

    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// Whether the enterprise was satisfied; null where it did not say.
    async fn satisfied(&self) -> Option<bool> {
        self.0.satisfied
    }
}

connection!(UnitResponse, UnitResponseConnection, UnitResponseEdge);
