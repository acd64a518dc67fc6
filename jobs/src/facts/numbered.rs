//! Ids by numbers: a fact that names a unit by its number takes a quarter of the memory of an id.

use polars::prelude::PlRandomState;
use schema::Id;
use std::collections::HashMap;
use std::num::NonZeroU32;

/// Ids with numbers from 0, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbered {
    ids: Vec<Id>,
    numbers: HashMap<Id, u32, PlRandomState>,
}

impl Numbered {
    /// The number of an id, which is a new one for a new id.
    pub fn number(&mut self, id: Id) -> u32 {
        *self.numbers.entry(id).or_insert_with(|| {
            self.ids.push(id);
            u32::try_from(self.ids.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// The number of an id + 1, which takes no more memory if it may be missing.
    pub fn optional(&mut self, id: Option<Id>) -> Option<NonZeroU32> {
        NonZeroU32::new(self.number(id?).saturating_add(1))
    }

    pub fn id(&self, number: u32) -> Id {
        self.ids[number as usize]
    }

    /// The id of a number that [`Self::optional`] gave.
    pub fn optional_id(&self, number: Option<NonZeroU32>) -> Option<Id> {
        number.map(|number| self.id(number.get() - 1))
    }

    /// All ids, in the order of their numbers.
    pub fn ids(&self) -> &[Id] {
        &self.ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_id_keeps_its_number() {
        let mut numbered = Numbered::default();
        let [a, b] = [7, 3].map(|n| Id(Uuid::from_u128(n)));
        let found = [Some(a), Some(b), None, Some(a)].map(|id| numbered.optional(id));
        assert_eq!(found.map(|number| numbered.optional_id(number)), [Some(a), Some(b), None, Some(a)]);
        assert_eq!((numbered.number(a), numbered.number(b), numbered.ids()), (0, 1, &[a, b][..]));
        assert_eq!(size_of::<Option<NonZeroU32>>(), 4);
    }
}
