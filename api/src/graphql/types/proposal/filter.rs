//! The filter of proposals of the Board.

use crate::graphql::filter::{DateOps, DateTimeOps, IdOps, ProposalStateOps, filter};
use crate::graphql::types::{CategoryFilter, UnitFilter};
use schema::tables::{issue_categories, proposal_categories, proposal_units, proposals, units};

filter! {
    /// Conditions on proposals, joined by AND.
    ProposalFilter over proposals {
        id: IdOps => id(proposals::id),
        state: ProposalStateOps => word(proposals::state),
        proposed_at: DateTimeOps => time(proposals::proposed_at),
        implemented_on: DateOps => value(proposals::implemented_on),
        /// Conditions on a category that the proposal names.
        category: CategoryFilter => through(
            proposals::id => proposal_categories, proposal_categories::proposal_id, proposal_categories::category_id
            => issue_categories, issue_categories::id
        ),
        /// Conditions on a unit that the proposal names.
        unit: UnitFilter => through(
            proposals::id => proposal_units, proposal_units::proposal_id, proposal_units::unit_id => units, units::id
        ),
        /// Finds the text anywhere in the title or the text, ignoring case and diacritics.
        search: String => search(proposals::title, proposals::text),
    }
}
