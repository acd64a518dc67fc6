//! Parses dates and times in the notation of other registers.

use super::clock::{Clock, check};
use crate::domain::calendar::{TimeError, moment};
use crate::sql_types::Timestamp;
use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;

/// The formats of a field, tried in turn.
#[derive(Debug)]
pub struct DateRules {
    formats: Vec<Format>,
    month_means: MonthMeans,
    /// The days in the file mean only their months (`precision = "month"`).
    all_by_month: bool,
}

#[derive(Debug)]
struct Format {
    text: String,
    items: Vec<Item<'static>>,
    clock: Clock,
    names_day: bool,
}

/// The day that a month without a day is read as (`month_means`).
#[derive(Debug, Clone, Copy)]
enum MonthMeans {
    Day(u32),
    Last,
}

/// The formats without `formats` in the mapping: ISO 8601, RFC 3339, and what databases print.
const DEFAULT_FORMATS: [&str; 7] = [
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%+",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
];

impl DateRules {
    /// The notation of dates in the mapping itself.
    ///
    /// # Errors
    /// Never in practice: the notation is fixed.
    pub fn own() -> Result<Self, String> {
        Self::new(Vec::new(), None, false, crate::domain::calendar::LOCAL)
    }

    /// The rules of a field. A `day_only` field needs no time of day; `zone` is the time zone of the mapping.
    ///
    /// # Errors
    /// If a format is not a strftime format or loses the time that it reads, or `month_means` is not a day.
    pub fn new(
        mut formats: Vec<String>,
        month_means: Option<&toml::Value>,
        day_only: bool,
        zone: Tz,
    ) -> Result<Self, String> {
        if formats.is_empty() {
            formats = DEFAULT_FORMATS.map(str::to_owned).to_vec();
        }
        let formats = formats
            .into_iter()
            .map(|text| {
                let items = StrftimeItems::new(&text)
                    .parse_to_owned()
                    .map_err(|_| format!("{text:?} is not a strftime format"))?;
                let clock = check(&text, &items, day_only, zone)?;
                let names_day = items.iter().any(names_day);
                Ok(Format { text, items, clock, names_day })
            })
            .collect::<Result<_, String>>()?;
        let month_means = match month_means {
            None => MonthMeans::Day(1),
            Some(toml::Value::String(word)) if word == "first" => MonthMeans::Day(1),
            Some(toml::Value::String(word)) if word == "last" => MonthMeans::Last,
            Some(toml::Value::Integer(day)) if (1..=28).contains(day) => {
                MonthMeans::Day(u32::try_from(*day).unwrap_or(1))
            }
            Some(other) => {
                return Err(format!("month_means {other} is neither \"first\", \"last\" nor a day from 1 to 28"));
            }
        };
        Ok(Self { formats, month_means, all_by_month: false })
    }

    /// The same rules for a file whose days mean only their months.
    #[must_use]
    pub fn by_month(self) -> Self {
        Self { all_by_month: true, ..self }
    }

    /// Whether some texts may give a month without a day.
    pub fn may_be_by_month(&self) -> bool {
        self.all_by_month || self.formats.iter().any(|format| !format.names_day)
    }

    /// Whether a text gives a month without a day, or a day that means only its month.
    pub fn is_by_month(&self, text: &str) -> bool {
        self.all_by_month || self.format_of(text).is_some_and(|(format, _)| !format.names_day)
    }

    /// The day that a text gives.
    ///
    /// # Errors
    /// If no format reads the text, the day does not exist, or its year is not from 1900 to 2200.
    pub fn date(&self, text: &str, zone: Tz) -> Result<NaiveDate, String> {
        let (parsed, clock) = self.parsed(text)?;
        if clock.tells_moment() {
            let time = whole_moment(&parsed, text)?;
            return plausible(time.with_timezone(&zone).date_naive(), text);
        }
        plausible(self.day(&parsed, text)?, text)
    }

