use super::{IssueCategory, Unit};
use crate::graphql::connection::connection;
use crate::graphql::context::{loaders, snapshot, viewer};
use crate::graphql::enums::{GuidanceState, OpinionVerdict};
use crate::graphql::loaders::{CategoryKey, OpinionsKey, UnitKey, known, one};
use crate::graphql::scalars::{Moment, id};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use schema::domain::calendar::local_date;
use schema::enums::Role;
use schema::{Timestamp, models};

/// A guidance document that a headquarters unit drafts. It is not issued before the Board has given its opinion about the
/// text as it stands.
pub struct GuidanceDocument(pub models::GuidanceDocument);

impl From<models::GuidanceDocument> for GuidanceDocument {
    fn from(row: models::GuidanceDocument) -> Self {
        Self(row)
    }
}

impl GuidanceDocument {
    /// Whether who asks sees it as a draft, too, and not only because it was issued.
    fn is_own(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = viewer(ctx)?;
        let today = local_date(Timestamp::now());
        Ok(match (viewer.role, viewer.unit_id) {
            (Role::UnitHead, Some(unit)) => {
                snapshot(ctx)?.reference.tree.below_on(unit, today).contains(&self.0.unit_id)
            }
            _ => true,
        })
    }
}

#[Object]
impl GuidanceDocument {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The headquarters unit that drafts it.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(known(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
    }

    /// What it is about.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        let Some(category) = self.0.category_id else { return Ok(None) };
        Ok(known(ctx, CategoryKey(category)).await?.map(IssueCategory))
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Counts its texts, from 1.
    async fn revision(&self) -> i32 {
        self.0.revision
    }

    async fn state(&self) -> GuidanceState {
        self.0.state.into()
    }

    async fn state_since(&self) -> Moment {
        self.0.state_since.into()
    }

    async fn requested_at(&self) -> Moment {
        self.0.requested_at.into()
    }

    /// The number under which it was issued.
    async fn number(&self) -> Option<&str> {
        self.0.number.as_deref()
    }

    async fn issued_on(&self) -> Option<NaiveDate> {
        self.0.issued_on
    }

    /// Why it was issued although the Board did not agree, or withdrawn.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Who asked for the opinion; null where you see the document only because it was issued.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.is_own(ctx)?.then_some(self.0.actor.as_str()))
    }

    /// What the Board said, also about earlier texts; oldest first. Where you see the document only because it was issued,
    /// what it said about the text that was.
    async fn opinions(&self, ctx: &Context<'_>) -> Result<Vec<GuidanceOpinion>> {
        let rows = one(loaders(ctx)?, OpinionsKey(self.0.id)).await?.unwrap_or_default();
        let all = self.is_own(ctx)?;
        let shown = rows.into_iter().filter(|row| all || row.revision == self.0.revision);
        Ok(shown.map(GuidanceOpinion).collect())
    }
}

/// What the Board thinks of one text of a document.
pub struct GuidanceOpinion(models::GuidanceOpinion);

#[Object]
impl GuidanceOpinion {
    /// Which of the document's texts it is about.
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

connection!(GuidanceDocument, GuidanceDocumentConnection, GuidanceDocumentEdge);
