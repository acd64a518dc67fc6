//! Parts of an interval as PostgreSQL counts them. The engine's own lose the fraction of a second, and count a year as
//! 360 days.

use arrow_buffer::IntervalMonthDayNano;

const MONTHS_OF_YEAR: i32 = 12;
const MONTHS_OF_QUARTER: i32 = 3;
const MICROSECONDS_OF_MINUTE: i64 = 60_000_000;
const MICROSECONDS_OF_HOUR: i64 = 60 * MICROSECONDS_OF_MINUTE;
const MICROSECONDS_OF_DAY: i128 = 86_400_000_000;
/// PostgreSQL's `EPOCH` counts months beyond whole years as 30 days each.
const DAYS_OF_MONTH: i128 = 30;
/// The quarters of a day in a year of `EPOCH`, which has 365.25 days.
const QUARTERS_OF_DAY_IN_YEAR: i128 = 1_461;

/// A part of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Epoch,
}

impl Part {
    /// The part of a name in small letters. None for a name that PostgreSQL has not for intervals, such as `week`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" => Self::Microsecond,
            "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" => Self::Millisecond,
            "s" | "sec" | "secs" | "second" | "seconds" => Self::Second,
            "m" | "min" | "mins" | "minute" | "minutes" => Self::Minute,
            "h" | "hr" | "hrs" | "hour" | "hours" => Self::Hour,
            "d" | "day" | "days" => Self::Day,
            "mon" | "mons" | "month" | "months" => Self::Month,
            "qtr" | "quarter" => Self::Quarter,
            "y" | "yr" | "yrs" | "year" | "years" => Self::Year,
            "dec" | "decs" | "decade" | "decades" => Self::Decade,
            "c" | "cent" | "century" | "centuries" => Self::Century,
            "mil" | "mils" | "millennia" | "millennium" => Self::Millennium,
            "epoch" => Self::Epoch,
            _ => return None,
        })
    }

    /// The name of the function that takes the part. Columns without a name have different ones.
    pub const fn function(self) -> &'static str {
        match self {
            Self::Microsecond => "microseconds_of_interval",
            Self::Millisecond => "milliseconds_of_interval",
            Self::Second => "seconds_of_interval",
            Self::Minute => "minutes_of_interval",
            Self::Hour => "hours_of_interval",
            Self::Day => "days_of_interval",
            Self::Month => "months_of_interval",
            Self::Quarter => "quarter_of_interval",
            Self::Year => "years_of_interval",
            Self::Decade => "decades_of_interval",
            Self::Century => "centuries_of_interval",
            Self::Millennium => "millennia_of_interval",
            Self::Epoch => "epoch_of_interval",
        }
    }

    /// The microseconds of one, for a part that has a fraction.
    pub const fn microseconds_of_one(self) -> Option<f64> {
        match self {
            Self::Second | Self::Epoch => Some(1e6),
            Self::Millisecond => Some(1e3),
            _ => None,
        }
    }

    /// The number of a part without a fraction, and the microseconds of one that has a fraction.
    pub fn count(self, of: IntervalMonthDayNano) -> i128 {
        let time = microseconds(of.nanoseconds);
        let (years, months) = (of.months / MONTHS_OF_YEAR, of.months % MONTHS_OF_YEAR);
        match self {
            Self::Microsecond | Self::Millisecond | Self::Second => (time % MICROSECONDS_OF_MINUTE).into(),
            Self::Minute => (time / MICROSECONDS_OF_MINUTE % 60).into(),
            Self::Hour => (time / MICROSECONDS_OF_HOUR).into(),
            Self::Day => of.days.into(),
            Self::Month => months.into(),
            Self::Quarter => (months / MONTHS_OF_QUARTER + 1).into(),
            Self::Year => years.into(),
            Self::Decade => (years / 10).into(),
            Self::Century => (years / 100).into(),
            Self::Millennium => (years / 1_000).into(),
            Self::Epoch => {
                let of_years = i128::from(years) * QUARTERS_OF_DAY_IN_YEAR * (MICROSECONDS_OF_DAY / 4);
                let days = i128::from(months) * DAYS_OF_MONTH + i128::from(of.days);
                of_years + days * MICROSECONDS_OF_DAY + i128::from(time)
            }
        }
    }
}

/// The nearest microseconds: PostgreSQL keeps nothing smaller.
const fn microseconds(nanoseconds: i64) -> i64 {
    let whole = nanoseconds / 1_000;
    match nanoseconds % 1_000 {
        500.. => whole + 1,
        ..=-500 => whole - 1,
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn parts_are_those_of_postgresql() {
        let of = IntervalMonthDayNano::new;
        for (part, interval, expected) in [
            (Part::Second, of(0, 0, 72 * SECOND + 250_000_000), 12_250_000),
            (Part::Second, of(0, 0, -61 * SECOND - 500_000_000), -1_500_000),
            (Part::Microsecond, of(0, 0, 59 * SECOND + 999_999_499), 59_999_999),
            (Part::Microsecond, of(0, 0, 1_123_456_700), 1_123_457),
            (Part::Minute, of(0, 0, -100 * 60 * SECOND), -40),
            (Part::Hour, of(0, 3, 100 * 3_600 * SECOND), 100),
            (Part::Day, of(14, -40, 90_000 * SECOND), -40),
            (Part::Month, of(-30, 0, 0), -6),
            (Part::Quarter, of(20, 0, 0), 3),
            (Part::Quarter, of(-30, 0, 0), -1),
            (Part::Year, of(-30, 0, 0), -2),
            (Part::Decade, of(-300, 0, 0), -2),
            (Part::Century, of(-1_300, 0, 0), -1),
            (Part::Millennium, of(13_000, 0, 0), 1),
            (Part::Epoch, of(27, 4, 1_500_000_000), 71_236_801_500_000),
            (Part::Epoch, of(-67, 0, 0), -175_932_000_000_000),
            (Part::Epoch, of(2_136_000_000, 0, 0), 5_617_252_800_000_000_000_000),
        ] {
            assert_eq!(part.count(interval), expected, "{part:?} of {interval:?}");
        }
    }

    #[test]
    fn names_are_those_of_postgresql() {
        let named = [("ms", Part::Millisecond), ("m", Part::Minute), ("mons", Part::Month), ("mils", Part::Millennium)];
        for (name, part) in named {
            assert_eq!(Part::named(name), Some(part), "{name}");
        }
        for name in ["week", "dow", "doy", "isoyear", "julian", "timezone", "nanosecond", "quarters"] {
            assert_eq!(Part::named(name), None, "{name}");
        }
    }
}
