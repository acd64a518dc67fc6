//! Days and instants as text.

use super::stack::Stack;
use arrow_schema::TimeUnit;
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use std::fmt::{self, Write};

/// Days from the first day of the common era to 1970-01-01.
const EPOCH: i32 = 719_163;
const SECONDS_OF_A_DAY: i64 = 86_400;
/// A day of a year with six digits and a sign, a time with nine digits of a second, an offset.
const INSTANT: usize = 48;

/// Writes a day such as `2025-03-31`, of days since 1970-01-01; nothing for one out of the range of calendars.
///
/// # Errors
/// If `out` fails.
pub fn write_day(out: &mut dyn Write, number: i32) -> fmt::Result {
    let mut text = Stack::<INSTANT>::new();
    if put_day(&mut text, number.into())? { out.write_str(text.as_str()) } else { Ok(()) }
}

/// Whether the day exists.
fn put_day(text: &mut Stack<INSTANT>, number: i64) -> Result<bool, fmt::Error> {
    let number = i32::try_from(number).ok().and_then(|number| number.checked_add(EPOCH));
    let Some(day) = number.and_then(NaiveDate::from_num_days_from_ce_opt) else { return Ok(false) };
    match u32::try_from(day.year()) {
        Ok(year) if year <= 9_999 => {
            text.digits(year, 4)?;
            text.byte(b'-')?;
            text.digits(day.month(), 2)?;
            text.byte(b'-')?;
            text.digits(day.day(), 2)?;
        }
        _ => write!(text, "{day}")?,
    }
    Ok(true)
}

/// An instant since 1970-01-01.
#[derive(Debug, Clone, Copy)]
pub struct Instant {
    seconds: i64,
    nanos: u32,
}

impl Instant {
    pub fn of(value: i64, unit: TimeUnit) -> Self {
        let of_a_second: i64 = match unit {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        };
        let rest = value.rem_euclid(of_a_second) * (1_000_000_000 / of_a_second);
        Self { seconds: value.div_euclid(of_a_second), nanos: u32::try_from(rest).unwrap_or(0) }
    }
}

/// The time zone of a column.
#[derive(Debug, Clone, Copy)]
pub enum Zone {
    /// Local times without a zone.
    None,
    Utc,
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// An unknown zone counts as UTC.
    pub fn of(name: Option<&str>) -> Self {
        let Some(name) = name else { return Self::None };
        match (name.parse::<Tz>(), name.parse::<FixedOffset>()) {
            (Ok(Tz::UTC), _) => Self::Utc,
            (Ok(zone), _) => Self::Named(zone),
            (Err(_), Ok(offset)) => Self::Fixed(offset),
            (Err(_), Err(_)) => Self::Utc,
        }
    }

