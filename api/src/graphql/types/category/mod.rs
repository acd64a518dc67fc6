//! Issue categories: the type, its list and order.

mod filter;

pub use filter::{CategoryFilter, selected_categories, with_those_below};

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::{CategoryKind, DeadlineUnit, Locale};
use crate::graphql::execute::Inline;
use crate::graphql::filter::Filter;
use crate::graphql::loaders::{CategoryKey, CategoryRevisionKey, UnitKey, loaders, one, reference_row};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::scalars::id;
use crate::graphql::types::complaint::complaints_of;
use crate::graphql::types::history::{Recorded, ReferenceHistoryConnection, history_of_reference};
use crate::graphql::types::order::measured_order;
use crate::graphql::types::statistics::{IdAtIndex, MeasureSources, list_by_measure};
use crate::graphql::types::{ComplaintConnection, ComplaintFilter, ComplaintOrder, Unit};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::snapshot::IndexColumn;
use jobs::statistics::Dimension;
use schema::queries::{CategorySort, Parent};
use schema::{models, queries};

connection!(IssueCategory by CategorySort, IssueCategoryConnection, IssueCategoryEdge);

pub struct IssueCategory(pub models::IssueCategory);

impl From<models::IssueCategory> for IssueCategory {
    fn from(row: models::IssueCategory) -> Self {
        Self(row)
    }
}

/// A category of issues, of the first or the second level.
#[Object]
impl IssueCategory {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name in `locale`, by default the language of `Accept-Language`. Vietnamese without an English
    /// name.
    async fn name(&self, ctx: &Context<'_>, locale: Option<Locale>) -> Result<&str> {
        let locale = locale.map(Into::into);
        Ok(request(ctx)?.name_in(locale, &self.0.name_vi, self.0.name_en.as_deref()))
    }

    async fn name_vi(&self) -> &str {
        &self.0.name_vi
    }

    /// Null without an English name.
    async fn name_en(&self) -> Option<&str> {
        self.0.name_en.as_deref()
    }

    async fn kind(&self) -> CategoryKind {
        self.0.kind.into()
    }

    /// Whether the category is serious, such as obstruction, harassment or corruption.
    async fn serious(&self) -> bool {
        self.0.serious
    }

    /// Days within which a complaint must be answered; null without a deadline.
    async fn deadline_days(&self) -> Option<i32> {
        self.0.deadline_days
    }

    /// The kind of days in which `deadlineDays` is counted.
    async fn deadline_unit(&self) -> DeadlineUnit {
        self.0.deadline_unit.unwrap_or(schema::enums::DeadlineUnit::Working).into()
    }

    /// Whether an import created the category from its code alone, and no description has followed.
    async fn unknown(&self) -> bool {
        self.0.unknown
    }

    /// The last day on which complaints are filed under the category; null while it is in use.
    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }

    /// The position of the register at the last change of the category. Pass it as `expectedRevision`.
    async fn revision(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(one(loaders(ctx)?, CategoryRevisionKey(self.0.id)).await?.unwrap_or(0))
    }

    /// The category above; null on the first level.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        let Some(parent) = self.0.parent_id else { return Ok(None) };
        Ok(reference_row(ctx, CategoryKey(parent)).await?.map(IssueCategory))
    }

    /// Complaints of the category and those below it, the latest first by default.
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
        complaints_of(ctx, Parent::Category, self.0.id, filter, order_by, page).await
    }

    /// The headquarters unit in charge; null if none exists.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        let Some(owner) = self.0.owner_unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(owner)).await?.map(Unit).map(Inline))
    }

    /// Every step that changed the category, the oldest first by default.
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
        Box::pin(history_of_reference(ctx, Recorded::Category, self.0.id, direction, page)).await
    }
}

measured_order!(IssueCategoryOrderField, IssueCategoryOrder, CategorySort { Code, NameVi, Kind } default Code Asc);

#[derive(Default)]
pub struct IssueCategoryQueries;

#[Object]
impl IssueCategoryQueries {
    /// Issue categories of both levels, by code by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn issue_categories(
        &self,
        ctx: &Context<'_>,
        filter: Option<CategoryFilter>,
        order_by: Option<Vec<IssueCategoryOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<IssueCategoryConnection> {
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || filter.condition(&reference);
        match IssueCategoryOrder::list(order_by)? {
            Ok(order) => list::<IssueCategory>(ctx, page, order, condition).await,
            Err(by) => {
                let all = request(ctx)?.read(move |conn| queries::category_ids(conn, condition()?)).await?;
                let at: IdAtIndex = |snapshot, index| Some(snapshot.reference.categories.get(index as usize)?.id);
                // A category is measured with those below it.
                let levels = [IndexColumn::CategoryGroup, IndexColumn::Category];
                let sources = MeasureSources {
                    dimensions: levels.map(|level| (Dimension::Place(level), at)).to_vec(),
                    separate_rows: Vec::new(),
                };
                list_by_measure::<IssueCategory, _>(ctx, all, by, sources, page, CategoryKey).await
            }
        }
    }
}
