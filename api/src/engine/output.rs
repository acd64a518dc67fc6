//! The frames that the engine writes.

use api::sql::protocol::{BATCH, END, End, FAILED, Failed, PARAMETERS, SCHEMA, stream, write_frame, write_json};
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;

/// The answers of the engine. Each frame is written at once.
pub struct Output(BufWriter<File>);

impl Output {
    /// Writes to the standard output without its line buffer.
    ///
    /// # Errors
    /// When it is closed.
    pub fn new() -> io::Result<Self> {
        let own = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self(BufWriter::with_capacity(1 << 16, File::from(own))))
    }

    /// Writes the columns of the answer.
    ///
    /// # Errors
    /// If the columns cannot be encoded, or the pipe is closed.
    pub fn schema(&mut self, schema: &Schema) -> io::Result<()> {
        self.write(SCHEMA, &stream(schema, None).map_err(io::Error::other)?)
    }

    /// Writes the types of the parameters.
    ///
    /// # Errors
    /// If the types cannot be encoded, or the pipe is closed.
    pub fn parameters(&mut self, schema: &Schema) -> io::Result<()> {
        self.write(PARAMETERS, &stream(schema, None).map_err(io::Error::other)?)
    }

    /// Writes rows of the answer.
    ///
    /// # Errors
    /// If the rows cannot be encoded, or the pipe is closed.
    pub fn batch(&mut self, rows: &RecordBatch) -> io::Result<()> {
        self.write(BATCH, &stream(rows.schema_ref(), Some(rows)).map_err(io::Error::other)?)
    }

    /// Writes the end of the answer; `truncated` if it has more rows than the limit.
    ///
    /// # Errors
    /// If the pipe is closed.
    pub fn end(&mut self, truncated: bool) -> io::Result<()> {
        write_json(&mut self.0, END, &End { truncated })?;
        self.0.flush()
    }

    /// Writes the failure of the question.
    ///
    /// # Errors
    /// If the pipe is closed.
    pub fn failed(&mut self, failed: &Failed) -> io::Result<()> {
        write_json(&mut self.0, FAILED, failed)?;
        self.0.flush()
    }

    fn write(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        write_frame(&mut self.0, kind, &[content])?;
        self.0.flush()
    }
}
