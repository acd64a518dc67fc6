//! The tables that analysts ask: in SQL, in exports and in the lake. They hold pseudonyms in the place of people,
//! enterprises and complaints, and no free text of a complaint.
//!
//! A table is declared once ([`Table`]): its columns with types and comments, and who may read it. Its rows come in
//! pieces ([`Piece`]): an engine that holds a piece of the same version needs nothing of it again.

use crate::JobError;
use crate::snapshot::Snapshot;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use schema::pseudonyms::Pseudonyms;
use schema::{Db, Id};
use std::sync::Arc;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    /// 64-bit integer.
    Whole,
    Float,
    Flag,
    /// Days, as `Date32`.
    Day,
    /// An instant in UTC, in microseconds.
    Instant,
    /// Whole VND, as `Decimal128(18, 0)`.
    Money,
    /// A list of texts.
    Texts,
}

impl ColumnType {
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Whole => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Flag => DataType::Boolean,
            Self::Day => DataType::Date32,
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Money => DataType::Decimal128(18, 0),
            Self::Texts => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub of: ColumnType,
    pub nullable: bool,
    pub comment: &'static str,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub comment: &'static str,
    pub columns: &'static [Column],
    /// The column of days or instants by whose local month the lake partitions a long table.
    pub month_of: Option<&'static str>,
    /// Whether only a BOARD may read it.
    pub board_only: bool,
}

impl Table {
    /// The Arrow schema, with the comments as the metadata `comment` of fields and table.
    pub fn schema(&self) -> SchemaRef {
        let commented = |text: &str| [("comment".to_owned(), text.to_owned())].into();
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|one| Field::new(one.name, one.of.arrow(), one.nullable).with_metadata(commented(one.comment)))
            .collect();
        Arc::new(Schema::new_with_metadata(fields, commented(self.comment)))
    }
}

/// All tables, in the order of the documentation.
pub static TABLES: &[&Table] = &[];

/// The table of a name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|one| one.name == name)
}

/// For whom tables are made.
#[derive(Clone)]
pub struct TableReader {
    pub pseudonyms: Pseudonyms,
    /// Whether the tables that only a BOARD reads are there.
    pub board: bool,
    /// The officer that the reader is: complaints that name the reader are left out of all tables.
    pub officer: Option<Id>,
}

/// Consecutive rows of a table.
#[derive(Debug, Clone)]
pub struct Piece {
    pub table: &'static Table,
    /// Names the piece within its table. Pieces of a table in the order of keys hold its rows in order.
    pub key: u32,
    /// Another number whenever the rows differ; unique in this process.
    pub version: u64,
    pub rows: RecordBatch,
}

/// The pieces of tables for one reader, kept from one question to the next.
pub struct TableCache {
    reader: TableReader,
}

impl TableCache {
    pub fn new(reader: TableReader) -> Self {
        Self { reader }
    }

    pub fn reader(&self) -> &TableReader {
        &self.reader
    }

    /// All pieces of `tables` at the position of the snapshot. Builds only those that changed since the last call.
    ///
    /// # Errors
    /// When the database fails, or a table is not for this reader.
    pub fn pieces(
        &mut self,
        _db: &Db,
        _snapshot: &Arc<Snapshot>,
        _tables: &[&'static Table],
    ) -> Result<Vec<Piece>, JobError> {
        Ok(Vec::new())
    }
}

/// Makes the pieces of one table, one after the other, and keeps none: memory stays flat.
///
/// # Errors
/// When the database fails, the table is not for this reader, or `take` fails.
pub fn stream(
    _db: &Db,
    _snapshot: &Arc<Snapshot>,
    _reader: &TableReader,
    _table: &'static Table,
    _take: &mut dyn FnMut(Piece) -> Result<(), JobError>,
) -> Result<(), JobError> {
    Ok(())
}
