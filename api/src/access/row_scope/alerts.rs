//! The row scope of alerts.

use crate::access::Viewer;
use diesel::prelude::*;
use schema::enums::{AlertKind, Role};
use schema::queries::Pred;
use schema::tables::alerts;

impl Viewer {
    /// The alerts that this viewer may see. A UNIT_HEAD sees its own, which were made of what it may see as the head of
    /// its unit. Those about flags are for the Board, and for none of its members who is an officer: an alert about a
    /// flag that is hidden would tell that it exists.
    pub fn alerts(&self) -> Option<Pred<alerts::table>> {
        let of_the_board: Pred<alerts::table> = Box::new(alerts::principal_id.is_null().nullable());
        let rows: Pred<alerts::table> = match (self.role, self.unit_id) {
            (Role::UnitHead, Some(unit)) => {
                Box::new(alerts::principal_id.eq(self.principal_id).and(alerts::unit_id.eq(unit)))
            }
            (Role::Board, _) if !self.is_an_officer() => of_the_board,
            _ => Box::new(of_the_board.and(alerts::kind.ne(AlertKind::SuspensionReview).nullable())),
        };
        Some(rows)
    }
}
