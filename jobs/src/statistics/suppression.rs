//! Groups that are too small to be shown, and those that have to hide with them.
//!
//! A group is shown with at least so many complaints from at least so many enterprises, a sum where no
//! enterprise has more than half of it. Where in a line of the table (all dimensions but one alike) something
//! is hidden, what is hidden there is at least two groups and would itself be shown as one, sums included, so that
//! the line's total less what is shown, which another question tells, does not give it away (complementary
//! suppression; Cox 1980). A line is also what lies in one year, quarter, kind, department or branch: a question by
//! these tells its total.
//!
//! It resists who has the total of a line. It does not resist everything: questions about overlapping sets
//! of complaints can be subtracted from one another (Dinur and Nissim 2003), so that a role to which it applies
//! asks by a fixed set of dimensions and by whole months only.

use super::Cell;
use super::above::{Above, Places};
use crate::JobError;
use schema::db::wanted::go_on;
use std::collections::HashMap;

/// What some groups come to together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Union {
    pub complaints: u32,
    pub enterprises: u32,
    pub cost_dominance: f64,
    pub delay_dominance: f64,
}

/// From when a group is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suppression {
    pub complaints: u32,
    pub enterprises: u32,
}

impl Suppression {
    /// Marks what is not shown. `above`: what the groups lie in; `union`: what groups at some places, and other entries, come
    /// to together; `sums`: whether any are asked for.
    ///
    /// # Errors
    /// `Abandoned` where nobody waits for it any more.
    pub fn apply(&self, cells: &mut [Cell], above: &[Above], sums: bool, union: &Together<'_>) -> Result<(), JobError> {
        for cell in cells.iter_mut() {
            let measures = &cell.measures;
            cell.suppressed = measures.complaints > 0
                && (measures.complaints < self.complaints || measures.distinct_enterprises < self.enterprises);
            cell.cost_hidden = measures.cost_dominance > MOST_OF_A_SUM;
            cell.delay_hidden = measures.delay_dominance > MOST_OF_A_SUM;
        }
        // What lies in several and is little in one of them: its parts elsewhere may be told.
        for above in above {
            for (cell, places) in cells.iter_mut().zip(&above.places) {
                let Places::Several(parts) = places else { continue };
                cell.suppressed |= parts.iter().any(|(_, entries)| !self.is_large(union(&[], entries)));
            }
        }
        let dimensions = cells.first().map_or(0, |cell| cell.places.len());
        let whole = (0..dimensions).map(|along| (along, None));
        let lines: Vec<_> = above.iter().map(|above| (above.dimension, Some(above))).chain(whole).collect();
        let parts: &[Part] = if sums { &[Part::Whole, Part::Cost, Part::Delay] } else { &[Part::Whole] };
        for part in parts {
            // What one line hides may be alone in another line.
            let mut more = true;
            while more {
                more = false;
                for (along, above) in &lines {
                    more |= self.complement(cells, *along, *above, *part, union)?;
                }
            }
        }
        Ok(())
    }

    fn is_large(&self, union: Union) -> bool {
        union.complaints >= self.complaints && union.enterprises >= self.enterprises
    }

    fn could_be_shown(&self, union: Union, part: Part) -> bool {
        self.is_large(union)
            && match part {
                Part::Whole => union.cost_dominance <= MOST_OF_A_SUM && union.delay_dominance <= MOST_OF_A_SUM,
                Part::Cost => union.cost_dominance <= MOST_OF_A_SUM,
                Part::Delay => union.delay_dominance <= MOST_OF_A_SUM,
            }
    }

