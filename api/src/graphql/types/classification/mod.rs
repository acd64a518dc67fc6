//! Classification: suggested categories, the queue of complaints that wait for one, their confirmation, and terms that
//! rise.

mod confirm;
mod emerging;
mod queue;

pub use confirm::ClassificationMutations;
pub use emerging::EmergingQueries;
pub use queue::QueueQueries;

use crate::graphql::execute::Inline;
use crate::graphql::loaders::{CategoryKey, SuggestionsKey, loaders, one, reference_row};
use crate::graphql::scalars::Moment;
use crate::graphql::types::IssueCategory;
use async_graphql::{Context, Object, Result};
use schema::{Id, models};

pub struct CategorySuggestion {
    row: models::CategorySuggestion,
    classifier: String,
    suggested_at: schema::Timestamp,
}

/// A category that the classifier suggests. It decides nothing: a person confirms a category.
#[Object]
impl CategorySuggestion {
    /// The category; null if it is not in the register any more.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Inline<IssueCategory>>> {
        Ok(reference_row(ctx, CategoryKey(self.row.category_id)).await?.map(IssueCategory).map(Inline))
    }

    /// A number from 0 to 1. The confidence of a model is calibrated: of the first suggestions with 0.8, four in five
    /// are right. That of rules is the share of the words found that name this category.
    async fn confidence(&self) -> f64 {
        self.row.confidence
    }

    /// 1 for the first suggestion.
    async fn rank(&self) -> i32 {
        self.row.rank
    }

    /// The version of what suggested it: `model-` and a number, or `rules-` and the beginning of the hash of the rules.
    async fn model(&self) -> &str {
        &self.classifier
    }

    async fn suggested_at(&self) -> Moment {
        self.suggested_at.into()
    }
}

/// The suggestions of a classification, by rank.
fn suggestions(
    of: &models::Classification,
    rows: Vec<models::CategorySuggestion>,
) -> impl Iterator<Item = CategorySuggestion> {
    let (classifier, suggested_at) = (of.classifier.clone(), of.suggested_at);
    rows.into_iter().map(move |row| CategorySuggestion { row, classifier: classifier.clone(), suggested_at })
}

/// The suggested categories of a complaint, by rank.
///
/// # Errors
/// If the database cannot be read in time.
pub async fn suggestions_of(ctx: &Context<'_>, complaint: Id) -> Result<Vec<Inline<CategorySuggestion>>> {
    let Some((of, rows)) = one(loaders(ctx)?, SuggestionsKey(complaint)).await? else { return Ok(Vec::new()) };
    Ok(suggestions(&of, rows).map(Inline).collect())
}
