//! The filter of flags.

use crate::graphql::filter::{DateTimeOps, FlagStateOps, IdOps, SubjectKindOps, TierOps, filter};
use crate::graphql::types::{OfficerFilter, UnitFilter};
use schema::tables::{flags, officers, units};

filter! {
    /// Conditions on flags, joined by AND.
    FlagFilter over flags {
        id: IdOps => id(flags::id),
        subject_kind: SubjectKindOps => word(flags::subject_kind),
        tier: TierOps => word(flags::tier),
        state: FlagStateOps => word(flags::state),
        officer: OfficerFilter => relation(flags::officer_id => officers, officers::id.nullable()),
        unit: UnitFilter => relation(flags::unit_id => units, units::id.nullable()),
        run_id: IdOps => id(flags::run_id),
        opened_at: DateTimeOps => time(flags::opened_at),
        changed_at: DateTimeOps => time(flags::changed_at),
    }
}
