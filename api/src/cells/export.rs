//! Cells of exports. Instants are in UTC, whatever zone a column has.

use super::number::{not_finite, write_decimal};
use super::time::{Instant, Zone, write_day, write_instant};
use super::{Writer, boxed, places, write_joined};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt32Type,
};
use arrow_schema::{ArrowError, DataType, TimeUnit};

/// Returns the function that writes the cells of a column.
///
/// # Errors
/// If the column has a type that exports do not have.
pub fn writer(column: &dyn Array) -> Result<Box<Writer<'_>>, ArrowError> {
    Ok(match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            boxed(move |row, out| out.write_str(texts.value(row)))
        }
        DataType::Int64 => {
            let numbers = column.as_primitive::<Int64Type>();
            boxed(move |row, out| write!(out, "{}", numbers.value(row)))
        }
        DataType::Int32 => {
            let numbers = column.as_primitive::<Int32Type>();
            boxed(move |row, out| write!(out, "{}", numbers.value(row)))
        }
        DataType::UInt32 => {
            let numbers = column.as_primitive::<UInt32Type>();
            boxed(move |row, out| write!(out, "{}", numbers.value(row)))
        }
        // The shortest text that reads as the same number, with a point in any case.
        DataType::Float64 => {
            let numbers = column.as_primitive::<Float64Type>();
            boxed(move |row, out| match numbers.value(row) {
                number if number.is_finite() => write!(out, "{number:?}"),
                number => out.write_str(not_finite(number)),
            })
        }
        DataType::Boolean => {
            let flags = column.as_boolean();
            boxed(move |row, out| out.write_str(if flags.value(row) { "true" } else { "false" }))
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>();
            boxed(move |row, out| write_day(out, days.value(row)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let instants = column.as_primitive::<TimestampMicrosecondType>();
            boxed(move |row, out| {
                write_instant(out, Instant::of(instants.value(row), TimeUnit::Microsecond), Zone::Utc)
            })
        }
        DataType::Decimal128(_, scale) => {
            let (numbers, scale) = (column.as_primitive::<Decimal128Type>(), *scale);
            boxed(move |row, out| write_decimal(out, numbers.value(row), scale))
        }
        DataType::List(item) if *item.data_type() == DataType::Utf8 => {
            let lists = column.as_list::<i32>();
            let (offsets, texts) = (lists.value_offsets(), lists.values().as_string::<i32>());
            boxed(move |row, out| {
                let named = places(offsets, row).filter(|at| !texts.is_null(*at));
                write_joined(out, named.map(|at| texts.value(at)))
            })
        }
        of => return Err(ArrowError::NotYetImplemented(format!("an export cannot write a column of the type {of}"))),
    })
}
