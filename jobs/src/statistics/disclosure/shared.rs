//! What all complaints of a cell have in common: the key of the part of its noise that stays.

use crate::JobError;
use crate::snapshot::Snapshot;
use polars::prelude::DataFrame;
use schema::Id;
use sha2::{Digest, Sha256};

/// The bits of each attribute in the word of a complaint: kind, channel, state, department, branch, unit and category. The month
/// takes the rest. Units and categories are hashed into theirs: two that collide share their noise, which tells nothing.
const WIDTHS: [u32; 7] = [3, 4, 4, 9, 11, 11, 10];
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
    first: Option<u64>,
    /// The bits in which any other differs from it.
    differing: u64,
    /// The first and the last month.
    months: (u16, u16),
}

impl SharedAttributes {
    /// Takes one more complaint into the set.
    pub fn add(&mut self, word: u64) {
        let month = (word & ((1 << MONTH_BITS) - 1)) as u16;
        match self.first {
            None => (self.first, self.months) = (Some(word), (month, month)),
            Some(first) => {
                self.differing |= first ^ word;
                self.months = (self.months.0.min(month), self.months.1.max(month));
            }
        }
    }

    /// A keyed hash of them.
    pub fn hash(&self, key: NoiseKey) -> u64 {
        let first = self.first.unwrap_or_default();
        let (mut at, mut shared, mut varied) = (MONTH_BITS, 0u64, 0u8);
        for (nth, width) in WIDTHS.into_iter().enumerate() {
            let mask = ((1u64 << width) - 1) << at;
            if self.differing & mask == 0 {
                shared |= first & mask
            } else {
                varied |= 1 << nth
            }
            at += width;
        }
        // The shortest of month, quarter and year that they all lie in, months being numbered from a January on.
        let (from, to) = self.months;
        let lengths = [1u16, 3, 12];
        let length = lengths.into_iter().find(|months| from / months == to / months);
        let time = length.map_or((0, 0), |months| (months, from / months));
        let mut hash = Sha256::new();
        hash.update(key.0);
        hash.update(b"p");
        hash.update(shared.to_le_bytes());
        hash.update([varied]);
        hash.update(time.0.to_le_bytes());
        hash.update(time.1.to_le_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        u64::from_le_bytes(std::array::from_fn(|n| digest[n]))
    }
}

/// The word of each complaint of a snapshot: its attributes, side by side.
///
/// # Errors
/// Where the columns of the snapshot cannot be read.
pub fn words(of: &Snapshot, facts: &DataFrame) -> Result<Vec<u64>, JobError> {
    // Places change when units are added, ids do not, and both databases have the same ones.
    let ids = |ids: &mut dyn Iterator<Item = Id>| -> Vec<u64> { ids.map(part).collect() };
    let units = ids(&mut of.reference.units.iter().map(|unit| unit.id));
    let categories = ids(&mut of.reference.categories.iter().map(|category| category.id));
    let numbers: Vec<u64> = (1..=1 << WIDTHS[2]).collect();
    let columns: [(&str, &[u64]); 7] = [
        ("kind", &numbers),
        ("channel", &numbers),
        ("state", &numbers),
        ("department", &units),
        ("branch", &units),
        ("unit", &units),
        ("category", &categories),
    ];
    let month_of = |month: Option<i32>| u64::try_from(month.unwrap_or_default()).unwrap_or_default();
    // Months are numbered from the year 0 on: 12 bits take those from 1970 to 2311.
    let months = facts.column("month")?.i32()?.iter().map(|month| month_of(month).saturating_sub(1970 * 12));
    let mut words: Vec<u64> = months.map(|month| month & ((1 << MONTH_BITS) - 1)).collect();
    let mut at = MONTH_BITS;
    for ((name, values), width) in columns.into_iter().zip(WIDTHS) {
        for (word, place) in words.iter_mut().zip(facts.column(name)?.u32()?.iter()) {
            let value = place.and_then(|place| values.get(place as usize)).copied().unwrap_or_default();
            *word |= (value & ((1 << width) - 1)) << at;
        }
        at += width;
    }
    Ok(words)
}

/// The last bits of an id, which are random or a hash.
fn part(id: Id) -> u64 {
    id.0.as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const KEY: NoiseKey = NoiseKey([5; 32]);

    /// A word with a department and a month.
    fn word(department: u64, month: u64) -> u64 {
        department << (MONTH_BITS + 11) | month
    }

    fn hash(words: &[u64]) -> u64 {
        let mut shared = SharedAttributes::default();
        words.iter().for_each(|word| shared.add(*word));
        shared.hash(KEY)
    }

    #[test]
    fn widths_fill_a_word() {
        assert_eq!(WIDTHS.iter().sum::<u32>() + MONTH_BITS, 64);
    }

    #[test]
    fn complaints_with_the_same_attributes_in_common_have_one_hash() {
        let year = hash(&[word(3, 0), word(3, 11)]);
        assert_eq!(year, hash(&[word(3, 5), word(3, 0), word(3, 11), word(3, 4)]), "within the same year");
        let all = [
            year,
            hash(&[word(3, 0), word(3, 12)]),
            hash(&[word(4, 0), word(4, 11)]),
            hash(&[word(3, 0), word(4, 11)]),
            hash(&[word(3, 0), word(3, 2)]),
            hash(&[word(3, 0)]),
            hash(&[word(3, 1)]),
            hash(&[word(0, 0), word(0, 11)]),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{all:?}");
        let mut shared = SharedAttributes::default();
        shared.add(word(3, 0));
        assert_ne!(shared.hash(KEY), shared.hash(NoiseKey([6; 32])));
    }
}
