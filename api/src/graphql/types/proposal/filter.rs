//! The filter of proposals of the Board.

use crate::graphql::filter::{DateOps, DateTimeOps, IdOps, OptionalCondition, ProposalStateOps, ReferenceData, filter};
use crate::graphql::types::category::selected_categories;
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
        unit: UnitFilter => through(
            proposals::id => proposal_units, proposal_units::proposal_id, proposal_units::unit_id => units, units::id
        ),
        /// Finds the text anywhere in the title or the text, ignoring case and diacritics.
        search: String => search(proposals::title, proposals::text),
    }
}

/// Proposals that name a category, or one below it.
fn of_category(filter: &CategoryFilter, reference: &ReferenceData) -> OptionalCondition<proposals::table> {
    let of = selected_categories(filter, reference)?.select(issue_categories::id);
    let links = proposal_categories::table
        .into_boxed::<MultiBackend>()
        .filter(in_select(proposal_categories::category_id, of))
        .select(proposal_categories::proposal_id);
    Ok(Some(Box::new(in_select(proposals::id, links))))
}
