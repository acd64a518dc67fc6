//! The parts of tables: a long table has one for each month, another one has a single part.

use crate::tables::Table;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use chrono::{Datelike, NaiveDate};
use schema::Timestamp;
use schema::domain::calendar::local_date;

/// The part of a table that is not divided.
const ALL: &str = "all";
/// The part of the rows without a day. A long table without rows has it, too, so that it has a file with its columns.
const NO_MONTH: &str = "none";

/// Consecutive rows of one part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub part: String,
    pub from: usize,
    pub rows: usize,
}

/// The part that a table without rows has.
pub(super) fn part_without_rows(table: &Table) -> &'static str {
    if table.month_of.is_some() { NO_MONTH } else { ALL }
}

/// The month of a part, `YYYY-MM`; None for a part that is no month.
pub(super) fn month(part: &str) -> Option<String> {
    (part != ALL && part != NO_MONTH).then(|| part.to_owned())
}

/// Divides rows of a table into runs of one part each.
///
/// # Errors
/// If the column of the month is missing or holds no days.
pub(super) fn runs(table: &Table, rows: &RecordBatch) -> Result<Vec<Run>, ArrowError> {
    let Some(name) = table.month_of else {
        return Ok(vec![Run { part: ALL.to_owned(), from: 0, rows: rows.num_rows() }]);
    };
    let wrong = || ArrowError::SchemaError(format!("{} has no column {name} of days or instants", table.name));
    let months = months(rows.column_by_name(name).ok_or_else(wrong)?.as_ref()).ok_or_else(wrong)?;
    let mut from = 0;
    let run = |equal: &[Option<(i32, u32)>]| {
        let part = equal.first().copied().flatten().map(|(year, month)| format!("{year:04}-{month:02}"));
        let run = Run { part: part.unwrap_or_else(|| NO_MONTH.to_owned()), from, rows: equal.len() };
        from += equal.len();
        run
    };
    Ok(months.chunk_by(|a, b| a == b).map(run).collect())
}

/// Year and local month of each row; None if the column holds no days.
fn months(column: &dyn Array) -> Option<Vec<Option<(i32, u32)>>> {
    let of_day = |day: NaiveDate| (day.year(), day.month());
    match column.data_type() {
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().iter();
            Some(days.map(|day| NaiveDate::from_epoch_days(day?).map(of_day)).collect())
        }
        DataType::Timestamp(..) => {
            let times = column.as_primitive_opt::<TimestampMicrosecondType>()?.iter();
            Some(times.map(|at| Timestamp::from_micros(at?).map(local_date).map(of_day)).collect())
        }
        _ => None,
    }
}
