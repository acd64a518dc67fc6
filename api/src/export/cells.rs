//! The cells of record batches, for formats that are written cell by cell.

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
use chrono::{Datelike, NaiveDate};
use std::borrow::Cow;

/// Days from the first day of the common era to 1970-01-01.
const EPOCH: i32 = 719_163;

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
    /// For a type that no column of an export has.
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

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Appends a day, such as `2025-03-31`.
pub fn push_day(to: &mut String, number: i32) {
    let Some(day) = number.checked_add(EPOCH).and_then(NaiveDate::from_num_days_from_ce_opt) else { return };
    match u32::try_from(day.year()) {
        Ok(year) if year <= 9_999 => {
            push_digits(to, year, 4);
            to.push('-');
            push_digits(to, day.month(), 2);
            to.push('-');
            push_digits(to, day.day(), 2);
        }
        _ => to.push_str(&day.to_string()),
    }
}

/// Appends an instant in UTC, with as many digits of a second as it has: none, 3 or 6.
pub fn push_instant(to: &mut String, micros: i64) {
    let Ok(day) = i32::try_from(micros.div_euclid(DAY)) else { return };
    // Less than a day in microseconds.
    let rest = micros.rem_euclid(DAY).unsigned_abs();
    let part = |unit: u64, most: u64| u32::try_from(rest / unit % most).unwrap_or_default();
    push_day(to, day);
    for (sign, number) in [('T', part(3_600_000_000, 24)), (':', part(60_000_000, 60)), (':', part(1_000_000, 60))] {
        to.push(sign);
        push_digits(to, number, 2);
    }
    let fraction = part(1, 1_000_000);
    if fraction != 0 {
        to.push('.');
        match fraction % 1_000 {
            0 => push_digits(to, fraction / 1_000, 3),
            _ => push_digits(to, fraction, 6),
        }
    }
    to.push('Z');
}

/// Appends a number with leading zeros.
fn push_digits(to: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        to.push(char::from_digit(number / 10u32.pow(place) % 10, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, SecondsFormat};

    #[test]
    fn days_and_instants_are_written_as_by_chrono() {
        let some = [0, 1, 999, 1_000, 1_500_000, 86_399_999_999, -1, 1_709_164_799_000_000, 4_102_444_800_000_001];
        for micros in some {
            let mut text = String::new();
            push_instant(&mut text, micros);
            let at = DateTime::from_timestamp_micros(micros).expect("an instant");
            assert_eq!(text, at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
            text.clear();
            push_day(&mut text, i32::try_from(micros.div_euclid(DAY)).expect("a day"));
            assert_eq!(text, at.date_naive().to_string());
        }
    }
}
