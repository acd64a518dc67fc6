//! Tokens, by those who manage them.

use super::context::{blocking, request, viewer};
use super::enums::Role;
use super::error::{bad_input, from_store};
use super::scalars::Moment;
use super::types::Principal;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use diesel::prelude::*;
use schema::StoreError;
use schema::Timestamp;
use schema::register::access::{Holder, create_token, disable, revoke_tokens};
use schema::tables::principals;

/// Whom a token is for.
#[derive(Debug, InputObject)]
pub struct CreateTokenInput {
    /// Who uses it; a further token for a name that is known has to be of the same role, unit, officer and place.
    pub name: String,
    pub role: Role,
    /// The code of the unit of a UNIT_HEAD.
    pub unit: Option<String>,
    /// The code of the officer that it is: what names this one is kept from it.
    pub officer: Option<String>,
    /// Whether what it is shown leaves the house: a DASHBOARD's groups have to be larger then.
    #[graphql(default)]
    pub outside: bool,
    /// When it ends; without it, never.
    pub expires_at: Option<Moment>,
}

#[derive(SimpleObject)]
pub struct CreateTokenPayload {
    /// Shown once: it is not stored and cannot be shown again.
    pub token: String,
    pub principal: Principal,
}

#[derive(SimpleObject)]
pub struct RevokeTokensPayload {
    /// How many tokens were ended.
    pub revoked: i32,
    pub principal: Principal,
}

#[derive(Default)]
pub struct TokenMutation;

#[Object]
impl TokenMutation {
    /// Makes a token.
    async fn create_token(&self, ctx: &Context<'_>, input: CreateTokenInput) -> Result<CreateTokenPayload> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let expires = input.expires_at.map(|moment| moment.0);
        if expires.is_some_and(|at| at <= Timestamp::now()) {
            return Err(bad_input("expiresAt lies in the past"));
        }
        let done = blocking(move || {
            let done = app.db.write(&viewer.actor(), |tx| {
                let holder = Holder {
                    name: &input.name,
                    role: input.role.into(),
                    unit: input.unit.as_deref(),
                    officer: input.officer.as_deref(),
                    outside: input.outside,
                };
                let token = create_token(tx, holder, expires)?;
                Ok((token, named(tx.conn, &input.name)?))
            });
            done.map_err(from_store)
        })
        .await?;
        let (token, principal) = done.value;
        Ok(CreateTokenPayload { token, principal: Principal(principal) })
    }

    /// Ends all tokens of a name; those who hold sockets with one are let go.
    async fn revoke_tokens(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(default, desc = "Whether no further token of that name is taken, either.")] disable: bool,
    ) -> Result<RevokeTokensPayload> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let name = name.trim().to_owned();
        let done = blocking(move || {
            let done = app.db.write(&viewer.actor(), |tx| {
                named(tx.conn, &name)?;
                let revoked = revoke_tokens(tx, &name)?;
                if disable {
                    self::disable(tx, &name)?;
                }
                Ok((revoked, named(tx.conn, &name)?))
            });
            done.map_err(from_store)
        })
        .await?;
        let (revoked, principal) = done.value;
        Ok(RevokeTokensPayload { revoked: i32::try_from(revoked).unwrap_or(i32::MAX), principal: Principal(principal) })
    }
}

fn named(conn: &mut schema::Conn, name: &str) -> std::result::Result<schema::models::Principal, StoreError> {
    let found = principals::table
        .filter(principals::name.eq(name.trim().to_owned()))
        .select(schema::models::Principal::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| StoreError::Rule(format!("name: there is no token of the name {name:?}")))
}
