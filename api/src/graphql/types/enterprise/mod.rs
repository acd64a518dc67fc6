//! Enterprises: the type, its list, filter and order.

mod filter;
mod list;
mod order;

pub use filter::EnterpriseFilter;
pub use list::EnterpriseQueries;
pub use order::EnterpriseOrder;

use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::id;
use crate::graphql::types::complaint::complaints_of;
use crate::graphql::types::{ComplaintConnection, ComplaintFilter, ComplaintOrder};
use async_graphql::{Context, ID, Object, Result};
use schema::models;
use schema::pseudonyms::Subject;
use schema::queries::Parent;

connection!(Enterprise by EnterpriseSort, EnterpriseConnection, EnterpriseEdge);

pub struct Enterprise(pub models::Enterprise);

impl From<models::Enterprise> for Enterprise {
    fn from(row: models::Enterprise) -> Self {
        Self(row)
    }
}

/// An enterprise. Reading its identity is recorded in the audit log.
#[Object]
impl Enterprise {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        request(ctx)?.note_shown(|seen| &mut seen.enterprises, self.0.id);
        Ok(id(self.0.id))
    }

    /// The pseudonym of the enterprise, stable until the key changes. FORBIDDEN if the server has no key file.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Enterprise, self.0.id)
    }

    async fn tax_code(&self, ctx: &Context<'_>) -> Result<&str> {
        request(ctx)?.note_shown(|seen| &mut seen.enterprises, self.0.id);
        Ok(&self.0.tax_code)
    }

    /// Null if unknown.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.note_shown(|seen| &mut seen.enterprises, self.0.id);
        Ok(self.0.name.as_deref())
    }

    /// Complaints of the enterprise, the latest first by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ComplaintFilter>>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        let page = PageArgs { first, after, last, before };
        request(ctx)?.note_shown(|seen| &mut seen.enterprises, self.0.id);
        complaints_of(ctx, Parent::Enterprise, self.0.id, filter, order_by, page).await
    }

    /// The group of enterprises of one owner or one customs broker; null if it belongs to none.
    async fn group_code(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.note_shown(|seen| &mut seen.enterprises, self.0.id);
        Ok(self.0.group_code.as_deref())
    }
}
