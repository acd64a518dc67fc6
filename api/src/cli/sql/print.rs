//! Prints an answer in the format of the command line.

use super::super::output::{Format, Output, is_closed_pipe, print_note, table, write_out};
use super::answer::Answer;
use crate::cells::text;
use crate::sql::cells::{distinct_names, json_rows, type_name};
use crate::sql::formats::{AnswerFormat, AnswerWriter};
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{self, BufWriter, IsTerminal, Write};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    columns: Vec<Column>,
    rows: Vec<Map<String, Value>>,
    truncated: bool,
    as_of: String,
    position: i64,
    /// None for pseudonyms of a temporary key.
    key_version: Option<u32>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    of: String,
}

/// Refuses to print bytes to a terminal.
///
/// # Errors
/// If the format is binary and standard output is a terminal.
pub fn check_target(format: Format) -> anyhow::Result<()> {
    let is_refused = format.is_binary() && io::stdout().is_terminal();
    anyhow::ensure!(!is_refused, "--format arrow and parquet are no text: redirect standard output to a file");
    Ok(())
}

/// Prints an answer to standard output.
///
/// # Errors
/// If the question fails while its rows are read, or standard output fails.
pub fn print(mut answer: Answer, out: &Output) -> anyhow::Result<()> {
    match out.format() {
        Format::Text => {
            let rows = rows(&mut answer)?;
            write_out(as_table(&answer, &rows))?;
        }
        Format::Json => {
            let rows = rows(&mut answer)?;
            out.print(&document(&answer, rows), |_| String::new())?;
        }
        Format::Csv => stream(&mut answer, AnswerFormat::Csv)?,
        Format::Arrow => stream(&mut answer, AnswerFormat::Arrow)?,
        Format::Parquet => stream(&mut answer, AnswerFormat::Parquet)?,
    }
    note_truncated(&answer);
    Ok(())
}

/// Says on standard error that rows were cut off.
pub fn note_truncated(answer: &Answer) {
    if answer.truncated() {
        print_note(format!("note: there are more than {} rows: --rows N shows more", answer.limit));
    }
}

/// All rows of an answer.
///
/// # Errors
/// If the question fails, or a column has a type that has no form in JSON.
pub fn rows(answer: &mut Answer) -> anyhow::Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    while let Some(batch) = answer.next_batch()? {
        rows.extend(json_rows(&batch)?);
    }
    Ok(rows)
}

/// Rows as a table.
pub fn as_table(answer: &Answer, rows: &[Vec<Value>]) -> String {
    let names: Vec<&str> = answer.schema().fields().iter().map(|field| field.name().as_str()).collect();
    table(&names, rows.iter().map(|row| row.iter().map(text).collect()))
}

fn document(answer: &Answer, rows: Vec<Vec<Value>>) -> Document {
    let names = distinct_names(answer.schema().fields().iter().map(|field| field.name().as_str()));
    let types = answer.schema().fields().iter().map(|field| type_name(field.data_type()));
    let columns = names.iter().zip(types).map(|(name, of)| Column { name: name.clone(), of });
    Document {
        columns: columns.collect(),
        rows: rows.into_iter().map(|row| names.iter().cloned().zip(row).collect()).collect(),
        truncated: answer.truncated(),
        as_of: answer.metadata.as_of_text(),
        position: answer.metadata.position,
        key_version: answer.metadata.key_version,
    }
}

/// Writes an answer while it comes.
fn stream(answer: &mut Answer, format: AnswerFormat) -> anyhow::Result<()> {
    match written(answer, format) {
        // A reader that closes the pipe, as in `phananh … | head`, has what it wants: the command succeeds.
        Err(error) if is_closed_pipe(&error) => Ok(()),
        outcome => outcome,
    }
}

fn written(answer: &mut Answer, format: AnswerFormat) -> anyhow::Result<()> {
    let to = BufWriter::new(io::stdout());
    let mut writer = AnswerWriter::new(format, to, answer.schema(), &answer.metadata)?;
    while let Some(batch) = answer.next_batch()? {
        writer.write(&batch)?;
    }
    Ok(writer.finish(answer.truncated())?.flush()?)
}