    /// Seconds ahead of UTC at an instant; None without a zone, and for an instant out of the range of calendars.
    fn ahead(self, at: Instant) -> Option<i32> {
        match self {
            Self::None => None,
            Self::Utc => Some(0),
            Self::Named(zone) => {
                let utc = DateTime::from_timestamp(at.seconds, at.nanos)?.naive_utc();
                Some(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
            }
            Self::Fixed(offset) => Some(offset.local_minus_utc()),
        }
    }
}

/// Writes an instant in RFC 3339 in its zone, with as many digits of a second as it has: none, 3, 6 or 9. Without a
/// zone, a local time. Nothing for an instant out of the range of calendars.
///
/// # Errors
/// If `out` fails.
pub fn write_instant(out: &mut dyn Write, at: Instant, zone: Zone) -> fmt::Result {
    let ahead = zone.ahead(at);
    let mut text = Stack::<INSTANT>::new();
    if !put_time(&mut text, at.seconds + i64::from(ahead.unwrap_or(0)), b'T')? {
        return Ok(());
    }
    let nanos = at.nanos;
    let (number, digits) = match nanos {
        0 => (0, 0),
        _ if nanos.is_multiple_of(1_000_000) => (nanos / 1_000_000, 3),
        _ if nanos.is_multiple_of(1_000) => (nanos / 1_000, 6),
        _ => (nanos, 9),
    };
    if digits > 0 {
        text.byte(b'.')?;
        text.digits(number, digits)?;
    }
    match ahead {
        None => {}
        Some(0) => text.byte(b'Z')?,
        Some(ahead) => {
            text.byte(if ahead < 0 { b'-' } else { b'+' })?;
            // Offsets of old times have seconds, which RFC 3339 has not.
            let minutes = (ahead.unsigned_abs() + 30) / 60;
            text.digits(minutes / 60, 2)?;
            text.byte(b':')?;
            text.digits(minutes % 60, 2)?;
        }
    }
    out.write_str(text.as_str())
}

/// Writes an instant as PostgreSQL does, without the last zeros of its fraction.
///
/// # Errors
/// If `out` fails.
pub fn write_postgres_instant(out: &mut dyn Write, micros: i64, has_zone: bool) -> fmt::Result {
    let at = Instant::of(micros, TimeUnit::Microsecond);
    let mut text = Stack::<INSTANT>::new();
    let exists = put_time(&mut text, at.seconds, b' ')?;
    if exists && at.nanos != 0 {
        text.byte(b'.')?;
        text.digits(at.nanos / 1_000, 6)?;
        text.trim_end(b'0');
    }
    if has_zone && exists {
        text.write_str("+00")?;
    }
    out.write_str(text.as_str())
}

/// Appends a day and a time to the second. Whether the day exists.
fn put_time(text: &mut Stack<INSTANT>, seconds: i64, between: u8) -> Result<bool, fmt::Error> {
    if !put_day(text, seconds.div_euclid(SECONDS_OF_A_DAY))? {
        return Ok(false);
    }
    let second = u32::try_from(seconds.rem_euclid(SECONDS_OF_A_DAY)).unwrap_or(0);
    text.byte(between)?;
    text.digits(second / 3_600, 2)?;
    text.byte(b':')?;
    text.digits(second / 60 % 60, 2)?;
    text.byte(b':')?;
    text.digits(second % 60, 2)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{SecondsFormat, Utc};

    const MICROS: [i64; 10] = [
        0,
        1,
        999,
        1_000,
        1_500_000,
        86_399_999_999,
        -1,
        -2_208_988_800_000_001,
        1_709_164_799_000_000,
        4_102_444_800_000_001,
    ];

    fn written(micros: i64, zone: Zone) -> String {
        let mut text = String::new();
        write_instant(&mut text, Instant::of(micros, TimeUnit::Microsecond), zone).unwrap();
        text
    }

    #[test]
    fn days_and_instants_are_written_as_by_chrono() {
        for micros in MICROS {
            let at: DateTime<Utc> = DateTime::from_timestamp_micros(micros).unwrap();
            let form = SecondsFormat::AutoSi;
            assert_eq!(written(micros, Zone::of(Some("UTC"))), at.to_rfc3339_opts(form, true));
            for name in ["Asia/Ho_Chi_Minh", "America/St_Johns", "Europe/London"] {
                let local = at.with_timezone(&name.parse::<Tz>().unwrap());
                assert_eq!(written(micros, Zone::of(Some(name))), local.to_rfc3339_opts(form, true), "{name}");
            }
            let fixed = at.with_timezone(&"-03:30".parse::<FixedOffset>().unwrap());
            assert_eq!(written(micros, Zone::of(Some("-03:30"))), fixed.to_rfc3339_opts(form, true));
            let plain = at.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string();
            assert_eq!(written(micros, Zone::of(None)), plain);
            let mut text = String::new();
            write_day(&mut text, i32::try_from(micros.div_euclid(86_400_000_000)).unwrap()).unwrap();
            assert_eq!(text, at.date_naive().to_string());
        }
    }

    #[test]
    fn instants_of_postgresql_have_no_last_zeros() {
        for micros in MICROS {
            let at = DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
            let whole = at.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
            let expected = format!("{}+00", whole.trim_end_matches('0').trim_end_matches('.'));
            let mut text = String::new();
            write_postgres_instant(&mut text, micros, true).unwrap();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn years_of_other_lengths_are_written_as_by_chrono() {
        for number in [-800_000, 2_932_897, 20_000_000] {
            let day = NaiveDate::from_num_days_from_ce_opt(number + EPOCH).unwrap();
            let mut text = String::new();
            write_day(&mut text, number).unwrap();
            assert_eq!(text, day.to_string());
        }
        let mut text = String::new();
        write_day(&mut text, i32::MAX).unwrap();
        assert_eq!(text, "");
    }
}
