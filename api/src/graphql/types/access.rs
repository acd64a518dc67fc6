//! Who may use the register, and who looked at what: for those who manage it.

use super::Unit;
use crate::graphql::connection::connection;
use crate::graphql::context::loaders;
use crate::graphql::context::request;
use crate::graphql::enums::{AuditAction, Role};
use crate::graphql::loaders::{TokensKey, UnitKey, known, one};
use crate::graphql::scalars::{Json, Moment, id};
use async_graphql::{Context, ID, Object, Result};
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::{Id, models};

/// Somebody, or a program, that has tokens.
pub struct Principal(pub models::Principal);

impl From<models::Principal> for Principal {
    fn from(row: models::Principal) -> Self {
        Self(row)
    }
}

#[Object]
impl Principal {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// The unit of a UNIT_HEAD.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(known(ctx, UnitKey(unit)).await?.map(Unit))
    }

    /// The code of the officer that it is: what names this one is kept from it.
    async fn officer_code(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(officer) = self.0.officer_id else { return Ok(None) };
        request(ctx)?.saw(|seen| &mut seen.officers, officer);
        Ok(known(ctx, crate::graphql::loaders::OfficerKey(officer)).await?.map(|officer| officer.code))
    }

    /// Whether what it is shown leaves the house.
    async fn outside(&self) -> bool {
        self.0.outside
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    /// Since when none of its tokens is taken.
    async fn disabled_at(&self) -> Option<Moment> {
        self.0.disabled_at.map(Into::into)
    }

    /// Its tokens, the oldest first; the tokens themselves are not stored.
    async fn tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        let rows = one(loaders(ctx)?, TokensKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(ApiToken).collect())
    }
}

/// A token, without its secret.
pub struct ApiToken(models::ApiToken);

#[Object]
impl ApiToken {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    /// Null for one that does not expire.
    async fn expires_at(&self) -> Option<Moment> {
        self.0.expires_at.map(Into::into)
    }

    async fn revoked_at(&self) -> Option<Moment> {
        self.0.revoked_at.map(Into::into)
    }

    /// To the minute.
    async fn last_used_at(&self) -> Option<Moment> {
        self.0.last_used_at.map(Into::into)
    }
}

/// The ids that entries of the audit log have, by kind.
const IDENTIFIED: [(&str, Subject); 4] = [
    ("officers", Subject::Officer),
    ("files", Subject::Officer),
    ("enterprises", Subject::Enterprise),
    ("complaints", Subject::Complaint),
];

/// Puts pseudonyms in the place of ids: of a list, or of the first of many.
fn hide(ids: &mut serde_json::Value, pseudonyms: Option<&Pseudonyms>, subject: Subject) {
    match (ids, pseudonyms) {
        (serde_json::Value::Array(ids), Some(pseudonyms)) => {
            for id in ids {
                let known = id.as_str().and_then(|id| id.parse().ok()).map(Id);
                *id = known.map(|id| pseudonyms.of(subject, id)).into();
            }
        }
        (ids @ serde_json::Value::Array(_), None) => {
            let count = ids.as_array().map_or(0, Vec::len);
            *ids = serde_json::json!({ "count": count });
        }
        (serde_json::Value::Object(many), None) => drop(many.remove("first")),
        (serde_json::Value::Object(many), Some(_)) => {
            if let Some(first) = many.get_mut("first") {
                hide(first, pseudonyms, subject);
            }
        }
        _ => {}
    }
}

/// An entry of the audit log.
pub struct AuditEntry(pub models::AuditEntry);

impl From<models::AuditEntry> for AuditEntry {
    fn from(row: models::AuditEntry) -> Self {
        Self(row)
    }
}

#[Object]
impl AuditEntry {
    /// Dense, and in the order in which entries were written.
    async fn number(&self) -> i64 {
        self.0.number
    }

    async fn at(&self) -> Moment {
        self.0.at.into()
    }

    /// `token:NAME`, or `cli`.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    async fn role(&self) -> Option<Role> {
        self.0.role.map(Into::into)
    }

    async fn action(&self) -> AuditAction {
        self.0.action.into()
    }

    /// The name of the operation.
    async fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// Of what: pseudonyms by kind, or what was asked. Ids of officers and enterprises can be computed from their codes, and
    /// nobody who reads the log sees complaints; without a key file there are numbers alone.
    async fn objects(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        let pseudonyms = request(ctx)?.shown.pseudonyms.as_ref();
        let mut objects = self.0.objects.0.clone();
        for (kind, subject) in IDENTIFIED {
            if let Some(ids) = objects.get_mut(kind) {
                hide(ids, pseudonyms, subject);
            }
        }
        Ok(Json(objects))
    }
}

connection!(Principal, PrincipalConnection, PrincipalEdge);
connection!(AuditEntry, AuditEntryConnection, AuditEntryEdge);
