//! The workload of officers, by their places.

use super::types::{Subject, WorkloadFact};
use chrono::NaiveDate;
use schema::Id;
use std::collections::HashMap;

pub(super) struct OfficerWorkload<'f> {
    rows: Vec<&'f WorkloadFact>,
    /// Where the rows of each officer begin, and where the last ones end.
    begins: Vec<usize>,
}

impl<'f> OfficerWorkload<'f> {
    /// The workload up to a day.
    pub fn new(workload: &'f [WorkloadFact], officers: &[Subject], as_of: NaiveDate) -> Self {
        let places: HashMap<Id, usize> = officers.iter().enumerate().map(|(at, officer)| (officer.id, at)).collect();
        // Counted out by officer: sorting so many rows would take longer than all that follows.
        let place_of_each: Vec<Option<usize>> = workload
            .iter()
            .map(|row| row.officer_id.filter(|_| row.month <= as_of).and_then(|id| places.get(&id).copied()))
            .collect();
        let mut begins = vec![0; officers.len() + 1];
        for at in place_of_each.iter().flatten() {
            begins[at + 1] += 1;
        }
        for at in 0..officers.len() {
            begins[at + 1] += begins[at];
        }
        let mut next = begins.clone();
        let mut rows: Vec<&WorkloadFact> = Vec::new();
        if let Some(any) = workload.first() {
            rows.resize(begins[officers.len()], any);
        }
        for (row, at) in workload.iter().zip(&place_of_each) {
            if let Some(at) = at {
                rows[next[*at]] = row;
                next[*at] += 1;
            }
        }
        for two in begins.windows(2) {
            rows[two[0]..two[1]].sort_unstable_by_key(|row| row.unit_id);
        }
        Self { rows, begins }
    }

    /// The rows of an officer, ordered by unit.
    pub fn of(&self, officer: usize) -> &[&'f WorkloadFact] {
        &self.rows[self.begins[officer]..self.begins[officer + 1]]
    }

    /// The units of all rows, each as often as it occurs.
    pub fn units(&self) -> impl Iterator<Item = Id> {
        self.rows.iter().map(|row| row.unit_id)
    }

    /// How many officers have workload.
    pub fn officers(&self) -> usize {
        self.begins.windows(2).filter(|two| two[0] < two[1]).count()
    }
}
