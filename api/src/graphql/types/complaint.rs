use super::{Enterprise, IssueCategory, Officer, Unit, UnitResponse, UnitResponseConnection, UnitResponseEdge};
use crate::graphql::connection::{Counter, connection};
use crate::graphql::context::{loaders, request};
use crate::graphql::enums::{Attribution, Channel, ComplaintState, Finding, LegalForm};
use crate::graphql::filters::ResponseFilter;
use crate::graphql::inline_resolver::Inline;
use crate::graphql::loaders::{
    AllegationsKey, CategoryKey, EnterpriseKey, MattersKey, OfficerKey, RedactionKey, ResponsesKey, SourcesKey,
    UnitKey, known, one,
};
use crate::graphql::page::{Cursor, PageArgs, PageInfo, Place, size};
use crate::graphql::query::UnitResponseOrder;
use crate::graphql::response_children::some_responses;
use crate::graphql::scalars::{Decimal, Json, Moment, id};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::JsonValue;
use schema::domain::ids::human_reference;
use schema::models;
use schema::pseudonyms::Subject;
use schema::queries::{Direction, ResponseSort, Slice, Window};

/// A complaint of an enterprise.
pub struct Complaint(pub models::Complaint);

impl From<models::Complaint> for Complaint {
    fn from(row: models::Complaint) -> Self {
        Self(row)
    }
}

/// What another register calls a complaint.
#[derive(SimpleObject)]
pub struct ComplaintSource {
    /// The register, as its mapping names it.
    source: String,
    /// The number that it gave, letter for letter.
    reference: String,
}

async fn unit(ctx: &Context<'_>, unit: Option<schema::Id>) -> Result<Option<Inline<Unit>>> {
    let Some(unit) = unit else { return Ok(None) };
    Ok(known(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
}

async fn category(ctx: &Context<'_>, category: Option<schema::Id>) -> Result<Option<Inline<IssueCategory>>> {
    let Some(category) = category else { return Ok(None) };
    Ok(known(ctx, CategoryKey(category)).await?.map(IssueCategory).map(Inline))
}

#[Object]
impl Complaint {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What stands for the complaint where its id is not shown; the same for as long as the key is.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Complaint, self.0.id)
    }

    /// The reference that people write on paper.
    async fn reference(&self) -> String {
        human_reference(self.0.id)
    }

    /// The registers from which it was imported, with the number that each gave it; none for one that was submitted here.
    async fn sources(&self, ctx: &Context<'_>) -> Result<Vec<ComplaintSource>> {
        let rows = one(loaders(ctx)?, SourcesKey(self.0.id)).await?.unwrap_or_default();
        request(ctx)?.copies(rows.iter().map(|row| Some(&row.reference)))?;
        let named = |row: models::ComplaintSource| ComplaintSource { source: row.source, reference: row.reference };
        Ok(rows.into_iter().map(named).collect())
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
    async fn enterprise(&self, ctx: &Context<'_>) -> Result<Option<Inline<Enterprise>>> {
        let Some(enterprise) = self.0.enterprise_id else { return Ok(None) };
        Ok(known(ctx, EnterpriseKey(enterprise)).await?.map(Enterprise).map(Inline))
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.unit_id).await
    }

    /// The provincial department above the unit on the complaint's own day.
    async fn department(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.department_id).await
    }

    /// The branch above the unit on the complaint's own day, or the unit itself.
    async fn branch(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.branch_id).await
    }

    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.0.team_id).await
    }

    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Inline<IssueCategory>>> {
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
        let Some(row) = one(loaders(ctx)?, RedactionKey(self.0.id)).await? else { return Ok(None) };
        request(ctx)?.copies([Some(&row.text)])?;
        Ok(Some(row.text.clone()))
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
    async fn officers(&self, ctx: &Context<'_>) -> Result<Vec<Inline<Allegation>>> {
        let mut rows = one(loaders(ctx)?, AllegationsKey(self.0.id)).await?.unwrap_or_default();
        if let Some(by) = request(ctx)?.ordering_pseudonyms() {
            // They are read in the order of ids, which are made of codes.
            rows.sort_by_cached_key(|row| by.place(Subject::Officer, row.officer_id));
        }
        Ok(rows.into_iter().map(Allegation::from).map(Inline).collect())
    }

    /// What it says against nobody named, where that is several things; their officer is null. The complaint counts once, for
    /// the first of them.
    async fn matters(&self, ctx: &Context<'_>) -> Result<Vec<Inline<Allegation>>> {
        let rows = one(loaders(ctx)?, MattersKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Allegation::from).map(Inline).collect())
    }

    /// Responses of units, the oldest first unless told; those of all complaints of a page are read together.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn responses(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ResponseFilter>>,
        order_by: Option<Vec<UnitResponseOrder>>,
        #[graphql(desc = "The first so many; 5 unless told.")] first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Inline<UnitResponseConnection>> {
        let page = PageArgs { first, after, last, before };
        let is_one_end = page.after.is_none() && page.before.is_none() && (first.is_none() || last.is_none());
        if !is_one_end || filter.is_some() || order_by.is_some() {
            // On the heap: every field of a complaint would be as large otherwise.
            return Box::pin(some_responses(ctx, self.0.id, filter, order_by, page)).await.map(Inline);
        }
        let complaint = self.0.id;
        let number = end_of_responses(ctx, first, last)?;
        let limit = usize::try_from(number - 1).unwrap_or(0);
        let window = Window { limit, backward: last.is_some(), ..Window::default() };
        let key = ResponsesKey { complaint, number, last: window.backward };
        let all = one(loaders(ctx)?, key).await?.unwrap_or_default();
        let more = all.len() > limit;
        let beyond = all.len().saturating_sub(limit);
        let rows = if window.backward { &all[beyond..] } else { &all[..all.len() - beyond] };
        request(ctx)?.copies(rows.iter().map(|row| Some(&row.text)))?;
        let rows = rows.to_vec();
        let sealer = request(ctx)?.cursors();
        let order = [(ResponseSort::RespondedAt, Direction::Asc)];
        let cursors: Vec<Cursor> =
            rows.iter().map(|row| sealer.at(Place::Keys(ResponseSort::keys(&order, row)))).collect();
        let slice = Slice { rows, more };
        let page_info = PageInfo::new(&slice, &window, &cursors);
        let nodes = slice.rows.into_iter().map(UnitResponse);
        let edges = nodes.zip(cursors).map(|(node, cursor)| UnitResponseEdge { cursor, node }).collect();
        Ok(Inline(UnitResponseConnection { edges, page_info, counter: Counter::ResponsesOf(complaint) }))
    }
}

