//! The columns of a file during drafting: finds columns by name, and tracks which ones fill a field already.

use super::column::Column;
use super::sample::Sample;
use super::words::Words;
use std::collections::BTreeSet;

pub struct Table<'t> {
    pub columns: &'t [Column],
    pub names: Vec<Words>,
    pub sample: &'t Sample,
    taken: BTreeSet<usize>,
}

impl<'t> Table<'t> {
    pub fn new(columns: &'t [Column], sample: &'t Sample) -> Self {
        let names = columns.iter().map(|column| Words::of(&column.name)).collect();
        Self { columns, names, sample, taken: BTreeSet::new() }
    }

    pub fn take(&mut self, columns: &[usize]) {
        self.taken.extend(columns);
    }

    /// Releases columns that were reserved but fill no field.
    pub fn give_back(&mut self, columns: &[usize]) {
        columns.iter().for_each(|at| _ = self.taken.remove(at));
    }

    /// Columns with a name and filled cells that fill no field yet.
    pub fn free(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.columns.len()).filter(|at| {
            let column = &self.columns[*at];
            !self.taken.contains(at) && !column.name.is_empty() && column.filled > 0
        })
    }

    /// Columns with a name that fill no field, including empty ones.
    pub fn rest(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.columns.len()).filter(|at| !self.taken.contains(at) && !self.columns[*at].name.is_empty())
    }

    pub fn taken(&self) -> impl Iterator<Item = &'t Column> + '_ {
        self.taken.iter().map(|at| &self.columns[*at])
    }

    /// The free column that `fits` and has the earliest phrase in its name; among several, one whose whole name is the
    /// phrase comes first.
    pub fn named(&self, phrases: &[&str], fits: impl Fn(usize) -> bool) -> Option<usize> {
        phrases.iter().find_map(|phrase| {
            let mut named: Vec<usize> = self.free().filter(|at| self.names[*at].has(phrase) && fits(*at)).collect();
            named.sort_by_key(|at| !self.names[*at].is(phrase));
            named.first().copied()
        })
    }

    /// The filled columns whose names have a phrase, including taken ones: one column may fill several fields.
    pub fn all_named<'s>(&'s self, phrase: &'s str) -> impl Iterator<Item = usize> + 's {
        (0..self.columns.len()).filter(move |at| self.columns[*at].filled > 0 && self.names[*at].has(phrase))
    }

    /// A separator for joining these columns that occurs in none of their cells; `|` where all candidates do.
    pub fn separator(&self, columns: &[usize]) -> &'static str {
        let stands_in = |sign: &str| columns.iter().any(|at| self.columns[*at].any(|value| value.contains(sign)));
        ["/", "|", "~", "#", "^", "::"].into_iter().find(|sign| !stands_in(sign)).unwrap_or("|")
    }
}
