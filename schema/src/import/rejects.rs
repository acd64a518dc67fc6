//! Rejected rows: the row, the column and the reason, and where they are written.

use super::ImportError;
use crate::files::AtomicFile;
use crate::sheet::SheetWriter;
use std::collections::HashMap;

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line on which the record begins; the header is line 1.
    pub row: u64,
    /// Empty where the row as a whole is at fault.
    pub column: String,
    pub reason: String,
}

/// Receives rejected rows: writes all of them to a CSV file, or passes the first 20 to a callback.
pub struct RejectSink<'a> {
    file: Option<(SheetWriter<AtomicFile>, String)>,
    report: Box<dyn FnMut(&Reject) + 'a>,
    reported: usize,
    rows: u64,
    /// Rejected rows by the column at fault; rows rejected because of another row of their entity do not count.
    by_column: HashMap<String, u64>,
}

const MOST_REPORTED: usize = 20;

impl<'a> RejectSink<'a> {
    /// Passes the first 20 rejects to `report`.
    pub fn callback(report: impl FnMut(&Reject) + 'a) -> Self {
        Self { file: None, report: Box::new(report), reported: 0, rows: 0, by_column: HashMap::new() }
    }

    /// Writes rejects to a CSV file: `row`, `column`, `reason`, then the columns of the input verbatim, so that the
    /// file can be corrected and imported. Cells that a spreadsheet would run get an apostrophe in front, which an
    /// import removes again. An existing file is replaced at the end of the import, and stays where the import fails
    /// before its first row.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn file(path: &std::path::Path) -> Result<Self, ImportError> {
        let name = path.display().to_string();
        let file = AtomicFile::begin(path).map_err(|source| failed(&name, source))?;
        let writer = SheetWriter::new(file);
        Ok(Self {
            file: Some((writer, name)),
            report: Box::new(|_| ()),
            reported: 0,
            rows: 0,
            by_column: HashMap::new(),
        })
    }

    /// Number of rows rejected so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn by_column(&self) -> &HashMap<String, u64> {
        &self.by_column
    }

    /// Writes the header of the file of rejects.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn header(&mut self, header: &[String]) -> Result<(), ImportError> {
        let Some((writer, name)) = &mut self.file else { return Ok(()) };
        let columns = ["row", "column", "reason"].into_iter().chain(header.iter().map(String::as_str));
        writer.row(columns).map_err(|e| failed(name, e))
    }

    /// Counts a rejected row, and writes or reports it.
    ///
    /// # Errors
    /// If the file cannot be written.
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
        if self.reported < MOST_REPORTED {
            self.reported += 1;
            (self.report)(reject);
        }
        Ok(())
    }

    /// Moves the file into place.
    ///
    /// # Errors
    /// If the file cannot be written or moved.
    pub(super) fn finish(&mut self) -> Result<(), ImportError> {
        let Some((writer, name)) = self.file.take() else { return Ok(()) };
        let draft = writer.into_inner().map_err(|e| failed(&name, e))?;
        draft.keep().map_err(|e| failed(&name, e))
    }
}

fn failed(path: &str, source: std::io::Error) -> ImportError {
    ImportError::Rejects { path: path.to_owned(), source }
}