/// How many responses of each complaint are read for so many that are asked for: one more tells whether there are
/// more.
pub fn end_of_responses(ctx: &Context<'_>, first: Option<i32>, last: Option<i32>) -> Result<i64> {
    let largest = request(ctx)?.limits.page_size;
    let limit = match last {
        Some(last) => size("last", last, largest)?,
        None => size("first", first.unwrap_or(5), largest)?,
    };
    Ok(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
}

/// What a complaint says of one officer, or of nobody named.
pub struct Allegation {
    officer_id: Option<schema::Id>,
    unit_id: Option<schema::Id>,
    category_id: Option<schema::Id>,
    attribution: schema::enums::Attribution,
    finding: schema::enums::Finding,
    decided_on: Option<NaiveDate>,
    source_codes: Option<JsonValue>,
}

impl From<models::ComplaintOfficer> for Allegation {
    fn from(row: models::ComplaintOfficer) -> Self {
        Self {
            officer_id: Some(row.officer_id),
            unit_id: row.unit_id,
            category_id: row.category_id,
            attribution: row.attribution,
            finding: row.finding,
            decided_on: row.decided_on,
            source_codes: row.source_codes,
        }
    }
}

impl From<models::ComplaintMatter> for Allegation {
    fn from(row: models::ComplaintMatter) -> Self {
        Self {
            officer_id: None,
            unit_id: row.unit_id,
            category_id: row.category_id,
            attribution: schema::enums::Attribution::Asserted,
            finding: row.finding,
            decided_on: row.decided_on,
            source_codes: row.source_codes,
        }
    }
}

#[Object]
impl Allegation {
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Inline<Officer>>> {
        let Some(officer) = self.officer_id else { return Ok(None) };
        Ok(known(ctx, OfficerKey(officer)).await?.map(Officer).map(Inline))
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.unit_id).await
    }

    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Inline<IssueCategory>>> {
        category(ctx, self.category_id).await
    }

    /// Who says that it was this officer.
    async fn attribution(&self) -> Attribution {
        self.attribution.into()
    }

    async fn finding(&self) -> Finding {
        self.finding.into()
    }

    async fn decided_on(&self) -> Option<NaiveDate> {
        self.decided_on
    }

    /// The source's own codes, word for word.
    async fn source_codes(&self) -> Option<Json<&serde_json::Value>> {
        self.source_codes.as_ref().map(|codes| Json(&codes.0))
    }
}

connection!(Complaint, ComplaintConnection, ComplaintEdge);
