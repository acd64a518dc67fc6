//! The columns found for a field of complaints, and how a draft writes them as TOML.

use super::table::Table;
use super::words::Said;
use crate::import::looks::{is_hidden, shown};
use std::fmt::Write;

/// Phrases that other registers write where no person is known.
const NOBODY: [&str; 36] = [
    "unknown",
    "unidentified",
    "unidentifiable",
    "unspecified",
    "unnamed",
    "undetermined",
    "unassigned",
    "anonymous",
    "nobody",
    "vacant",
    "pending",
    "tbd",
    "tba",
    "tbc",
    "to be determined",
    "not known",
    "not named",
    "not given",
    "not stated",
    "not recorded",
    "not identified",
    "not specified",
    "not available",
    "not applicable",
    "no officer",
    "no name",
    "không rõ",
    "không nêu",
    "không xác định",
    "không biết",
    "chưa rõ",
    "chưa biết",
    "chưa xác định",
    "chưa có",
    "đang xác minh",
    "đang điều tra",
];
/// Phrases of this meaning only where they fill the cell: as parts of names they mean something else.
const NOBODY_ALONE: [&str; 7] = ["n a", "none", "no", "nil", "không", "không có", "trống"];

/// The most other words in a cell with a phrase of [`NOBODY`].
const MORE_WORDS: usize = 4;

/// A field and the columns that fill it.
#[derive(Debug, Clone)]
pub struct Found {
    pub field: &'static str,
    /// Several columns are joined.
    pub columns: Vec<usize>,
    separator: &'static str,
    /// Further keys of the rule, as TOML.
    pub keys: String,
    /// A comment on what a person should check.
    pub check: String,
}

impl Found {
    pub fn column(field: &'static str, column: usize) -> Self {
        Self { field, columns: vec![column], separator: "", keys: String::new(), check: String::new() }
    }

    pub fn join(field: &'static str, columns: Vec<usize>, separator: &'static str) -> Self {
        Self { field, columns, separator, keys: String::new(), check: String::new() }
    }

    #[must_use]
    pub fn keys(self, keys: impl Into<String>) -> Self {
        Self { keys: keys.into(), ..self }
    }

    #[must_use]
    pub fn check(self, check: impl Into<String>) -> Self {
        Self { check: check.into(), ..self }
    }

    /// Puts a comment before the existing one.
    #[must_use]
    pub fn check_first(self, check: &str) -> Self {
        let check = if self.check.is_empty() { check.to_owned() } else { format!("{check}. {}", self.check) };
        Self { check, ..self }
    }

    /// Adds a pattern that makes cells without a name blank: otherwise "Unknown" would be an officer with many
    /// complaints.
    #[must_use]
    pub fn naming_somebody(self, table: &Table<'_>) -> Self {
        let [at] = self.columns.as_slice() else { return self };
        let column = &table.columns[*at];
        let is_zero = |value: &str| value.bytes().all(|byte| byte == b'0');
        let has_numbers =
            column.all(|value| is_zero(value) || (value.len() > 1 && value.bytes().all(|b| b.is_ascii_digit())));
        let values = column.counted().unwrap_or_default();
        let is_nobody = |value: &str| (has_numbers && is_zero(value)) || names_nobody(value);
        let (nobody, somebody): (Vec<_>, Vec<_>) = values.iter().partition(|(value, _)| is_nobody(value));
        let mut checks = Vec::new();
        if !nobody.is_empty() {
            let shown: Vec<String> = nobody.iter().map(|(value, _)| short(value)).collect();
            checks.push(format!("CHECK: {} names no person.", shown.join(", ")));
        }
        // One agency may be much larger than all others; one officer may not.
        if self.field == "officer"
            && let [(most, count), (_, next), ..] = somebody.as_slice()
            && *count >= MANY
            && *count >= next * 5
        {
            let most = short(most);
            checks.push(format!(
                "CHECK: {most} ({count}) is there far more often than any other: does it name an officer?"
            ));
        }
        checks.extend((!self.check.is_empty()).then_some(self.check));
        let check = checks.join(" ");
        if nobody.is_empty() {
            return Self { check, ..self };
        }
        let escaped: Vec<String> = nobody.iter().map(|(value, _)| regex::escape(value)).collect();
        let pattern = format!("^(?:{}|(.*))$", escaped.join("|"));
        Self { keys: format!("pattern = {}", literal(&pattern)), check, ..self }
    }

