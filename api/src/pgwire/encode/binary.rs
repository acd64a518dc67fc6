//! Values in binary format.

use super::numeric::put_decimal;
use super::patch_length;
use crate::pgwire::types::of_arrow;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use bytes::{BufMut, BytesMut};

/// Days from 1970 to 2000, from which PostgreSQL counts.
pub const DAYS_TO_2000: i32 = 10_957;
/// The same in microseconds.
pub const MICROSECONDS_TO_2000: i64 = 946_684_800_000_000;

/// Writes a value with its length; -1 means null.
pub fn put_cell(cells: &mut BytesMut, column: &dyn Array, row: usize) {
    if column.is_null(row) {
        return cells.put_i32(-1);
    }
    let begins = cells.len();
    cells.put_i32(0);
    put(cells, column, row);
    patch_length(cells, begins);
}

/// Writes a value that is not null, of a type that [`canonical`](super::super::types::canonical) gives.
fn put(out: &mut BytesMut, column: &dyn Array, row: usize) {
    match column.data_type() {
        DataType::Boolean => out.put_u8(u8::from(column.as_boolean().value(row))),
        DataType::Int16 => out.put_i16(column.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => out.put_i32(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => out.put_i64(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => out.put_f32(column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => out.put_f64(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => put_decimal(out, &column.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Decimal256(..) => put_decimal(out, &column.as_primitive::<Decimal256Type>().value_as_string(row)),
        DataType::Utf8 => out.put_slice(column.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => out.put_slice(column.as_binary::<i32>().value(row)),
        DataType::Date32 => {
            out.put_i32(column.as_primitive::<Date32Type>().value(row).saturating_sub(DAYS_TO_2000));
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            out.put_i64(column.as_primitive::<Time64MicrosecondType>().value(row));
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let instant = column.as_primitive::<TimestampMicrosecondType>().value(row);
            out.put_i64(instant.saturating_sub(MICROSECONDS_TO_2000));
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = column.as_primitive::<IntervalMonthDayNanoType>().value(row);
            out.put_i64(value.nanoseconds / 1_000);
            out.put_i32(value.days);
            out.put_i32(value.months);
        }
        DataType::List(item) => put_array(out, column.as_list::<i32>().value(row).as_ref(), item.data_type()),
        // `canonical` gives no other type.
        _ => {}
    }
}

fn put_array(out: &mut BytesMut, items: &dyn Array, of: &DataType) {
    let dimensions = i32::from(!items.is_empty());
    out.put_i32(dimensions);
    out.put_i32(i32::from(items.null_count() > 0));
    out.put_u32(of_arrow(of).oid());
    if dimensions == 0 {
        return;
    }
    out.put_i32(i32::try_from(items.len()).unwrap_or(i32::MAX));
    // The first item has number 1.
    out.put_i32(1);
    for row in 0..items.len() {
        put_cell(out, items, row);
    }
}
