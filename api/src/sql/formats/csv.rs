//! An answer as CSV that no spreadsheet evaluates. Null is an empty cell; the values of a list are joined by `;`, as in
//! exports.

use crate::sql::cells::json_rows;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use schema::sheet::SheetWriter;
use serde_json::Value;
use std::io::{self, Write};

pub struct CsvWriter<W: Write>(Box<SheetWriter<W>>);

impl<W: Write> CsvWriter<W> {
    /// Writes the header, even if no row follows.
    pub(super) fn new(to: W, schema: &SchemaRef) -> io::Result<Self> {
        let mut writer = SheetWriter::new(to);
        writer.row(schema.fields().iter().map(|field| field.name().as_str()))?;
        Ok(Self(Box::new(writer)))
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        for row in json_rows(batch)? {
            let cells: Vec<String> = row.iter().map(text).collect();
            self.0.row(cells.iter().map(String::as_str))?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<W> {
        let mut to = self.0.into_inner()?;
        to.flush()?;
        Ok(to)
    }
}

/// A value as text: strings without quotes, null as an empty string, a list with `;` between its values.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}
