//! Confidential complaints that the Board has redacted: the type, its list, filter and mutation.

mod filter;
mod list;
mod mutation;

pub use filter::RedactedComplaintFilter;
pub use list::RedactedQueries;
pub use mutation::RedactedMutations;

use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::enums::ComplaintState;
use crate::graphql::loaders::{CategoryKey, UnitKey, reference_row};
use crate::graphql::types::{IssueCategory, Unit};
use async_graphql::{Context, Object, Result};
use chrono::{Datelike, Weekday};
use schema::domain::calendar::local_date;
use schema::pseudonyms::Subject;
use schema::{Timestamp, models};

connection!(RedactedComplaint, RedactedComplaintConnection, RedactedComplaintEdge);

pub struct RedactedComplaint {
    pub complaint: models::Complaint,
    pub text: String,
}

/// A confidential complaint as a unit reads it: the text that the Board redacted, and nothing that identifies
/// who complained.
#[Object]
impl RedactedComplaint {
    /// The pseudonym of the complaint, stable until the key changes.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Complaint, self.complaint.id)
    }

    /// The month received, such as `2025-03`.
    async fn month(&self) -> String {
        month_of(self.complaint.received_at)
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.complaint.unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit))
    }

    /// The unit that has to answer; null if the register knows no such unit.
    async fn responsible_unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.complaint.responsible_unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit))
    }

    async fn category(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        let Some(category) = self.complaint.category_id else { return Ok(None) };
        Ok(reference_row(ctx, CategoryKey(category)).await?.map(IssueCategory))
    }

    async fn state(&self) -> ComplaintState {
        self.complaint.state.into()
    }

    /// Whether it waits for an answer whose deadline had passed by the last Monday. Days between two Mondays do not
    /// show: the day on which this turns true would reveal when the complaint was received.
    async fn overdue(&self) -> bool {
        let today = local_date(Timestamp::now());
        self.complaint.overdue_days(today.week(Weekday::Mon).first_day()) > 0
    }

    /// Grows by one with each change. Pass it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.complaint.version
    }

    /// The redacted text.
    async fn text(&self) -> &str {
        &self.text
    }
}

/// The local month of a time, such as `2025-03`.
pub fn month_of(at: Timestamp) -> String {
    let day = local_date(at);
    format!("{:04}-{:02}", day.year(), day.month())
}
