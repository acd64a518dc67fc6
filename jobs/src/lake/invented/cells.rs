//! Invented values as the columns of a table.

use crate::JobError;
use crate::facts::days::day_number;
use crate::tables::{ColumnType, Table};
use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use chrono::NaiveDate;
use std::sync::Arc;

const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;

/// The value of a cell. A column that is not invented is null, or zero where it has no nulls.
pub enum Value {
    None,
    Text(String),
    Whole(i64),
    Flag(bool),
    Day(NaiveDate),
}

/// The rows of some numbers as a batch.
///
/// # Errors
/// When a value is missing where the table has none missing.
pub fn batch(
    of: &Table,
    rows: &[(u64, u64)],
    cell: &dyn Fn(&str, (u64, u64)) -> Value,
) -> Result<RecordBatch, JobError> {
    let height = rows.len();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(of.columns.len());
    for column in of.columns {
        let values = rows.iter().map(|row| cell(column.name, *row));
        let or_zero = !column.nullable;
        columns.push(match column.of {
            ColumnType::Text => {
                let mut array = StringBuilder::with_capacity(height, height * 16);
                values.for_each(|value| match value {
                    Value::Text(text) => array.append_value(text),
                    _ if or_zero => array.append_value(""),
                    _ => array.append_null(),
                });
                Arc::new(array.finish())
            }
            ColumnType::Whole => {
                let mut array = Int64Builder::with_capacity(height);
                values.for_each(|value| array.append_option(whole(&value, or_zero)));
                Arc::new(array.finish())
            }
            ColumnType::Float => {
                let mut array = Float64Builder::with_capacity(height);
                values.for_each(|value| array.append_option(whole(&value, or_zero).map(|number| number as f64)));
                Arc::new(array.finish())
            }
            ColumnType::Money => {
                let mut array = Decimal128Builder::with_capacity(height).with_data_type(ColumnType::Money.arrow());
                values.for_each(|value| array.append_option(whole(&value, or_zero).map(i128::from)));
                Arc::new(array.finish())
            }
            ColumnType::Flag => {
                let mut array = BooleanBuilder::with_capacity(height);
                values.for_each(|value| match value {
                    Value::Flag(flag) => array.append_value(flag),
                    _ if or_zero => array.append_value(false),
                    _ => array.append_null(),
                });
                Arc::new(array.finish())
            }
            ColumnType::Day => {
                let mut array = Date32Builder::with_capacity(height);
                values.for_each(|value| match value {
                    Value::Day(day) => array.append_value(day_number(day)),
                    _ if or_zero => array.append_value(0),
                    _ => array.append_null(),
                });
                Arc::new(array.finish())
            }
            ColumnType::Instant => {
                let mut array =
                    TimestampMicrosecondBuilder::with_capacity(height).with_data_type(ColumnType::Instant.arrow());
                values.for_each(|value| match value {
                    // Noon in Vietnam.
                    Value::Day(day) => {
                        let at = i64::from(day_number(day)) * MICROSECONDS_OF_DAY + MICROSECONDS_OF_DAY / 24 * 5;
                        array.append_value(at);
                    }
                    _ if or_zero => array.append_value(0),
                    _ => array.append_null(),
                });
                Arc::new(array.finish())
            }
            ColumnType::Texts => new_null_array(&ColumnType::Texts.arrow(), height),
        });
    }
    Ok(RecordBatch::try_new(of.schema(), columns)?)
}

fn whole(value: &Value, or_zero: bool) -> Option<i64> {
    match value {
        Value::Whole(number) => Some(*number),
        _ => or_zero.then_some(0),
    }
}

impl Value {
    /// None for a day after the last one.
    pub fn until(self, last: NaiveDate) -> Self {
        match self {
            Self::Day(day) if day > last => Self::None,
            other => other,
        }
    }
}
