//! The filter of units.

use crate::graphql::filter::{
    BooleanOps, IdOps, OptionalCondition, PeerGroupOps, ReferenceData, StringOps, UnitKindOps, filter,
};
use async_graphql::Result;
use diesel::prelude::*;
use schema::refusal::FilterRefusal;
use schema::tables::{unit_parents, units};
use schema::{Id, StoreError};

filter! {
    /// Conditions on units, joined by AND.
    UnitFilter over units {
        id: IdOps => id(units::id),
        code: StringOps => text(units::code),
        name_vi: StringOps => text(units::name_vi),
        name_en: StringOps => text(units::name_en),
        kind: UnitKindOps => word(units::kind),
        peer_group: PeerGroupOps => word(units::peer_group),
        field: StringOps => text(units::field),
        /// Whether an import created the unit from its code alone.
        unknown: BooleanOps => truth(units::unknown),
        /// Finds the text anywhere in the names, ignoring case and diacritics.
        search: String => search(units::name_vi, units::name_en),
        /// The code of a unit: selects it and the units ever below it. For complaints: those below it on the day of
        /// the complaint. An unknown code gives BAD_USER_INPUT.
        within: String => by(within),
        /// Conditions on a parent unit at any time.
        parent: Box<UnitFilter> => through(
            units::id => unit_parents, unit_parents::unit_id, unit_parents::parent_id => units, units::id
        ),
    }
}

/// A unit and all units that were ever below it.
fn within(code: &str, reference: &ReferenceData) -> OptionalCondition<units::table> {
    let below: Vec<Id> = reference.tree.ever_below(unit_of_within(reference, code)?.id).into_iter().collect();
    Ok(Some(Box::new(units::id.eq_any(below).nullable())))
}

/// The unit whose code a `within` gives.
///
/// # Errors
/// `Rule`, which names that field, if there is none.
pub fn unit_of_within<'k>(reference: &'k ReferenceData, code: &str) -> Result<&'k schema::models::Unit, StoreError> {
    unit_of(reference, "within", code)
}

/// The unit whose code a field gives.
///
/// # Errors
/// `Rule`, which names the field, if there is none.
pub fn unit_of<'k>(
    reference: &'k ReferenceData,
    field: &str,
    code: &str,
) -> Result<&'k schema::models::Unit, StoreError> {
    reference
        .unit_by_code(code)
        .ok_or_else(|| FilterRefusal::UnknownUnit { field: field.to_owned(), code: code.to_owned() }.into())
}
