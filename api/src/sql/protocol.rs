//! The protocol between `phananh` and an engine process: frames over the standard input and output of the engine.
//!
//! A frame is its kind (a byte), the length of its content (four bytes, the lowest first) and the content: JSON, or
//! Arrow in the form of a stream.

use super::Parameter;
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use jobs::tables::{TABLES, Table};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind, Read, Write};

/// Kinds of frames to the engine.
pub const SETUP: u8 = b'S';
pub const COLUMN: u8 = b'P';
pub const DROP: u8 = b'D';
pub const ASK: u8 = b'Q';
pub const CANCEL: u8 = b'C';
pub const LAKE: u8 = b'L';
/// Kinds of frames from the engine.
pub const SCHEMA: u8 = b's';
pub const BATCH: u8 = b'b';
pub const PARAMETERS: u8 = b'p';
pub const END: u8 = b'e';
pub const FAILED: u8 = b'f';

/// Another number whenever frames change: it tells a program from one of an earlier build.
const FORMAT: u32 = 2;

/// The first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// [`fingerprint`] of the program that asks.
    pub fingerprint: String,
    /// Whether the tables that only a BOARD reads are there.
    pub board: bool,
}

/// Names a piece of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceName {
    pub table: String,
    pub key: u32,
}

/// Names a column of a piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnName {
    pub table: String,
    pub key: u32,
    pub column: String,
}

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumns {
    pub table: String,
    pub columns: Vec<String>,
}

impl TableColumns {
    /// The columns of a table whose places satisfy a condition.
    pub fn of(table: &Table, is_meant: impl Fn(usize) -> bool) -> Self {
        let columns = table.columns.iter().enumerate().filter(|(index, _)| is_meant(*index));
        Self { table: table.name.to_owned(), columns: columns.map(|(_, column)| column.name.to_owned()).collect() }
    }
}

/// The files of a lake in one state, by the name of the table: absolute paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LakeTables(pub BTreeMap<String, Vec<String>>);

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// Ascends from one question to the next; a cancellation names it.
    pub number: u64,
    pub text: String,
    pub parameters: Vec<Parameter>,
    /// Rows of the answer; further ones are cut off.
    pub rows: u64,
    /// Memory beyond the tables.
    pub memory_mb: u32,
    /// Processor time of all threads together.
    pub cpu_seconds: u64,
    /// The columns whose values the engine holds as they are now.
    pub given: Vec<TableColumns>,
    /// The engine describes the answer only: its columns and the types of the parameters.
    pub describe: bool,
}

/// The end of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whether rows were cut off.
    pub truncated: bool,
}

/// Why a question failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failed {
    /// The text or a parameter is wrong, or the question needs too much.
    Sql(String),
    Cancelled,
    /// The question reads columns that the engine was not given. Of a table whose rows it only counts, it needs any.
    Needs(Vec<TableColumns>),
    /// The engine cannot work.
    Engine(String),
}

/// The fingerprint that both programs must share: the version, the frames, and a hash of the tables.
pub fn fingerprint() -> String {
    let tables = format!("{TABLES:?}");
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(tables.as_bytes()));
    format!("{} {FORMAT} {hash}", env!("CARGO_PKG_VERSION"))
}

/// Writes a frame.
///
/// # Errors
/// When it cannot be written, or has 4 GiB or more.
pub fn write_frame(to: &mut impl Write, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).map_err(|_| io::Error::new(ErrorKind::InvalidInput, "a frame of 4 GiB"))?;
    to.write_all(&[kind])?;
    to.write_all(&length.to_le_bytes())?;
    parts.iter().try_for_each(|part| to.write_all(part))
}

/// Writes a frame of JSON.
///
/// # Errors
/// When it cannot be written.
pub fn write_json(to: &mut impl Write, kind: u8, content: &impl Serialize) -> io::Result<()> {
    write_frame(to, kind, &[&serde_json::to_vec(content)?])
}

