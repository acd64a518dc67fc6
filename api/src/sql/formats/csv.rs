//! An answer as CSV that no spreadsheet evaluates. Null is an empty cell; the values of a list are joined by `;`, as in
//! exports.

use crate::cells::{Form, write_csv_rows};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use schema::sheet::SheetWriter;
use std::io::{self, Write};

pub struct CsvWriter<W: Write> {
    sheet: Box<SheetWriter<W>>,
    /// The text of the cell that is being written.
    text: String,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header, even if no row follows.
    ///
    /// # Errors
    /// If `to` cannot be written.
    pub(super) fn new(to: W, schema: &SchemaRef) -> io::Result<Self> {
        let mut writer = SheetWriter::new(to);
        writer.row(schema.fields().iter().map(|field| field.name().as_str()))?;
        Ok(Self { sheet: Box::new(writer), text: String::new() })
    }

    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// If `to` cannot be written, or a cell has no text.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        write_csv_rows(&mut self.sheet, batch, Form::Answer, &mut self.text)
    }

    /// Writes what is buffered, and returns the writer below.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn finish(self) -> io::Result<W> {
        let mut to = self.sheet.into_inner()?;
        to.flush()?;
        Ok(to)
    }
}
