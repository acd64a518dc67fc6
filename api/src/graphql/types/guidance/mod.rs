//! Guidance documents and the opinions of the Board on them: the types, their list, filter, order and mutations.

mod filter;
mod list;
mod mutation;
mod order;

pub use filter::GuidanceDocumentFilter;
pub use list::GuidanceDocumentQueries;
pub use mutation::GuidanceMutations;
pub use order::GuidanceDocumentOrder;

use crate::graphql::connection::connection;
use crate::graphql::context::snapshot;
use crate::graphql::context::viewer;
use crate::graphql::enums::{GuidanceState, OpinionVerdict};
use crate::graphql::loaders::{CategoryKey, OpinionsKey, UnitKey, loaders, one, reference_row};
use crate::graphql::scalars::Moment;
use crate::graphql::scalars::id;
use crate::graphql::types::{IssueCategory, Unit};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use schema::enums::Role;
use schema::models;

connection!(GuidanceDocument by GuidanceSort, GuidanceDocumentConnection, GuidanceDocumentEdge);

pub struct GuidanceDocument(pub models::GuidanceDocument);

impl From<models::GuidanceDocument> for GuidanceDocument {
    fn from(row: models::GuidanceDocument) -> Self {
        Self(row)
    }
}

impl GuidanceDocument {
    /// Whether the viewer may see the draft, and not only the issued document.
    fn is_own(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = viewer(ctx)?;
        Ok(viewer.role != Role::UnitHead || viewer.heads(&snapshot(ctx)?.reference.tree, self.0.unit_id))
    }
}

/// A guidance document of a headquarters unit. The unit may issue it only after the Board has given its opinion
/// on the present text.
#[Object]
impl GuidanceDocument {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The headquarters unit that drafts the document.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(reference_row(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
    }

    /// The category that the document concerns; null if none was named.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        let Some(category) = self.0.category_id else { return Ok(None) };
        Ok(reference_row(ctx, CategoryKey(category)).await?.map(IssueCategory))
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn text(&self) -> &str {
        &self.0.text
    }

    /// The number of the present text, from 1.
    async fn revision(&self) -> i32 {
        self.0.revision
    }

    async fn state(&self) -> GuidanceState {
        self.0.state.into()
    }

    /// The time at which the document entered its present state.
    async fn state_since(&self) -> Moment {
        self.0.state_since.into()
    }

    /// The time of the first request for an opinion.
    async fn requested_at(&self) -> Moment {
        self.0.requested_at.into()
    }

    /// The number under which the document was issued; null before.
    async fn number(&self) -> Option<&str> {
        self.0.number.as_deref()
    }

    /// The day of issue; null before.
    async fn issued_on(&self) -> Option<NaiveDate> {
        self.0.issued_on
    }

    /// The reason for a withdrawal, or for an issue against the opinion of the Board; null if no reason was given.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Grows by one with each change. Pass it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The author of the request, `token:NAME`; null if you see the document only because it was issued.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.is_own(ctx)?.then_some(self.0.actor.as_str()))
    }

    /// The opinions of the Board, also on earlier texts, the oldest first. If you see the document only because
    /// it was issued: only the opinion on the issued text.
    async fn opinions(&self, ctx: &Context<'_>) -> Result<Vec<GuidanceOpinion>> {
        let rows = one(loaders(ctx)?, OpinionsKey(self.0.id)).await?.unwrap_or_default();
        let all = self.is_own(ctx)?;
        let shown = rows.into_iter().filter(|row| all || row.revision == self.0.revision);
        Ok(shown.map(GuidanceOpinion).collect())
    }
}

pub struct GuidanceOpinion(models::GuidanceOpinion);

/// An opinion of the Board on one text of a guidance document.
#[Object]
impl GuidanceOpinion {
    /// The number of the text that the opinion concerns.
    async fn revision(&self) -> i32 {
        self.0.revision
    }

    async fn verdict(&self) -> OpinionVerdict {
        self.0.verdict.into()
    }

    async fn text(&self) -> &str {
        &self.0.text
    }

    async fn given_at(&self) -> Moment {
        self.0.given_at.into()
    }
}
