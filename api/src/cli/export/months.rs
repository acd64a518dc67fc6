//! The files of complaints by month.

use super::files::{Draft, Written, begin, keep};
use crate::export::{About, ExportWriter, Form};
use anyhow::Context;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_schema::SchemaRef;
use chrono::Datelike;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use std::path::{Path, PathBuf};

/// Writes rows in the order of receipt, each month into a file of its own.
pub struct Months<'a> {
    folder: &'a Path,
    form: Form,
    schema: SchemaRef,
    about: About,
    rows: u64,
    open: Option<Open>,
    files: Vec<Written>,
}

struct Open {
    month: (i32, u32),
    path: PathBuf,
    writer: ExportWriter<Draft>,
}

impl<'a> Months<'a> {
    pub fn new(folder: &'a Path, form: Form, schema: SchemaRef, about: About) -> Self {
        Self { folder, form, schema, about, rows: 0, open: None, files: Vec::new() }
    }

    /// # Errors
    /// If a file cannot be written.
    pub fn take(&mut self, rows: &RecordBatch) -> anyhow::Result<()> {
        let received = rows.column_by_name("received_at").context("the export has no column received_at")?;
        let received = received.as_primitive::<TimestampMicrosecondType>().values();
        let month = |micros: &i64| {
            let day = Timestamp::from_micros(*micros).map(local_date);
            day.map(|day| (day.year(), day.month())).unwrap_or_default()
        };
        let months: Vec<(i32, u32)> = received.iter().map(month).collect();
        let mut from = 0;
        for group in months.chunk_by(|a, b| a == b) {
            if self.open.as_ref().is_none_or(|open| open.month != group[0]) {
                self.close()?;
                self.open(group[0])?;
            }
            if let Some(open) = &mut self.open {
                open.writer.write(&rows.slice(from, group.len()))?;
            }
            from += group.len();
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// The rows that were written, and the files.
    ///
    /// # Errors
    /// If the last file cannot be written.
    pub fn end(mut self) -> anyhow::Result<(u64, Vec<Written>)> {
        self.close()?;
        Ok((self.rows, self.files))
    }

    fn open(&mut self, (year, month): (i32, u32)) -> anyhow::Result<()> {
        let folder = self.folder.join(format!("month={year:04}-{month:02}"));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let path = folder.join("complaints").with_extension(self.form.format.extension());
        let writer = ExportWriter::new(self.form, begin(&path)?, &self.schema, self.about.clone())?;
        self.open = Some(Open { month: (year, month), path, writer });
        Ok(())
    }

    fn close(&mut self) -> anyhow::Result<()> {
        let Some(Open { path, writer, .. }) = self.open.take() else { return Ok(()) };
        let (to, rows) = writer.finish()?;
        self.files.push(keep(&path, to, rows, &self.about, self.form)?);
        Ok(())
    }
}
