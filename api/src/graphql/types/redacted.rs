use super::{IssueCategory, Unit};
use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::enums::ComplaintState;
use crate::graphql::loaders::{CategoryKey, UnitKey, known};
use async_graphql::{Context, Object, Result};
use chrono::Datelike;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use schema::models;
use schema::pseudonyms::Subject;

/// What may be read of a confidential complaint: a text that the Board has redacted, and nothing that would tell who
/// complained.
pub struct RedactedComplaint {
    pub complaint: models::Complaint,
    pub text: String,
}

#[Object]
impl RedactedComplaint {
    /// What stands for the complaint; the same for as long as the key is.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Complaint, self.complaint.id)
    }

    /// The month in which it was received, `2025-03`.
    async fn month(&self) -> String {
        month_of(self.complaint.received_at)
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.complaint.unit_id else { return Ok(None) };
        Ok(known(ctx, UnitKey(unit)).await?.map(Unit))
    }

    async fn category(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        let Some(category) = self.complaint.category_id else { return Ok(None) };
        Ok(known(ctx, CategoryKey(category)).await?.map(IssueCategory))
    }

    async fn state(&self) -> ComplaintState {
        self.complaint.state.into()
    }

    /// Goes up by one with every change; an answer names the version that it knows.
    async fn version(&self) -> i32 {
        self.complaint.version
    }

    /// What the Board lets the unit read.
    async fn text(&self) -> &str {
        &self.text
    }
}

/// The month of a moment, `2025-03`.
pub fn month_of(at: Timestamp) -> String {
    let day = local_date(at);
    format!("{:04}-{:02}", day.year(), day.month())
}

connection!(RedactedComplaint, RedactedComplaintConnection, RedactedComplaintEdge);
