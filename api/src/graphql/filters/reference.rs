//! Filters of reference data.

use super::*;
use async_graphql::InputObject;
use diesel::prelude::*;
use schema::db::search_text::{anywhere, phananh_plain};
use schema::tables::{enterprises, issue_categories, officers, postings, unit_parents, units};
use schema::{Id, StoreError};

/// Units.
#[derive(Debug, Clone, Default, InputObject)]
pub struct UnitFilter {
    pub id: Option<IdOps>,
    pub code: Option<StringOps>,
    pub name_vi: Option<StringOps>,
    pub name_en: Option<StringOps>,
    pub kind: Option<UnitKindOps>,
    pub peer_group: Option<PeerGroupOps>,
    pub field: Option<StringOps>,
    /// Made by an import that met its code before anybody described it.
    pub unknown: Option<BooleanOps>,
    /// Anywhere in the names; capitals and diacritics do not matter.
    pub search: Option<String>,
    /// The code of a unit: itself and everything below it. For complaints: below it on the
    /// complaint's own day.
    pub within: Option<String>,
    /// The unit above, at any time.
    pub parent: Option<Box<UnitFilter>>,
    pub and: Option<Vec<UnitFilter>>,
    pub or: Option<Vec<UnitFilter>>,
    pub not: Option<Box<UnitFilter>>,
}

impl UnitFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<units::table> {
        let mut conditions: Vec<Pred<units::table>> = Vec::new();
        equal_ops!(conditions, self.id, units::id, as_id);
        text_ops!(conditions, self.code, units::code);
        text_ops!(conditions, self.name_vi, units::name_vi);
        text_ops!(conditions, self.name_en, units::name_en);
        equal_ops!(conditions, self.kind, units::kind, as_word::<_, schema::enums::UnitKind>);
        equal_ops!(conditions, self.peer_group, units::peer_group, as_word::<_, schema::enums::PeerGroup>);
        text_ops!(conditions, self.field, units::field);
        truth_ops!(conditions, self.unknown, units::unknown);
        if let Some(text) = &self.search {
            let found = phananh_plain(units::name_vi.nullable()).like(anywhere(text)).escape('\\');
            let english = phananh_plain(units::name_en).like(anywhere(text)).escape('\\');
            conditions.push(Box::new(found.or(english)));
        }
        if let Some(code) = &self.within {
            let below: Vec<Id> = reference.tree.ever_below(unit_named(reference, code)?.id).into_iter().collect();
            conditions.push(Box::new(units::id.eq_any(below).nullable()));
        }
        if let Some(parent) = &self.parent {
            let mut above = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = parent.condition(reference)? {
                above = above.filter(condition);
            }
            let children = unit_parents::table
                .into_boxed::<MultiBackend>()
                .filter(in_select(unit_parents::parent_id, above.select(units::id)))
                .select(unit_parents::unit_id);
            conditions.push(Box::new(in_select(units::id, children)));
        }
        combine!(self, conditions, units::table, |part: &Self| part.condition(reference))
    }
}

/// The unit of a code, or a word about it.
pub fn unit_named<'k>(reference: &'k ReferenceData, code: &str) -> Result<&'k schema::models::Unit, StoreError> {
    reference.unit_by_code(code).ok_or_else(|| StoreError::Rule(format!("within: there is no unit {code:?}")))
}

/// Officers.
#[derive(Debug, Clone, Default, InputObject)]
pub struct OfficerFilter {
    pub id: Option<IdOps>,
    pub code: Option<StringOps>,
    pub name: Option<StringOps>,
    pub rank: Option<StringOps>,
    pub appointed_on: Option<DateOps>,
    pub unknown: Option<BooleanOps>,
    /// Anywhere in the name; capitals and diacritics do not matter.
    pub search: Option<String>,
    /// A unit of some posting, at any time.
    pub unit: Option<UnitFilter>,
    pub and: Option<Vec<OfficerFilter>>,
    pub or: Option<Vec<OfficerFilter>>,
    pub not: Option<Box<OfficerFilter>>,
}

