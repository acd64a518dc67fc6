//! The saved questions that a viewer may see and run.

use super::Viewer;
use diesel::prelude::*;
use schema::enums::Role;
use schema::queries::Pred;
use schema::tables::saved_queries;

impl Viewer {
    /// The saved questions of this viewer and those for its role, as far as a filter selects them.
    pub fn saved_queries(&self, chosen: Option<Pred<saved_queries::table>>) -> Pred<saved_queries::table> {
        let readable = self.readable_queries();
        match chosen {
            Some(chosen) => Box::new(readable.and(chosen)),
            None => readable,
        }
    }

    fn readable_queries(&self) -> Pred<saved_queries::table> {
        let own = saved_queries::owner.eq(self.actor());
        let stands = saved_queries::deleted_at.is_null();
        match self.role {
            Role::Board => Box::new(own.or(saved_queries::for_board.eq(true)).and(stands).nullable()),
            Role::DataTeam => Box::new(own.or(saved_queries::for_data_team.eq(true)).and(stands).nullable()),
            _ => Box::new(saved_queries::id.is_null().nullable()),
        }
    }
}
