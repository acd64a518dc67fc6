//! The row scope of deliveries of digests.

use crate::access::Viewer;
use diesel::prelude::*;
use schema::enums::Role;
use schema::queries::Pred;
use schema::tables::digest_deliveries;

impl Viewer {
    /// The deliveries of digests that this viewer may see; None for all of them. The Board sees those of its own digest
    /// and of digests for its members: who else reads what is for an ADMIN, who makes the tokens.
    pub fn digest_deliveries(&self) -> Option<Pred<digest_deliveries::table>> {
        match self.role {
            Role::Admin => None,
            Role::Board => {
                let of_the_board = digest_deliveries::for_reader.eq(false).nullable();
                Some(Box::new(of_the_board.or(digest_deliveries::role.eq(Role::Board))))
            }
            _ => Some(Box::new(digest_deliveries::digest_id.is_null().nullable())),
        }
    }
}
