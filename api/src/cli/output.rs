//! Output of commands: data goes to standard output as text, JSON or CSV, everything else to standard error.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use schema::domain::inert::{visible, visible_json, visible_lines};
use schema::sheet::SheetWriter;
use serde_json::{Map, Value};
use std::io::{self, ErrorKind, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[value(alias = "table")]
    Text,
    Json,
    Csv,
    // An Arrow stream and a Parquet file, for `sql` alone.
    Arrow,
    Parquet,
}

impl Format {
    /// Whether the format is for tables whose columns have types, which only `sql` prints.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

/// Why a command does not print CSV.
pub const NO_LIST: &str = "this command prints one document and no list: --format csv is for lists, take --format json";

pub struct Output {
    format: Format,
}

impl Output {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// Prints one document: as JSON, or as the text that `text` returns. A list of objects can also be printed as
    /// CSV.
    ///
    /// # Errors
    /// If the format needs a table, the value cannot be serialised, or standard output fails.
    pub fn print<T: serde::Serialize>(&self, data: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let document = match self.format {
            Format::Json => json(data)?,
            Format::Text => visible_lines(&text(data)).into_owned(),
            Format::Csv => sheet(&serde_json::to_value(data)?)?,
            Format::Arrow | Format::Parquet => return Err(no_table()),
        };
        write_out(document)
    }

    /// Prints a document that consists mainly of rows: the whole document as JSON, or only the rows as CSV or text.
    ///
    /// # Errors
    /// The errors of [`Self::print`].
    pub fn print_document<D: serde::Serialize, T: serde::Serialize>(
        &self,
        document: &D,
        rows: &[T],
        text: impl FnOnce(&[T]) -> String,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Json => self.print(document, |_| String::new()),
            _ => self.print_rows(rows, text),
        }
    }

    /// Prints rows: as one JSON document, as CSV with a header, or as the text that `text` returns.
    ///
    /// # Errors
    /// The errors of [`Self::print`].
    pub fn print_rows<T: serde::Serialize>(&self, rows: &[T], text: impl FnOnce(&[T]) -> String) -> anyhow::Result<()> {
        let document = match self.format {
            Format::Json => json(rows)?,
            Format::Text => visible_lines(&text(rows)).into_owned(),
            Format::Csv => {
                let mut writer = SheetWriter::new(Vec::new());
                writer.rows(rows, true)?;
                String::from_utf8(writer.into_inner()?)?.trim_end().to_owned()
            }
            Format::Arrow | Format::Parquet => return Err(no_table()),
        };
        write_out(document)
    }
}

fn no_table() -> anyhow::Error {
    anyhow::anyhow!("this command prints no table with types: take --format text, json or csv")
}

/// A list of objects as CSV, with a column for each field of any object.
fn sheet(list: &Value) -> anyhow::Result<String> {
    let objects: Option<Vec<&Map<String, Value>>> =
        list.as_array().and_then(|all| all.iter().map(Value::as_object).collect());
    let Some(objects) = objects else {
        anyhow::bail!(NO_LIST);
    };
    let mut columns: Vec<&String> = Vec::new();
    for field in objects.iter().flat_map(|object| object.keys()) {
        if !columns.contains(&field) {
            columns.push(field);
        }
    }
    let mut writer = SheetWriter::new(Vec::new());
    if !columns.is_empty() {
        writer.row(columns.iter().map(|column| column.as_str()))?;
    }
    for object in objects {
        let cells: Vec<String> =
            columns.iter().map(|column| object.get(*column).map(cell).unwrap_or_default()).collect();
        writer.row(cells.iter().map(String::as_str))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?.trim_end().to_owned())
}

/// A value as text: strings without quotes, null as an empty string.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Writes a document to standard output.
///
/// # Errors
/// If standard output cannot be written to; a closed pipe is no error.
pub fn write_out(mut document: String) -> anyhow::Result<()> {
    if document.is_empty() {
        return Ok(());
    }
    document.push('\n');
    match io::stdout().lock().write_all(document.as_bytes()) {
        // A reader that closes the pipe, as in `phananh … | head`, has what it wants: the command succeeds.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// The document as JSON, without control characters that a terminal would interpret.
fn json<T: serde::Serialize + ?Sized>(data: &T) -> anyhow::Result<String> {
    Ok(visible_json(&serde_json::to_string_pretty(data)?).into_owned())
}

/// A text table. Line breaks and control characters in cells are made visible: cells may hold untrusted text.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().map(|cell| visible(cell)));
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Prints a message to standard error, on one line. Ignores a closed standard error.
pub fn print_note(message: impl std::fmt::Display) {
    let _closed = writeln!(io::stderr(), "{}", visible(&message.to_string()));
}

/// Prints several lines to standard error.
pub fn print_note_lines(message: &str) {
    message.lines().for_each(print_note);
}

/// Prints why a command failed, with causes that the message does not already contain.
pub fn print_error(error: &anyhow::Error) {
    let mut message = error.to_string();
    for cause in error.chain().skip(1) {
        // The message has line breaks of the cause as spaces.
        let cause = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    print_note(format_args!("error: {message}"));
}

/// Whether an error says that the reader of a pipe has closed it.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_one = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    error.chain().any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_found_below_other_errors() {
        let closed = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::from(closed()).context("written")));
        let arrow = arrow_schema::ArrowError::from(closed());
        assert!(is_closed_pipe(&arrow.into()));
        assert!(!is_closed_pipe(&anyhow::anyhow!("something else")));
    }
}
