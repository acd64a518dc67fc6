//! Days as numbers, as frames hold them.

use chrono::{Datelike, NaiveDate, TimeDelta};

/// Days since 1970-01-01.
pub fn day_number(day: NaiveDate) -> i32 {
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

/// The day of a number of days since 1970-01-01.
pub fn day_of(number: i32) -> NaiveDate {
    NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(number))).unwrap_or_default()
}

/// The number of the month of a day: year × 12 + month − 1.
pub fn month_number(day: NaiveDate) -> i32 {
    day.year() * 12 + i32::try_from(day.month0()).unwrap_or(0)
}

/// The first day of the month of a day.
pub fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_are_numbered() {
        for (year, month, day) in [(2025, 12, 31), (1970, 1, 1), (1969, 12, 31), (2024, 2, 29)] {
            let date = NaiveDate::from_ymd_opt(year, month, day).expect("a day");
            assert_eq!(day_of(day_number(date)), date);
            assert_eq!(month_number(date), year * 12 + i32::try_from(month).expect("a month") - 1);
            assert_eq!(Some(first_of_month(date)), NaiveDate::from_ymd_opt(year, month, 1));
        }
    }
}
