//! Completion of commands, tables, columns and words of SQL at the prompt, and when a statement ends.

use super::statement::{COMMANDS, is_complete};
use jobs::tables::Table;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

/// Words of SQL that are long enough to be completed.
const WORDS: [&str; 28] = [
    "AND",
    "BETWEEN",
    "CASE",
    "COUNT",
    "CURRENT_DATE",
    "DATE",
    "DESC",
    "DISTINCT",
    "EXPLAIN",
    "EXTRACT",
    "FROM",
    "GROUP BY",
    "HAVING",
    "INTERVAL",
    "JOIN",
    "LEFT JOIN",
    "LIMIT",
    "NULLS LAST",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "ROLLUP",
    "SELECT",
    "UNION",
    "USING",
    "WHERE",
    "WINDOW",
    "WITH",
];

pub struct SqlHelper {
    tables: Vec<&'static Table>,
}

impl SqlHelper {
    pub fn new(tables: Vec<&'static Table>) -> Self {
        Self { tables }
    }

    /// Completions of the word at the cursor, and the place where it begins.
    fn candidates(&self, line: &str, at: usize) -> (usize, Vec<String>) {
        let before = line.get(..at).unwrap_or(line);
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let begins = before.trim_end_matches(is_of_word).len();
        let word = before[begins..].to_lowercase();
        let tables = self.tables.iter().map(|table| table.name);
        if let Some(command) = line.strip_prefix('\\') {
            if command.contains(char::is_whitespace) {
                return (begins, matching(tables, &word));
            }
            let commands = COMMANDS.iter().filter_map(|(command, _)| command.split(' ').next());
            return (0, matching(commands, before));
        }
        if let Some(table) = before[..begins].strip_suffix('.') {
            let name = &table[table.trim_end_matches(is_of_word).len()..];
            let of = self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
            // After an alias, the columns of all tables.
            let columns: Vec<&str> = match of {
                Some(table) => table.columns.iter().map(|column| column.name).collect(),
                None => self.columns().collect(),
            };
            return (begins, matching(columns, &word));
        }
        if word.is_empty() {
            return (begins, matching(tables, &word));
        }
        (begins, matching(tables.chain(self.columns()).chain(WORDS), &word))
    }

    fn columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.tables.iter().flat_map(|table| table.columns).map(|column| column.name)
    }
}

/// The names that begin with a word in lower case, each once.
fn matching<'n>(names: impl IntoIterator<Item = &'n str>, word: &str) -> Vec<String> {
    let begin = names.into_iter().filter(|name| name.to_lowercase().starts_with(word));
    let mut found: Vec<String> = begin.map(str::to_owned).collect();
    found.sort_unstable();
    found.dedup();
    found
}

impl Completer for SqlHelper {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(line, pos))
    }
}

impl Validator for SqlHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Hinter for SqlHelper {
    type Hint = String;
}

impl Highlighter for SqlHelper {}

impl Helper for SqlHelper {}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::tables::{Column, ColumnType};

    const fn text(name: &'static str) -> Column {
        Column { name, of: ColumnType::Text, nullable: false, comment: "" }
    }

    const fn table(name: &'static str, columns: &'static [Column]) -> Table {
        Table { name, comment: "", columns, month_of: None, board_only: false }
    }

    static OF_UNITS: [Column; 2] = [text("code"), text("name_vi")];
    static OF_CATEGORIES: [Column; 2] = [text("code"), text("kind")];
    static UNITS: Table = table("units", &OF_UNITS);
    static CATEGORIES: Table = table("categories", &OF_CATEGORIES);

    fn candidates(line: &str) -> (usize, Vec<String>) {
        SqlHelper::new(vec![&UNITS, &CATEGORIES]).candidates(line, line.len())
    }

    #[test]
    fn tables_columns_and_words_are_completed() {
        for (line, begins, found) in [
            ("SELECT co", 7, vec!["COUNT", "code"]),
            ("sel", 0, vec!["SELECT"]),
            ("SELECT * FROM ", 14, vec!["categories", "units"]),
            ("SELECT * FROM U", 14, vec!["UNION", "USING", "units"]),
            ("SELECT units.n", 13, vec!["name_vi"]),
            ("SELECT u.", 9, vec!["code", "kind", "name_vi"]),
            ("\\d un", 3, vec!["units"]),
            ("\\ti", 0, vec!["\\timing"]),
            ("SELECT 'ệ', x", 14, vec![]),
        ] {
            let begins = if line.contains('ệ') { line.len() - 1 } else { begins };
            assert_eq!(candidates(line), (begins, found.into_iter().map(str::to_owned).collect()), "{line}");
        }
    }
}
