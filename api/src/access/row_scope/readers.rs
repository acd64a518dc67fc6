//! The row scope of readers of digests.

use crate::access::Viewer;
use diesel::prelude::*;
use schema::domain::tree::UnitTree;
use schema::queries::Pred;
use schema::tables::flags;

impl Viewer {
    /// The flags that this viewer and another one may see; None for all of them.
    pub fn flags_also_seen_by(&self, other: &Self, tree: &UnitTree) -> Option<Pred<flags::table>> {
        match (self.flags(tree), other.flags(tree)) {
            (None, rows) | (rows, None) => rows,
            (Some(own), Some(others)) => Some(Box::new(own.and(others))),
        }
    }
}
