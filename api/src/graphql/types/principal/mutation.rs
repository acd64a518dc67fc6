//! Mutations that make and revoke tokens.

use super::Principal;
use crate::graphql::context::{request, viewer};
use crate::graphql::enums::Role;
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::scalars::Moment;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use schema::db::WriteTx;
use schema::register::access::{Holder, create_token, disable, revoke_tokens};
use schema::register::accounts::{disable_account, enable_account};
use schema::{StoreError, Timestamp, models, queries};

/// The holder of a new token.
#[derive(Debug, InputObject)]
pub struct CreateTokenInput {
    /// The name of the principal. A further token for a known name must have the same role, unit, officer and
    /// `outside`, else CONFLICT.
    pub name: String,
    pub role: Role,
    /// The code of the unit of a UNIT_HEAD; required for this role, not allowed for others.
    pub unit: Option<String>,
    /// The code of the officer that the principal is. Complaints that name this officer are hidden from it.
    pub officer: Option<String>,
    /// Whether the principal is outside the authority. Only for a DASHBOARD, for which larger groups are
    /// suppressed then; else BAD_USER_INPUT.
    #[graphql(default)]
    pub outside: bool,
    /// The time at which the token expires; without it never. A time in the past gives BAD_USER_INPUT.
    pub expires_at: Option<Moment>,
}

#[derive(SimpleObject)]
pub struct CreateTokenPayload {
    /// The secret, shown only here: the register stores a hash.
    pub token: String,
    pub principal: Principal,
}

#[derive(SimpleObject)]
pub struct RevokeTokensPayload {
    /// The number of tokens revoked.
    pub revoked: i32,
    pub principal: Principal,
}

/// An account of another issuer.
#[derive(Debug, InputObject)]
pub struct AccountInput {
    /// The name of the principal, such as `jwt:SUBJECT`.
    pub name: String,
}

#[derive(SimpleObject)]
pub struct AccountPayload {
    pub principal: Principal,
}

#[derive(Default)]
pub struct TokenMutations;

#[Object]
impl TokenMutations {
    /// Creates a token. BAD_USER_INPUT if the unit or officer is unknown or does not fit the role, CONFLICT if
    /// the name is disabled or belongs to a different holder.
    async fn create_token(&self, ctx: &Context<'_>, input: CreateTokenInput) -> Result<CreateTokenPayload> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let expires = input.expires_at.map(|moment| moment.0);
        if expires.is_some_and(|at| at <= Timestamp::now()) {
            return Err(bad_input("expiresAt is in the past: give a future time or leave it out"));
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

    /// Revokes all tokens of a name and closes the sockets opened with them. BAD_USER_INPUT if the name is
    /// unknown.
    async fn revoke_tokens(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(default, desc = "Whether to disable the name too: no token of it is accepted again.")] disable: bool,
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

    /// Disables an account of another issuer: it cannot sign in, its tokens are refused, its sessions end, and nothing
    /// is sent to it. NOT_FOUND if there is no such account.
    async fn disable_account(&self, ctx: &Context<'_>, input: AccountInput) -> Result<AccountPayload> {
        change(ctx, move |tx| disable_account(tx, input.name.trim())).await
    }

    /// Enables an account that was disabled. NOT_FOUND if there is no such account.
    async fn enable_account(&self, ctx: &Context<'_>, input: AccountInput) -> Result<AccountPayload> {
        change(ctx, move |tx| enable_account(tx, input.name.trim())).await
    }
}

/// Changes an account in a transaction of the viewer.
async fn change(
    ctx: &Context<'_>,
    write: impl FnOnce(&mut WriteTx<'_>) -> std::result::Result<models::Principal, StoreError> + Send + 'static,
) -> Result<AccountPayload> {
    let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
    let done = blocking(move || app.db.write(&viewer.actor(), write).map_err(from_store)).await?;
    Ok(AccountPayload { principal: Principal(done.value) })
}

fn named(conn: &mut schema::Conn, name: &str) -> std::result::Result<models::Principal, StoreError> {
    let found = queries::principal_by_name(conn, name.trim())?;
    found.ok_or_else(|| {
        StoreError::Rule(format!("name: there is no principal {name:?}: the query `principals` lists the names"))
    })
}
