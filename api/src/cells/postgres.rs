//! Cells of the PostgreSQL protocol in text format.

use super::number::write_decimal;
use super::time::{write_day, write_postgres_instant};
use super::{Form, TextColumn, Writer, boxed, places};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::time64us_to_time;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_buffer::IntervalMonthDayNano;
use arrow_schema::{ArrowError, DataType, IntervalUnit, TimeUnit};
use std::cell::RefCell;
use std::fmt::{self, Display, LowerExp, Write};

/// Returns the function that writes the cells of a column.
///
/// # Errors
/// If the column has a type that the PostgreSQL protocol does not have here.
pub fn writer(column: &dyn Array) -> Result<Box<Writer<'_>>, ArrowError> {
    Ok(match column.data_type() {
        DataType::Boolean => {
            let flags = column.as_boolean();
            boxed(move |row, out| out.write_char(if flags.value(row) { 't' } else { 'f' }))
        }
        DataType::Int16 => {
            let numbers = column.as_primitive::<Int16Type>();
            boxed(move |row, out| write!(out, "{}", numbers.value(row)))
        }
        DataType::Int32 => {
            let numbers = column.as_primitive::<Int32Type>();
            boxed(move |row, out| write!(out, "{}", numbers.value(row)))
        }
        DataType::Int64 => {
            let numbers = column.as_primitive::<Int64Type>();
            boxed(move |row, out| write!(out, "{}", numbers.value(row)))
        }
        DataType::Float32 => {
            let numbers = column.as_primitive::<Float32Type>();
            boxed(move |row, out| write_float(out, numbers.value(row), f64::from(numbers.value(row)), f32::DIGITS))
        }
        DataType::Float64 => {
            let numbers = column.as_primitive::<Float64Type>();
            boxed(move |row, out| write_float(out, numbers.value(row), numbers.value(row), f64::DIGITS))
        }
        DataType::Decimal128(_, scale) => {
            let (numbers, scale) = (column.as_primitive::<Decimal128Type>(), *scale);
            boxed(move |row, out| write_decimal(out, numbers.value(row), scale))
        }
        DataType::Decimal256(..) => {
            let numbers = column.as_primitive::<Decimal256Type>();
            boxed(move |row, out| out.write_str(&numbers.value_as_string(row)))
        }
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            boxed(move |row, out| out.write_str(texts.value(row)))
        }
        DataType::Binary => {
            let all = column.as_binary::<i32>();
            boxed(move |row, out| {
                out.write_str("\\x")?;
                all.value(row).iter().try_for_each(|byte| write!(out, "{byte:02x}"))
            })
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>();
            boxed(move |row, out| write_day(out, days.value(row)))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let times = column.as_primitive::<Time64MicrosecondType>();
            boxed(move |row, out| {
                let time = time64us_to_time(times.value(row));
                let text = time.map(|time| time.format("%H:%M:%S%.6f").to_string()).unwrap_or_default();
                out.write_str(without_zeros(&text))
            })
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let (instants, has_zone) = (column.as_primitive::<TimestampMicrosecondType>(), zone.is_some());
            boxed(move |row, out| write_postgres_instant(out, instants.value(row), has_zone))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let intervals = column.as_primitive::<IntervalMonthDayNanoType>();
            boxed(move |row, out| write_interval(out, intervals.value(row)))
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let offsets = lists.value_offsets();
            let items = TextColumn::of(lists.values().as_ref(), Form::Postgres)?;
            let item = RefCell::new(String::new());
            boxed(move |row, out| {
                out.write_char('{')?;
                for (nth, at) in places(offsets, row).enumerate() {
                    if nth > 0 {
                        out.write_char(',')?;
                    }
                    if items.column.is_null(at) {
                        out.write_str("NULL")?;
                        continue;
                    }
                    let mut item = item.borrow_mut();
                    item.clear();
                    items.write(at, &mut *item)?;
                    write_quoted(out, &item)?;
                }
                out.write_char('}')
            })
        }
        of => return Err(ArrowError::NotYetImplemented(format!("PostgreSQL has no text of the type {of}"))),
    })
}

/// A time without the last zeros of its fraction.
fn without_zeros(time: &str) -> &str {
    time.trim_end_matches('0').trim_end_matches('.')
}

/// Writes the shortest decimal that is the same number, with an exponent as PostgreSQL has it: below 0.0001, and from as
/// many digits before the point as the type always holds.
fn write_float(out: &mut dyn Write, number: impl Display + LowerExp, value: f64, digits: u32) -> fmt::Result {
    match value {
        _ if value.is_nan() => return out.write_str("NaN"),
        f64::INFINITY => return out.write_str("Infinity"),
        f64::NEG_INFINITY => return out.write_str("-Infinity"),
        // Most numbers have no exponent, and are written once.
        _ if value == 0.0 || (1e-4..10f64.powi(digits.cast_signed())).contains(&value.abs()) => {
            return write!(out, "{number}");
        }
        _ => {}
    }
    let scientific = format!("{number:e}");
    let parts = scientific.split_once('e').and_then(|(digits, power)| Some((digits, power.parse::<i32>().ok()?)));
    match parts {
        Some((mantissa, power)) if power < -4 || power >= digits.cast_signed() => {
            let sign = if power < 0 { '-' } else { '+' };
            write!(out, "{mantissa}e{sign}{:02}", power.abs())
        }
        _ => write!(out, "{number}"),
    }
}

/// After a negative part a positive one has its sign.
fn write_interval(out: &mut dyn Write, value: IntervalMonthDayNano) -> fmt::Result {
    let (mut is_begun, mut after_negative) = (false, false);
    let counted =
        [(value.months / 12, "year", "years"), (value.months % 12, "mon", "mons"), (value.days, "day", "days")];
    for (number, one, many) in counted.into_iter().filter(|(number, ..)| *number != 0) {
        let space = if is_begun { " " } else { "" };
        let plus = if after_negative && number > 0 { "+" } else { "" };
        let unit = if number == 1 { one } else { many };
        write!(out, "{space}{plus}{number} {unit}")?;
        (is_begun, after_negative) = (true, number < 0);
    }
    let microseconds = value.nanoseconds / 1_000;
    if microseconds == 0 && is_begun {
        return Ok(());
    }
    let space = if is_begun { " " } else { "" };
    let sign = match microseconds {
        ..0 => "-",
        _ if after_negative => "+",
        _ => "",
    };
    let all = microseconds.unsigned_abs();
    let (seconds, fraction) = (all / 1_000_000, all % 1_000_000);
    let time = format!("{:02}:{:02}:{:02}.{fraction:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    write!(out, "{space}{sign}{}", without_zeros(&time))
}

/// Quotes an item where its text would be read as something else.
fn write_quoted(out: &mut dyn Write, item: &str) -> fmt::Result {
    let is_special = |c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_whitespace();
    if !item.is_empty() && !item.eq_ignore_ascii_case("null") && !item.contains(is_special) {
        return out.write_str(item);
    }
    out.write_char('"')?;
    for part in item.split_inclusive(['\\', '"']) {
        let (plain, escaped) = match part.strip_suffix(['\\', '"']) {
            Some(plain) => (plain, &part[plain.len()..]),
            None => (part, ""),
        };
        out.write_str(plain)?;
        if !escaped.is_empty() {
            write!(out, "\\{escaped}")?;
        }
    }
    out.write_char('"')
}
