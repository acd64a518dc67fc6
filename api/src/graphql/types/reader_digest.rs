//! The digests that were made for readers, and what became of them.

use super::digest::note_looks;
use crate::graphql::enums::{DeliveryState, Locale};
use crate::graphql::scalars::{Json, Moment, id};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::digest::reader::outbox::{Delivered, LOST};
use schema::models;

pub struct ReaderDigest(pub models::ReaderDigest);

/// A digest made for one reader, as it was written and sent.
#[Object]
impl ReaderDigest {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The last day that the digest covers.
    async fn as_of(&self) -> NaiveDate {
        self.0.as_of
    }

    async fn locale(&self) -> Locale {
        self.0.locale.into()
    }

    /// The subject line of the message; empty if the reader had lost the right to it.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The message as HTML, as it was sent: its pictures are parts of the mail (`cid:`).
    async fn html(&self, ctx: &Context<'_>) -> Result<&str> {
        note_looks(ctx, &self.0.document.0)?;
        Ok(&self.0.html)
    }

    /// The message as plain text.
    async fn text(&self, ctx: &Context<'_>) -> Result<&str> {
        note_looks(ctx, &self.0.document.0)?;
        Ok(&self.0.text)
    }

    /// The content of the digest as JSON, independent of the language.
    async fn document(&self, ctx: &Context<'_>) -> Result<Json<&serde_json::Value>> {
        note_looks(ctx, &self.0.document.0)?;
        Ok(Json(&self.0.document.0))
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }

    /// Attempts made so far.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// Null until the digest is sent.
    async fn sent_at(&self) -> Option<Moment> {
        self.0.sent_at.map(Into::into)
    }

    /// The error of the last attempt, or the reason why nothing was sent; null otherwise.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

/// What became of a digest for one reader.
#[derive(SimpleObject)]
pub struct ReaderDelivery {
    /// The last day that the digest covers.
    pub as_of: NaiveDate,
    pub created_at: Moment,
    pub state: DeliveryState,
    /// Whether nothing was sent because the reader had lost the right to it.
    pub lost_right: bool,
    /// Attempts made so far.
    pub attempts: i32,
    /// Null until the digest is sent.
    pub sent_at: Option<Moment>,
    /// The error of the last attempt, or the reason why nothing was sent; null otherwise.
    pub error: Option<String>,
}

impl From<Delivered> for ReaderDelivery {
    fn from(delivered: Delivered) -> Self {
        Self {
            as_of: delivered.as_of,
            created_at: delivered.created_at.into(),
            state: delivered.state.into(),
            lost_right: delivered.error.as_deref().is_some_and(|why| why.starts_with(LOST)),
            attempts: delivered.attempts,
            sent_at: delivered.sent_at.map(Into::into),
            error: delivered.error,
        }
    }
}
