//! Writes record batches in the file formats of exports, on a thread of its own.

use super::about::About;
use super::csv::CsvWriter;
use super::format::Format;
use super::xlsx::XlsxWriter;
use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::io::{self, ErrorKind, Write};
use std::sync::mpsc::sync_channel;

/// Takes the rows of an export, batch by batch.
pub type Take<'a> = dyn FnMut(RecordBatch) -> anyhow::Result<()> + Send + 'a;

/// The format of a file, with its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form {
    pub format: Format,
    /// Whether a CSV file begins with a byte order mark.
    pub bom: bool,
}

/// Writes the rows of an export in one of the formats.
pub struct ExportWriter<W: Write + Send> {
    target: Target<W>,
    about: About,
    rows: u64,
}

enum Target<W: Write + Send> {
    Csv(Box<CsvWriter<W>>),
    Parquet(Box<ArrowWriter<W>>),
    Arrow(Box<FileWriter<W>>),
    Xlsx(Box<XlsxWriter<W>>),
}

/// Rows of a Parquet row group, which is buffered in memory.
const ROW_GROUP: usize = 100_000;
/// Batches that wait for the thread that writes.
const WAITING: usize = 2;

impl<W: Write + Send> ExportWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn new(form: Form, to: W, schema: &SchemaRef, about: About) -> anyhow::Result<Self> {
        let metadata = about.pairs().into_iter().map(|(name, value)| (format!("phananh.{name}"), value));
        let target = match form.format {
            Format::Csv => Target::Csv(Box::new(CsvWriter::new(to, schema, form.bom)?)),
            Format::Parquet => {
                let metadata = metadata.map(|(name, value)| KeyValue::new(name, value)).collect();
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(ROW_GROUP))
                    .set_key_value_metadata(Some(metadata))
                    .build();
                Target::Parquet(Box::new(ArrowWriter::try_new(to, SchemaRef::clone(schema), Some(properties))?))
            }
            Format::Arrow => {
                let mut writer = FileWriter::try_new(to, schema)?;
                metadata.for_each(|(name, value)| writer.write_metadata(name, value));
                Target::Arrow(Box::new(writer))
            }
            Format::Xlsx => Target::Xlsx(Box::new(XlsxWriter::new(to, schema)?)),
        };
        Ok(Self { target, about, rows: 0 })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn write(&mut self, rows: &RecordBatch) -> anyhow::Result<()> {
        self.rows += rows.num_rows() as u64;
        match &mut self.target {
            Target::Csv(writer) => writer.write(rows)?,
            Target::Parquet(writer) => writer.write(rows)?,
            Target::Arrow(writer) => writer.write(rows)?,
            Target::Xlsx(writer) => writer.write(rows)?,
        }
        Ok(())
    }

    /// Writes what `read` passes on, on a thread of its own: the next rows are read while the last ones are written.
    ///
    /// # Errors
    /// If `read` fails, or the target cannot be written to.
    pub fn write_all(self, read: impl FnOnce(&mut Take<'_>) -> anyhow::Result<()>) -> anyhow::Result<Self> {
        std::thread::scope(|scope| {
            let (sender, batches) = sync_channel::<RecordBatch>(WAITING);
            let mut writer = self;
            let writing = scope.spawn(move || -> anyhow::Result<Self> {
                for batch in batches {
                    writer.write(&batch)?;
                }
                Ok(writer)
            });
            let read = read(&mut |batch| {
                sender.send(batch).map_err(|_| anyhow::anyhow!("the file of the export cannot be written"))
            });
            drop(sender);
            let written = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // If the writer failed, the reader ended for that reason.
            let writer = written?;
            read?;
            Ok(writer)
        })
    }

    /// Writes buffered rows and the end of the file. Returns the target and the number of rows.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> anyhow::Result<(W, u64)> {
        let Self { target, about, rows } = self;
        let to = match target {
            Target::Csv(writer) => writer.finish()?,
            Target::Parquet(writer) => writer.into_inner().map_err(with_closed_pipe)?,
            Target::Arrow(writer) => writer.into_inner()?,
            Target::Xlsx(writer) => {
                let mut about = about.pairs();
                about.push(("rows", rows.to_string()));
                writer.finish(&about)?
            }
        };
        Ok((to, rows))
    }
}

/// The error of the last write of a Parquet file, of which the crate keeps the text alone: a reader that closed a pipe is
/// told from a full disk by its kind.
fn with_closed_pipe(error: ParquetError) -> anyhow::Error {
    let closed = io::Error::from(ErrorKind::BrokenPipe);
    match error {
        ParquetError::General(text) if text.contains("Broken pipe") => closed.into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Hashing, Subject};
    use arrow_array::{ArrayRef, Int64Array};
    use schema::Timestamp;
    use std::sync::Arc;

    fn about() -> About {
        About {
            subject: Subject::Workload,
            asked: serde_json::Value::Null,
            key_version: 1,
            position: 7,
            as_of: Timestamp::now(),
            day: chrono::NaiveDate::default(),
            references: false,
        }
    }

    fn rows() -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        RecordBatch::try_from_iter([("n", column)]).expect("a column")
    }

    #[test]
    fn every_format_takes_all_rows_and_the_hash_is_of_its_bytes() {
        for format in [Format::Csv, Format::Parquet, Format::Arrow, Format::Xlsx] {
            let form = Form { format, bom: false };
            let writer =
                ExportWriter::new(form, Hashing::new(Vec::<u8>::new()), &rows().schema(), about()).expect("a header");
            let writer = writer.write_all(|take| (0..3).try_for_each(|_| take(rows()))).expect("rows");
            let (to, number) = writer.finish().expect("a file");
            let (bytes, content) = to.finish();
            assert_eq!((number, content.bytes), (9, bytes.len() as u64), "{format:?}");
            assert_eq!(content.sha256.len(), 64);
            let starts: &[u8] = match format {
                Format::Csv => b"n\n1\n2\n3\n1\n",
                Format::Parquet => b"PAR1",
                Format::Arrow => b"ARROW1",
                Format::Xlsx => b"PK",
            };
            assert!(bytes.starts_with(starts), "{format:?}");
        }
    }

    #[test]
    fn a_reader_that_fails_leaves_no_file() {
        let form = Form { format: Format::Csv, bom: false };
        let writer = ExportWriter::new(form, Vec::<u8>::new(), &rows().schema(), about()).expect("a header");
        let failed = writer.write_all(|take| {
            take(rows())?;
            anyhow::bail!("the database is gone")
        });
        assert_eq!(failed.err().expect("an error").to_string(), "the database is gone");
    }
}
