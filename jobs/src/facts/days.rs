//! Days as numbers, as frames hold them.

use chrono::NaiveDate;

/// Days since 1970-01-01.
pub fn day_number(day: NaiveDate) -> i32 {
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}
