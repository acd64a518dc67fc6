//! An answer as JSON: `{"columns": […], "asOf": …, "position": …, "keyVersion": …, "rows": [[…], …], "truncated": …}`.
//! A row is a list, because two columns may have one name. `truncated` is known only after the last row.

use super::AnswerMetadata;
use crate::sql::cells::{json_rows, type_name};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde_json::{Value, json};
use std::io::{self, Write};

pub struct JsonWriter<W: Write> {
    to: W,
    has_rows: bool,
}

impl<W: Write> JsonWriter<W> {
    /// Writes all that precedes the rows.
    ///
    /// # Errors
    /// If `to` cannot be written.
    pub(super) fn new(mut to: W, schema: &SchemaRef, metadata: &AnswerMetadata) -> io::Result<Self> {
        let columns = schema.fields().iter().map(|field| {
            let of = type_name(field.data_type());
            json!({ "name": field.name(), "type": of })
        });
        let columns: Vec<Value> = columns.collect();
        to.write_all(b"{\"columns\":")?;
        serde_json::to_writer(&mut to, &columns)?;
        to.write_all(b",\"asOf\":")?;
        serde_json::to_writer(&mut to, &metadata.as_of_text())?;
        to.write_all(b",\"position\":")?;
        serde_json::to_writer(&mut to, &metadata.position)?;
        to.write_all(b",\"keyVersion\":")?;
        serde_json::to_writer(&mut to, &metadata.key_version)?;
        to.write_all(b",\"rows\":[")?;
        Ok(Self { to, has_rows: false })
    }

    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// If `to` cannot be written, or a cell has no JSON value.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        for row in json_rows(batch)? {
            self.to.write_all(if self.has_rows { b",\n" } else { b"\n" })?;
            self.has_rows = true;
            serde_json::to_writer(&mut self.to, &row)?;
        }
        Ok(())
    }

    /// Writes what follows the rows, and returns the writer below.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn finish(mut self, truncated: bool) -> io::Result<W> {
        writeln!(self.to, "],\"truncated\":{truncated}}}")?;
        self.to.flush()?;
        Ok(self.to)
    }
}
