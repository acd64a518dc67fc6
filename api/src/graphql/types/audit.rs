//! The audit log: its entries, their list, filter and order.

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::{AuditAction, Role};
use crate::graphql::filter::{AuditActionOps, DateTimeOps, Filter, RoleOps, StringOps, filter};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Json, Moment};
use crate::graphql::types::order::order;
use async_graphql::{Context, Object, Result};
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::queries::AuditSort;
use schema::tables::audit_log;
use schema::{Id, models};

connection!(AuditEntry by AuditSort, AuditEntryConnection, AuditEntryEdge);

/// The kinds of ids that audit log entries hold.
const IDENTIFIED: [(&str, Subject); 4] = [
    ("officers", Subject::Officer),
    ("files", Subject::Officer),
    ("enterprises", Subject::Enterprise),
    ("complaints", Subject::Complaint),
];

/// Replaces ids by pseudonyms, in a list or in the `first` of a longer one. Without a key only counts remain.
fn hide(ids: &mut serde_json::Value, pseudonyms: Option<&Pseudonyms>, subject: Subject) {
    match (ids, pseudonyms) {
        (serde_json::Value::Array(ids), Some(pseudonyms)) => {
            for id in ids {
                let parsed = id.as_str().and_then(|id| id.parse().ok()).map(Id);
                *id = parsed.map(|id| pseudonyms.of(subject, id)).into();
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

pub struct AuditEntry(pub models::AuditEntry);

impl From<models::AuditEntry> for AuditEntry {
    fn from(row: models::AuditEntry) -> Self {
        Self(row)
    }
}

/// An entry of the audit log.
#[Object]
impl AuditEntry {
    /// The sequence number: without gaps, in the order of writing.
    async fn number(&self) -> i64 {
        self.0.number
    }

    async fn at(&self) -> Moment {
        self.0.at.into()
    }

    /// `token:NAME`; `cli` for a command that changed something, `cli:USER` for one that asked or exported.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The role of the actor, or the one whose pseudonyms a command showed; null for `cli`.
    async fn role(&self) -> Option<Role> {
        self.0.role.map(Into::into)
    }

    async fn action(&self) -> AuditAction {
        self.0.action.into()
    }

    /// The name of the GraphQL operation or of the command; null if it has none.
    async fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The subjects of the action: pseudonyms by kind, or the question asked. Pseudonyms, since ids of officers
    /// and enterprises can be computed from their codes. Without a key file there are counts only.
    async fn objects(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        let pseudonyms = request(ctx)?.audience_view.pseudonyms.as_ref();
        let mut objects = self.0.objects.0.clone();
        for (kind, subject) in IDENTIFIED {
            if let Some(ids) = objects.get_mut(kind) {
                hide(ids, pseudonyms, subject);
            }
        }
        Ok(Json(objects))
    }
}

filter! {
    /// Conditions on audit log entries, joined by AND.
    AuditFilter over audit_log {
        at: DateTimeOps => time(audit_log::at),
        actor: StringOps => text(audit_log::actor),
        role: RoleOps => word(audit_log::role),
        action: AuditActionOps => word(audit_log::action),
    }
}

order!(AuditOrderField, AuditOrder, AuditSort { At } default At Desc);

#[derive(Default)]
pub struct AuditQueries;

#[Object]
impl AuditQueries {
    /// The audit log: who looked at whom, exported, asked SQL, or changed tokens. The latest entry first by
    /// default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditFilter>,
        order_by: Option<Vec<AuditOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AuditEntryConnection> {
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        list::<AuditEntry>(ctx, page, AuditOrder::list(order_by), move || filter.condition(&reference)).await
    }
}
