//! The cells of Arrow columns as text, for all formats of answers and exports. What a column needs is prepared once, and
//! its cells are written into the buffer of the format.

mod answer;
mod csv;
mod export;
mod json;
mod number;
mod postgres;
mod stack;
mod time;

pub use self::csv::write_csv_rows;
pub use self::json::{text, values};
pub use self::number::not_finite;

use arrow_array::cast::AsArray;
use arrow_array::{Array, StringArray};
use arrow_schema::{ArrowError, DataType};
use std::fmt::{self, Write};

/// Format in which cells are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The text of a JSON answer, without its quotes; values of a list are separated by `;`.
    Answer,
    /// The text of an export to CSV.
    Export,
    /// The text of PostgreSQL with `DateStyle = ISO` and `IntervalStyle = postgres`. The columns were cast to types of
    /// its protocol before.
    Postgres,
}

/// Writes a cell that is not null.
type Writer<'a> = dyn Fn(usize, &mut dyn Write) -> fmt::Result + 'a;

fn boxed<'a>(write: impl Fn(usize, &mut dyn Write) -> fmt::Result + 'a) -> Box<Writer<'a>> {
    Box::new(write)
}

/// A column whose cells can be written.
pub struct TextColumn<'a> {
    column: &'a dyn Array,
    write: Box<Writer<'a>>,
    /// The column itself, if its texts need no conversion.
    plain: Option<&'a StringArray>,
    /// Whether it has numbers, days or the like, whose text has no character that separates cells of a sheet.
    is_value: bool,
}

impl<'a> TextColumn<'a> {
    /// # Errors
    /// If the form lacks the type.
    pub fn of(column: &'a dyn Array, form: Form) -> Result<Self, ArrowError> {
        let write = match form {
            Form::Answer => match answer::writer(column) {
                Some(write) => write,
                // Rare types: lists of anything but texts, records, intervals.
                None => {
                    let values = values(column)?;
                    boxed(move |row, out| out.write_str(&text(&values[row])))
                }
            },
            Form::Export => export::writer(column)?,
            Form::Postgres => postgres::writer(column)?,
        };
        let plain = if *column.data_type() == DataType::Utf8 { column.as_string_opt::<i32>() } else { None };
        let of = column.data_type();
        let is_value = of.is_numeric() || matches!(of, DataType::Boolean | DataType::Date32 | DataType::Timestamp(..));
        Ok(Self { column, write, plain, is_value })
    }

    /// Writes the cell of a row; nothing for null.
    ///
    /// # Errors
    /// If the buffer takes no more.
    pub fn write(&self, row: usize, out: &mut dyn Write) -> fmt::Result {
        if self.column.is_null(row) { Ok(()) } else { (self.write)(row, out) }
    }

    /// The text of a row, if the column holds it in the form in which it is written.
    pub fn text(&self, row: usize) -> Option<&'a str> {
        let plain = self.plain?;
        Some(if plain.is_null(row) { "" } else { plain.value(row) })
    }
}

/// The rows of the values of a list.
fn places(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let place = |at: usize| usize::try_from(offsets[at]).unwrap_or(0);
    place(row)..place(row + 1)
}

/// Writes texts of a list with a sign between them.
fn write_joined<'t>(out: &mut dyn Write, texts: impl Iterator<Item = &'t str>) -> fmt::Result {
    for (nth, text) in texts.enumerate() {
        if nth > 0 {
            out.write_char(';')?;
        }
        out.write_str(text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int64Array,
        LargeStringArray, NullArray, StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray,
        TimestampSecondArray, UInt64Array,
    };
    use std::sync::Arc;

    fn columns() -> Vec<ArrayRef> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("a"), None, Some("b;c")]);
        lists.append_null();
        lists.append_value([None::<&str>; 0]);
        let cents = Decimal128Array::from(vec![Some(-5), None, Some(123_456_789_012_345_678)]);
        let micros = || TimestampMicrosecondArray::from(vec![Some(-1), None, Some(1_700_000_000_500_000)]);
        vec![
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            Arc::new(Int8Array::from(vec![Some(-8), None, Some(8)])),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(0)])),
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)])),
            Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::NAN)])),
            Arc::new(Float64Array::from(vec![Some(1e21), None, Some(-0.5)])),
            Arc::new(Float64Array::from(vec![Some(f64::INFINITY), None, Some(2.0)])),
            Arc::new(cents.with_precision_and_scale(20, 2).unwrap()),
            Arc::new(StringArray::from(vec![Some("=1"), None, Some("")])),
            Arc::new(LargeStringArray::from(vec![Some("é"), None, Some("b")])),
            Arc::new(StringViewArray::from(vec![Some("a text of more than twelve bytes"), None, Some("b")])),
            Arc::new(Date32Array::from(vec![Some(19_724), None, Some(i32::MAX)])),
            Arc::new(micros()),
            Arc::new(micros().with_timezone("UTC")),
            Arc::new(micros().with_timezone("Asia/Ho_Chi_Minh")),
            Arc::new(TimestampSecondArray::from(vec![Some(1), None, Some(-1)]).with_timezone("+07:00")),
            Arc::new(TimestampNanosecondArray::from(vec![Some(1), None, Some(1_000)])),
            Arc::new(lists.finish()),
            Arc::new(NullArray::new(3)),
        ]
    }

    #[test]
    fn a_cell_of_an_answer_is_the_text_of_its_json() {
        for column in columns() {
            let written = TextColumn::of(column.as_ref(), Form::Answer).unwrap();
            for (row, value) in values(column.as_ref()).unwrap().iter().enumerate() {
                let mut cell = String::new();
                written.write(row, &mut cell).unwrap();
                assert_eq!(cell, text(value), "row {row} of {}", column.data_type());
                assert!(written.text(row).is_none_or(|plain| plain == cell));
            }
        }
    }
}
