//! Complaints: the type, its lists, filters, orders and mutations.

mod allegation;
mod answer_without_executor;
mod cacheable;
mod children;
mod clock;
mod filter;
mod list;
mod mutation;
mod order;
mod origin;
mod overdue_page;
pub mod snapshot_filter;
mod snapshot_page;
mod submit;
mod transfer;

pub use allegation::Allegation;
pub use answer_without_executor::{ListsWithoutExecutor, answer_without_executor};
pub use cacheable::LISTS;
pub use children::complaints_of;
pub use filter::{ComplaintFilter, ResponsibleUnitOps};
pub use list::{ComplaintQueries, complaints_where};
pub use mutation::{ComplaintMutations, HandleComplaintPayload};
pub use order::{ComplaintOrder, complaint_order};
pub use submit::SubmitMutations;
pub use transfer::TransferMutations;

use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::enums::{Channel, ComplaintState, Finding, LegalForm};
use crate::graphql::execute::{Boxed, Inline};
use crate::graphql::loaders::{
    AdditionsKey, AllegationsKey, AttachmentsKey, CategoryKey, EnterpriseKey, MattersKey, RedactionKey, SenderKey,
    UnitKey, loaders, one, reference_row,
};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::scalars::{Decimal, Moment, id};
use crate::graphql::types::attachment::{Attachment, ComplaintAddition};
use crate::graphql::types::classification::{CategorySuggestion, suggestions_of};
use crate::graphql::types::duplicate::{DuplicatesKey, OriginalKey, PossibleDuplicate, PossibleDuplicatesKey};
use crate::graphql::types::history::{ComplaintHistoryConnection, history_of_complaint};
use crate::graphql::types::response::responses_of;
use crate::graphql::types::{
    Enterprise, Escalation, IssueCategory, ResponseFilter, Unit, UnitResponseConnection, UnitResponseOrder,
};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use schema::domain::ids::human_reference;
use schema::pseudonyms::Subject;
use schema::{models, register::sender_of};

connection!(Complaint, ComplaintConnection, ComplaintEdge);

pub struct Complaint(pub models::Complaint);

impl From<models::Complaint> for Complaint {
    fn from(row: models::Complaint) -> Self {
        Self(row)
    }
}

async fn unit(ctx: &Context<'_>, unit: Option<schema::Id>) -> Result<Option<Inline<Unit>>> {
    let Some(unit) = unit else { return Ok(None) };
    Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
}

async fn category(ctx: &Context<'_>, category: Option<schema::Id>) -> Result<Option<Inline<IssueCategory>>> {
    let Some(category) = category else { return Ok(None) };
    Ok(reference_row(ctx, CategoryKey(category)).await?.map(IssueCategory).map(Inline))
}