    /// The point in time that a text gives; the start of the day where it gives no time.
    ///
    /// # Errors
    /// Same errors as [`Self::date`], or where the local time does not exist.
    pub fn time(&self, text: &str, zone: Tz) -> Result<Timestamp, String> {
        let (parsed, clock) = self.parsed(text)?;
        if clock.tells_moment() {
            let time = whole_moment(&parsed, text)?;
            plausible(time.date_naive(), text)?;
            return Ok(time.with_timezone(&Utc).into());
        }
        let day = plausible(self.day(&parsed, text)?, text)?;
        let time = if clock.tells_time() {
            let time = parsed.to_naive_time().map_err(|_| format!("{text:?} has no time of day that exists"))?;
            within_its_minute(time)
        } else {
            NaiveTime::MIN
        };
        moment(day.and_time(time), zone).map_err(|e: TimeError| e.to_string())
    }

    /// The first format that reads a text, and the parsed parts.
    fn format_of(&self, text: &str) -> Option<(&Format, Parsed)> {
        self.formats.iter().find_map(|format| {
            let mut parsed = Parsed::new();
            parse(&mut parsed, text, format.items.iter()).ok().map(|()| (format, parsed))
        })
    }

    fn parsed(&self, text: &str) -> Result<(Parsed, Clock), String> {
        if let Some((format, parsed)) = self.format_of(text) {
            return Ok((parsed, format.clock));
        }
        let formats: Vec<_> = self.formats.iter().map(|format| format.text.as_str()).collect();
        Err(format!("{text:?} is not a date of the form {}", formats.join(" or ")))
    }

    fn day(&self, parsed: &Parsed, text: &str) -> Result<NaiveDate, String> {
        if let Ok(day) = parsed.to_naive_date() {
            return Ok(day);
        }
        let wrong = || format!("{text:?} is not a date that exists");
        if parsed.day().is_some() {
            return Err(wrong());
        }
        // The text gives only a month.
        let mut month = parsed.clone();
        month.set_day(1).map_err(|_| wrong())?;
        let first = month.to_naive_date().map_err(|_| wrong())?;
        Ok(match self.month_means {
            MonthMeans::Day(day) => first.with_day(day).unwrap_or(first),
            MonthMeans::Last => first + Months::new(1) - Days::new(1),
        })
    }
}

/// Whether an item of a format determines the day within a month or year.
fn names_day(item: &Item<'_>) -> bool {
    match item {
        Item::Numeric(part, _) => !matches!(
            part,
            Numeric::Year
                | Numeric::YearDiv100
                | Numeric::YearMod100
                | Numeric::IsoYear
                | Numeric::IsoYearDiv100
                | Numeric::IsoYearMod100
                | Numeric::Quarter
                | Numeric::Month
                | Numeric::Hour
                | Numeric::Hour12
                | Numeric::Minute
                | Numeric::Second
                | Numeric::Nanosecond
        ),
        Item::Fixed(part) => matches!(part, Fixed::RFC2822 | Fixed::RFC3339),
        _ => false,
    }
}

/// The point in time of a text that has its own offset.
fn whole_moment(parsed: &Parsed, text: &str) -> Result<DateTime<FixedOffset>, String> {
    let time = parsed.to_datetime().map_err(|_| format!("{text:?} is not a time that exists"))?;
    Ok(time.with_time(within_its_minute(time.time())).single().unwrap_or(time))
}

/// Reads a leap second (23:59:60) as the last second of its minute: the register has no leap seconds, and the next
/// second is on the next day.
fn within_its_minute(time: NaiveTime) -> NaiveTime {
    const SECOND: u32 = 1_000_000_000;
    time.with_nanosecond(time.nanosecond() % SECOND).unwrap_or(time)
}

