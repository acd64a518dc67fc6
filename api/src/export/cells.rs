//! The cells of record batches, for workbooks, whose cells have types. `crate::cells` writes them as text.

use anyhow::Context;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt32Type,
};
use arrow_array::{
    Array, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow_schema::{DataType, TimeUnit};
use std::borrow::Cow;

/// A column of a record batch.
pub enum Cells<'a> {
    Text(&'a StringArray),
    Whole(&'a Int64Array),
    Short(&'a Int32Array),
    Number(&'a UInt32Array),
    Float(&'a Float64Array),
    Flag(&'a BooleanArray),
    /// Days since 1970-01-01.
    Day(&'a Date32Array),
    /// Instants in microseconds since 1970-01-01, UTC.
    Instant(&'a TimestampMicrosecondArray),
    Decimal(&'a Decimal128Array),
    /// Lists, and the texts of all of them.
    Texts(&'a ListArray, &'a StringArray),
}

/// A cell.
pub enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Whole(i64),
    Float(f64),
    Flag(bool),
    Day(i32),
    Instant(i64),
    /// A decimal number as text.
    Decimal(String),
}

impl<'a> Cells<'a> {
    /// # Errors
    /// If no column of an export has the type.
    pub fn of(column: &'a dyn Array) -> anyhow::Result<Self> {
        let cells = match column.data_type() {
            DataType::Utf8 => column.as_string_opt::<i32>().map(Self::Text),
            DataType::Int64 => column.as_primitive_opt::<Int64Type>().map(Self::Whole),
            DataType::Int32 => column.as_primitive_opt::<Int32Type>().map(Self::Short),
            DataType::UInt32 => column.as_primitive_opt::<UInt32Type>().map(Self::Number),
            DataType::Float64 => column.as_primitive_opt::<Float64Type>().map(Self::Float),
            DataType::Boolean => column.as_boolean_opt().map(Self::Flag),
            DataType::Date32 => column.as_primitive_opt::<Date32Type>().map(Self::Day),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                column.as_primitive_opt::<TimestampMicrosecondType>().map(Self::Instant)
            }
            DataType::Decimal128(_, _) => column.as_primitive_opt::<Decimal128Type>().map(Self::Decimal),
            DataType::List(_) => column
                .as_list_opt::<i32>()
                .and_then(|lists| lists.values().as_string_opt::<i32>().map(|texts| Self::Texts(lists, texts))),
            _ => None,
        };
        cells.with_context(|| format!("an export cannot write a column of the type {}", column.data_type()))
    }

    /// The cell of a row.
    pub fn cell(&self, row: usize) -> Cell<'a> {
        let column: &dyn Array = match self {
            Self::Text(column) => *column,
            Self::Whole(column) => *column,
            Self::Short(column) => *column,
            Self::Number(column) => *column,
            Self::Float(column) => *column,
            Self::Flag(column) => *column,
            Self::Day(column) => *column,
            Self::Instant(column) => *column,
            Self::Decimal(column) => *column,
            Self::Texts(column, _) => *column,
        };
        if column.is_null(row) {
            return Cell::Empty;
        }
        match self {
            Self::Text(column) => Cell::Text(Cow::Borrowed(column.value(row))),
            Self::Whole(column) => Cell::Whole(column.value(row)),
            Self::Short(column) => Cell::Whole(column.value(row).into()),
            Self::Number(column) => Cell::Whole(column.value(row).into()),
            Self::Float(column) => Cell::Float(column.value(row)),
            Self::Flag(column) => Cell::Flag(column.value(row)),
            Self::Day(column) => Cell::Day(column.value(row)),
            Self::Instant(column) => Cell::Instant(column.value(row)),
            Self::Decimal(column) => Cell::Decimal(column.value_as_string(row)),
            Self::Texts(lists, texts) => Cell::Text(joined(lists, texts, row)),
        }
    }
}

/// The texts of a list, separated by `;`.
fn joined<'a>(lists: &'a ListArray, texts: &'a StringArray, row: usize) -> Cow<'a, str> {
    let place = |at: usize| usize::try_from(lists.value_offsets()[at]).unwrap_or_default();
    let (from, until) = (place(row), place(row + 1));
    if until <= from {
        return Cow::Borrowed("");
    }
    if until == from + 1 {
        return Cow::Borrowed(if texts.is_null(from) { "" } else { texts.value(from) });
    }
    let named = (from..until).filter(|at| !texts.is_null(*at)).map(|at| texts.value(at));
    Cow::Owned(named.collect::<Vec<&str>>().join(";"))
}
