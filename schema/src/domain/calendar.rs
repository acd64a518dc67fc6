//! Dates and times of the register: stored in UTC, with days counted in the local time of Vietnam.

use crate::sql_types::Timestamp;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The time zone in which the register counts days.
pub const LOCAL: Tz = chrono_tz::Asia::Ho_Chi_Minh;

/// The error of a rejected time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TimeError {
    #[error("{0} is before 1970-01-01")]
    BeforeRegister(NaiveDate),
    #[error("{0} is in the future (times up to tomorrow are accepted)")]
    InFuture(NaiveDate),
    #[error("{0} does not exist in the time zone {1}: clocks were put forward")]
    Skipped(NaiveDateTime, Tz),
}

/// The local date of a point in time.
pub fn local_date(time: Timestamp) -> NaiveDate {
    time.utc().with_timezone(&LOCAL).date_naive()
}

/// The point in time of a wall-clock time; the earlier one where clocks were put back.
///
/// # Errors
/// `Skipped` where clocks were put forward over that time.
pub fn moment(wall: NaiveDateTime, zone: Tz) -> Result<Timestamp, TimeError> {
    zone.from_local_datetime(&wall)
        .earliest()
        .map(|time| time.with_timezone(&Utc).into())
        .ok_or(TimeError::Skipped(wall, zone))
}

/// The start of a local day.
pub fn start_of_day(day: NaiveDate) -> Timestamp {
    moment(day.and_time(NaiveTime::MIN), LOCAL).unwrap_or_else(|_| utc_midnight(day).into())
}

fn utc_midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Checks that a time is between 1970-01-01 and tomorrow, in local days.
///
/// # Errors
/// `BeforeRegister` or `InFuture`.
pub fn check_received(received: Timestamp, now: Timestamp) -> Result<(), TimeError> {
    let day = local_date(received);
    if day < NaiveDate::default() {
        return Err(TimeError::BeforeRegister(day));
    }
    if day > local_date(now) + Days::new(1) {
        return Err(TimeError::InFuture(day));
    }
    Ok(())
}

/// The first and the last day that a request may name; days outside are taken for typing errors.
pub const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day");
pub const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2199, 12, 31).expect("a day");

/// Whether a day is from [`FIRST_DAY`] to [`LAST_DAY`], both included.
pub fn is_sensible(day: NaiveDate) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&day)
}

/// Whether a day is within a validity period, both ends included; without `to` the period is open.
pub fn is_valid_on(day: NaiveDate, from: NaiveDate, to: Option<NaiveDate>) -> bool {
    from <= day && to.is_none_or(|to| day <= to)
}
