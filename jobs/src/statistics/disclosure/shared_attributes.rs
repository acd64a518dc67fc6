//! The attributes shared by all complaints of a cell: the key of the noise that stays when a complaint is
//! added.

use crate::JobError;
use crate::facts::days::{day_of, month_number};
use crate::snapshot::{Places, Reference};
use polars::prelude::DataFrame;
use schema::Id;
use sha2::{Digest, Sha256};

/// The bits of each attribute in the 128-bit word of a complaint, lowest first. A code is place + 1, or 0 for
/// none; `month`, which follows from the day of receipt, has no offset.
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
/// Months since January 1970, up to the year 2311.
const MONTH_BITS: u32 = 12;

/// The names of the attributes that fixed cells are told apart by. A dimension that a DASHBOARD may use is one of them.
pub fn attributes() -> impl Iterator<Item = &'static str> {
    WIDTHS.into_iter().map(|(name, _)| name)
}

/// The secret key of the noise that depends on shared attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NoiseKey(pub [u8; 32]);

impl std::fmt::Debug for NoiseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NoiseKey(…)")
    }
}

/// The attributes that all complaints of a set share.
///
/// A fixed cell is the set of all complaints with certain attributes, so that two cells have the same
/// complaints exactly if their complaints share the same attributes (the *intent* of the set in formal
/// concept analysis: Ganter and Wille 1999). Noise keyed by these is therefore the same in every question
/// about a cell. Unlike noise keyed by the complaints, it stays the same when a complaint is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedAttributes {
    /// The word of the first complaint; None for an empty set.
    first: Option<u128>,
    /// The bits in which any other complaint differs from the first.
    differing: u128,
    /// The earliest and the latest month.
    months: (u16, u16),
}

impl SharedAttributes {
    /// Adds the word of a complaint to the set.
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

    /// A keyed hash of the shared attributes and of the unit `scope` that no attribute expresses. Units and
    /// categories are hashed by their ids, since places change when one is added and differ between
    /// databases.
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
            let index = code.wrapping_sub(1);
            let id = match name {
                "kind" | "channel" | "state" => None,
                "category" => reference.categories.get(index).map(|category| category.id),
                _ => reference.units.get(index).map(|unit| unit.id),
            };
            hash.update([1]);
            match id {
                Some(id) => hash.update(id.0.as_bytes()),
                None => hash.update((code as u128).to_le_bytes()),
            }
        }
        // The shortest of month, quarter and year that contains all complaints; month 0 is a January.
        let (from, to) = self.months;
        let length = [1u16, 3, 12].into_iter().find(|months| from / months == to / months);
        let (months, number) = length.map_or((0, 0), |months| (months, from / months));
        hash.update(months.to_le_bytes());
        hash.update(number.to_le_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        u64::from_le_bytes(std::array::from_fn(|n| digest[n]))
    }
}

/// The word of each complaint: its packed attributes.
///
/// # Errors
/// `Polars` if a column is missing or of another type.
pub fn attribute_words(facts: &DataFrame) -> Result<Vec<u128>, JobError> {
    let mut words = vec![0u128; facts.height()];
    let mut at = 0;
    for (name, width) in WIDTHS {
        let mask = (1u128 << width) - 1;
        if name == "month" {
            // Neighbours are mostly of one day.
            let (mut day_before, mut since) = (None, 0u128);
            for (word, day) in words.iter_mut().zip(facts.column("day")?.i32()?.iter()) {
                if day_before != Some(day) {
                    day_before = Some(day);
                    let month = month_number(day_of(day.unwrap_or_default()));
                    since = u128::try_from(month).unwrap_or_default().saturating_sub(1970 * 12).min(mask);
                }
                *word |= since << at;
            }
        } else {
            for (word, index) in words.iter_mut().zip(Places::of(facts, name)?.iter()) {
                *word |= index.map_or(0, |index| (u128::from(index) + 1).min(mask)) << at;
            }
        }
        at += width;
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::days::day_number;
    use chrono::{Days, Months, NaiveDate};
    use polars::prelude::df;
    use schema::enums::{CategoryKind, Channel, ComplaintState};
    use std::collections::HashSet;

    const KEY: NoiseKey = NoiseKey([5; 32]);

    fn hash(words: &[u128]) -> u64 {
        let mut shared = SharedAttributes::default();
        words.iter().for_each(|word| shared.add(*word));
        shared.hash(KEY, &Reference::default(), None)
    }

    /// The words of complaints given as (department, month).
    fn of(complaints: &[(Option<u32>, i32)]) -> Vec<u128> {
        let day = |month: i32| {
            let first = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date");
            let last = first + Months::new(u32::try_from(month + 1).expect("a month")) - Days::new(1);
            day_number(last)
        };
        let (departments, days): (Vec<Option<u32>>, Vec<i32>) =
            complaints.iter().map(|(department, month)| (*department, day(*month))).unzip();
        let none: Vec<Option<u32>> = vec![None; days.len()];
        let facts = df!(
            "kind" => vec![Some(4u32); days.len()], "channel" => &none, "state" => &none, "department" => departments,
            "branch" => &none, "unit" => &none, "category" => &none, "day" => days
        );
        attribute_words(&facts.expect("columns")).expect("words")
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
