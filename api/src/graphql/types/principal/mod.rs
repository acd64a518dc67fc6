//! Principals and their tokens: the types, their list, filter, order and mutations.

mod filter;
mod list;
mod mutation;
mod order;

pub use filter::PrincipalFilter;
pub use list::PrincipalQueries;
pub use mutation::TokenMutations;
pub use order::PrincipalOrder;

use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::enums::Role;
use crate::graphql::loaders::{TokensKey, UnitKey, loaders, one, reference_row};
use crate::graphql::scalars::Moment;
use crate::graphql::scalars::id;
use crate::graphql::types::Unit;
use async_graphql::{Context, ID, Object, Result};
use schema::models;

connection!(Principal by PrincipalSort, PrincipalConnection, PrincipalEdge);

pub struct Principal(pub models::Principal);

impl From<models::Principal> for Principal {
    fn from(row: models::Principal) -> Self {
        Self(row)
    }
}

/// A person or a program that holds tokens, or an account of another issuer.
#[Object]
impl Principal {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The role; for an account the one that its issuer last asserted.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// The issuer of an account (OpenID Connect, JWT); null for a holder of tokens.
    async fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// When the issuer last asserted the role, the unit and the officer of an account, as of an accepted sign-in or
    /// token; null for a holder of tokens.
    async fn asserted_at(&self) -> Option<Moment> {
        self.0.asserted_at.map(Into::into)
    }

    /// The unit of a UNIT_HEAD; null for other roles.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit))
    }

    /// The code of the officer that the principal is; null if it is none. Complaints that name this officer are
    /// hidden from the principal.
    async fn officer_code(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(officer) = self.0.officer_id else { return Ok(None) };
        request(ctx)?.note_shown(|seen| &mut seen.officers, officer);
        Ok(reference_row(ctx, crate::graphql::loaders::OfficerKey(officer)).await?.map(|officer| officer.code))
    }

    /// Whether the principal is outside the authority. For a DASHBOARD larger groups are suppressed then
    /// (`limits.smallestGroupOutside`).
    async fn outside(&self) -> bool {
        self.0.outside
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    /// Since when no token of the principal is accepted, and nothing is sent to it; null if it is enabled.
    async fn disabled_at(&self) -> Option<Moment> {
        self.0.disabled_at.map(Into::into)
    }

    /// The tokens, the oldest first, without their secrets.
    async fn tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        let rows = one(loaders(ctx)?, TokensKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(ApiToken).collect())
    }
}

pub struct ApiToken(models::ApiToken);

/// A token, without its secret.
#[Object]
impl ApiToken {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    /// Null if the token does not expire.
    async fn expires_at(&self) -> Option<Moment> {
        self.0.expires_at.map(Into::into)
    }

    /// Null if the token was not revoked.
    async fn revoked_at(&self) -> Option<Moment> {
        self.0.revoked_at.map(Into::into)
    }

    /// The last use, to the minute; null if the token was never used.
    async fn last_used_at(&self) -> Option<Moment> {
        self.0.last_used_at.map(Into::into)
    }
}
