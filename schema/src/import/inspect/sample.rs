//! Which cells stand beside which, in the first rows of a file: whether a column says alone what another says, too.

use std::collections::{HashMap, HashSet};

/// Rows that are remembered.
const ROWS: usize = 50_000;
/// What stands for a blank cell.
pub const BLANK: u32 = 0;

/// The first rows, with a number for each different cell of a column.
pub struct Sample {
    width: usize,
    cells: Vec<u32>,
}

/// How far the cells of some columns say what stands in others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependence {
    /// Different cells, or different sets of cells.
    pub different: usize,
    /// Those of them that stand beside several cells of the other columns.
    pub torn: usize,
}

impl Dependence {
    /// Whether nearly all say one thing alone: registers have mistakes.
    pub fn is_one(self) -> bool {
        self.different > 0 && self.torn * 50 <= self.different
    }
}

impl Sample {
    pub fn new(width: usize) -> Self {
        Self { width, cells: Vec::new() }
    }

    pub fn is_full(&self) -> bool {
        self.cells.len() >= ROWS * self.width
    }

    /// Takes a row in; cells that it lacks are blank.
    pub fn take(&mut self, row: impl Iterator<Item = u32>) {
        let before = self.cells.len();
        self.cells.extend(row.take(self.width));
        self.cells.resize(before + self.width, BLANK);
    }

    /// How many rows are remembered.
    pub fn len(&self) -> usize {
        self.cells.len() / self.width.max(1)
    }

    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.cells.chunks_exact(self.width.max(1))
    }

    /// Different sets of cells in these columns, all-blank ones left out.
    pub fn different(&self, columns: &[usize]) -> usize {
        let sets: HashSet<Vec<u32>> = self.rows().map(|row| columns.iter().map(|at| row[*at]).collect()).collect();
        sets.iter().filter(|set| set.iter().any(|cell| *cell != BLANK)).count()
    }

    /// Whether the cells of some columns say what stands in other ones. Blank cells say nothing and contradict nothing.
    pub fn dependence(&self, of: &[usize], on: &[usize]) -> Dependence {
        let mut beside: HashMap<Vec<u32>, Option<Vec<u32>>> = HashMap::new();
        for row in self.rows() {
            let key: Vec<u32> = on.iter().map(|at| row[*at]).collect();
            let said: Vec<u32> = of.iter().map(|at| row[*at]).collect();
            if key.iter().all(|cell| *cell == BLANK) || said.contains(&BLANK) {
                continue;
            }
            beside
                .entry(key)
                .and_modify(|first| {
                    if first.as_ref().is_some_and(|first| *first != said) {
                        *first = None;
                    }
                })
                .or_insert(Some(said));
        }
        Dependence { different: beside.len(), torn: beside.values().filter(|one| one.is_none()).count() }
    }

    /// Whether some row has a cell in one column and not a certain one in another.
    pub fn stands_beside_another(&self, column: usize, cell: u32, other: usize, expected: u32) -> bool {
        self.rows().any(|row| row[column] == cell && row[other] != expected)
    }

    /// Rows in which one column is blank and another is not.
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
        assert_eq!(sample.dependence(&[2], &[0]), Dependence { different: 2, torn: 1 });
        assert_eq!(sample.dependence(&[2], &[0, 1]), Dependence { different: 3, torn: 0 });
        assert_eq!((sample.different(&[0]), sample.different(&[0, 1]), sample.different(&[2])), (2, 4, 2));
        assert_eq!(sample.blank_beside(2, 0), 1);
    }
}
