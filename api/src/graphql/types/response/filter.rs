//! The filter of responses of units.

use crate::graphql::filter::{BooleanOps, DateTimeOps, IdOps, ResponseActionOps, StringOps, filter};
use crate::graphql::types::UnitFilter;
use schema::tables::{unit_responses, units};

filter! {
    /// Conditions on responses of units, joined by AND.
    ResponseFilter over unit_responses {
        complaint_id: IdOps => id(unit_responses::complaint_id),
        unit: UnitFilter => relation(unit_responses::unit_id => units, units::id),
        responded_at: DateTimeOps => time(unit_responses::responded_at),
        action: ResponseActionOps => word(unit_responses::action),
        text: StringOps => text(unit_responses::text),
        satisfied: BooleanOps => truth(unit_responses::satisfied),
    }
}
