//! The codes that a batch refers to, resolved together: what is known, and what is made because
//! the mapping says `create`.

use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::register::reference::{Stored, upsert};
use crate::sql_types::Id;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The codes of one kind of reference data that a batch names.
pub struct ReferenceResolver<M> {
    wanted: BTreeMap<Id, M>,
    known: HashMap<Id, M>,
}

impl<M> Default for ReferenceResolver<M> {
    fn default() -> Self {
        Self { wanted: BTreeMap::new(), known: HashMap::new() }
    }
}

impl<M: Stored> ReferenceResolver<M> {
    /// Notes a code, and what would be made of it. The first note of a code stands; `fill` takes over what only a further one
    /// says, since a value is preferred to a blank.
    pub fn want(&mut self, code: &str, make: impl FnOnce(Id) -> M, fill: impl FnOnce(&mut M, M)) -> Id {
        let id = reference_id(M::ENTITY, code);
        match self.wanted.entry(id) {
            Entry::Vacant(place) => {
                place.insert(make(id));
            }
            Entry::Occupied(mut noted) => fill(noted.get_mut(), make(id)),
        }
        id
    }

    /// What would be made of a code that was noted.
    pub fn wanted(&self, id: Id) -> Option<&M> {
        self.wanted.get(&id)
    }

    /// Finds out which of the codes are known.
    pub fn look_up(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let ids: Vec<Id> = self.wanted.keys().copied().collect();
        self.known = M::load(conn, &ids)?;
        Ok(())
    }

    pub fn knows(&self, id: Id) -> bool {
        self.known.contains_key(&id)
    }

    /// What the register has under a code that was noted.
    pub fn known(&self, id: Id) -> Option<&M> {
        self.known.get(&id)
    }

    /// Makes those of the codes in `used` that are not known, those first to which others refer; returns what was made.
    pub fn create_missing(
        &mut self,
        tx: &mut WriteTx<'_>,
        used: &HashSet<Id>,
        refers: impl Fn(&M) -> bool,
    ) -> Result<Vec<M>, StoreError> {
        let mut missing: Vec<M> = self
            .wanted
            .iter()
            .filter(|(id, _)| used.contains(id) && !self.known.contains_key(id))
            .map(|(_, row)| row.clone())
            .collect();
        missing.sort_by_key(refers);
        upsert(tx, missing.clone())?;
        Ok(missing)
    }
}
