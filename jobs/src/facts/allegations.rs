//! Allegations against officers; and those of all complaints, in one list: a list for each complaint would take four
//! times the memory.

use super::numbered::Numbered;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::Id;
use schema::enums::{Attribution, Finding};
use std::collections::HashMap;
use std::num::NonZeroU32;

/// An allegation against an officer.
#[derive(Debug, Clone, PartialEq, Queryable, serde::Deserialize)]
pub struct AllegationFact {
    #[serde(skip, default = "no_id")]
    pub complaint_id: Id,
    pub officer_id: Id,
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

/// An [`AllegationFact`] with numbers of the category and the unit in the place of ids: two thirds of the memory.
#[derive(Debug, Clone, Copy)]
struct Row {
    complaint_id: Id,
    officer_id: Id,
    category: Option<NonZeroU32>,
    unit: Option<NonZeroU32>,
    decided_on: Option<NaiveDate>,
    attribution: Attribution,
    finding: Finding,
}

/// The allegations by complaint.
#[derive(Debug, Clone, Default)]
pub struct Allegations {
    /// Ordered by complaint: an index by complaint would take as much memory as the rows.
    rows: Vec<Row>,
    /// The rows of complaints that came out of order or that [`Self::replace`] set. They count instead of those in
    /// `rows`.
    apart: HashMap<Id, Vec<Row>>,
    categories: Numbered,
    units: Numbered,
}

impl Allegations {
    pub fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Adds a row. Those of one complaint come one after the other, ordered by (officer, ordinal).
    pub fn push(&mut self, fact: &AllegationFact) {
        let row = self.row(fact);
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
    pub fn of(&self, complaint: Id) -> impl Iterator<Item = AllegationFact> {
        self.facts(self.rows_of(complaint, self.rows.partition_point(|row| row.complaint_id < complaint)))
    }

    /// The allegations of complaints that are asked for in the order of their ids.
    pub fn in_order(&self) -> InOrder<'_> {
        InOrder { all: self, at: 0 }
    }

    /// The rows of a complaint, of which `from` is the first one if they are in order.
    fn rows_of(&self, complaint: Id, from: usize) -> &[Row] {
        if !self.apart.is_empty()
            && let Some(rows) = self.apart.get(&complaint)
        {
            return rows;
        }
        let own = self.rows[from..].iter().take_while(|row| row.complaint_id == complaint).count();
        &self.rows[from..from + own]
    }

    /// Sets the allegations of a complaint.
    pub fn replace(&mut self, complaint: Id, facts: &[AllegationFact]) {
        let rows = facts.iter().map(|fact| self.row(fact)).collect();
        self.apart.insert(complaint, rows);
    }

    fn row(&mut self, fact: &AllegationFact) -> Row {
        Row {
            complaint_id: fact.complaint_id,
            officer_id: fact.officer_id,
            category: self.categories.optional(fact.category_id),
            unit: self.units.optional(fact.unit_id),
            decided_on: fact.decided_on,
            attribution: fact.attribution,
            finding: fact.finding,
        }
    }

    fn facts<'a>(&'a self, rows: &'a [Row]) -> impl Iterator<Item = AllegationFact> {
        rows.iter().map(move |row| AllegationFact {
            complaint_id: row.complaint_id,
            officer_id: row.officer_id,
            category_id: self.categories.optional_id(row.category),
            unit_id: self.units.optional_id(row.unit),
            attribution: row.attribution,
            finding: row.finding,
            decided_on: row.decided_on,
        })
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

/// Finds the allegations of one complaint after the other; it searches for those of the first.
pub struct InOrder<'a> {
    all: &'a Allegations,
    at: usize,
}

impl InOrder<'_> {
    /// The allegations of a complaint with no smaller id than the one before, ordered by (officer, ordinal).
    pub fn of(&mut self, complaint: Id) -> impl Iterator<Item = AllegationFact> {
        let all = self.all;
        if self.at == 0 {
            self.at = all.rows.partition_point(|row| row.complaint_id < complaint);
        } else {
            self.at += all.rows[self.at..].iter().take_while(|row| row.complaint_id < complaint).count();
        }
        all.facts(all.rows_of(complaint, self.at))
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
            all.push(&row(complaint, officer));
        }
        let officers =
            |all: &Allegations, complaint| -> Vec<Id> { all.of(id(complaint)).map(|row| row.officer_id).collect() };
        assert_eq!(officers(&all, 2), [id(10), id(11)]);
        assert_eq!(all.of(id(4)).count(), 0);
        all.replace(id(2), &[row(2, 13)]);
        all.replace(id(4), &[row(4, 14)]);
        assert_eq!((officers(&all, 1), officers(&all, 2)), (vec![id(10)], vec![id(13)]));
        assert_eq!((officers(&all, 3), officers(&all, 4)), (vec![id(12)], vec![id(14)]));
        all.retain(|complaint| complaint != id(3));
        assert_eq!(all.of(id(3)).count(), 0);
        assert_eq!(all.complaints().count(), 3);
    }

    #[test]
    fn rows_may_come_in_any_order_of_complaints() {
        let mut all = Allegations::default();
        for (complaint, officer) in [(5, 10), (7, 10), (2, 11), (2, 12), (6, 13), (7, 14), (9, 15)] {
            all.push(&row(complaint, officer));
        }
        let officers = |complaint| -> Vec<Id> { all.of(id(complaint)).map(|row| row.officer_id).collect() };
        assert_eq!((officers(5), officers(2)), (vec![id(10)], vec![id(11), id(12)]));
        assert_eq!((officers(6), officers(7), officers(9)), (vec![id(13)], vec![id(10), id(14)], vec![id(15)]));
        let mut complaints: Vec<Id> = all.complaints().collect();
        complaints.sort_unstable();
        assert_eq!(complaints, [2, 5, 6, 7, 9].map(id));
        assert_eq!((all.officers().count(), all.most_rows()), (7, 7));
        let mut in_order = all.in_order();
        for complaint in (0..11).map(id) {
            assert!(in_order.of(complaint).eq(all.of(complaint)), "{complaint}");
        }
    }

    #[test]
    fn an_allegation_keeps_what_was_read_of_it() {
        let mut all = Allegations::with_capacity(2);
        let decided_on = Some(NaiveDate::default());
        let first = AllegationFact { category_id: Some(id(20)), unit_id: Some(id(30)), ..row(1, 10) };
        let second = AllegationFact { unit_id: Some(id(31)), finding: Finding::Sustained, decided_on, ..row(1, 11) };
        [&first, &second].into_iter().for_each(|fact| all.push(fact));
        assert!(all.of(id(1)).eq([first, second]));
        assert_eq!((size_of::<Row>(), size_of::<AllegationFact>()), (48, 72));
    }
}
