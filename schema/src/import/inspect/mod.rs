//! Inspects a file for which there is no mapping yet: guesses its encoding and delimiter, counts the values of its
//! columns, and drafts a mapping.

mod categories;
mod column;
mod dates;
mod draft;
mod found;
mod guess;
mod people;
mod places;
mod reference;
mod sample;
mod table;
mod terms;
#[cfg(test)]
mod tests;
mod vocabulary;
mod words;

use super::kinds::Kind;
use super::reader::Rows;
use super::{ImportError, Mapping};
use column::Column;
use flate2::read::MultiGzDecoder;
use sample::Sample;
use serde::Serialize;
use std::io::{BufRead, BufReader, Cursor, Read};

/// The result of an inspection.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    pub encoding: String,
    pub delimiter: String,
    /// Rows without the header.
    pub rows: u64,
    pub columns: Vec<Look>,
    /// The draft of a mapping for complaints, which `import` accepts. It is a guess: a person must check it.
    pub mapping: String,
}

/// Statistics of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    pub name: String,
    pub blank: u64,
    /// The number of distinct values; None for more than were counted.
    pub distinct: Option<u64>,
    /// Syntax in which its cells can be read: `date %d/%m/%Y`, `number`, `tax code`, `text`.
    pub reads_as: String,
    /// The most frequent values, with their counts.
    pub values: Vec<(String, u64)>,
}

/// Bytes from which encoding and delimiter are guessed.
const SAMPLE: u64 = 1 << 20;

/// Reads a whole file and drafts a mapping for it.
///
/// # Errors
/// If the file cannot be read as CSV with the guessed encoding and delimiter.
pub fn inspect(name: &str, input: Box<dyn Read>) -> Result<Inspection, ImportError> {
    let file = |message: String| ImportError::File { path: name.to_owned(), message };
    let mut raw = BufReader::new(input);
    let is_gzip = raw.fill_buf().map_err(|e| file(e.to_string()))?.starts_with(&[0x1f, 0x8b]);
    let mut plain: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
    let mut sample = Vec::new();
    plain.by_ref().take(SAMPLE).read_to_end(&mut sample).map_err(|e| file(e.to_string()))?;
    let encoding = guess::encoding(&sample);
    let text = guess::decoded(encoding, &sample);
    let (delimiter, has_title) = (guess::delimiter(&text), guess::has_title(&text));
    drop(text);
    let head = draft::head(encoding, delimiter, &[]);
    // A mapping only for reading the rows, with the required fields as constants.
    let fields = "[fields]\nreference = { constant = \"x\" }\nreceived = { constant = \"2000-01-01\" }\n";
    let mapping = Mapping::parse(&format!("{head}{fields}"), name, Kind::Complaints)?;
    let mut rows = Rows::open(name, Box::new(Cursor::new(sample).chain(plain)), &mapping)?;
    let mut columns: Vec<Column> =
        rows.header.iter().map(|name| Column::new(name)).collect::<Result<_, _>>().map_err(file)?;
    let mut sample = Sample::new(columns.len());
    let mut number = 0;
    while let Some(row) = rows.next()? {
        number += 1;
        let seen = columns.iter_mut().zip(&row.record).map(|(column, cell)| column.see(cell.trim()));
        if sample.is_full() {
            seen.for_each(drop);
        } else {
            sample.take(seen);
        }
    }
    let mapping = draft::mapping(encoding, delimiter, number, &columns, &sample, has_title);
    Ok(Inspection {
        encoding: encoding.map_or_else(|| "utf-8".to_owned(), |encoding| encoding.name().to_ascii_lowercase()),
        delimiter: draft::delimiter_word(delimiter).to_owned(),
        rows: number,
        columns: columns.iter().map(Column::look).collect(),
        mapping,
    })
}
