//! The workload of officers, by their places.

use super::monthly_workload::{Workload, WorkloadRow};
use super::types::Subject;
use chrono::NaiveDate;
use polars::prelude::PlRandomState;
use schema::Id;
use std::collections::HashMap;

/// The place of an officer who is none of the subjects.
const NOWHERE: u32 = u32::MAX;

pub(super) struct OfficerWorkload<'f> {
    workload: &'f Workload,
    rows: Vec<&'f WorkloadRow>,
    /// Where the rows of each officer begin, and where the last ones end.
    begins: Vec<usize>,
}

impl<'f> OfficerWorkload<'f> {
    /// The workload up to a day.
    pub fn new(workload: &'f Workload, officers: &[Subject], as_of: NaiveDate) -> Self {
        let places: HashMap<Id, u32, PlRandomState> =
            (0u32..).zip(officers).map(|(at, officer)| (officer.id, at)).collect();
        let place_of_number: Vec<u32> =
            workload.officers().iter().map(|id| places.get(id).copied().unwrap_or(NOWHERE)).collect();
        let place = |row: &WorkloadRow| {
            let officer = row.officer().filter(|_| row.month <= as_of)?;
            Some(place_of_number[officer]).filter(|place| *place != NOWHERE).map(|place| place as usize)
        };
        // Counted out by officer: sorting so many rows would take longer than all that follows.
        let mut begins = vec![0; officers.len() + 1];
        for at in workload.rows().iter().filter_map(place) {
            begins[at + 1] += 1;
        }
        for at in 0..officers.len() {
            begins[at + 1] += begins[at];
        }
        let mut next = begins.clone();
        let mut rows: Vec<&WorkloadRow> = Vec::new();
        if let Some(any) = workload.rows().first() {
            rows.resize(begins[officers.len()], any);
        }
        for (row, at) in workload.rows().iter().filter_map(|row| Some((row, place(row)?))) {
            let next = &mut next[at];
            rows[*next] = row;
            *next += 1;
        }
        for two in begins.windows(2) {
            rows[two[0]..two[1]].sort_unstable_by_key(|row| row.unit);
        }
        Self { workload, rows, begins }
    }

    /// The rows of an officer, those of a unit together.
    pub fn of(&self, officer: usize) -> &[&'f WorkloadRow] {
        &self.rows[self.begins[officer]..self.begins[officer + 1]]
    }

    /// The units of all rows; one that several officers work at occurs again.
    pub fn units(&self) -> impl Iterator<Item = Id> {
        self.rows.chunk_by(|a, b| a.unit == b.unit).map(move |rows| self.workload.unit(rows[0]))
    }

    /// How many officers have workload.
    pub fn officers(&self) -> usize {
        self.begins.windows(2).filter(|two| two[0] < two[1]).count()
    }
}
