//! Routing rules: the type, its queries and mutations.

mod mutation;
mod query;

pub use mutation::RoutingMutations;
pub use query::RoutingQueries;

use crate::graphql::enums::CategoryKind;
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{CategoryKey, UnitKey, reference_row};
use crate::graphql::scalars::id;
use crate::graphql::types::{IssueCategory, Unit};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use schema::models;
use schema::models::UNKNOWN_START;

pub struct RoutingRule(pub models::RoutingRule);

/// A rule that says which unit must answer complaints that meet all its conditions. If several rules match, the most
/// specific one applies: a category before a kind, a kind before a unit, the category itself before the one above it,
/// and the nearer unit. Where no rule matches, a category with an owner goes to that unit, and everything else to the
/// branch complained about (the department or the unit, without a branch).
#[Object]
impl RoutingRule {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Complaints of this category, or of one below it; null for any.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Inline<IssueCategory>>> {
        let Some(category) = self.0.category_id else { return Ok(None) };
        Ok(reference_row(ctx, CategoryKey(category)).await?.map(IssueCategory).map(Inline))
    }

    /// Complaints of this kind; null for any.
    async fn kind(&self) -> Option<CategoryKind> {
        self.0.kind.map(Into::into)
    }

    /// Complaints about this unit, or about one below it on the day of the complaint; null for any.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
    }

    /// The unit that has to answer; null for the branch complained about, also where a unit owns the category.
    async fn responsible_unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        let Some(unit) = self.0.responsible_unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
    }

    /// The first day of receipt; null if the rule has no beginning.
    async fn valid_from(&self) -> Option<NaiveDate> {
        (self.0.valid_from != UNKNOWN_START).then_some(self.0.valid_from)
    }

    /// The last day of receipt; null if the rule has no end.
    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }
}
