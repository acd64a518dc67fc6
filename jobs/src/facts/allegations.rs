//! Allegations against officers; and those of all complaints, in one list: a list for each complaint would take four
//! times the memory.

use chrono::NaiveDate;
use diesel::prelude::*;
use schema::Id;
use schema::enums::{Attribution, Finding};
use std::collections::HashMap;
use std::ops::Range;

/// An allegation against an officer.
#[derive(Debug, Clone, PartialEq, Queryable, serde::Deserialize)]
pub struct AllegationFact {
    #[serde(skip, default = "no_id")]
    pub complaint_id: Id,
    pub officer_id: Id,
    pub ordinal: i32,
    #[serde(default)]
    pub category_id: Option<Id>,
    #[serde(default)]
    pub unit_id: Option<Id>,
    pub attribution: Attribution,
    pub finding: Finding,
    #[serde(default)]
    pub decided_on: Option<NaiveDate>,
}

fn no_id() -> Id {
    Id(uuid::Uuid::nil())
}

/// The allegations by complaint.
#[derive(Debug, Clone, Default)]
pub struct Allegations {
    rows: Vec<AllegationFact>,
    /// The range of rows of each complaint. Rows of no complaint are left over from [`Self::replace`].
    places: HashMap<Id, Range<u32>>,
}

impl Allegations {
    pub fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), places: HashMap::new() }
    }

    /// Adds a row. Those of one complaint come one after the other, ordered by (officer, ordinal).
    pub fn push(&mut self, row: AllegationFact) {
        let at = self.end();
        let place = self.places.entry(row.complaint_id).or_insert(at..at);
        debug_assert_eq!(place.end, at, "the rows of a complaint are apart");
        place.end = at + 1;
        self.rows.push(row);
    }

    /// The allegations of a complaint, ordered by (officer, ordinal).
    pub fn of(&self, complaint: Id) -> &[AllegationFact] {
        let place = self.places.get(&complaint);
        place.and_then(|place| self.rows.get(place.start as usize..place.end as usize)).unwrap_or_default()
    }

    /// Sets the allegations of a complaint.
    pub fn replace(&mut self, complaint: Id, rows: Vec<AllegationFact>) {
        let from = self.end();
        self.rows.extend(rows);
        self.places.insert(complaint, from..self.end());
    }

    /// Keeps those of some complaints.
    pub fn retain(&mut self, keeps: impl Fn(Id) -> bool) {
        self.places.retain(|complaint, _| keeps(*complaint));
    }

    /// The complaints with allegations.
    pub fn complaints(&self) -> impl Iterator<Item = Id> {
        self.places.keys().copied()
    }

    fn end(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> Id {
        Id(Uuid::from_u128(n))
    }

    fn row(complaint: u128, officer: u128) -> AllegationFact {
        AllegationFact {
            complaint_id: id(complaint),
            officer_id: id(officer),
            ordinal: 0,
            category_id: None,
            unit_id: None,
            attribution: Attribution::Asserted,
            finding: Finding::Pending,
            decided_on: None,
        }
    }

    #[test]
    fn each_complaint_has_its_own_rows() {
        let mut all = Allegations::default();
        for (complaint, officer) in [(1, 10), (2, 10), (2, 11), (3, 12)] {
            all.push(row(complaint, officer));
        }
        let officers = |all: &Allegations, complaint| -> Vec<Id> {
            all.of(id(complaint)).iter().map(|row| row.officer_id).collect()
        };
        assert_eq!(officers(&all, 2), [id(10), id(11)]);
        assert!(all.of(id(4)).is_empty());
        all.replace(id(2), vec![row(2, 13)]);
        all.replace(id(4), vec![row(4, 14)]);
        assert_eq!((officers(&all, 1), officers(&all, 2)), (vec![id(10)], vec![id(13)]));
        assert_eq!((officers(&all, 3), officers(&all, 4)), (vec![id(12)], vec![id(14)]));
        all.retain(|complaint| complaint != id(3));
        assert!(all.of(id(3)).is_empty());
        assert_eq!(all.complaints().count(), 3);
    }
}