/// Writes the frame of a column of a piece, which is the only one in `rows`.
///
/// # Errors
/// When it cannot be encoded or written.
pub fn write_column(to: &mut impl Write, name: &ColumnName, rows: &RecordBatch) -> io::Result<()> {
    let name = serde_json::to_vec(name)?;
    let length = u32::try_from(name.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    let rows = stream(rows.schema_ref(), Some(rows)).map_err(io::Error::other)?;
    write_frame(to, COLUMN, &[&length.to_le_bytes(), &name, &rows])
}

/// Reads the content of the frame of a column.
///
/// # Errors
/// When it is malformed.
pub fn read_column(content: &[u8]) -> io::Result<(ColumnName, RecordBatch)> {
    let malformed = || io::Error::from(ErrorKind::InvalidData);
    let (length, rest) = content.split_first_chunk::<4>().ok_or_else(malformed)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| malformed())?;
    let (name, rows) = rest.split_at_checked(length).ok_or_else(malformed)?;
    Ok((read_json(name)?, read_batch(rows)?))
}

/// Reads a frame; None at the end of the input.
///
/// # Errors
/// When the input fails or ends within a frame.
pub fn read_frame(from: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut kind = [0];
    loop {
        match from.read(&mut kind) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(failure) if failure.kind() == ErrorKind::Interrupted => {}
            Err(failure) => return Err(failure),
        }
    }
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    // The buffer grows with what arrives, so that a wrong length takes no memory.
    let mut content = Vec::with_capacity((length as usize).min(1 << 20));
    from.take(u64::from(length)).read_to_end(&mut content)?;
    if content.len() as u64 != u64::from(length) {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let [kind] = kind;
    Ok(Some((kind, content)))
}

/// Reads JSON.
///
/// # Errors
/// When it is malformed.
pub fn read_json<T: DeserializeOwned>(content: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(content)?)
}

/// A schema, with or without rows, as an Arrow stream.
///
/// # Errors
/// When Arrow cannot write a type.
pub fn stream(schema: &Schema, rows: Option<&RecordBatch>) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    if let Some(rows) = rows {
        writer.write(rows)?;
    }
    writer.into_inner()
}

/// The schema of an Arrow stream.
///
/// # Errors
/// When it is malformed.
pub fn read_schema(content: &[u8]) -> io::Result<SchemaRef> {
    Ok(StreamReader::try_new(Cursor::new(content), None).map_err(io::Error::other)?.schema())
}

/// The rows of an Arrow stream of one batch.
///
/// # Errors
/// When it is malformed.
pub fn read_batch(content: &[u8]) -> io::Result<RecordBatch> {
    let mut reader = StreamReader::try_new(Cursor::new(content), None).map_err(io::Error::other)?;
    let schema = reader.schema();
    match reader.next() {
        Some(batch) => batch.map_err(io::Error::other),
        None => Ok(RecordBatch::new_empty(schema)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use std::sync::Arc;

    fn rows() -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "đ", ""]));
        RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap()
    }

    #[test]
    fn a_column_comes_back_as_it_was_sent() {
        let name = ColumnName { table: "complaints".into(), key: 7, column: "kind".into() };
        let mut bytes = Vec::new();
        write_column(&mut bytes, &name, &rows()).unwrap();
        write_json(&mut bytes, END, &End { truncated: true }).unwrap();
        let mut from = bytes.as_slice();
        let (kind, content) = read_frame(&mut from).unwrap().unwrap();
        assert_eq!((kind, read_column(&content).unwrap()), (COLUMN, (name, rows())));
        let (kind, content) = read_frame(&mut from).unwrap().unwrap();
        assert_eq!((kind, read_json::<End>(&content).unwrap()), (END, End { truncated: true }));
        assert!(read_frame(&mut from).unwrap().is_none());
    }

    #[test]
    fn a_frame_that_breaks_off_is_an_error() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, BATCH, &[b"12345"]).unwrap();
        for length in 1..bytes.len() {
            assert!(read_frame(&mut &bytes[..length]).is_err(), "{length}");
        }
        assert!(read_column(b"123").is_err());
        assert!(read_column(&[255, 255, 0, 0, 1]).is_err());
    }

    #[test]
    fn a_schema_travels_without_rows() {
        let content = stream(rows().schema_ref(), None).unwrap();
        assert_eq!(read_schema(&content).unwrap(), rows().schema());
        assert_eq!(read_batch(&content).unwrap().num_rows(), 0);
    }
}
