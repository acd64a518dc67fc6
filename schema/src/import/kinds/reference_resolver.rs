//! Resolves the reference data that a batch refers to by code: loads what the register has, and creates what is
//! missing where the mapping says `create`.

use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::register::reference::{Stored, upsert};
use crate::sql_types::Id;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The codes of one kind of reference data that a batch refers to.
pub struct ReferenceResolver<M> {
    noted: BTreeMap<Id, M>,
    existing: HashMap<Id, M>,
}

impl<M> Default for ReferenceResolver<M> {
    fn default() -> Self {
        Self { noted: BTreeMap::new(), existing: HashMap::new() }
    }
}

impl<M: Stored> ReferenceResolver<M> {
    /// Notes a code with the row that would be created for it, and returns its id. The first row of a code stays;
    /// `fill(first, later)` fills its blanks from later ones.
    pub fn want(&mut self, code: &str, make: impl FnOnce(Id) -> M, fill: impl FnOnce(&mut M, M)) -> Id {
        let id = reference_id(M::ENTITY, code);
        match self.noted.entry(id) {
            Entry::Vacant(place) => {
                place.insert(make(id));
            }
            Entry::Occupied(mut noted) => fill(noted.get_mut(), make(id)),
        }
        id
    }

    /// The row that would be created for a noted code.
    pub fn row_if_missing(&self, id: Id) -> Option<&M> {
        self.noted.get(&id)
    }

    /// Loads the noted codes that the register has.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn look_up(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let ids: Vec<Id> = self.noted.keys().copied().collect();
        self.existing = M::load(conn, &ids)?;
        Ok(())
    }

    pub fn knows(&self, id: Id) -> bool {
        self.existing.contains_key(&id)
    }

    /// The stored row of a noted code.
    pub fn existing(&self, id: Id) -> Option<&M> {
        self.existing.get(&id)
    }

    /// Creates the rows of codes in `used` that the register does not have, and returns them. Rows that refer to others
    /// of their kind (`refers`) come last.
    ///
    /// # Errors
    /// If the database refuses a row.
    pub fn create_missing(
        &mut self,
        tx: &mut WriteTx<'_>,
        used: &HashSet<Id>,
        refers: impl Fn(&M) -> bool,
    ) -> Result<Vec<M>, StoreError> {
        let mut missing: Vec<M> = self
            .noted
            .iter()
            .filter(|(id, _)| used.contains(id) && !self.existing.contains_key(id))
            .map(|(_, row)| row.clone())
            .collect();
        missing.sort_by_key(refers);
        upsert(tx, missing.clone())?;
        Ok(missing)
    }
}
