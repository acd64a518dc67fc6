//! The tables that analysts ask: in SQL, in exports and in the lake. They hold pseudonyms in the place of people,
//! enterprises and complaints, and no free text of a complaint.
//!
//! A table is declared once ([`Table`]): its columns with types and comments, and who may read it. Its rows come in
//! pieces, column by column ([`ColumnPiece`]): an engine that holds a column of a piece in the same version needs nothing
//! of it again, and columns that no question reads are not made.

mod allegations;
mod cache;
mod calendar;
mod categories;
mod column_set;
mod columns;
mod complaints;
mod flag_numbers;
mod flags;
mod incidents;
mod job_results;
mod keys;
mod makers;
mod measures;
mod names;
mod parallel;
mod parts;
mod people;
mod piece_columns;
mod piece_rows;
mod postings;
mod recurrence_complaints;
mod recurrence_exposure;
mod related_rows;
mod responses;
mod sources;
mod units;
mod withheld;
mod workload;

pub use cache::{TableCache, stream};
pub use column_set::{ColumnSet, Wanted};
pub use parts::parts_of;

use crate::JobError;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use schema::Id;
use schema::pseudonyms::Pseudonyms;
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

impl Column {
    /// The Arrow field, without the comment.
    pub fn field(&self) -> Field {
        Field::new(self.name, self.of.arrow(), self.nullable)
    }
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
        let fields: Vec<Field> =
            self.columns.iter().map(|one| one.field().with_metadata(commented(one.comment))).collect();
        Arc::new(Schema::new_with_metadata(fields, commented(self.comment)))
    }
}

/// All tables, in the order of the documentation.
pub static TABLES: &[&Table] = &[
    &complaints::TABLE,
    &allegations::TABLE,
    &responses::TABLE,
    &units::TABLE,
    &categories::TABLE,
    &people::officers::TABLE,
    &postings::TABLE,
    &people::enterprises::TABLE,
    &workload::TABLE,
    &recurrence_complaints::TABLE,
    &recurrence_exposure::TABLE,
    &incidents::TABLE,
    &flags::flags_table::TABLE,
    &flag_numbers::TABLE,
    &flags::evidence::TABLE,
    &flags::reviews::TABLE,
    &measures::TABLE,
    &job_results::TABLE,
    &calendar::TABLE,
    &sources::TABLE,
];

/// The table of a name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|one| one.name == name)
}

/// The reader that tables are made for.
#[derive(Clone)]
pub struct TableReader {
    pub pseudonyms: Pseudonyms,
    /// Whether the tables that only a BOARD reads are there.
    pub board: bool,
    /// The officer that the reader is: complaints that name the reader are left out of all tables, and so is what was
    /// computed over them.
    pub officer: Option<Id>,
}

impl TableReader {
    /// Refuses a table that is not for this reader.
    ///
    /// # Errors
    /// `Question`, which names the role that may read it.
    pub fn may_read(&self, table: &Table) -> Result<(), JobError> {
        if table.board_only && !self.board {
            return Err(JobError::Question(format!("the table {} is for a BOARD alone", table.name)));
        }
        Ok(())
    }
}

/// Consecutive rows of a table.
#[derive(Debug, Clone)]
pub struct Piece {
    pub table: &'static Table,
    /// Names the piece within its table. Pieces of a table in the order of keys hold its rows in order. Keys have gaps:
    /// a piece keeps its own while others come and go.
    pub key: u32,
    pub rows: RecordBatch,
}

/// A column of a piece.
#[derive(Debug, Clone)]
pub struct ColumnPiece {
    pub table: &'static Table,
    /// The key of the piece.
    pub key: u32,
    /// The place of the column in the table.
    pub column: usize,
    /// Another number whenever the values differ; unique in this process.
    pub version: u64,
    pub values: ArrayRef,
}

#[cfg(test)]
mod tests;