    /// Hides more along one dimension, within what lies above it or altogether; whether anything.
    fn complement(
        &self,
        cells: &mut [Cell],
        along: usize,
        above: Option<&Above>,
        part: Part,
        union: &Together<'_>,
    ) -> Result<bool, JobError> {
        let mut lines: HashMap<Vec<Option<i64>>, Line<'_>> = HashMap::new();
        for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.measures.complaints > 0) {
            let mut line = cell.places.clone();
            match above.map(|above| &above.places[at]) {
                Some(Places::Several(parts)) => {
                    for (place, entries) in parts {
                        line[along] = Some(*place);
                        lines.entry(line.clone()).or_default().rest.push((at, entries));
                    }
                }
                Some(Places::One(place)) => {
                    line[along] = Some(*place);
                    lines.entry(line).or_default().cells.push(at);
                }
                None => {
                    line[along] = None;
                    lines.entry(line).or_default().cells.push(at);
                }
            }
        }
        let mut more = false;
        for Line { cells: line, rest } in lines.values_mut() {
            go_on()?;
            line.sort_by_key(|at| (cells[*at].measures.complaints, *at));
            loop {
                let hidden: Vec<usize> = line.iter().filter(|at| part.is_hidden(&cells[**at])).copied().collect();
                // The parts of groups that lie elsewhere, too, are told by the line's total less what is shown; those of a group
                // that is shown may also be told by its other parts, and then hide nothing.
                let parts = |of: &dyn Fn(&Cell) -> bool| -> Vec<u32> {
                    rest.iter().filter(|(at, _)| of(&cells[*at])).flat_map(|(_, entries)| *entries).copied().collect()
                };
                let is_safe = if hidden.is_empty() {
                    let all = parts(&|_| true);
                    let told = || union(&[], &all);
                    all.is_empty()
                        || match part {
                            Part::Whole => self.is_large(told()),
                            _ => self.could_be_shown(told(), part),
                        }
                } else {
                    let beside = parts(&|cell| part.is_hidden(cell));
                    let fewest = if beside.is_empty() { 2 } else { 1 };
                    hidden.len() >= fewest && self.could_be_shown(union(&hidden, &beside), part)
                };
                if is_safe {
                    break;
                }
                let next = line.iter().find(|at| !part.is_hidden(&cells[**at])).copied();
                let Some(next) = next else { break };
                part.hide(&mut cells[next]);
                more = true;
            }
        }
        Ok(more)
    }
}

/// The cells of a line, and entries of others of which a part lies in it.
#[derive(Default)]
struct Line<'a> {
    cells: Vec<usize>,
    /// The group, and the entries.
    rest: Vec<(usize, &'a Vec<u32>)>,
}

/// What groups at some places, and other entries, come to together.
pub type Together<'a> = dyn Fn(&[usize], &[u32]) -> Union + 'a;

/// The share of a sum from which on one enterprise could be read off it.
const MOST_OF_A_SUM: f64 = 0.5;

/// What of a group is hidden.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    Cost,
    Delay,
}

impl Part {
    fn is_hidden(self, cell: &Cell) -> bool {
        cell.suppressed
            || match self {
                Self::Whole => false,
                Self::Cost => cell.cost_hidden,
                Self::Delay => cell.delay_hidden,
            }
    }

