//! What all complaints of a cell have in common: the key of the part of its noise that stays.

use crate::JobError;
use crate::snapshot::Reference;
use polars::prelude::DataFrame;
use schema::Id;
use sha2::{Digest, Sha256};

/// The bits of each attribute in the word of a complaint, which has 128; a code is a place and one, and 0 where there is none.
const WIDTHS: [(&str, u32); 8] = [
    ("kind", 4),
    ("channel", 4),
    ("state", 4),
    ("department", 28),
    ("branch", 28),
    ("unit", 28),
    ("category", 20),
    ("month", MONTH_BITS),
];
/// Months from January 1970 on, up to the year 2311.
const MONTH_BITS: u32 = 12;

/// The secret that the noise of places is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NoiseKey(pub [u8; 32]);

impl std::fmt::Debug for NoiseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NoiseKey(…)")
    }
}

/// The attributes that all complaints of a set have in common.
///
/// A fixed cell is the set of all complaints with some attributes, so that two cells have the same complaints exactly where they have
/// the same attributes in common (these are the *intent* of the set in formal concept analysis: Ganter and Wille 1999). So noise that is
/// keyed by them is the same in whatever question a cell is asked for, and, unlike noise that is keyed by the complaints themselves,
/// stays the same when a complaint joins the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedAttributes {
    /// The word of one of the complaints; None of an empty set.
    first: Option<u128>,
    /// The bits in which any other differs from it.
    differing: u128,
    /// The first and the last month.
    months: (u16, u16),
}

impl SharedAttributes {
    /// Takes one more complaint into the set.
    pub fn add(&mut self, word: u128) {
        let month = (word >> (128 - MONTH_BITS)) as u16;
        match self.first {
            None => (self.first, self.months) = (Some(word), (month, month)),
            Some(first) => {
                self.differing |= first ^ word;
                self.months = (self.months.0.min(month), self.months.1.max(month));
            }
        }
    }

    /// A keyed hash of them, and of the unit that a question is limited to where no attribute says so. Units and categories are
    /// hashed by their ids: places change when one is added, and another database may have others.
    pub fn hash(&self, key: NoiseKey, reference: &Reference, scope: Option<Id>) -> u64 {
        let first = self.first.unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(key.0);
        hash.update(b"p");
        hash.update(scope.map_or([0; 16], |unit| *unit.0.as_bytes()));
        let mut at = 0;
        for (name, width) in WIDTHS {
            let mask = (1u128 << width) - 1;
            let code = (first >> at & mask) as usize;
            let is_shared = self.differing >> at & mask == 0;
            at += width;
            if name == "month" {
                break;
            }
            if !is_shared {
                hash.update([2]);
                continue;
            }
            let place = code.wrapping_sub(1);
            let id = match name {
                "kind" | "channel" | "state" => None,
                "category" => reference.categories.get(place).map(|category| category.id),
                _ => reference.units.get(place).map(|unit| unit.id),
            };
            hash.update([1]);
            match id {
                Some(id) => hash.update(id.0.as_bytes()),
                None => hash.update((code as u128).to_le_bytes()),
            }
        }
        // The shortest of month, quarter and year that they all lie in: months are numbered from a January on.
        let (from, to) = self.months;
        let length = [1u16, 3, 12].into_iter().find(|months| from / months == to / months);
        let (months, number) = length.map_or((0, 0), |months| (months, from / months));
        hash.update(months.to_le_bytes());
        hash.update(number.to_le_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        u64::from_le_bytes(std::array::from_fn(|n| digest[n]))
    }
}

/// The word of each complaint: its attributes, side by side.
///
/// # Errors
/// Where a column is missing or of another type.
pub fn words(facts: &DataFrame) -> Result<Vec<u128>, JobError> {
    let mut words = vec![0u128; facts.height()];
    let mut at = 0;
    for (name, width) in WIDTHS {
        let mask = (1u128 << width) - 1;
        if name == "month" {
            let months = facts.column(name)?.i32()?;
            for (word, month) in words.iter_mut().zip(months.iter()) {
                let since = u128::try_from(month.unwrap_or_default()).unwrap_or_default().saturating_sub(1970 * 12);
                *word |= since.min(mask) << at;
            }
        } else {
            for (word, place) in words.iter_mut().zip(facts.column(name)?.u32()?.iter()) {
                *word |= place.map_or(0, |place| (u128::from(place) + 1).min(mask)) << at;
            }
        }
        at += width;
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::df;
    use schema::enums::{CategoryKind, Channel, ComplaintState};
    use std::collections::HashSet;

    const KEY: NoiseKey = NoiseKey([5; 32]);

    fn hash(words: &[u128]) -> u64 {
        let mut shared = SharedAttributes::default();
        words.iter().for_each(|word| shared.add(*word));
        shared.hash(KEY, &Reference::default(), None)
    }

    /// Words of complaints of a department and a month.
    fn of(complaints: &[(Option<u32>, i32)]) -> Vec<u128> {
        let (departments, months): (Vec<Option<u32>>, Vec<i32>) =
            complaints.iter().map(|(department, month)| (*department, 2020 * 12 + month)).unzip();
        let none: Vec<Option<u32>> = vec![None; months.len()];
        let facts = df!(
            "kind" => vec![Some(4u32); months.len()], "channel" => &none, "state" => &none, "department" => departments,
            "branch" => &none, "unit" => &none, "category" => &none, "month" => months
        );
        words(&facts.expect("columns")).expect("words")
    }

    #[test]
    fn attributes_have_room_for_all_their_values() {
        assert_eq!(WIDTHS.iter().map(|(_, bits)| bits).sum::<u32>(), 128);
        let numbers = [CategoryKind::WORDS.len(), Channel::WORDS.len(), ComplaintState::WORDS.len()];
        assert!(numbers.into_iter().all(|number| number < 16), "{numbers:?}");
    }

    #[test]
    fn complaints_with_the_same_attributes_in_common_have_one_hash() {
        let year = hash(&of(&[(Some(3), 0), (Some(3), 11)]));
        let more = of(&[(Some(3), 5), (Some(3), 0), (Some(3), 11), (Some(3), 4)]);
        assert_eq!(year, hash(&more), "within the same year");
        let all = [
            year,
            hash(&of(&[(Some(3), 0), (Some(3), 12)])),
            hash(&of(&[(Some(4), 0), (Some(4), 11)])),
            hash(&of(&[(Some(3 + (1 << 20)), 0), (Some(3 + (1 << 20)), 11)])),
            hash(&of(&[(Some(3), 0), (Some(4), 11)])),
            hash(&of(&[(Some(3), 0), (Some(3), 2)])),
            hash(&of(&[(Some(3), 0)])),
            hash(&of(&[(Some(3), 1)])),
            hash(&of(&[(None, 0), (None, 11)])),
            hash(&of(&[(Some(0), 0), (Some(0), 11)])),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{all:?}");
    }

    #[test]
    fn another_key_and_another_scope_give_another_hash() {
        let mut shared = SharedAttributes::default();
        of(&[(Some(3), 0)]).into_iter().for_each(|word| shared.add(word));
        let reference = Reference::default();
        let all = [(KEY, None), (NoiseKey([6; 32]), None), (KEY, Some(Id(uuid::Uuid::from_u128(7))))]
            .map(|(key, scope)| shared.hash(key, &reference, scope));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 3, "{all:?}");
    }
}
