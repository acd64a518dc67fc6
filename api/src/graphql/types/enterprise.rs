//! Enterprises: the type, its list, filter and order.

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::{Filter, IdOps, OptionalCondition, ReferenceData, StringOps, both, filter};
use crate::graphql::loaders::{EnterpriseKey, MergedEnterpriseKey, loaders, one, reference_row};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::scalars::id;
use crate::graphql::types::complaint::complaints_of;
use crate::graphql::types::history::{Recorded, ReferenceHistoryConnection, history_of_reference};
use crate::graphql::types::order::measured_order;
use crate::graphql::types::statistics::{IdAtIndex, list_by_measure};
use crate::graphql::types::{ComplaintConnection, ComplaintFilter, ComplaintOrder};
use async_graphql::{Context, ID, Object, Result};
use jobs::snapshot::IndexColumn;
use jobs::statistics::Dimension;
use schema::pseudonyms::Subject;
use schema::queries::{EnterpriseSort, Parent, name_contains};
use schema::tables::enterprises;
use schema::{StoreError, models, queries};

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

    /// The enterprise that this one was merged into: what comes in under this tax code is of that enterprise. Null if
    /// it was not merged, or you are an officer.
    async fn merged_into(&self, ctx: &Context<'_>) -> Result<Option<Enterprise>> {
        request(ctx)?.note_shown(|seen| &mut seen.enterprises, self.0.id);
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let Some(into) = one(loaders(ctx)?, MergedEnterpriseKey(self.0.id)).await? else { return Ok(None) };
        Ok(reference_row(ctx, EnterpriseKey(into)).await?.map(Enterprise))
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

    /// Every step that changed the enterprise, the oldest first by default. Empty if you are an officer: the first
    /// step reveals when the enterprise complained.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "SortDirection::Asc")] direction: SortDirection,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ReferenceHistoryConnection> {
        let page = PageArgs { first, after, last, before };
        request(ctx)?.note_shown(|seen| &mut seen.enterprises, self.0.id);
        Box::pin(history_of_reference(ctx, Recorded::Enterprise, self.0.id, direction, page)).await
    }
}

filter! {
    /// Conditions on enterprises, joined by AND.
    EnterpriseFilter over enterprises {
        id: IdOps => id(enterprises::id),
        tax_code: StringOps => text(enterprises::tax_code),
        name: StringOps => text(enterprises::name),
        group_code: StringOps => text(enterprises::group_code),
        /// Finds the text anywhere in the name, ignoring case and diacritics.
        search: String => by(of_search),
    }
}

fn of_search(search: &str, _: &ReferenceData) -> OptionalCondition<enterprises::table> {
    Ok(Some(Box::new(name_contains(search))))
}

measured_order!(EnterpriseOrderField, EnterpriseOrder, EnterpriseSort { TaxCode, Name } default TaxCode Asc);

#[derive(Default)]
pub struct EnterpriseQueries;

#[Object]
impl EnterpriseQueries {
    /// Enterprises, by tax code by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn enterprises(
        &self,
        ctx: &Context<'_>,
        filter: Option<EnterpriseFilter>,
        order_by: Option<Vec<EnterpriseOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<EnterpriseConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition =
            move || Ok::<_, StoreError>(both!(viewer.enterprises(&reference.tree), filter.condition(&reference)?));
        match EnterpriseOrder::list(order_by)? {
            Ok(order) => list::<Enterprise>(ctx, page, order, condition).await,
            Err(by) => {
                let all = request(ctx)?.read(move |conn| queries::enterprise_ids(conn, condition()?)).await?;
                let at: IdAtIndex = |snapshot, index| snapshot.enterprises.at(index);
                let sources = (Dimension::Place(IndexColumn::Enterprise), at).into();
                list_by_measure::<Enterprise, _>(ctx, all, by, sources, page, EnterpriseKey).await
            }
        }
    }
}
