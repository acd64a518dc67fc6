//! The tables below the pictures: some rows of the numbers that a picture shows.

use crate::charts::ChartTable;
use serde::Serialize;

/// The most rows of a table: mail programs cut off a long HTML, and the workbook has all rows.
const MOST: usize = 12;

/// The table below a picture, in the words and numbers of its language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShortTable {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Whether the workbook has more rows.
    pub is_short: bool,
}

impl ShortTable {
    /// The first rows.
    pub(super) fn first(table: &ChartTable) -> Self {
        Self::with(table, table.rows.iter().take(MOST))
    }

    /// The last rows.
    pub(super) fn last(table: &ChartTable) -> Self {
        Self::with(table, table.rows.iter().skip(table.rows.len().saturating_sub(MOST)))
    }

    /// Rows at equal distances, the first and the last one among them.
    pub(super) fn spread(table: &ChartTable) -> Self {
        let all = &table.rows;
        if all.len() <= MOST {
            return Self::first(table);
        }
        Self::with(table, (0..MOST).map(|place| &all[place * (all.len() - 1) / (MOST - 1)]))
    }

    /// The rows that are unusual, or the first ones if none is.
    pub(super) fn unusual(table: &ChartTable, is_unusual: impl Fn(&[String]) -> bool) -> Self {
        let found: Vec<&Vec<String>> = table.rows.iter().filter(|row| is_unusual(row.as_slice())).take(MOST).collect();
        if found.is_empty() { Self::first(table) } else { Self::with(table, found.into_iter()) }
    }

    /// The same table without a column: a telephone has room for five.
    pub(super) fn without(mut self, column: usize) -> Self {
        for row in std::iter::once(&mut self.header).chain(&mut self.rows) {
            row.remove(column);
        }
        self
    }

    fn with<'t>(table: &ChartTable, rows: impl Iterator<Item = &'t Vec<String>>) -> Self {
        let rows: Vec<Vec<String>> = rows.cloned().collect();
        let header = table.header.iter().map(|name| capitalized(name));
        Self { header: header.collect(), is_short: rows.len() < table.rows.len(), rows }
    }
}

/// Some names of columns are words within the sentences of a chart.
fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::document::DigestDocument;
    use crate::digest::pictures::drawn;
    use crate::digest::sample::{about_a_unit, of_board};
    use schema::enums::Locale;

    fn table(rows: usize) -> ChartTable {
        let rows = (0..rows).map(|row| vec![row.to_string(), "x".to_owned()]);
        ChartTable { header: vec!["a".to_owned(), "b".to_owned()], rows: rows.collect() }
    }

    fn numbers(table: &ShortTable) -> Vec<usize> {
        table.rows.iter().map(|row| row[0].parse().unwrap()).collect()
    }

    #[test]
    fn a_long_table_has_twelve_rows_and_says_that_there_are_more() {
        let long = table(100);
        let all = [ShortTable::first(&long), ShortTable::last(&long), ShortTable::spread(&long)];
        assert!(all.iter().all(|short| short.is_short && short.rows.len() == MOST), "{all:?}");
        let ends = all.map(|short| (numbers(&short)[0], numbers(&short)[MOST - 1]));
        assert_eq!(ends, [(0, 11), (88, 99), (0, 99)]);
        for whole in [table(0), table(1), table(MOST)] {
            for short in [ShortTable::first(&whole), ShortTable::last(&whole), ShortTable::spread(&whole)] {
                assert_eq!((&short.rows, short.is_short), (&whole.rows, false));
            }
        }
        let found = ShortTable::unusual(&long, |row| row[0].ends_with('7')).without(1);
        assert_eq!(numbers(&found), [7, 17, 27, 37, 47, 57, 67, 77, 87, 97]);
        assert!(found.is_short && found.header == ["A"] && found.rows[0].len() == 1, "{found:?}");
        assert_eq!(ShortTable::unusual(&table(2), |_| false), ShortTable::first(&table(2)));
    }

    fn below(document: &DigestDocument, name: &str) -> ShortTable {
        let all = drawn(document, Locale::En).unwrap();
        all.into_iter().find(|(picture, _)| picture.name == name).unwrap().0.table
    }

    #[test]
    fn each_picture_has_its_numbers_below_it() {
        for document in [of_board(), about_a_unit()] {
            for (picture, _) in drawn(&document, Locale::Vi).unwrap() {
                let ShortTable { header, rows, .. } = picture.table;
                assert!(!rows.is_empty() && (2..=5).contains(&header.len()), "{}: {header:?}", picture.name);
                assert!(rows.iter().all(|row| row.len() == header.len()), "{}: {rows:?}", picture.name);
            }
        }
        let funnel = below(&of_board(), "funnel");
        assert!(funnel.is_short && funnel.rows.len() == 1, "the unusual branch alone: {funnel:?}");
        assert_eq!(funnel.rows[0][..4], ["Hanoi port", "40", "10", "4"]);
        assert_eq!(below(&of_board(), "map").rows[0][..4], ["Hanoi", "40", "10", "4"]);
        assert_eq!(below(&of_board(), "gravest").rows[0], ["365 days", "14.2", "9.8 – 19.9"]);
        assert_eq!(below(&of_board(), "cusum").rows[2], ["25 December 2025", "5", "1", "5.6", "yes"]);
        let waiting = below(&about_a_unit(), "waiting");
        assert_eq!(waiting.header, ["Days since received", "Share still waiting"]);
        assert_eq!(waiting.rows, [["1", "70%"], ["3", "40%"]]);
    }
}
