use super::{Enterprise, IssueCategory, Officer, Unit, UnitResponse, UnitResponseConnection, UnitResponseEdge};
use crate::graphql::connection::{Counter, connect, connection};
use crate::graphql::context::{loaders, request};
use crate::graphql::enums::{Attribution, Channel, ComplaintState, Finding, LegalForm};
use crate::graphql::loaders::{
    AllegationsKey, CategoryKey, EnterpriseKey, OfficerKey, RedactionKey, ResponsesKey, UnitKey, known, one,
};
use crate::graphql::page::{Cursor, PageArgs, PageInfo, Place, size};
use crate::graphql::scalars::{Decimal, Moment, id};
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::StoreError;
use schema::domain::ids::human_reference;
use schema::models;
use schema::queries::{self, Direction, Pred, ResponseSort, Slice, Window};
use schema::tables::unit_responses;

/// A complaint of an enterprise.
pub struct Complaint(pub models::Complaint);

impl From<models::Complaint> for Complaint {
    fn from(row: models::Complaint) -> Self {
        Self(row)
    }
}

async fn unit(ctx: &Context<'_>, unit: Option<schema::Id>) -> Result<Option<Unit>> {
    let Some(unit) = unit else { return Ok(None) };
    Ok(known(ctx, UnitKey(unit)).await?.map(Unit))
}

async fn category(ctx: &Context<'_>, category: Option<schema::Id>) -> Result<Option<IssueCategory>> {
    let Some(category) = category else { return Ok(None) };
    Ok(known(ctx, CategoryKey(category)).await?.map(IssueCategory))
}

#[Object]
impl Complaint {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What stands for the complaint where its id is not shown; the same for as long as the key is.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym("complaint", self.0.id)
    }

    /// The reference that people write on paper.
    async fn reference(&self) -> String {
        human_reference(self.0.id)
    }

    async fn received_at(&self) -> Moment {
        self.0.received_at.into()
    }

    async fn occurred_at(&self) -> Option<Moment> {
        self.0.occurred_at.map(Into::into)
    }

    /// When the register came to know of it.
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

    /// Null for an anonymous complaint.
    async fn enterprise(&self, ctx: &Context<'_>) -> Result<Option<Enterprise>> {
        let Some(enterprise) = self.0.enterprise_id else { return Ok(None) };
        Ok(known(ctx, EnterpriseKey(enterprise)).await?.map(Enterprise))
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.unit_id).await
    }

    /// The provincial department above the unit on the complaint's own day.
    async fn department(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.department_id).await
    }

    /// The branch above the unit on the complaint's own day, or the unit itself.
    async fn branch(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.branch_id).await
    }

    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.team_id).await
    }

    async fn category(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        category(ctx, self.0.category_id).await
    }

    async fn declaration_number(&self) -> Option<&str> {
        self.0.declaration_number.as_deref()
    }

    async fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// What it cost the enterprise, in whole VND.
    async fn cost_vnd(&self) -> Option<Decimal> {
        self.0.cost_vnd.map(Decimal)
    }

    async fn delay_hours(&self) -> Option<f64> {
        self.0.delay_hours
    }

    /// Whether the officer blamed the new system.
    async fn blames_system(&self) -> bool {
        self.0.blames_system
    }

    async fn confidential(&self) -> bool {
        self.0.confidential
    }

    /// What the unit may read of it where it is confidential; null until the Board has said.
    async fn redacted_text(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if !self.0.confidential {
            return Ok(None);
        }
        Ok(one(loaders(ctx)?, RedactionKey(self.0.id)).await?.map(|row| row.text))
    }

    async fn state(&self) -> ComplaintState {
        self.0.state.into()
    }

    async fn state_since(&self) -> Moment {
        self.0.state_since.into()
    }

    /// What was found about a complaint that names no officer; null for not yet.
    async fn finding(&self) -> Option<Finding> {
        self.0.finding.map(Into::into)
    }

    async fn decided_on(&self) -> Option<NaiveDate> {
        self.0.decided_on
    }

    /// Goes up by one with every change; a write names the version that it knows.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The allegations against officers.
    async fn officers(&self, ctx: &Context<'_>) -> Result<Vec<Allegation>> {
        let rows = one(loaders(ctx)?, AllegationsKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Allegation).collect())
    }

    /// Responses of units, in the order of time; the first ones of all complaints of a page are read together.
    async fn responses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many; 5 unless told.")] first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<UnitResponseConnection> {
        let page = PageArgs { first, after, last, before };
        if page.after.is_some() || page.before.is_some() || page.last.is_some() {
            // On the heap: every field of a complaint would be as large otherwise.
            return Box::pin(responses_of(ctx, self.0.id, page)).await;
        }
        let complaint = self.0.id;
        let wanted = first_responses(ctx, first)?;
        let limit = usize::try_from(wanted - 1).unwrap_or(0);
        let window = Window { limit, ..Window::default() };
        let mut rows = one(loaders(ctx)?, ResponsesKey { complaint, first: wanted }).await?.unwrap_or_default();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let sealer = &request(ctx)?.app.cursors;
        let order = [(ResponseSort::RespondedAt, Direction::Asc)];
        let cursors: Vec<Cursor> =
            rows.iter().map(|row| sealer.at(Place::Keys(ResponseSort::keys(&order, row)))).collect();
        let slice = Slice { rows, more };
        let page_info = PageInfo::new(&slice, &window, &cursors);
        let nodes = slice.rows.into_iter().map(UnitResponse);
        let edges = nodes.zip(cursors).map(|(node, cursor)| UnitResponseEdge { cursor, node }).collect();
        Ok(UnitResponseConnection { edges, page_info, counter: Counter::ResponsesOf(complaint) })
    }
}

/// Another part of the responses of a complaint than the first.
async fn responses_of(ctx: &Context<'_>, complaint: schema::Id, page: PageArgs) -> Result<UnitResponseConnection> {
    let make = move || {
        let own: Pred<unit_responses::table> = Box::new(unit_responses::complaint_id.eq(complaint).nullable());
        Ok::<_, StoreError>(Some(own))
    };
    connect!(
        ctx,
        page,
        make,
        vec![(ResponseSort::RespondedAt, Direction::Asc)],
        queries::list_responses,
        queries::count_responses,
        ResponseSort,
        UnitResponse,
        UnitResponseConnection,
        UnitResponseEdge
    )
}

/// How many responses of each complaint are read for so many that are asked for: one more tells whether there are
/// more.
pub fn first_responses(ctx: &Context<'_>, first: Option<i32>) -> Result<i64> {
    let limit = size("first", first.unwrap_or(5), request(ctx)?.limits.page_size)?;
    Ok(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
}

/// What a complaint says of one officer.
pub struct Allegation(models::ComplaintOfficer);

#[Object]
impl Allegation {
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        Ok(known(ctx, OfficerKey(self.0.officer_id)).await?.map(Officer))
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.unit_id).await
    }

    async fn category(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        category(ctx, self.0.category_id).await
    }

    /// Who says that it was this officer.
    async fn attribution(&self) -> Attribution {
        self.0.attribution.into()
    }

    async fn finding(&self) -> Finding {
        self.0.finding.into()
    }

    async fn decided_on(&self) -> Option<NaiveDate> {
        self.0.decided_on
    }

    /// The source's own codes, word for word.
    async fn source_codes(&self) -> Option<async_graphql::Json<&serde_json::Value>> {
        self.0.source_codes.as_ref().map(|codes| async_graphql::Json(&codes.0))
    }
}

connection!(Complaint, ComplaintConnection, ComplaintEdge);
