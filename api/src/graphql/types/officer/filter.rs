//! The filter of officers.

use crate::graphql::filter::Filter;
use crate::graphql::filter::{BooleanOps, DateOps, IdOps, OptionalCondition, ReferenceData, StringOps, filter};
use crate::graphql::types::UnitFilter;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::queries::in_select;
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
        unit: UnitFilter => by(of_unit),
    }
}

/// The officers who were ever posted to a unit that a filter selects.
fn of_unit(unit: &UnitFilter, reference: &ReferenceData) -> OptionalCondition<officers::table> {
    let mut of = units::table.into_boxed::<MultiBackend>();
    if let Some(condition) = unit.condition(reference)? {
        of = of.filter(condition);
    }
    let posted = postings::table
        .into_boxed::<MultiBackend>()
        .filter(in_select(postings::unit_id, of.select(units::id)))
        .select(postings::officer_id);
    Ok(Some(Box::new(in_select(officers::id, posted))))
}
