//! File formats of an export: CSV, Parquet and Arrow.

use super::row::{ExportRow, schema};
use arrow_ipc::writer::FileWriter;
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use schema::sheet::SheetWriter;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

/// The file format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Csv,
    Parquet,
    /// The Arrow IPC file format.
    Arrow,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "arrow" => Ok(Self::Arrow),
            _ => Err(format!("{name:?} is not a format of exports: take csv, parquet or arrow")),
        }
    }
}

impl Format {
    /// The format by the extension of a file name.
    pub fn of_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }

    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.file",
        }
    }
}

/// Metadata of an export.
#[derive(Debug, Clone, Copy)]
pub struct ExportMetadata {
    pub key_version: u32,
    /// Position of the register when the export was read.
    pub position: i64,
    /// Whether the file has the columns with reference numbers of other registers.
    pub references: bool,
    /// The day as of which complaints are overdue or not.
    pub day: NaiveDate,
}

/// Writes the rows of an export in one of the formats.
pub enum ExportWriter<W: Write + Send> {
    Csv(Box<SheetWriter<W>>),
    Parquet(Box<ArrowWriter<W>>),
    Arrow(Box<FileWriter<W>>),
}

/// Rows of a Parquet row group, which is buffered in memory.
const ROW_GROUP: usize = 100_000;

impl<W: Write + Send> ExportWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn new(format: Format, to: W, metadata: ExportMetadata) -> anyhow::Result<Self> {
        let ExportMetadata { key_version, position, references, day } = metadata;
        let about = [
            ("phananh.key_version", key_version.to_string()),
            ("phananh.position", position.to_string()),
            ("phananh.day", day.to_string()),
        ];
        let schema = schema(references);
        Ok(match format {
            Format::Csv => {
                let mut writer = SheetWriter::new(to);
                // Write the header even if no row follows.
                writer.row(schema.fields().iter().map(|field| field.name().as_str()))?;
                Self::Csv(Box::new(writer))
            }
            Format::Parquet => {
                let about = about.map(|(key, value)| KeyValue::new(key.to_owned(), value)).to_vec();
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(ROW_GROUP))
                    .set_key_value_metadata(Some(about))
                    .build();
                Self::Parquet(Box::new(ArrowWriter::try_new(to, schema, Some(properties))?))
            }
            Format::Arrow => {
                let mut writer = FileWriter::try_new(to, &schema)?;
                about.into_iter().for_each(|(key, value)| writer.write_metadata(key, value));
                Self::Arrow(Box::new(writer))
            }
        })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn write(&mut self, rows: &[ExportRow]) -> anyhow::Result<()> {
        match self {
            Self::Csv(writer) => writer.rows(rows, false)?,
            Self::Parquet(writer) => writer.write(&ExportRow::batch(rows)?)?,
            Self::Arrow(writer) => writer.write(&ExportRow::batch(rows)?)?,
        }
        Ok(())
    }

    /// Writes buffered rows and the footer, and returns the underlying writer.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> anyhow::Result<W> {
        Ok(match self {
            Self::Csv(writer) => writer.into_inner()?,
            Self::Parquet(writer) => writer.into_inner()?,
            Self::Arrow(mut writer) => {
                writer.finish()?;
                writer.into_inner()?
            }
        })
    }
}
