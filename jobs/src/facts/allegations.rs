//! Allegations against officers; and those of all complaints, in one list: a list for each complaint would take four
//! times the memory.

use chrono::NaiveDate;
use diesel::prelude::*;
use schema::Id;
use schema::enums::{Attribution, Finding};
use std::collections::HashMap;

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
    /// Ordered by complaint: an index by complaint would take as much memory as the rows.
    rows: Vec<AllegationFact>,
    /// The rows of complaints that came out of order or that [`Self::replace`] set. They count instead of those in
    /// `rows`.
    apart: HashMap<Id, Vec<AllegationFact>>,
}

impl Allegations {
    pub fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), apart: HashMap::new() }
    }

    /// Adds a row. Those of one complaint come one after the other, ordered by (officer, ordinal).
    pub fn push(&mut self, row: AllegationFact) {
        match self.rows.last() {
            Some(last) if last.complaint_id > row.complaint_id => {
                self.apart.entry(row.complaint_id).or_default().push(row);
            }
            _ => self.rows.push(row),
        }
    }

    /// The number of rows, or more after [`Self::replace`].
    pub fn most_rows(&self) -> usize {
        self.rows.len() + self.apart.values().map(Vec::len).sum::<usize>()
    }

    /// The allegations of a complaint, ordered by (officer, ordinal).
    pub fn of(&self, complaint: Id) -> &[AllegationFact] {
        if !self.apart.is_empty()
            && let Some(rows) = self.apart.get(&complaint)
        {
            return rows;
        }
        let from = self.rows.partition_point(|row| row.complaint_id < complaint);
        let own = self.rows[from..].iter().take_while(|row| row.complaint_id == complaint).count();
        &self.rows[from..from + own]
    }

    /// Sets the allegations of a complaint.
    pub fn replace(&mut self, complaint: Id, rows: Vec<AllegationFact>) {
        self.apart.insert(complaint, rows);
    }

    /// Keeps those of some complaints.
    pub fn retain(&mut self, keeps: impl Fn(Id) -> bool) {
        self.rows.retain(|row| keeps(row.complaint_id));
        self.apart.retain(|complaint, _| keeps(*complaint));
    }

    /// The complaints with allegations.
    pub fn complaints(&self) -> impl Iterator<Item = Id> {
        let in_order = self.rows.chunk_by(|a, b| a.complaint_id == b.complaint_id).map(|rows| rows[0].complaint_id);
        in_order.filter(move |complaint| !self.apart.contains_key(complaint)).chain(self.apart.keys().copied())
    }

    /// The officers whom allegations name, each as often as it is named.
    pub fn officers(&self) -> impl Iterator<Item = Id> {
        self.rows.iter().chain(self.apart.values().flatten()).map(|row| row.officer_id)
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

    #[test]
    fn rows_may_come_in_any_order_of_complaints() {
        let mut all = Allegations::default();
        for (complaint, officer) in [(5, 10), (7, 10), (2, 11), (2, 12), (6, 13), (7, 14), (9, 15)] {
            all.push(row(complaint, officer));
        }
        let officers = |complaint| -> Vec<Id> { all.of(id(complaint)).iter().map(|row| row.officer_id).collect() };
        assert_eq!((officers(5), officers(2)), (vec![id(10)], vec![id(11), id(12)]));
        assert_eq!((officers(6), officers(7), officers(9)), (vec![id(13)], vec![id(10), id(14)], vec![id(15)]));
        let mut complaints: Vec<Id> = all.complaints().collect();
        complaints.sort_unstable();
        assert_eq!(complaints, [2, 5, 6, 7, 9].map(id));
        assert_eq!((all.officers().count(), all.most_rows()), (7, 7));
    }
}