impl OfficerFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<officers::table> {
        let mut conditions: Vec<Pred<officers::table>> = Vec::new();
        equal_ops!(conditions, self.id, officers::id, as_id);
        text_ops!(conditions, self.code, officers::code);
        text_ops!(conditions, self.name, officers::name);
        text_ops!(conditions, self.rank, officers::rank);
        ordered_ops!(conditions, self.appointed_on, officers::appointed_on, as_is);
        truth_ops!(conditions, self.unknown, officers::unknown);
        search!(conditions, self.search, officers::name);
        if let Some(unit) = &self.unit {
            let mut of = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = unit.condition(reference)? {
                of = of.filter(condition);
            }
            let posted = postings::table
                .into_boxed::<MultiBackend>()
                .filter(in_select(postings::unit_id, of.select(units::id)))
                .select(postings::officer_id);
            conditions.push(Box::new(in_select(officers::id, posted)));
        }
        combine!(self, conditions, officers::table, |part: &Self| part.condition(reference))
    }
}

/// Enterprises.
#[derive(Debug, Clone, Default, InputObject)]
pub struct EnterpriseFilter {
    pub id: Option<IdOps>,
    pub tax_code: Option<StringOps>,
    pub name: Option<StringOps>,
    pub group_code: Option<StringOps>,
    /// Anywhere in the name; capitals and diacritics do not matter.
    pub search: Option<String>,
    pub and: Option<Vec<EnterpriseFilter>>,
    pub or: Option<Vec<EnterpriseFilter>>,
    pub not: Option<Box<EnterpriseFilter>>,
}

impl EnterpriseFilter {
    pub fn condition(&self) -> Made<enterprises::table> {
        let mut conditions: Vec<Pred<enterprises::table>> = Vec::new();
        equal_ops!(conditions, self.id, enterprises::id, as_id);
        text_ops!(conditions, self.tax_code, enterprises::tax_code);
        text_ops!(conditions, self.name, enterprises::name);
        text_ops!(conditions, self.group_code, enterprises::group_code);
        search!(conditions, self.search, enterprises::name);
        combine!(self, conditions, enterprises::table, Self::condition)
    }
}

/// Categories of issues.
#[derive(Debug, Clone, Default, InputObject)]
pub struct CategoryFilter {
    pub id: Option<IdOps>,
    pub code: Option<StringOps>,
    pub name_vi: Option<StringOps>,
    pub name_en: Option<StringOps>,
    pub kind: Option<CategoryKindOps>,
    pub serious: Option<BooleanOps>,
    pub deadline_days: Option<IntOps>,
    pub unknown: Option<BooleanOps>,
    /// The id of the category above.
    pub parent_id: Option<IdOps>,
    pub and: Option<Vec<CategoryFilter>>,
    pub or: Option<Vec<CategoryFilter>>,
    pub not: Option<Box<CategoryFilter>>,
}

impl CategoryFilter {
    pub fn condition(&self) -> Made<issue_categories::table> {
        let mut conditions: Vec<Pred<issue_categories::table>> = Vec::new();
        equal_ops!(conditions, self.id, issue_categories::id, as_id);
        text_ops!(conditions, self.code, issue_categories::code);
        text_ops!(conditions, self.name_vi, issue_categories::name_vi);
        text_ops!(conditions, self.name_en, issue_categories::name_en);
        equal_ops!(conditions, self.kind, issue_categories::kind, as_word::<_, schema::enums::CategoryKind>);
        truth_ops!(conditions, self.serious, issue_categories::serious);
        ordered_ops!(conditions, self.deadline_days, issue_categories::deadline_days, as_is);
        truth_ops!(conditions, self.unknown, issue_categories::unknown);
        equal_ops!(conditions, self.parent_id, issue_categories::parent_id, as_id);
        combine!(self, conditions, issue_categories::table, Self::condition)
    }
}
