//! The columns that a text names.

use jobs::tables::{ColumnSet, TABLES, Wanted};
use std::collections::HashSet;

/// The tables whose name occurs as a word in a text, and their columns whose names do, comments and texts included. An
/// engine reports what the question reads beyond that, such as a table named by an identifier with escapes, and all
/// columns of a `*`.
pub fn columns_named(text: &str, board: bool) -> Vec<Wanted> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words: HashSet<String> = text.split(|c| !is_part(c)).map(str::to_lowercase).collect();
    let named = TABLES.iter().copied().filter(|table| (board || !table.board_only) && words.contains(table.name));
    named.map(|table| Wanted::of(table, ColumnSet::named(table, |name| words.contains(name)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_columns_by_their_words() {
        let named = |text: &str| -> Vec<String> {
            let wanted = columns_named(text, false);
            let names = |one: &Wanted| {
                let names = one.columns.places().map(|index| one.table.columns[index].name).collect::<Vec<_>>();
                format!("{}: {}", one.table.name, names.join(" "))
            };
            wanted.iter().map(names).collect()
        };
        assert_eq!(named("SELECT Kind, COUNT(*) FROM complaints GROUP BY kind"), ["complaints: kind"]);
        assert_eq!(named("SELECT COUNT(*) FROM complaints"), ["complaints: received_on"]);
        assert_eq!(
            named("SELECT a.officer FROM allegations a JOIN complaints USING (complaint)"),
            ["complaints: complaint", "allegations: complaint officer"]
        );
        assert_eq!(named("SELECT reference FROM sources"), Vec::<String>::new(), "for a BOARD alone");
    }
}
