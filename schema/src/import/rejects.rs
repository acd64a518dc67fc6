//! Rows that fail: where, in which column, and why.

use super::ImportError;
use crate::files::Draft;
use crate::sheet::SheetWriter;
use std::collections::HashMap;

/// One row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line on which the record begins, the header being 1.
    pub row: u64,
    /// Empty where the row as a whole is at fault.
    pub column: String,
    pub reason: String,
}

/// Where rejected rows go: all of them to a CSV file, else the first twenty to a callback.
pub struct RejectSink<'a> {
    file: Option<(SheetWriter<Draft>, String)>,
    tell: Box<dyn FnMut(&Reject) + 'a>,
    told: usize,
    rows: u64,
    /// Rows by the column for which they were rejected; not those that share a complaint with one.
    by_column: HashMap<String, u64>,
}

const TOLD: usize = 20;

impl<'a> RejectSink<'a> {
    /// Rejects are told through `tell`, the first twenty of them.
    pub fn tell(tell: impl FnMut(&Reject) + 'a) -> Self {
        Self { file: None, tell: Box::new(tell), told: 0, rows: 0, by_column: HashMap::new() }
    }

    /// Rejects are written to a file: `row`, `column`, `reason`, then the columns of the input
    /// word for word, so that a repaired file can be made of it. What a spreadsheet would run has an apostrophe in front,
    /// which an import takes off again. An older file stands until the import has ended, or for ever where it does not begin.
    pub fn file(path: &std::path::Path) -> Result<Self, ImportError> {
        let name = path.display().to_string();
        let file = Draft::begin(path).map_err(|source| failed(&name, source))?;
        let writer = SheetWriter::new(file);
        Ok(Self { file: Some((writer, name)), tell: Box::new(|_| ()), told: 0, rows: 0, by_column: HashMap::new() })
    }

    /// How many rows were rejected so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn by_column(&self) -> &HashMap<String, u64> {
        &self.by_column
    }

    pub(super) fn header(&mut self, header: &[String]) -> Result<(), ImportError> {
        let Some((writer, name)) = &mut self.file else { return Ok(()) };
        let columns = ["row", "column", "reason"].into_iter().chain(header.iter().map(String::as_str));
        writer.row(columns).map_err(|e| failed(name, e))
    }

    pub(super) fn reject(&mut self, reject: &Reject, record: &csv::StringRecord) -> Result<(), ImportError> {
        self.rows += 1;
        if !reject.column.is_empty() {
            *self.by_column.entry(reject.column.clone()).or_default() += 1;
        }
        if let Some((writer, name)) = &mut self.file {
            let row = reject.row.to_string();
            let cells = [row.as_str(), &reject.column, &reject.reason].into_iter().chain(record.iter());
            return writer.row(cells).map_err(|e| failed(name, e));
        }
        if self.told < TOLD {
            self.told += 1;
            (self.tell)(reject);
        }
        Ok(())
    }

    /// Puts the file into its place.
    pub(super) fn finish(&mut self) -> Result<(), ImportError> {
        let Some((writer, name)) = self.file.take() else { return Ok(()) };
        let draft = writer.into_inner().map_err(|e| failed(&name, e))?;
        draft.keep().map_err(|e| failed(&name, e))
    }
}

fn failed(path: &str, source: std::io::Error) -> ImportError {
    ImportError::Rejects { path: path.to_owned(), source }
}
