//! The table `calendar`.

use super::columns::{Day, Flag, Whole, declare_table};
use super::names::{Context, Emit};
use super::withheld::first_day;
use crate::JobError;
use crate::facts::days::{day_of, first_of_month};
use chrono::{Datelike, NaiveDate};
use schema::Conn;

declare_table! {
    "calendar": "Days, from the year of the first complaint to the end of next year."
    {
        day: Day = "The day.",
        month: Day = "First day of its month.",
        year: Whole = "Year.",
        quarter: Whole = "Quarter of the year, from 1 to 4.",
        weekday: Whole = "Day of the week, from 1 for Monday to 7 for Sunday.",
        is_working_day: Option<Flag> = "Whether the civil service works; null in years whose public holidays are not known.",
        holiday: Option<Flag> = "Whether it is a day from Monday to Friday that is off; null in such years.",
    }
}

/// The days, the earliest first.
///
/// # Errors
/// When a column is missing, or the rows do not fit the columns.
pub(super) fn make(of: &Context<'_>, _: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let first = first_day(of)?.map_or(of.day, day_of).min(of.day);
    let start = NaiveDate::from_ymd_opt(first.year(), 1, 1).unwrap_or(first);
    let end = NaiveDate::from_ymd_opt(of.day.year() + 1, 12, 31).unwrap_or(of.day);
    let calendar = &of.snapshot.reference.clock_rules.calendar;
    let mut rows = Rows::new(0);
    for day in start.iter_days().take_while(|day| *day <= end) {
        let weekday = day.weekday().number_from_monday();
        let is_working_day = calendar.is_working_day(day).ok();
        rows.push(Row {
            day,
            month: first_of_month(day),
            year: i64::from(day.year()),
            quarter: i64::from(day.month0() / 3 + 1),
            weekday: i64::from(weekday),
            is_working_day,
            holiday: is_working_day.map(|works| weekday <= 5 && !works),
        });
    }
    emit(rows.finish()?)
}
