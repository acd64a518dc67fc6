//! The filter of measures about officers.

use crate::graphql::filter::{DateOps, IdOps, MeasureKindOps, OptionalCondition, ReferenceData, filter};
use crate::graphql::types::{OfficerFilter, UnitFilter};
use diesel::prelude::*;
use schema::tables::{measures, officers, units};

filter! {
    /// Conditions on measures, joined by AND.
    MeasureFilter over measures {
        id: IdOps => id(measures::id),
        officer: OfficerFilter => relation(measures::officer_id => officers, officers::id),
        /// Conditions on the unit of the officer on the day of the decision.
        unit: UnitFilter => relation(measures::unit_id => units, units::id),
        kind: MeasureKindOps => word(measures::kind),
        decided_on: DateOps => value(measures::decided_on),
        starts_on: DateOps => value(measures::starts_on),
        ends_on: DateOps => value(measures::ends_on),
        /// Whether the measure is void: it was recorded by mistake.
        void: bool => by(is_void),
    }
}

fn is_void(void: &bool, _: &ReferenceData) -> OptionalCondition<measures::table> {
    Ok(Some(match void {
        true => Box::new(measures::void_reason.is_not_null().nullable()),
        false => Box::new(measures::void_reason.is_null().nullable()),
    }))
}
