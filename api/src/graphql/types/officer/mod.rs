//! Officers: the type, its lists, filter and order.

mod filter;
mod list;
mod order;

pub use filter::OfficerFilter;
pub use list::OfficerQueries;
pub use order::OfficerOrder;

use crate::graphql::connection::connection;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::from_job;
use crate::graphql::execute::blocking;
use crate::graphql::loaders::{
    MergedOfficerKey, OfficerComplaintsKey, OfficerKey, OfficerRevisionKey, PostingsKey, UnitKey, VisibleFlagKey,
    loaders, one, reference_row,
};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::scalars::id;
use crate::graphql::types::complaint::complaints_of;
use crate::graphql::types::history::{Recorded, ReferenceHistoryConnection, history_of_reference};
use crate::graphql::types::statistics;
use crate::graphql::types::{ComplaintConnection, ComplaintFilter, ComplaintOrder, Flag, Scorecard, Unit};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::analyses::scorecard::{rows_of_officer, scorecard};
use jobs::facts::days::day_number;
use schema::enums::SubjectKind;
use schema::models;
use schema::models::UNKNOWN_START;
use schema::pseudonyms::Subject;
use schema::queries::Parent;

connection!(Officer by OfficerSort, OfficerConnection, OfficerEdge);

pub struct Officer(pub models::Officer);

impl From<models::Officer> for Officer {
    fn from(row: models::Officer) -> Self {
        Self(row)
    }
}

/// An officer. Reading an identity or a part of the file is recorded in the audit log.
#[Object]
impl Officer {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        request(ctx)?.note_shown(|seen| &mut seen.officers, self.0.id);
        Ok(id(self.0.id))
    }

    /// The pseudonym of the officer, stable until the key changes. FORBIDDEN if the server has no key file.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Officer, self.0.id)
    }

    async fn code(&self, ctx: &Context<'_>) -> Result<&str> {
        request(ctx)?.note_shown(|seen| &mut seen.officers, self.0.id);
        Ok(&self.0.code)
    }

    /// Null if unknown.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.note_shown(|seen| &mut seen.officers, self.0.id);
        Ok(self.0.name.as_deref())
    }

    /// Null if unknown.
    async fn rank(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.note_shown(|seen| &mut seen.officers, self.0.id);
        Ok(self.0.rank.as_deref())
    }

    /// Null if unknown.
    async fn appointed_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        request(ctx)?.note_shown(|seen| &mut seen.officers, self.0.id);
        Ok(self.0.appointed_on)
    }

    /// Whether an import or a complaint created the officer from the code alone, and no description has
    /// followed.
    async fn unknown(&self) -> bool {
        self.0.unknown
    }

    /// The position of the register at the last change of the officer or the postings. Pass it as
    /// `expectedRevision`.
    async fn revision(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(one(loaders(ctx)?, OfficerRevisionKey(self.0.id)).await?.unwrap_or(0))
    }

    /// The officer whom this one was merged into: what comes in under this code is about that officer. Null if it
    /// was not merged, or you are an officer.
    async fn merged_into(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        request(ctx)?.note_shown(|seen| &mut seen.officers, self.0.id);
        if viewer(ctx)?.is_an_officer() {
            return Ok(None);
        }
        let Some(into) = one(loaders(ctx)?, MergedOfficerKey(self.0.id)).await? else { return Ok(None) };
        Ok(reference_row(ctx, OfficerKey(into)).await?.map(Officer))
    }

    /// The flag on this officer; null if none exists, or you are this officer.
    async fn flag(&self, ctx: &Context<'_>) -> Result<Option<Flag>> {
        // An officer may not read the flag on themselves.
        if viewer(ctx)?.officer_id == Some(self.0.id) {
            return Ok(None);
        }
        // The absence of a flag is part of the file, too.
        request(ctx)?.note_shown(|seen| &mut seen.files, self.0.id);
        let id = jobs::flags::flag_id(SubjectKind::Officer, self.0.id);
        Ok(one(loaders(ctx)?, VisibleFlagKey(id)).await?.map(Flag))
    }

    /// Complaints about this officer in the last `days` days (1 to 36,500; by default the whole history), and
    /// how they were answered.
    async fn record(
        &self,
        ctx: &Context<'_>,
        days: Option<i32>,
        #[graphql(
            desc = "A past day (Vietnam): counts what had happened by its end, as the register knows it now. Default: today. A future day gives BAD_USER_INPUT."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<Scorecard> {
        request(ctx)?.note_shown(|seen| &mut seen.files, self.0.id);
        let days = days.map(statistics::days).transpose()?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let within = scope.expression(&snapshot);
        let as_of = statistics::past_day(&snapshot, as_of)?;
        let key = OfficerComplaintsKey { officer: self.0.id, as_of };
        let complaints = one(loaders(ctx)?, key).await?.unwrap_or_default();
        let made = blocking(move || {
            let as_of = day_number(as_of);
            let card = rows_of_officer(&snapshot.facts, &complaints, within).map_err(JobError::from);
            let card = card.and_then(|rows| scorecard(&rows, as_of, days)).map_err(from_job)?;
            Ok(Scorecard::new(&snapshot, days, &card))
        });
        Box::pin(made).await
    }

    /// Complaints that name the officer, the latest first by default.
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
        request(ctx)?.note_shown(|seen| &mut seen.files, self.0.id);
        complaints_of(ctx, Parent::Officer, self.0.id, filter, order_by, page).await
    }

    /// The postings of the officer, the oldest first.
    async fn postings(&self, ctx: &Context<'_>) -> Result<Vec<Posting>> {
        request(ctx)?.note_shown(|seen| &mut seen.files, self.0.id);
        let rows = one(loaders(ctx)?, PostingsKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Posting).collect())
    }

    /// Every step that changed the officer or the postings, and for the Board every step of a measure about the
    /// officer; the oldest first by default. Empty if you are an officer yourself.
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
        request(ctx)?.note_shown(|seen| &mut seen.files, self.0.id);
        Box::pin(history_of_reference(ctx, Recorded::Officer, self.0.id, direction, page)).await
    }
}

pub struct Posting(models::Posting);

/// The time of an officer at a unit.
#[Object]
impl Posting {
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(reference_row(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
    }

    /// The first day; null if unknown.
    async fn valid_from(&self) -> Option<NaiveDate> {
        (self.0.valid_from != UNKNOWN_START).then_some(self.0.valid_from)
    }

    /// The last day; null while the posting lasts.
    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }
}
