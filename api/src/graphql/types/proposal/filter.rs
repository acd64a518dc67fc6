//! The filter of proposals of the Board.

use crate::graphql::filter::Filter;
use crate::graphql::filter::{DateOps, DateTimeOps, IdOps, OptionalCondition, ProposalStateOps, ReferenceData, filter};
use crate::graphql::types::{CategoryFilter, UnitFilter};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::queries::in_select;
use schema::tables::{issue_categories, proposal_categories, proposal_units, proposals, units};

filter! {
    /// Conditions on proposals, joined by AND.
    ProposalFilter over proposals {
        id: IdOps => id(proposals::id),
        state: ProposalStateOps => word(proposals::state),
        proposed_at: DateTimeOps => time(proposals::proposed_at),
        implemented_on: DateOps => value(proposals::implemented_on),
        /// Conditions on a category that the proposal names.
        category: CategoryFilter => by(of_category),
        /// Conditions on a unit that the proposal names.
        unit: UnitFilter => by(of_unit),
        /// Finds the text anywhere in the title or the text, ignoring case and diacritics.
        search: String => search(proposals::title, proposals::text),
    }
}

/// The proposals that name a category that a filter selects.
fn of_category(category: &CategoryFilter, reference: &ReferenceData) -> OptionalCondition<proposals::table> {
    let mut of = issue_categories::table.into_boxed::<MultiBackend>();
    if let Some(condition) = category.condition(reference)? {
        of = of.filter(condition);
    }
    let about = proposal_categories::table
        .into_boxed::<MultiBackend>()
        .filter(in_select(proposal_categories::category_id, of.select(issue_categories::id)))
        .select(proposal_categories::proposal_id);
    Ok(Some(Box::new(in_select(proposals::id, about))))
}

/// The proposals that name a unit that a filter selects.
fn of_unit(unit: &UnitFilter, reference: &ReferenceData) -> OptionalCondition<proposals::table> {
    let mut of = units::table.into_boxed::<MultiBackend>();
    if let Some(condition) = unit.condition(reference)? {
        of = of.filter(condition);
    }
    let about = proposal_units::table
        .into_boxed::<MultiBackend>()
        .filter(in_select(proposal_units::unit_id, of.select(units::id)))
        .select(proposal_units::proposal_id);
    Ok(Some(Box::new(in_select(proposals::id, about))))
}
