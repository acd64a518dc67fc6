//! The workload of officers, by their places.

use super::types::{Subject, WorkloadFact};
use chrono::NaiveDate;
use polars::prelude::PlRandomState;
use schema::Id;
use std::collections::HashMap;

/// The place of a row that is of no officer, or of a later month.
const NOWHERE: u32 = u32::MAX;

pub(super) struct OfficerWorkload<'f> {
    rows: Vec<&'f WorkloadFact>,
    /// Where the rows of each officer begin, and where the last ones end.
    begins: Vec<usize>,
}

impl<'f> OfficerWorkload<'f> {
    /// The workload up to a day.
    pub fn new(workload: &'f [WorkloadFact], officers: &[Subject], as_of: NaiveDate) -> Self {
        let places: HashMap<Id, u32, PlRandomState> =
            (0u32..).zip(officers).map(|(at, officer)| (officer.id, at)).collect();
        // Counted out by officer: sorting so many rows would take longer than all that follows.
        let place_of_each: Vec<u32> = workload
            .iter()
            .map(|row| row.officer_id.filter(|_| row.month <= as_of).and_then(|id| places.get(&id).copied()))
            .map(|place| place.unwrap_or(NOWHERE))
            .collect();
        let mut begins = vec![0; officers.len() + 1];
        for at in place_of_each.iter().filter(|at| **at != NOWHERE) {
            begins[*at as usize + 1] += 1;
        }
        for at in 0..officers.len() {
            begins[at + 1] += begins[at];
        }
        let mut next = begins.clone();
        let mut rows: Vec<&WorkloadFact> = Vec::new();
        if let Some(any) = workload.first() {
            rows.resize(begins[officers.len()], any);
        }
        for (row, at) in workload.iter().zip(&place_of_each).filter(|(_, at)| **at != NOWHERE) {
            let next = &mut next[*at as usize];
            rows[*next] = row;
            *next += 1;
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

    /// The units of all rows; one that several officers work at occurs again.
    pub fn units(&self) -> impl Iterator<Item = Id> {
        self.rows.chunk_by(|a, b| a.unit_id == b.unit_id).map(|rows| rows[0].unit_id)
    }

    /// How many officers have workload.
    pub fn officers(&self) -> usize {
        self.begins.windows(2).filter(|two| two[0] < two[1]).count()
    }
}
