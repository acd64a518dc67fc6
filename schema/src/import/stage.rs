//! Groups the rows of one entity. Rows that need not be adjacent are sorted on disk first: memory stays bounded, and
//! the result does not depend on the order of rows.

use super::row::Row;
use super::{ImportError, reader::LONGEST_RECORD};
use crate::files::WorkFolder;
use csv::StringRecord;
use extsort::{ExternalSorter, Sortable};
use std::cmp::Ordering;
use std::io::{self, Read, Write};

/// The rows of one entity.
#[derive(Debug, Clone)]
pub struct Group {
    pub key: String,
    pub rows: Vec<Row>,
}

impl Group {
    /// The key as messages show it, its parts separated by ` / `.
    pub fn name(&self) -> String {
        self.key.split('\u{1f}').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" / ")
    }
}

/// A row with its key, for the sorter.
pub struct Staged {
    pub key: String,
    pub row: Row,
}

/// Rows that are sorted in memory before the sorter writes them to disk as one segment.
const SEGMENT_ROWS: usize = 50_000;

/// Sorts rows by key, then by contents, then by line.
///
/// # Errors
/// If the folder for temporary files cannot be written.
pub fn sorted(
    rows: impl Iterator<Item = Staged>,
) -> Result<impl Iterator<Item = Result<Staged, ImportError>>, ImportError> {
    let folder = WorkFolder::new().map_err(ImportError::Stage)?;
    let sorted = ExternalSorter::new()
        .with_segment_size(SEGMENT_ROWS)
        .with_sort_dir(folder.path().to_owned())
        .sort_by(rows, order)
        .map_err(|e| ImportError::Stage(io::Error::other(e)))?;
    Ok(sorted.map(move |staged| {
        // Keeps the folder until the iterator is dropped.
        let _staged_in = &folder;
        staged.map_err(|e| ImportError::Stage(io::Error::other(e)))
    }))
}

fn order(a: &Staged, b: &Staged) -> Ordering {
    a.key
        .cmp(&b.key)
        .then_with(|| a.row.record.as_slice().cmp(b.row.record.as_slice()))
        .then_with(|| a.row.line.cmp(&b.row.line))
}

/// Groups adjacent rows with equal keys.
pub struct Groups<I> {
    rows: I,
    next: Option<Staged>,
}

impl<I: Iterator<Item = Result<Staged, ImportError>>> Groups<I> {
    pub fn new(rows: I) -> Self {
        Self { rows, next: None }
    }
}

impl<I: Iterator<Item = Result<Staged, ImportError>>> Iterator for Groups<I> {
    type Item = Result<Group, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = match self.next.take() {
            Some(staged) => staged,
            None => match self.rows.next()? {
                Ok(staged) => staged,
                Err(e) => return Some(Err(e)),
            },
        };
        let mut group = Group { key: first.key, rows: vec![first.row] };
        for staged in self.rows.by_ref() {
            match staged {
                Ok(staged) if staged.key == group.key => group.rows.push(staged.row),
                Ok(staged) => {
                    self.next = Some(staged);
                    break;
                }
                Err(e) => return Some(Err(e)),
            }
        }
        Some(Ok(group))
    }
}

impl Sortable for Staged {
    fn encode<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&self.row.line.to_le_bytes())?;
        writer.write_all(&[u8::from(self.row.misquoted)])?;
        write_text(writer, &self.key)?;
        writer.write_all(&(self.row.record.len() as u64).to_le_bytes())?;
        for cell in &self.row.record {
            write_text(writer, cell)?;
        }
        Ok(())
    }

    fn decode<R: Read>(reader: &mut R) -> io::Result<Self> {
        let line = read_number(reader)?;
        let mut misquoted = [0];
        reader.read_exact(&mut misquoted)?;
        let key = read_text(reader)?;
        let cells = read_number(reader)?;
        let mut record = StringRecord::new();
        for _ in 0..cells {
            record.push_field(&read_text(reader)?);
        }
        Ok(Self { key, row: Row { line, record, misquoted: misquoted != [0] } })
    }
}

fn write_text<W: Write>(writer: &mut W, text: &str) -> io::Result<()> {
    writer.write_all(&(text.len() as u64).to_le_bytes())?;
    writer.write_all(text.as_bytes())
}

fn read_number<R: Read>(reader: &mut R) -> io::Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_text<R: Read>(reader: &mut R) -> io::Result<String> {
    let length = read_number(reader)?;
    if length > 2 * LONGEST_RECORD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a staged row is damaged"));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    reader.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
