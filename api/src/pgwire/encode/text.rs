//! Values in text format, as PostgreSQL writes them with `DateStyle = ISO` and `IntervalStyle = postgres`.

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::{date32_to_datetime, time64us_to_time, timestamp_us_to_datetime};
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::IntervalMonthDayNano;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use bytes::{BufMut, BytesMut};
use chrono::NaiveDateTime;
use std::fmt::Write;

/// Writes a value that is not null, of a type that [`canonical`](super::super::types::canonical) gives.
pub fn put(out: &mut BytesMut, column: &dyn Array, row: usize) {
    out.put_slice(shown(column, row).as_bytes());
}

fn shown(column: &dyn Array, row: usize) -> String {
    match column.data_type() {
        DataType::Boolean => String::from(if column.as_boolean().value(row) { "t" } else { "f" }),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            float(f64::from(value), || value.to_string())
        }
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            float(value, || value.to_string())
        }
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(..) => column.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row);
            format!("\\x{}", data_encoding::HEXLOWER.encode(bytes))
        }
        DataType::Date32 => {
            let day = date32_to_datetime(column.as_primitive::<Date32Type>().value(row));
            day.map_or_else(String::new, |day| day.format("%Y-%m-%d").to_string())
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let time = time64us_to_time(column.as_primitive::<Time64MicrosecondType>().value(row));
            time.map_or_else(String::new, |time| without_zeros(&time.format("%H:%M:%S%.6f").to_string()).to_owned())
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let instant = timestamp_us_to_datetime(column.as_primitive::<TimestampMicrosecondType>().value(row));
            let zone = if zone.is_some() { "+00" } else { "" };
            let written = |at: NaiveDateTime| at.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
            instant.map(written).map_or_else(String::new, |at| format!("{}{zone}", without_zeros(&at)))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            interval(column.as_primitive::<IntervalMonthDayNanoType>().value(row))
        }
        DataType::List(_) => array(&column.as_list::<i32>().value(row)),
        // `canonical` gives no other type.
        _ => String::new(),
    }
}

/// A time without the last zeros of its fraction.
fn without_zeros(time: &str) -> &str {
    time.trim_end_matches('0').trim_end_matches('.')
}

fn float(value: f64, finite: impl FnOnce() -> String) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => finite(),
    }
}

/// After a negative part a positive one has its sign.
fn interval(value: IntervalMonthDayNano) -> String {
    let mut written = String::new();
    let mut after_negative = false;
    let counted =
        [(value.months / 12, "year", "years"), (value.months % 12, "mon", "mons"), (value.days, "day", "days")];
    for (number, one, many) in counted.into_iter().filter(|(number, ..)| *number != 0) {
        let space = if written.is_empty() { "" } else { " " };
        let plus = if after_negative && number > 0 { "+" } else { "" };
        let unit = if number == 1 { one } else { many };
        // Writing to a String cannot fail.
        let _written = write!(written, "{space}{plus}{number} {unit}");
        after_negative = number < 0;
    }
    let microseconds = value.nanoseconds / 1_000;
    if microseconds == 0 && !written.is_empty() {
        return written;
    }
    let space = if written.is_empty() { "" } else { " " };
    let sign = match microseconds {
        ..0 => "-",
        _ if after_negative => "+",
        _ => "",
    };
    let all = microseconds.unsigned_abs();
    let (seconds, fraction) = (all / 1_000_000, all % 1_000_000);
    let time = format!("{:02}:{:02}:{:02}.{fraction:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let _written = write!(written, "{space}{sign}{}", without_zeros(&time));
    written
}

fn array(items: &ArrayRef) -> String {
    let item = |row: usize| match items.is_null(row) {
        true => "NULL".to_owned(),
        false => quoted(&shown(items.as_ref(), row)),
    };
    format!("{{{}}}", (0..items.len()).map(item).collect::<Vec<_>>().join(","))
}

/// Quotes an item where its text would be read as something else.
fn quoted(item: &str) -> String {
    let is_special = |c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_whitespace();
    if item.is_empty() || item.eq_ignore_ascii_case("null") || item.contains(is_special) {
        return format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\""));
    }
    item.to_owned()
}
