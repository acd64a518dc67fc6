//! The filter of issue categories, and of the category of other rows.

use crate::graphql::filter::{
    BooleanOps, CategoryKindOps, Filter, IdOps, IntOps, OptionalCondition, ReferenceData, StringOps, combine, filter,
};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::queries::{Pred, in_select, not_true};
use schema::refusal::FilterRefusal;
use schema::tables::issue_categories;
use schema::{Id, StoreError};

filter! {
    /// Conditions on issue categories, joined by AND. As a condition on the category of complaints, allegations,
    /// proposals and guidance documents, a category that `id`, `code` or a name selects includes the categories below
    /// it; add `parentId: {isNull: true}` to leave these out.
    CategoryFilter over issue_categories {
        id: IdOps => id(issue_categories::id),
        code: StringOps => text(issue_categories::code),
        name_vi: StringOps => text(issue_categories::name_vi),
        name_en: StringOps => text(issue_categories::name_en),
        kind: CategoryKindOps => word(issue_categories::kind),
        serious: BooleanOps => truth(issue_categories::serious),
        deadline_days: IntOps => value(issue_categories::deadline_days),
        /// Whether an import created the category from its code alone.
        unknown: BooleanOps => truth(issue_categories::unknown),
        /// The id of the category above.
        parent_id: IdOps => id(issue_categories::parent_id),
        /// The code of a category: selects it and those below it. An unknown code gives BAD_USER_INPUT.
        within: String => by(within),
    }
}

/// A category and those below it.
fn within(code: &str, reference: &ReferenceData) -> OptionalCondition<issue_categories::table> {
    let unknown = || FilterRefusal::UnknownCategory { field: "within".to_owned(), code: code.to_owned() };
    let category = reference.category_by_code(code).ok_or_else(unknown)?;
    let all: Vec<Id> = reference.categories_within(category.id).map(|one| one.id).collect();
    Ok(Some(Box::new(issue_categories::id.eq_any(all).nullable())))
}

impl CategoryFilter {
    /// The operators that name categories, by their ids, codes and names.
    pub fn naming(&self) -> Self {
        let text = |ops: &Option<StringOps>| ops.clone().map(|ops| StringOps { ne: None, is_null: None, ..ops });
        Self {
            id: self.id.clone().map(|ops| IdOps { ne: None, is_null: None, ..ops }),
            code: text(&self.code),
            name_vi: text(&self.name_vi),
            name_en: text(&self.name_en),
            ..Self::default()
        }
    }

    /// The categories that each operator `ne` of these fields excludes.
    pub fn excluded(&self) -> [Self; 4] {
        let text = |ops: &Option<StringOps>| {
            ops.as_ref()?.ne.clone().map(|ne| StringOps { eq: Some(ne), ..StringOps::default() })
        };
        let id = self.id.as_ref().and_then(|ops| ops.ne.clone());
        [
            Self { id: id.map(|ne| IdOps { eq: Some(ne), ..IdOps::default() }), ..Self::default() },
            Self { code: text(&self.code), ..Self::default() },
            Self { name_vi: text(&self.name_vi), ..Self::default() },
            Self { name_en: text(&self.name_en), ..Self::default() },
        ]
    }

    /// All other operators, which concern the category itself; without `and`, `or` and `not`.
    pub fn own(&self) -> Self {
        let text = |ops: &Option<StringOps>| {
            ops.as_ref().map(|ops| StringOps { ne: ops.ne.clone(), is_null: ops.is_null, ..StringOps::default() })
        };
        Self {
            id: self.id.as_ref().map(|ops| IdOps { ne: ops.ne.clone(), is_null: ops.is_null, ..IdOps::default() }),
            code: text(&self.code),
            name_vi: text(&self.name_vi),
            name_en: text(&self.name_en),
            and: None,
            or: None,
            not: None,
            ..self.clone()
        }
    }
}

/// The categories below those that a filter selects; None if it has no condition.
fn below(filter: &CategoryFilter, reference: &ReferenceData) -> OptionalCondition<issue_categories::table> {
    let Some(above) = filter.condition(reference)? else { return Ok(None) };
    let above = issue_categories::table.into_boxed::<MultiBackend>().filter(above).select(issue_categories::id);
    Ok(Some(Box::new(in_select(issue_categories::parent_id, above))))
}

/// The categories that a filter selects where it is a condition on other rows: a category that it names includes those
/// below it, too, and so does one that it excludes by `ne`.
///
/// # Errors
/// `Rule` if a value is wrong, such as the code of a category that does not exist.
pub fn with_those_below(
    filter: &CategoryFilter,
    reference: &ReferenceData,
) -> OptionalCondition<issue_categories::table> {
    let mut conditions: Vec<Pred<issue_categories::table>> = filter.own().condition(reference)?.into_iter().collect();
    let naming = filter.naming();
    if let (Some(named), Some(below)) = (naming.condition(reference)?, below(&naming, reference)?) {
        conditions.push(Box::new(named.or(below)));
    }
    for excluded in filter.excluded() {
        conditions.extend(
            below(&excluded, reference)?.map(|below| Box::new(not_true(below)) as Pred<issue_categories::table>),
        );
    }
    combine!(filter, conditions, issue_categories::table, |part: &CategoryFilter| with_those_below(part, reference))
}

/// The query of the categories that a condition on other rows selects.
///
/// # Errors
/// `Rule` if a value is wrong, such as the code of a category that does not exist.
pub fn selected_categories(
    filter: &CategoryFilter,
    reference: &ReferenceData,
) -> Result<issue_categories::BoxedQuery<'static, MultiBackend>, StoreError> {
    let mut selected = issue_categories::table.into_boxed::<MultiBackend>();
    if let Some(condition) = with_those_below(filter, reference)? {
        selected = selected.filter(condition);
    }
    Ok(selected)
}
