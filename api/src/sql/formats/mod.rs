//! The forms of an answer: JSON, CSV, an Arrow stream, Parquet. A writer takes batches as they come, so that memory
//! stays flat however long the answer is.

mod csv;
mod json;

use self::csv::CsvWriter;
use self::json::JsonWriter;
use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use schema::Timestamp;
use std::io::Write;
use std::str::FromStr;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    Json,
    Csv,
    /// The Arrow IPC streaming format.
    Arrow,
    Parquet,
}

impl AnswerFormat {
    /// The format of a media type, which may be a range such as `*/*`.
    pub fn of_media(essence: &str) -> Option<Self> {
        match essence {
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            "text/csv" | "text/*" => Some(Self::Csv),
            "application/vnd.apache.arrow.stream" => Some(Self::Arrow),
            "application/vnd.apache.parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Whether a reader of the answer sees in it that rows were cut off.
    pub const fn says_truncated(self) -> bool {
        matches!(self, Self::Json)
    }
}

impl FromStr for AnswerFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "arrow" => Ok(Self::Arrow),
            "parquet" => Ok(Self::Parquet),
            _ => Err(format!("{name:?} is not a format of answers: take json, csv, arrow or parquet")),
        }
    }
}

/// The properties of the register that an answer reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerMetadata {
    /// The position of the register that the tables hold.
    pub position: i64,
    /// The version of the key of the pseudonyms; None for a temporary key.
    pub key_version: Option<u32>,
    /// When the tables were read.
    pub as_of: Timestamp,
}

impl AnswerMetadata {
    /// `as_of` in RFC 3339.
    pub fn as_of_text(&self) -> String {
        self.as_of.utc().to_rfc3339()
    }

    /// Metadata of a file, by the names that exports use, too.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("phananh.position", self.position.to_string()), ("phananh.as_of", self.as_of_text())];
        pairs.extend(self.key_version.map(|version| ("phananh.key_version", version.to_string())));
        pairs
    }
}

/// Writes an answer in one of the formats.
pub enum AnswerWriter<W: Write + Send> {
    Json(JsonWriter<W>),
    Csv(CsvWriter<W>),
    Arrow(Box<StreamWriter<W>>),
    Parquet(Box<ArrowWriter<W>>),
}

/// Rows of a Parquet row group, which is buffered in memory.
const ROW_GROUP: usize = 100_000;

impl<W: Write + Send> AnswerWriter<W> {
    /// Writes the header before the rows.
    ///
    /// # Errors
    /// If the target cannot be written to, or the format has no such type.
    pub fn new(format: AnswerFormat, to: W, schema: &SchemaRef, metadata: &AnswerMetadata) -> anyhow::Result<Self> {
        Ok(match format {
            AnswerFormat::Json => Self::Json(JsonWriter::new(to, schema, metadata)?),
            AnswerFormat::Csv => Self::Csv(CsvWriter::new(to, schema)?),
            AnswerFormat::Arrow => {
                let mut about = schema.metadata().clone();
                about.extend(metadata.pairs().into_iter().map(|(key, value)| (key.to_owned(), value)));
                let schema = schema.as_ref().clone().with_metadata(about);
                Self::Arrow(Box::new(StreamWriter::try_new(to, &schema)?))
            }
            AnswerFormat::Parquet => {
                let about = metadata.pairs().into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value));
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(ROW_GROUP))
                    .set_key_value_metadata(Some(about.collect()))
                    .build();
                Self::Parquet(Box::new(ArrowWriter::try_new(to, SchemaRef::clone(schema), Some(properties))?))
            }
        })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Self::Json(writer) => writer.write(batch)?,
            Self::Csv(writer) => writer.write(batch)?,
            Self::Arrow(writer) => writer.write(batch)?,
            Self::Parquet(writer) => writer.write(batch)?,
        }
        Ok(())
    }

    /// Writes the trailer after the rows, and returns the underlying writer. `truncated` says whether rows were cut
    /// off: JSON and the metadata of Parquet repeat it.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn finish(self, truncated: bool) -> anyhow::Result<W> {
        Ok(match self {
            Self::Json(writer) => writer.finish(truncated)?,
            Self::Csv(writer) => writer.finish()?,
            Self::Arrow(mut writer) => {
                writer.finish()?;
                writer.into_inner()?
            }
            Self::Parquet(mut writer) => {
                writer.append_key_value_metadata(KeyValue::new("phananh.truncated".to_owned(), truncated.to_string()));
                writer.into_inner()?
            }
        })
    }
}

#[cfg(test)]
mod tests;
