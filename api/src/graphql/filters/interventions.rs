//! Filters of what the Board and the units do.

use super::*;
use async_graphql::InputObject;
use diesel::prelude::*;
use schema::db::search_text::{anywhere, phananh_plain};
use schema::tables::{
    guidance_documents, issue_categories, measures, officers, proposal_categories, proposal_units, proposals, units,
};

/// Guidance documents.
#[derive(Debug, Clone, Default, InputObject)]
pub struct GuidanceDocumentFilter {
    pub id: Option<IdOps>,
    /// The headquarters unit that drafts it.
    pub unit: Option<UnitFilter>,
    pub category: Option<CategoryFilter>,
    pub state: Option<GuidanceStateOps>,
    pub number: Option<StringOps>,
    pub requested_at: Option<DateTimeOps>,
    pub issued_on: Option<DateOps>,
    /// Anywhere in the title or the text; capitals and diacritics do not matter.
    pub search: Option<String>,
    pub and: Option<Vec<GuidanceDocumentFilter>>,
    pub or: Option<Vec<GuidanceDocumentFilter>>,
    pub not: Option<Box<GuidanceDocumentFilter>>,
}

impl GuidanceDocumentFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<guidance_documents::table> {
        let mut conditions: Vec<Pred<guidance_documents::table>> = Vec::new();
        equal_ops!(conditions, self.id, guidance_documents::id, as_id);
        if let Some(unit) = &self.unit {
            let mut of = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = unit.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(guidance_documents::unit_id, of.select(units::id))));
        }
        if let Some(category) = &self.category {
            let mut of = issue_categories::table.into_boxed::<MultiBackend>();
            if let Some(condition) = category.condition()? {
                of = of.filter(condition);
            }
            let of = of.select(issue_categories::id.nullable());
            conditions.push(Box::new(in_select(guidance_documents::category_id, of)));
        }
        equal_ops!(conditions, self.state, guidance_documents::state, as_word::<_, schema::enums::GuidanceState>);
        text_ops!(conditions, self.number, guidance_documents::number);
        ordered_ops!(conditions, self.requested_at, guidance_documents::requested_at, as_time);
        ordered_ops!(conditions, self.issued_on, guidance_documents::issued_on, as_is);
        if let Some(text) = &self.search {
            let title = phananh_plain(guidance_documents::title.nullable()).like(anywhere(text)).escape('\\');
            let body = phananh_plain(guidance_documents::text.nullable()).like(anywhere(text)).escape('\\');
            conditions.push(Box::new(title.or(body)));
        }
        combine!(self, conditions, guidance_documents::table, |part: &Self| part.condition(reference))
    }
}

/// Proposals.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ProposalFilter {
    pub id: Option<IdOps>,
    pub state: Option<ProposalStateOps>,
    pub proposed_at: Option<DateTimeOps>,
    pub implemented_on: Option<DateOps>,
    /// Some category that it is about.
    pub category: Option<CategoryFilter>,
    /// Some unit that it names.
    pub unit: Option<UnitFilter>,
    /// Anywhere in the title or the text; capitals and diacritics do not matter.
    pub search: Option<String>,
    pub and: Option<Vec<ProposalFilter>>,
    pub or: Option<Vec<ProposalFilter>>,
    pub not: Option<Box<ProposalFilter>>,
}

impl ProposalFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<proposals::table> {
        let mut conditions: Vec<Pred<proposals::table>> = Vec::new();
        equal_ops!(conditions, self.id, proposals::id, as_id);
        equal_ops!(conditions, self.state, proposals::state, as_word::<_, schema::enums::ProposalState>);
        ordered_ops!(conditions, self.proposed_at, proposals::proposed_at, as_time);
        ordered_ops!(conditions, self.implemented_on, proposals::implemented_on, as_is);
        if let Some(category) = &self.category {
            let mut of = issue_categories::table.into_boxed::<MultiBackend>();
            if let Some(condition) = category.condition()? {
                of = of.filter(condition);
            }
            let about = proposal_categories::table
                .into_boxed::<MultiBackend>()
                .filter(in_select(proposal_categories::category_id, of.select(issue_categories::id)))
                .select(proposal_categories::proposal_id);
            conditions.push(Box::new(in_select(proposals::id, about)));
        }
        if let Some(unit) = &self.unit {
            let mut of = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = unit.condition(reference)? {
                of = of.filter(condition);
            }
            let about = proposal_units::table
                .into_boxed::<MultiBackend>()
                .filter(in_select(proposal_units::unit_id, of.select(units::id)))
                .select(proposal_units::proposal_id);
            conditions.push(Box::new(in_select(proposals::id, about)));
        }
        if let Some(text) = &self.search {
            let title = phananh_plain(proposals::title.nullable()).like(anywhere(text)).escape('\\');
            let body = phananh_plain(proposals::text.nullable()).like(anywhere(text)).escape('\\');
            conditions.push(Box::new(title.or(body)));
        }
        combine!(self, conditions, proposals::table, |part: &Self| part.condition(reference))
    }
}

/// Measures.
#[derive(Debug, Clone, Default, InputObject)]
pub struct MeasureFilter {
    pub id: Option<IdOps>,
    pub officer: Option<OfficerFilter>,
    /// The officer's unit on the day of the decision.
    pub unit: Option<UnitFilter>,
    pub kind: Option<MeasureKindOps>,
    pub decided_on: Option<DateOps>,
    pub starts_on: Option<DateOps>,
    pub ends_on: Option<DateOps>,
    /// Whether it was recorded by mistake.
    pub void: Option<bool>,
    pub and: Option<Vec<MeasureFilter>>,
    pub or: Option<Vec<MeasureFilter>>,
    pub not: Option<Box<MeasureFilter>>,
}

impl MeasureFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<measures::table> {
        let mut conditions: Vec<Pred<measures::table>> = Vec::new();
        equal_ops!(conditions, self.id, measures::id, as_id);
        if let Some(officer) = &self.officer {
            let mut of = officers::table.into_boxed::<MultiBackend>();
            if let Some(condition) = officer.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(measures::officer_id, of.select(officers::id))));
        }
        if let Some(unit) = &self.unit {
            let mut of = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = unit.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(measures::unit_id, of.select(units::id))));
        }
        equal_ops!(conditions, self.kind, measures::kind, as_word::<_, schema::enums::MeasureKind>);
        ordered_ops!(conditions, self.decided_on, measures::decided_on, as_is);
        ordered_ops!(conditions, self.starts_on, measures::starts_on, as_is);
        ordered_ops!(conditions, self.ends_on, measures::ends_on, as_is);
        match self.void {
            Some(true) => conditions.push(Box::new(measures::void_reason.is_not_null().nullable())),
            Some(false) => conditions.push(Box::new(measures::void_reason.is_null().nullable())),
            None => {}
        }
        combine!(self, conditions, measures::table, |part: &Self| part.condition(reference))
    }
}
