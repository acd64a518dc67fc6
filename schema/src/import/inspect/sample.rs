//! The first rows of a file, from which dependences between columns are measured: whether one determines another.

use std::collections::{HashMap, HashSet};

/// The most rows in a sample.
const ROWS: usize = 50_000;
/// The number of a blank cell.
pub const BLANK: u32 = 0;

/// The first rows of a file; each distinct cell of a column has a number.
pub struct Sample {
    width: usize,
    cells: Vec<u32>,
}

/// Degree to which some columns determine the cells of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependence {
    /// Distinct keys: cells, or combinations of cells.
    pub different: usize,
    /// Keys with several different cells in the dependent columns.
    pub ambiguous: usize,
}

impl Dependence {
    /// Whether nearly all keys (98 %) determine one value; the rest may be mistakes of the register.
    pub fn is_one(self) -> bool {
        self.different > 0 && self.ambiguous * 50 <= self.different
    }
}

impl Sample {
    pub fn new(width: usize) -> Self {
        Self { width, cells: Vec::new() }
    }

    pub fn is_full(&self) -> bool {
        self.cells.len() >= ROWS * self.width
    }

    /// Adds a row; missing cells are blank.
    pub fn take(&mut self, row: impl Iterator<Item = u32>) {
        let before = self.cells.len();
        self.cells.extend(row.take(self.width));
        self.cells.resize(before + self.width, BLANK);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.cells.len() / self.width.max(1)
    }

    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.cells.chunks_exact(self.width.max(1))
    }

    /// The number of distinct combinations of cells in these columns, without the all-blank one.
    pub fn different(&self, columns: &[usize]) -> usize {
        let sets: HashSet<Vec<u32>> = self.rows().map(|row| columns.iter().map(|at| row[*at]).collect()).collect();
        sets.iter().filter(|set| set.iter().any(|cell| *cell != BLANK)).count()
    }

    /// Measures to which degree the cells of columns `on` determine those of columns `of`. Rows with all keys blank, or
    /// a blank in `of`, do not count.
    pub fn dependence(&self, of: &[usize], on: &[usize]) -> Dependence {
        let mut values_by_key: HashMap<Vec<u32>, Option<Vec<u32>>> = HashMap::new();
        for row in self.rows() {
            let key: Vec<u32> = on.iter().map(|at| row[*at]).collect();
            let value: Vec<u32> = of.iter().map(|at| row[*at]).collect();
            if key.iter().all(|cell| *cell == BLANK) || value.contains(&BLANK) {
                continue;
            }
            values_by_key
                .entry(key)
                .and_modify(|first| {
                    if first.as_ref().is_some_and(|first| *first != value) {
                        *first = None;
                    }
                })
                .or_insert(Some(value));
        }
        Dependence {
            different: values_by_key.len(),
            ambiguous: values_by_key.values().filter(|one| one.is_none()).count(),
        }
    }

    /// Whether some row has `cell` in one column and not `expected` in the other.
    pub fn stands_beside_another(&self, column: usize, cell: u32, other: usize, expected: u32) -> bool {
        self.rows().any(|row| row[column] == cell && row[other] != expected)
    }

    /// The number of rows in which one column is blank and the other is not.
    pub fn blank_beside(&self, blank: usize, filled: usize) -> usize {
        self.rows().filter(|row| row[blank] == BLANK && row[filled] != BLANK).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_says_alone_what_another_says_is_told_from_one_that_does_not() {
        let mut sample = Sample::new(3);
        for row in [[1, 1, 5], [1, 2, 6], [2, 1, 6], [2, 1, 6], [2, 2, 0]] {
            sample.take(row.into_iter());
        }
        assert_eq!(sample.dependence(&[2], &[0]), Dependence { different: 2, ambiguous: 1 });
        assert_eq!(sample.dependence(&[2], &[0, 1]), Dependence { different: 3, ambiguous: 0 });
        assert_eq!((sample.different(&[0]), sample.different(&[0, 1]), sample.different(&[2])), (2, 4, 2));
        assert_eq!(sample.blank_beside(2, 0), 1);
    }
}
