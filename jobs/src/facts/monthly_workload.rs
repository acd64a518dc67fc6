//! The workload of units and officers by month, in little memory: a large register has more rows of it than complaints.

use super::numbered::Numbered;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::Id;
use std::collections::HashSet;
use std::num::NonZeroU32;

/// Declarations handled in a month by a unit, or by one officer in it.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct WorkloadFact {
    pub unit_id: Id,
    pub officer_id: Option<Id>,
    pub month: NaiveDate,
    pub declarations: i64,
}

/// The same with numbers in the place of ids, which takes half the memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkloadRow {
    /// The number of the unit: see [`Workload::unit`].
    pub unit: u32,
    /// The number of the officer + 1.
    officer: Option<NonZeroU32>,
    pub month: NaiveDate,
    pub declarations: i64,
}

impl WorkloadRow {
    /// The index of the officer in [`Workload::officers`].
    pub fn officer(&self) -> Option<usize> {
        self.officer.map(|number| number.get() as usize - 1)
    }
}

/// All rows of workload, in no order.
#[derive(Debug, Clone, Default)]
pub struct Workload {
    rows: Vec<WorkloadRow>,
    units: Numbered,
    officers: Numbered,
    /// The index of each row by its id; empty if the rows were added without ids.
    by_id: Vec<(Id, u32)>,
}

impl Workload {
    pub fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Adds a row, whose changes cannot be undone.
    pub fn push(&mut self, fact: &WorkloadFact) {
        let row = self.row(fact);
        self.rows.push(row);
    }

    /// Adds a row that [`Self::get`] finds by its id after [`Self::order`].
    pub fn push_with_id(&mut self, id: Id, fact: &WorkloadFact) {
        if self.by_id.is_empty() {
            self.by_id.reserve_exact(self.rows.capacity());
        }
        self.by_id.push((id, u32::try_from(self.rows.len()).unwrap_or(u32::MAX)));
        self.push(fact);
    }

    pub fn rows(&self) -> &[WorkloadRow] {
        &self.rows
    }

    /// The unit of one of the rows.
    pub fn unit(&self, row: &WorkloadRow) -> Id {
        self.units.id(row.unit)
    }

    /// The officers of all rows.
    pub fn officers(&self) -> &[Id] {
        self.officers.ids()
    }

    /// Makes rows found by their ids.
    pub(super) fn order(&mut self) {
        self.by_id.sort_unstable();
    }

    /// The row with an id.
    pub(super) fn get(&self, id: Id) -> Option<WorkloadFact> {
        self.rows.get(self.place(id)?).map(|row| self.fact(row))
    }

    /// Replaces the row with an id, if there is one.
    pub(super) fn replace(&mut self, id: Id, fact: &WorkloadFact) {
        if let Some(place) = self.place(id) {
            self.rows[place] = self.row(fact);
        }
    }

    /// Removes the rows with some ids; no row is found by its id any more.
    pub(super) fn remove(&mut self, ids: &HashSet<Id>) {
        let removed: HashSet<usize> = ids.iter().filter_map(|id| self.place(*id)).collect();
        let mut at = 0;
        self.rows.retain(|_| {
            at += 1;
            !removed.contains(&(at - 1))
        });
        self.by_id.clear();
    }

    fn place(&self, id: Id) -> Option<usize> {
        let at = self.by_id.binary_search_by_key(&id, |(of, _)| *of).ok()?;
        Some(self.by_id[at].1 as usize)
    }

    fn row(&mut self, fact: &WorkloadFact) -> WorkloadRow {
        WorkloadRow {
            unit: self.units.number(fact.unit_id),
            officer: self.officers.optional(fact.officer_id),
            month: fact.month,
            declarations: fact.declarations,
        }
    }

    fn fact(&self, row: &WorkloadRow) -> WorkloadFact {
        WorkloadFact {
            unit_id: self.unit(row),
            officer_id: self.officers.optional_id(row.officer),
            month: row.month,
            declarations: row.declarations,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> Id {
        Id(Uuid::from_u128(n))
    }

    fn fact(unit: u128, officer: Option<u128>, declarations: i64) -> WorkloadFact {
        WorkloadFact { unit_id: id(unit), officer_id: officer.map(id), month: NaiveDate::default(), declarations }
    }

    #[test]
    fn rows_keep_what_they_say_of_units_and_officers() {
        let facts = [fact(1, Some(7), 10), fact(2, None, 20), fact(1, Some(8), 30), fact(2, Some(7), 40)];
        let mut all = Workload::with_capacity(facts.len());
        facts.iter().for_each(|fact| all.push(fact));
        assert!(all.rows().iter().map(|row| all.fact(row)).eq(facts));
        assert_eq!(all.officers(), [id(7), id(8)]);
        assert_eq!(size_of::<WorkloadRow>(), 24);
    }

    #[test]
    fn rows_are_replaced_and_removed_by_their_ids() {
        let mut all = Workload::default();
        [(3, 30), (1, 10), (2, 20)].iter().for_each(|(n, handled)| all.push_with_id(id(*n), &fact(1, None, *handled)));
        all.order();
        assert_eq!((all.get(id(2)), all.get(id(4))), (Some(fact(1, None, 20)), None));
        all.replace(id(3), &fact(5, Some(6), 31));
        all.replace(id(4), &fact(5, Some(6), 41));
        assert_eq!(all.get(id(3)), Some(fact(5, Some(6), 31)));
        all.remove(&HashSet::from([id(1), id(4)]));
        assert!(all.rows().iter().map(|row| all.fact(row)).eq([fact(5, Some(6), 31), fact(1, None, 20)]));
    }
}