/// A complaint of an enterprise. You see only complaints within your row scope.
#[Object]
impl Complaint {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The pseudonym of the complaint, stable until the key changes. FORBIDDEN if the server has no key file.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Complaint, self.0.id)
    }

    /// The human-readable reference, such as PA-20101231-7F3KQ2M9ZX.
    async fn reference(&self) -> String {
        human_reference(self.0.id)
    }

    /// The registers from which the complaint was imported; empty if it was submitted here.
    async fn sources(&self, ctx: &Context<'_>) -> Result<Vec<origin::ComplaintSource>> {
        origin::sources_of(ctx, self.0.id).await
    }

    async fn received_at(&self) -> Moment {
        self.0.received_at.into()
    }

    /// The time of the event complained about; null if not stated.
    async fn occurred_at(&self) -> Option<Moment> {
        self.0.occurred_at.map(Into::into)
    }

    /// The time at which the complaint entered this register.
    async fn recorded_at(&self) -> Moment {
        self.0.recorded_at.into()
    }

    async fn legal_form(&self) -> LegalForm {
        self.0.legal_form.into()
    }

    async fn channel(&self) -> Channel {
        self.0.channel.into()
    }

    async fn anonymous(&self) -> bool {
        self.0.enterprise_id.is_none()
    }

    /// The complaining enterprise; null if the complaint is anonymous.
    async fn enterprise(&self, ctx: &Context<'_>) -> Result<Option<Inline<Enterprise>>> {
        let Some(enterprise) = self.0.enterprise_id else { return Ok(None) };
        Ok(reference_row(ctx, EnterpriseKey(enterprise)).await?.map(Enterprise).map(Inline))
    }

    /// The unit complained about; null if not stated.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.unit_id).await
    }

    /// The provincial department above the unit on the day of the complaint, or the unit itself; null if there
    /// is none.
    async fn department(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.department_id).await
    }

    /// The branch above the unit on the day of the complaint, or the unit itself; null if none exists.
    async fn branch(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.branch_id).await
    }

    /// The team above the unit on the day of the complaint, or the unit itself; null if none exists.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.team_id).await
    }

    /// The unit that has to answer: the headquarters unit that owns the category, else the branch complained about,
    /// unless a routing rule, an assignment or a transfer says otherwise. Null if the register knows no such unit.
    async fn responsible_unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.responsible_unit_id).await
    }

    /// How the complaint concerns your unit and the units below it; null if you head no unit.
    async fn relation(&self, ctx: &Context<'_>) -> Result<Option<Vec<origin::ComplaintRelation>>> {
        origin::relation_of(ctx, &self.0)
    }

    /// The category; null until one is given.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Inline<IssueCategory>>> {
        category(ctx, self.0.category_id).await
    }

    /// The categories that the classifier suggests for the text, by rank; empty until it has read the complaint.
    async fn suggestions(&self, ctx: &Context<'_>) -> Result<Vec<Inline<CategorySuggestion>>> {
        suggestions_of(ctx, self.0.id).await
    }

    /// The number of the customs declaration; null if not stated.
    async fn declaration_number(&self) -> Option<&str> {
        self.0.declaration_number.as_deref()
    }

    /// The text of the complaint; null if the register has none.
    async fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// The additions of the complainant by the receipt.
    async fn additions(&self, ctx: &Context<'_>) -> Result<Vec<ComplaintAddition>> {
        let rows = one(loaders(ctx)?, AdditionsKey(self.0.id)).await?.unwrap_or_default();
        request(ctx)?.charge_texts(rows.iter().map(|row| Some(&row.text)))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The files that the complainant named, with the complaint and with each addition. The server never fetches them.
    async fn attachments(&self, ctx: &Context<'_>) -> Result<Vec<Attachment>> {
        let rows = one(loaders(ctx)?, AttachmentsKey(self.0.id)).await?.unwrap_or_default();
        request(ctx)?.charge_texts(rows.iter().map(|row| Some(&row.url)))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The name of the token by which the complaint was submitted; null if it was imported.
    async fn taken_by(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let source = one(loaders(ctx)?, SenderKey(self.0.id)).await?;
        Ok(source.as_deref().and_then(sender_of).map(str::to_owned))
    }

    /// The complaint that this one was linked to because it says the same; null if it is not linked. A linked
    /// complaint counts by the other one.
    async fn duplicate_of(&self, ctx: &Context<'_>) -> Result<Option<Boxed<Complaint>>> {
        let original = one(loaders(ctx)?, OriginalKey(self.0.id)).await?;
        request(ctx)?.note_complaints(original.iter().map(|row| row.id));
        request(ctx)?.charge_texts(original.iter().map(|row| row.text.as_ref()))?;
        Ok(original.map(Complaint).map(Boxed))
    }

    /// The complaints that were linked to this one, the first linked first.
    async fn duplicates(&self, ctx: &Context<'_>) -> Result<Vec<Boxed<Complaint>>> {
        let rows = one(loaders(ctx)?, DuplicatesKey(self.0.id)).await?.unwrap_or_default();
        request(ctx)?.note_complaints(rows.iter().map(|row| row.id));
        request(ctx)?.charge_texts(rows.iter().map(|row| row.text.as_ref()))?;
        Ok(rows.into_iter().map(Complaint).map(Boxed).collect())
    }

    /// The complaints of the same enterprise about the same unit that were received within the days that the server is
    /// set to compare, say nearly the same and are not linked.
    async fn possible_duplicates(&self, ctx: &Context<'_>) -> Result<Vec<PossibleDuplicate>> {
        let found = one(loaders(ctx)?, PossibleDuplicatesKey(self.0.id)).await?.unwrap_or_default();
        request(ctx)?.note_complaints(found.iter().map(|(row, _)| row.id));
        request(ctx)?.charge_texts(found.iter().map(|(row, _)| row.text.as_ref()))?;
        Ok(found.iter().map(|(row, similarity)| PossibleDuplicate::new(row.clone(), *similarity)).collect())
    }

    /// The cost to the enterprise in whole VND; null if not stated.
    async fn cost_vnd(&self) -> Option<Decimal> {
        self.0.cost_vnd.map(Decimal)
    }

    /// The delay in hours; null if not stated.
    async fn delay_hours(&self) -> Option<f64> {
        self.0.delay_hours
    }

    /// Whether the officer blamed the IT system.
    async fn blames_system(&self) -> bool {
        self.0.blames_system
    }

    /// Whether the enterprise complained in confidence.
    async fn confidential(&self) -> bool {
        self.0.confidential
    }

    /// The text that a unit may read of a confidential complaint; null if the complaint is not confidential or
    /// not redacted yet.
    async fn redacted_text(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if !self.0.confidential {
            return Ok(None);
        }
        let Some(row) = one(loaders(ctx)?, RedactionKey(self.0.id)).await? else { return Ok(None) };
        request(ctx)?.charge_texts([Some(&row.text)])?;
        Ok(Some(row.text.clone()))
    }

    async fn state(&self) -> ComplaintState {
        self.0.state.into()
    }

    /// The time at which the complaint entered its present state.
    async fn state_since(&self) -> Moment {
        self.0.state_since.into()
    }

    /// The finding on a complaint that names no officer; null until there is one.
    async fn finding(&self) -> Option<Finding> {
        self.0.finding.map(Into::into)
    }

    /// The day of that finding; null until there is one.
    async fn decided_on(&self) -> Option<NaiveDate> {
        self.0.decided_on
    }

    /// The last day to answer in the present round, by the legal form, the category, and the steps of the clock; null
    /// without a deadline.
    async fn due_on(&self) -> Option<NaiveDate> {
        self.0.due_on
    }

    /// The day of the answer in the present round; null until there is one.
    async fn answered_on(&self) -> Option<NaiveDate> {
        self.0.answered_on
    }

    /// Since when the clock is stopped; null while it runs.
    async fn clock_stopped_since(&self) -> Option<NaiveDate> {
        self.0.clock_stopped_since
    }

    /// Whether the complaint is open, not answered in its present round, and its deadline is before today, or
    /// before the day on which its clock was stopped.
    async fn overdue(&self) -> bool {
        self.0.overdue_days(clock::today()) > 0
    }

    /// Days by which the complaint is overdue today; 0 if it is not.
    async fn overdue_days(&self) -> i64 {
        self.0.overdue_days(clock::today())
    }

    /// Whether each round was answered by its deadline. Null while that is not known: before an answer, unless a
    /// deadline has passed; and without a deadline.
    async fn answered_in_time(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        Ok(self.0.answered_in_time(&clock::clocks_of(ctx, self.0.id).await?, clock::today()))
    }

    /// The rounds of the legal clock: the first begins with receipt, and each reopening begins another one.
    async fn rounds(&self, ctx: &Context<'_>) -> Result<Vec<clock::ComplaintRound>> {
        clock::rounds_of(ctx, self).await
    }

    /// The escalations of the complaint, the first one first.
    async fn escalations(&self, ctx: &Context<'_>) -> Result<Vec<Inline<Escalation>>> {
        clock::escalations_of(ctx, self.0.id).await
    }

    /// The unit that the latest escalation of the present round names; null if none exists.
    async fn escalated_to(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        clock::escalated_to(ctx, self.0.id).await
    }

    /// Grows by one with each change. Pass it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The allegations against officers.
    async fn officers(&self, ctx: &Context<'_>) -> Result<Vec<Inline<Allegation>>> {
        let mut rows = one(loaders(ctx)?, AllegationsKey(self.0.id)).await?.unwrap_or_default();
        if let Some(by) = request(ctx)?.ordering_pseudonyms() {
            // The query orders by id, and ids are derived from officer codes.
            rows.sort_by_cached_key(|row| by.place(Subject::Officer, row.officer_id));
        }
        Ok(rows.into_iter().map(Allegation::from).map(Inline).collect())
    }

    /// The matters of a complaint that names no officer and has several; their `officer` is null. The complaint
    /// counts once, by the first of them.
    async fn matters(&self, ctx: &Context<'_>) -> Result<Vec<Inline<Allegation>>> {
        let rows = one(loaders(ctx)?, MattersKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Allegation::from).map(Inline).collect())
    }

    /// Responses of units, the oldest first by default. The responses of all complaints of a page are loaded
    /// together.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn responses(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ResponseFilter>>,
        order_by: Option<Vec<UnitResponseOrder>>,
        #[graphql(desc = "At most this many responses. Default: 5.")] first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Inline<UnitResponseConnection>> {
        let page = PageArgs { first, after, last, before };
        responses_of(ctx, self.0.id, filter, order_by, page).await.map(Inline)
    }

    /// Every step that the register recorded and you may read, the oldest first by default: who did what, when,
    /// and why. The histories of all complaints of a page are loaded together.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "SortDirection::Asc")] direction: SortDirection,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Inline<ComplaintHistoryConnection>> {
        let page = PageArgs { first, after, last, before };
        // Boxed: otherwise the future of every field of a complaint would be as large.
        Box::pin(history_of_complaint(ctx, self.0.id, direction, page)).await.map(Inline)
    }
}