    /// The same columns for another field.
    #[must_use]
    pub fn also(&self, field: &'static str) -> Self {
        Self { field, ..self.clone() }
    }

    /// The line in the mapping.
    pub fn line(&self, table: &Table<'_>) -> String {
        let names: Vec<String> = self.columns.iter().map(|at| quoted(&table.columns[*at].name)).collect();
        let keys = if self.keys.is_empty() { String::new() } else { format!(", {}", self.keys) };
        let rule = match names.as_slice() {
            [name] if keys.is_empty() => name.clone(),
            [name] => format!("{{ column = {name}{keys} }}"),
            names => format!("{{ join = [{}], separator = {}{keys} }}", names.join(", "), quoted(self.separator)),
        };
        let check = if self.check.is_empty() { String::new() } else { format!("  # {}", self.check) };
        format!("{} = {rule}{check}", self.field)
    }
}

/// A value of a column, and the word of this register that it means.
#[derive(Debug, Clone)]
pub struct Value {
    pub value: String,
    /// Number of rows with the value.
    pub count: u64,
    /// None where the meaning is not known.
    pub word: Option<&'static str>,
    pub is_sure: bool,
}

/// Rows with one value from which a suspiciously frequent value is reported.
const MANY: u64 = 10;

/// Whether a cell says that no person is known, or has neither letters nor digits: "?".
fn names_nobody(value: &str) -> bool {
    let said = Said::of(value);
    let has = |phrase: &str| !said.places_of(phrase).is_empty();
    let words_of = |phrase: &str| phrase.split(' ').count();
    said.len() == 0
        || NOBODY_ALONE.iter().any(|phrase| said.len() == words_of(phrase) && has(phrase))
        || NOBODY.iter().any(|phrase| said.len() <= words_of(phrase) + MORE_WORDS && has(phrase))
}

/// A field whose values are translated from a column, word by word.
#[derive(Debug, Clone)]
pub struct Translated {
    pub field: &'static str,
    pub column: usize,
    pub about: &'static str,
    /// The word for blank cells and for values that are not listed.
    pub default: &'static str,
    pub values: Vec<Value>,
}

impl Translated {
    /// The section in the mapping.
    pub fn section(&self, table: &Table<'_>) -> String {
        let Self { field, about, default, .. } = self;
        let column = quoted(&table.columns[self.column].name);
        let mut text = format!(
            "\n[fields.{field}]  # CHECK: {about}\ncolumn = {column}\ndefault = \"{default}\"\notherwise = \"{default}\"\n\
             [fields.{field}.values]\n"
        );
        for Value { value, count, word, is_sure } in &self.values {
            let check = if *is_sure { "" } else { ", CHECK" };
            let _infallible = writeln!(text, "{} = \"{}\"  # {count}{check}", quoted(value), word.unwrap_or(default));
        }
        text
    }
}

/// A value for a comment: one line, at most 40 characters.
pub fn short(value: &str) -> String {
    let value = shown(value);
    let mut cut: String = value.chars().take(40).collect();
    if cut.len() < value.len() {
        cut.push('…');
    }
    cut
}

/// The most frequent values of a column, for a comment.
pub fn examples(table: &Table<'_>, column: usize, number: usize) -> String {
    let values = table.columns[column].look().values;
    values.iter().take(number).map(|(value, n)| format!("{} ({n})", short(value))).collect::<Vec<_>>().join(", ")
}

/// A pattern as TOML: a literal string where it needs no escapes.
fn literal(pattern: &str) -> String {
    let needs_escapes = |c: char| c == '\'' || c.is_control() || is_hidden(c);
    if pattern.contains(needs_escapes) { quoted(pattern) } else { format!("'{pattern}'") }
}

/// A basic string of TOML, with control and invisible characters escaped.
pub fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            c if c.is_control() || is_hidden(c) => {
                let _infallible = write!(written, "\\U{:08X}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}