    fn hide(self, cell: &mut Cell) {
        match self {
            Self::Whole => cell.suppressed = true,
            Self::Cost => cell.cost_hidden = true,
            Self::Delay => cell.delay_hidden = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Measures;

    /// Groups of other enterprises each; the largest share of one of them in a sum is that of the whole.
    fn apply(cells: &mut [Cell]) {
        let measures: Vec<Measures> = cells.iter().map(|cell| cell.measures.clone()).collect();
        let union = |at: &[usize], _: &[u32]| {
            let of = |part: &dyn Fn(&Measures) -> u32| at.iter().map(|at| part(&measures[*at])).sum();
            let (complaints, enterprises) = (of(&|one| one.complaints), of(&|one| one.distinct_enterprises));
            Union { complaints, enterprises, ..Union::default() }
        };
        Suppression { complaints: 5, enterprises: 3 }.apply(cells, &[], true, &union).unwrap();
    }

    /// A table of (row, column, complaints, enterprises).
    fn hidden(rows: &[(i64, i64, u32, u32)]) -> Vec<(i64, i64)> {
        let mut cells: Vec<Cell> = rows
            .iter()
            .map(|(row, column, complaints, enterprises)| {
                let measures =
                    Measures { complaints: *complaints, distinct_enterprises: *enterprises, ..Measures::default() };
                Cell::new(vec![Some(*row), Some(*column)], measures)
            })
            .collect();
        apply(&mut cells);
        let place = |cell: &Cell| (cell.places[0].expect("a row"), cell.places[1].expect("a column"));
        cells.iter().filter(|cell| cell.suppressed).map(place).collect()
    }

    #[test]
    fn what_is_hidden_is_never_alone_in_its_line() {
        let rows = [
            (1, 1, 2, 2),
            (1, 2, 20, 9),
            (1, 3, 30, 9),
            (2, 1, 25, 9),
            (2, 2, 10, 9),
            (2, 3, 40, 9),
            (3, 1, 50, 9),
            (3, 2, 60, 9),
            (3, 3, 70, 9),
        ];
        // (1, 1) is small; (1, 2) hides its row's, (2, 1) its column's, and (2, 2) both of these.
        assert_eq!(hidden(&rows), [(1, 1), (1, 2), (2, 1), (2, 2)]);
    }

    #[test]
    fn what_is_hidden_together_must_not_be_one_enterprise_s() {
        let cell = |place, complaints| {
            let measures = Measures { complaints, distinct_enterprises: complaints.min(9), ..Measures::default() };
            Cell::new(vec![Some(place)], measures)
        };
        let mut cells = vec![cell(1, 4), cell(2, 3), cell(3, 50), cell(4, 60)];
        // The first two are the same two enterprises', the third has enough others.
        let union = |at: &[usize], _: &[u32]| Union {
            complaints: 7,
            enterprises: if at.len() > 2 { 9 } else { 2 },
            ..Union::default()
        };
        Suppression { complaints: 5, enterprises: 3 }.apply(&mut cells, &[], true, &union).unwrap();
        assert_eq!(cells.iter().map(|cell| cell.suppressed).collect::<Vec<_>>(), [true, true, true, false]);
    }

    #[test]
    fn what_is_hidden_is_not_alone_in_its_year() {
        let cell = |month, complaints| {
            let measures = Measures { complaints, distinct_enterprises: complaints.min(9), ..Measures::default() };
            Cell::new(vec![Some(month)], measures)
        };
        // Two small months that are enough together, of two years: each year's total would tell its own.
        let mut cells = vec![cell(1, 4), cell(2, 20), cell(3, 30), cell(13, 3), cell(14, 25), cell(15, 40)];
        let years = [2023, 2023, 2023, 2024, 2024, 2024].map(Places::One);
        let years = Above { dimension: 0, places: years.into() };
        let all = |at: &[usize], _: &[u32]| {
            let complaints = at.iter().map(|at| [4, 20, 30, 3, 25, 40][*at]).sum();
            Union { complaints, enterprises: complaints.min(9), ..Union::default() }
        };
        Suppression { complaints: 5, enterprises: 3 }.apply(&mut cells, &[years], false, &all).unwrap();
        assert_eq!(
            cells.iter().map(|cell| cell.suppressed).collect::<Vec<_>>(),
            [true, true, false, true, true, false]
        );
    }

    #[test]
    fn what_lies_in_several_leaves_no_small_rest_in_any() {
        let cell = |branch, complaints| {
            let measures = Measures { complaints, distinct_enterprises: complaints.min(9), ..Measures::default() };
            Cell::new(vec![branch], measures)
        };
        // Of those of no branch two are the first department's own: its total less its branches would tell so.
        let mut cells = vec![cell(None, 9), cell(Some(1), 20), cell(Some(2), 30), cell(Some(3), 40), cell(Some(4), 50)];
        let several = Places::Several(vec![(1, vec![0, 1]), (2, vec![2, 3, 4, 5, 6, 7, 8])]);
        let departments = Above {
            dimension: 0,
            places: vec![several, Places::One(1), Places::One(1), Places::One(2), Places::One(2)],
        };
        let all = |at: &[usize], rest: &[u32]| {
            let complaints = at.iter().map(|at| [9, 20, 30, 40, 50][*at]).sum::<u32>() + rest.len() as u32;
            Union { complaints, enterprises: complaints.min(9), ..Union::default() }
        };
        Suppression { complaints: 5, enterprises: 3 }.apply(&mut cells, &[departments], false, &all).unwrap();
        // The seven of the second are enough to be told, the two of the first are not: its branch hides with them.
        assert_eq!(cells.iter().map(|cell| cell.suppressed).collect::<Vec<_>>(), [true, true, false, false, false]);
    }

    #[test]
    fn a_sum_that_is_one_enterprise_s_hides_with_another_one() {
        let mut cells: Vec<Cell> = [(1, 20, 0.9), (2, 30, 0.1), (3, 40, 0.2)]
            .into_iter()
            .map(|(place, complaints, cost_dominance)| {
                let measures = Measures { complaints, distinct_enterprises: 9, cost_dominance, ..Measures::default() };
                Cell::new(vec![Some(place)], measures)
            })
            .collect();
        apply(&mut cells);
        assert_eq!(cells.iter().map(|cell| cell.cost_hidden).collect::<Vec<_>>(), [true, true, false]);
        assert!(cells.iter().all(|cell| !cell.suppressed && !cell.delay_hidden));
    }

    #[test]
    fn what_is_hidden_comes_to_enough() {
        let rows = [(1, 1, 1, 1), (1, 2, 2, 2), (1, 3, 9, 5), (1, 4, 12, 5)];
        assert_eq!(hidden(&rows), [(1, 1), (1, 2), (1, 3)], "1 + 2 is fewer than 5");
        assert_eq!(hidden(&[(1, 1, 4, 4)]), [(1, 1)]);
        assert_eq!(hidden(&[(1, 1, 100, 2), (1, 2, 7, 3)]), [(1, 1), (1, 2)], "two enterprises are too few");
        assert!(hidden(&[(1, 1, 5, 3), (1, 2, 7, 3)]).is_empty());
    }
}
