//! Officers and enterprises that were merged into others: what names one of them means the other one.

use crate::db::{Conn, StoreError};
use crate::sql_types::Id;
use crate::tables::merges;
use diesel::prelude::*;
use std::collections::HashMap;

/// The merges that were not undone.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    officers: HashMap<Id, Id>,
    enterprises: HashMap<Id, Id>,
}

type Row = (Option<Id>, Option<Id>, Option<Id>, Option<Id>);

impl Aliases {
    /// Loads the merges that were not undone. A writer of complaints takes the lock on the tree of units first: a merge
    /// waits for it, and then changes what it wrote, too.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn load(conn: &mut Conn) -> Result<Self, StoreError> {
        let rows: Vec<Row> = merges::table
            .filter(merges::split_at.is_null())
            .select((
                merges::from_officer_id,
                merges::into_officer_id,
                merges::from_enterprise_id,
                merges::into_enterprise_id,
            ))
            .load(conn)?;
        let mut aliases = Self::default();
        for (from_officer, into_officer, from_enterprise, into_enterprise) in rows {
            aliases.officers.extend(from_officer.zip(into_officer));
            aliases.enterprises.extend(from_enterprise.zip(into_enterprise));
        }
        Ok(aliases)
    }

    /// The officer whom an officer was merged into, at the end of all merges; the officer itself if there is none.
    pub fn officer(&self, id: Id) -> Id {
        last(&self.officers, id)
    }

    /// The same of an enterprise.
    pub fn enterprise(&self, id: Id) -> Id {
        last(&self.enterprises, id)
    }

    /// Whether an officer was merged into another one, or another one into it.
    pub fn concerns_officer(&self, id: Id) -> bool {
        self.officers.contains_key(&id) || self.officers.values().any(|into| *into == id)
    }
}

/// Merges form no circle: nothing is merged into what was merged itself.
fn last(merged: &HashMap<Id, Id>, mut id: Id) -> Id {
    while let Some(into) = merged.get(&id) {
        id = *into;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_code_means_the_last_officer_whom_it_was_merged_into() {
        let id = |n| Id(Uuid::from_u128(n));
        let officers = HashMap::from([(id(1), id(2)), (id(2), id(3)), (id(7), id(8))]);
        let aliases = Aliases { officers, enterprises: HashMap::new() };
        assert_eq!([1, 2, 3, 7, 9].map(|n| aliases.officer(id(n))), [3, 3, 3, 8, 9].map(id));
        assert_eq!(aliases.enterprise(id(1)), id(1));
        assert_eq!([1, 3, 8, 9].map(|n| aliases.concerns_officer(id(n))), [true, true, true, false]);
    }
}
