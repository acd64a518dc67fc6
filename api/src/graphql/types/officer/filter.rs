//! The filter of officers.

use crate::graphql::filter::{BooleanOps, DateOps, IdOps, StringOps, filter};
use crate::graphql::types::UnitFilter;
use schema::tables::{officers, postings, units};

filter! {
    /// Conditions on officers, joined by AND.
    OfficerFilter over officers {
        id: IdOps => id(officers::id),
        code: StringOps => text(officers::code),
        name: StringOps => text(officers::name),
        rank: StringOps => text(officers::rank),
        appointed_on: DateOps => value(officers::appointed_on),
        /// Whether an import or a complaint created the officer from the code alone.
        unknown: BooleanOps => truth(officers::unknown),
        /// Finds the text anywhere in the name, ignoring case and diacritics.
        search: String => search(officers::name),
        /// Conditions on the unit of a posting at any time.
        unit: UnitFilter => through(officers::id => postings, postings::officer_id, postings::unit_id => units, units::id),
    }
}
