//! The facts of all complaints, in two thirds of the memory that they take one by one.

use super::numbered::Numbered;
use chrono::NaiveDate;
use diesel::prelude::*;
use polars_core::runtime::THREAD_POOL;
use rayon::slice::ParallelSliceMut;
use schema::enums::{ComplaintState, DatePrecision, Finding};
use schema::{Id, Timestamp};
use std::num::NonZeroU32;

/// The fields of a complaint that statistics read.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ComplaintFact {
    pub id: Id,
    pub received_at: Timestamp,
    pub occurred_at: Option<Timestamp>,
    pub enterprise_id: Option<Id>,
    pub unit_id: Option<Id>,
    pub category_id: Option<Id>,
    pub state: ComplaintState,
    pub state_since: Timestamp,
    /// The complaint's own finding, when it names no officer.
    pub finding: Option<Finding>,
    pub decided_on: Option<NaiveDate>,
    pub received_precision: Option<DatePrecision>,
}

/// A [`ComplaintFact`] with times in microseconds, and numbers of the unit and the category in the place of ids.
#[derive(Debug, Clone, Copy)]
struct Row {
    id: Id,
    received_at: i64,
    occurred_at: i64,
    state_since: i64,
    enterprise_id: Option<Id>,
    unit: Option<NonZeroU32>,
    category: Option<NonZeroU32>,
    decided_on: Option<NaiveDate>,
    state: ComplaintState,
    finding: Option<Finding>,
    received_precision: Option<DatePrecision>,
}

/// No time: every time has later microseconds.
const NEVER: i64 = i64::MIN;

/// Complaints, ordered by id after [`Self::sort`].
#[derive(Debug, Clone, Default)]
pub struct Complaints {
    rows: Vec<Row>,
    units: Numbered,
    categories: Numbered,
}

impl Complaints {
    /// Reserves memory for further complaints: a list that grows would take twice the memory at its end.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.rows.reserve_exact(rows);
    }

    pub(super) fn push(&mut self, fact: &ComplaintFact) {
        let row = self.row(fact);
        self.rows.push(row);
    }

    pub(super) fn sort(&mut self) {
        THREAD_POOL.install(|| self.rows.par_sort_unstable_by_key(|row| row.id));
    }

    /// How many complaints there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = ComplaintFact> {
        self.rows.iter().map(move |row| self.fact(row))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Id> {
        self.rows.iter().map(|row| row.id)
    }

    /// The id of each complaint and its time of receipt.
    pub(super) fn receipts(&self) -> impl Iterator<Item = (Id, Timestamp)> {
        self.rows.iter().map(|row| (row.id, time(row.received_at)))
    }

    /// The id of the complaint at a place.
    ///
    /// # Panics
    /// If there are not so many; the following ones, too.
    pub(super) fn id(&self, place: usize) -> Id {
        self.rows[place].id
    }

    pub(super) fn enterprise_id(&self, place: usize) -> Option<Id> {
        self.rows[place].enterprise_id
    }

    pub(super) fn precision(&self, place: usize) -> Option<DatePrecision> {
        self.rows[place].received_precision
    }

    /// The complaint at a place.
    pub(super) fn at(&self, place: usize) -> ComplaintFact {
        self.fact(&self.rows[place])
    }

    /// The place of a complaint.
    pub(super) fn place(&self, id: Id) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }

    /// Replaces the complaint at a place.
    pub(super) fn replace(&mut self, place: usize, fact: &ComplaintFact) {
        self.rows[place] = self.row(fact);
    }

    /// Keeps some complaints.
    pub(super) fn retain(&mut self, keeps: impl Fn(Id) -> bool) {
        self.rows.retain(|row| keeps(row.id));
    }

    fn row(&mut self, fact: &ComplaintFact) -> Row {
        Row {
            id: fact.id,
            received_at: fact.received_at.micros(),
            occurred_at: fact.occurred_at.map_or(NEVER, Timestamp::micros),
            state_since: fact.state_since.micros(),
            enterprise_id: fact.enterprise_id,
            unit: self.units.optional(fact.unit_id),
            category: self.categories.optional(fact.category_id),
            decided_on: fact.decided_on,
            state: fact.state,
            finding: fact.finding,
            received_precision: fact.received_precision,
        }
    }

    fn fact(&self, row: &Row) -> ComplaintFact {
        ComplaintFact {
            id: row.id,
            received_at: time(row.received_at),
            occurred_at: (row.occurred_at != NEVER).then(|| time(row.occurred_at)),
            enterprise_id: row.enterprise_id,
            unit_id: self.units.optional_id(row.unit),
            category_id: self.categories.optional_id(row.category),
            state: row.state,
            state_since: time(row.state_since),
            finding: row.finding,
            decided_on: row.decided_on,
            received_precision: row.received_precision,
        }
    }
}

/// The time that microseconds were made of.
fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("it was a time")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> Id {
        Id(Uuid::from_u128(n))
    }

    fn fact(n: u128) -> ComplaintFact {
        ComplaintFact {
            id: id(n),
            received_at: time(1_700_000_000_000_001),
            occurred_at: n.is_multiple_of(2).then(|| time(-5)),
            enterprise_id: n.is_multiple_of(3).then(|| id(100)),
            unit_id: (!n.is_multiple_of(4)).then(|| id(200 + n % 4)),
            category_id: (!n.is_multiple_of(5)).then(|| id(300)),
            state: ComplaintState::Received,
            state_since: time(1_700_000_000_000_002),
            finding: (!n.is_multiple_of(2)).then_some(Finding::Sustained),
            decided_on: (!n.is_multiple_of(2)).then(NaiveDate::default),
            received_precision: n.is_multiple_of(7).then_some(DatePrecision::Month),
        }
    }

    #[test]
    fn complaints_keep_what_was_read_of_them() {
        let mut all = Complaints::default();
        all.reserve(30);
        (0..30).rev().for_each(|n| all.push(&fact(n)));
        all.sort();
        assert!(all.iter().eq((0..30).map(fact)));
        assert_eq!((all.count(), size_of::<Row>(), size_of::<ComplaintFact>()), (30, 72, 112));
        let changed = ComplaintFact { unit_id: Some(id(209)), ..fact(4) };
        all.replace(all.place(id(4)).expect("a place"), &changed);
        assert_eq!((all.at(4), all.at(5), all.place(id(40))), (changed, fact(5), None));
        all.retain(|one| one != id(0));
        assert_eq!(all.ids().next(), Some(id(1)));
    }
}
