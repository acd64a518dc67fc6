//! Cells of answers to SQL.

use super::number::{write_json_decimal, write_json_float};
use super::time::{Instant, Zone, write_day, write_instant};
use super::{Writer, boxed, places, write_joined};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use std::fmt::Display;

/// Returns the function that writes the cells of a column; None for a rare type.
pub fn writer(column: &dyn Array) -> Option<Box<Writer<'_>>> {
    Some(match column.data_type() {
        DataType::Boolean => {
            let flags = column.as_boolean();
            boxed(move |row, out| out.write_str(if flags.value(row) { "true" } else { "false" }))
        }
        DataType::Int8 => whole(column.as_primitive::<Int8Type>()),
        DataType::Int16 => whole(column.as_primitive::<Int16Type>()),
        DataType::Int32 => whole(column.as_primitive::<Int32Type>()),
        DataType::Int64 => whole(column.as_primitive::<Int64Type>()),
        DataType::UInt8 => whole(column.as_primitive::<UInt8Type>()),
        DataType::UInt16 => whole(column.as_primitive::<UInt16Type>()),
        DataType::UInt32 => whole(column.as_primitive::<UInt32Type>()),
        DataType::UInt64 => whole(column.as_primitive::<UInt64Type>()),
        DataType::Float64 => {
            let numbers = column.as_primitive::<Float64Type>();
            boxed(move |row, out| write_json_float(out, numbers.value(row)))
        }
        DataType::Decimal128(_, scale) => {
            let (numbers, scale) = (column.as_primitive::<Decimal128Type>(), *scale);
            boxed(move |row, out| write_json_decimal(out, numbers.value(row), scale))
        }
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            boxed(move |row, out| out.write_str(texts.value(row)))
        }
        DataType::LargeUtf8 => {
            let texts = column.as_string::<i64>();
            boxed(move |row, out| out.write_str(texts.value(row)))
        }
        DataType::Utf8View => {
            let texts = column.as_string_view();
            boxed(move |row, out| out.write_str(texts.value(row)))
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>();
            boxed(move |row, out| write_day(out, days.value(row)))
        }
        DataType::Timestamp(unit, zone) => {
            let zone = Zone::of(zone.as_deref());
            match unit {
                TimeUnit::Second => instants(column.as_primitive::<TimestampSecondType>(), *unit, zone),
                TimeUnit::Millisecond => instants(column.as_primitive::<TimestampMillisecondType>(), *unit, zone),
                TimeUnit::Microsecond => instants(column.as_primitive::<TimestampMicrosecondType>(), *unit, zone),
                TimeUnit::Nanosecond => instants(column.as_primitive::<TimestampNanosecondType>(), *unit, zone),
            }
        }
        DataType::List(item) if *item.data_type() == DataType::Utf8 => {
            let lists = column.as_list::<i32>();
            let (offsets, texts) = (lists.value_offsets(), lists.values().as_string::<i32>());
            boxed(move |row, out| {
                let of = |at: usize| if texts.is_null(at) { "" } else { texts.value(at) };
                write_joined(out, places(offsets, row).map(of))
            })
        }
        _ => return None,
    })
}

fn whole<T: ArrowPrimitiveType<Native: Display>>(numbers: &PrimitiveArray<T>) -> Box<Writer<'_>> {
    boxed(move |row, out| write!(out, "{}", numbers.value(row)))
}

fn instants<T: ArrowPrimitiveType<Native = i64>>(
    values: &PrimitiveArray<T>,
    unit: TimeUnit,
    zone: Zone,
) -> Box<Writer<'_>> {
    boxed(move |row, out| write_instant(out, Instant::of(values.value(row), unit), zone))
}
