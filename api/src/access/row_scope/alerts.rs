//! The row scope of alerts.

use crate::access::Viewer;
use diesel::prelude::*;
use schema::enums::{AlertKind, Role};
use schema::queries::Pred;
use schema::tables::alerts;

impl Viewer {
    /// The alerts that this viewer may see; None for all of them. Those about flags are for the Board, and for none of
    /// its members who is an officer: an alert about a flag that is hidden would tell that it exists.
    pub fn alerts(&self) -> Option<Pred<alerts::table>> {
        let sees_all = self.role == Role::Board && !self.is_an_officer();
        (!sees_all).then(|| Box::new(alerts::kind.ne(AlertKind::SuspensionReview).nullable()) as Pred<alerts::table>)
    }
}