/// Rejects years before 1900 and after 2200. strftime reads `05` as the year 5, which is a mistake in the format, not
/// in the file.
fn plausible(day: NaiveDate, text: &str) -> Result<NaiveDate, String> {
    if (1900..=2200).contains(&day.year()) {
        Ok(day)
    } else {
        // Other registers write such days for "no end" or "not known".
        let (year, bound) = (day.year(), if day.year() > 2200 { "without end" } else { "not known" });
        Err(format!(
            "{text:?} was read as the year {year}: check the format in the mapping; if it stands for {bound}, set \
             null = [{text:?}] under [file]"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(formats: &[&str], month: Option<&str>) -> DateRules {
        let month = month.map(|word| toml::Value::String(word.to_owned()));
        DateRules::new(formats.iter().map(|f| (*f).to_owned()).collect(), month.as_ref(), false, VN).expect("formats")
    }

    fn day(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).expect("a date")
    }

    const VN: Tz = chrono_tz::Asia::Ho_Chi_Minh;

    #[test]
    fn a_month_stands_for_the_day_that_the_mapping_says() {
        assert_eq!(rules(&["%m/%Y"], None).date("02/2024", VN), Ok(day(2024, 2, 1)));
        assert_eq!(rules(&["%m/%Y"], Some("last")).date("02/2024", VN), Ok(day(2024, 2, 29)));
        assert_eq!(rules(&["%d/%m/%Y", "%m/%Y"], None).date("15/02/2024", VN), Ok(day(2024, 2, 15)));
    }

    #[test]
    fn a_text_that_names_a_month_alone_is_told_from_one_with_a_day() {
        let both = rules(&["%d/%m/%Y", "%m/%Y"], None);
        assert!(both.may_be_by_month() && both.is_by_month("02/2024") && !both.is_by_month("01/02/2024"));
        for named in ["%d/%m/%Y", "%Y-%j", "%F %T", "%G-W%V-%u", "%s", "%+", "%D", "%c"] {
            assert!(!rules(&[named], None).may_be_by_month(), "{named}");
        }
        for month in ["%m/%Y", "%Y%m", "%B %Y", "%b-%y"] {
            assert!(rules(&[month], None).may_be_by_month(), "{month}");
        }
        assert!(!rules(&[], None).may_be_by_month());
        assert!(rules(&[], None).by_month().is_by_month("2024-02-01"));
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        let vietnamese = rules(&["%d/%m/%Y"], None);
        assert!(vietnamese.date("30/02/2024", VN).is_err());
        assert!(vietnamese.date("1/2/05", VN).unwrap_err().contains("year 5"));
        assert!(vietnamese.date("2024-01-01", VN).is_err());
    }

    #[test]
    fn times_are_local_unless_they_say_otherwise() {
        let micros = |text, format| rules(&[format], None).time(text, VN).expect("a time").utc().to_rfc3339();
        assert_eq!(micros("2024-03-01", "%Y-%m-%d"), "2024-02-29T17:00:00+00:00");
        assert_eq!(micros("01/03/2024 08:30", "%d/%m/%Y %H:%M"), "2024-03-01T01:30:00+00:00");
        assert_eq!(micros("2024-03-01T08:30:00+00:00", "%Y-%m-%dT%H:%M:%S%:z"), "2024-03-01T08:30:00+00:00");
    }

    #[test]
    fn iso_8601_is_read_without_a_format() {
        let read = |text| rules(&[], None).time(text, VN).map(|time| time.utc().to_rfc3339());
        for text in [
            "2024-03-05T20:00:00Z",
            "2024-03-05T20:00:00+00:00",
            "2024-03-06T03:00:00.000+07:00",
            "2024-03-06T03:00:00.5",
            "2024-03-06 03:00:00",
            "2024-03-06 03:00",
            "2024-03-05 20:00:00+00",
            "2024-03-05 20:00:00Z",
        ] {
            let read = read(text).unwrap_or_else(|e| panic!("{e}"));
            assert!(read.starts_with("2024-03-05T20:00:00"), "{text}: {read}");
        }
        assert!(read("2024-03-05T20:00:00 Paris").is_err());
    }

    #[test]
    fn a_leap_second_stays_on_its_day() {
        for (format, text, expected) in [
            ("%d/%m/%Y %H:%M:%S", "31/12/2016 23:59:60", "2016-12-31T16:59:59+00:00"),
            ("%+", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(rules(&[format], None).time(text, VN).expect("a time").utc().to_rfc3339(), expected);
        }
        assert_eq!(rules(&["%+"], None).date("2016-12-31T16:59:60Z", VN), Ok(day(2016, 12, 31)));
    }
}
