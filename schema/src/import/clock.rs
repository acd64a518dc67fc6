//! Checks that a date format keeps the time of day and the zone that it reads.
//!
//! chrono accepts formats whose parts do not determine a time (an hour without AM or PM, the name of a zone). Such a
//! format would silently give midnight or local time in every row, so parsing the mapping fails.

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono_tz::Tz;

/// The parts of a point in time that a format reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    hour: bool,
    hour_of_twelve: bool,
    half_of_day: bool,
    minute: bool,
    second: bool,
    fraction: bool,
    /// An offset from UTC, or seconds since 1970.
    offset: bool,
    zone_name: bool,
    /// The format is one specifier that is a complete point in time: `%+`, `%s`.
    whole: bool,
}

impl Clock {
    /// Whether the format reads a time of day.
    pub fn tells_time(self) -> bool {
        self.whole || self.hour || self.hour_of_twelve
    }

    /// Whether the format reads a point in time that does not need the time zone of the mapping.
    pub fn tells_moment(self) -> bool {
        self.whole || self.offset
    }

    fn of(items: &[Item<'_>]) -> Self {
        let mut clock = Self::default();
        for item in items {
            match item {
                Item::Numeric(Numeric::Hour, _) => clock.hour = true,
                Item::Numeric(Numeric::Hour12, _) => clock.hour_of_twelve = true,
                Item::Numeric(Numeric::Minute, _) => clock.minute = true,
                Item::Numeric(Numeric::Second, _) => clock.second = true,
                Item::Numeric(Numeric::Nanosecond, _) => clock.fraction = true,
                Item::Numeric(Numeric::Timestamp, _) | Item::Fixed(Fixed::RFC2822 | Fixed::RFC3339) => {
                    clock.whole = true;
                }
                Item::Fixed(fixed) => match fixed {
                    Fixed::LowerAmPm | Fixed::UpperAmPm => clock.half_of_day = true,
                    // `%.f` is optional: it also matches where there is no fraction.
                    Fixed::Nanosecond => {}
                    Fixed::Nanosecond3 | Fixed::Nanosecond6 | Fixed::Nanosecond9 => clock.fraction = true,
                    Fixed::TimezoneName => clock.zone_name = true,
                    Fixed::TimezoneOffset
                    | Fixed::TimezoneOffsetZ
                    | Fixed::TimezoneOffsetColon
                    | Fixed::TimezoneOffsetColonZ
                    | Fixed::TimezoneOffsetDoubleColon
                    | Fixed::TimezoneOffsetTripleColon => clock.offset = true,
                    _ if is(item, "%#z") => clock.offset = true,
                    _ if ["%3f", "%6f", "%9f"].iter().any(|format| is(item, format)) => clock.fraction = true,
                    _ => {}
                },
                _ => {}
            }
        }
        clock
    }
}

/// Whether an item equals the first item of a format: some items have no public name.
fn is(item: &Item<'_>, format: &str) -> bool {
    StrftimeItems::new(format).next().is_some_and(|named| named == *item)
}

/// Checks a format.
///
/// A `day_only` field needs no time of day, unless the format reads a zone: then the complete time decides which day it
/// is in Vietnam.
///
/// # Errors
/// Names the specifier that loses information, and what to write instead.
pub fn check(format: &str, items: &[Item<'_>], day_only: bool, zone: Tz) -> Result<Clock, String> {
    let clock = Clock::of(items);
    let refused = |part: &str, why: &str| Err(format!("format {format:?}: {part} {why}"));
    if clock.zone_name {
        return refused(
            "%Z",
            "reads the name of a zone and does not know which zone it is, so every time would be taken for local time. \
             Write %z, %:z or %#z where the column has offsets (+0700, +07:00, +07 or Z). Where all cells name one zone, \
             write its name as letters of the format and set `timezone` at the top of the mapping, for example timezone = \"UTC\"",
        );
    }
    if clock.whole || (day_only && !clock.offset) {
        return if clock.tells_time() || !day_only { literal_zone(format, items, clock, zone) } else { Ok(clock) };
    }
    let hour = clock.hour || clock.hour_of_twelve;
    if clock.offset && !hour {
        return refused(
            "the offset (%z, %:z, %#z)",
            "has no hour, so the point in time is unknown: add the time of day (%H:%M) if the column has it, \
             otherwise remove the offset with a `pattern`",
        );
    }
    if clock.hour_of_twelve && !clock.hour && !clock.half_of_day {
        return refused(
            "%I",
            "is an hour from 1 to 12 and does not say which half of the day it is in: add %p (AM, PM), or write %H if the \
             hours go to 23",
        );
    }
    if clock.half_of_day && !hour {
        return refused("%p", "is half a day without an hour: add the hour with %I, for example \"%d/%m/%Y %I:%M %p\"");
    }
    if hour && !clock.minute {
        return refused(
            if clock.hour { "%H" } else { "%I" },
            "is an hour without its minute, which would be read as midnight: add %M. If the column has no minutes, \
             write the hours with \":00\" in the file, or leave the hour out with a `pattern` that takes the day alone, for example \
             pattern = '^(\\S+)'",
        );
    }
    if clock.minute && !hour {
        return refused("%M", "is a minute without its hour: add %H (a month is %m)");
    }
    if clock.second && !clock.minute {
        return refused("%S", "is a second without its minute: add %H:%M before it");
    }
    if clock.fraction && !clock.second {
        return refused("%f", "is a fraction of a second without the second: add %S before it");
    }
    literal_zone(format, items, clock, zone)
}

/// Rejects a zone that is written as literal characters of the format and differs from that of the mapping: parsing
/// ignores it.
fn literal_zone(format: &str, items: &[Item<'_>], clock: Clock, zone: Tz) -> Result<Clock, String> {
    if clock.tells_moment() {
        return Ok(clock);
    }
    // Items that are not literal text end a word.
    let letters: String = items
        .iter()
        .map(|item| match item {
            Item::Literal(text) | Item::Space(text) => (*text).to_owned(),
            Item::OwnedLiteral(text) | Item::OwnedSpace(text) => text.to_string(),
            _ => "\u{0}".to_owned(),
        })
        .collect();
    let is_utc = matches!(zone.name(), "UTC" | "GMT" | "Zulu" | "Universal" | "UCT" | "Greenwich")
        || matches!(
            zone.name().strip_prefix("Etc/"),
            Some("UTC" | "GMT" | "Zulu" | "Universal" | "UCT" | "GMT0" | "GMT+0")
        );
    let utc = letters
        .split(|c: char| !c.is_ascii_alphabetic())
        .find(|word| ["z", "utc", "gmt"].contains(&word.to_ascii_lowercase().as_str()));
    if let Some(word) = utc.filter(|_| !is_utc) {
        return Err(format!(
            "format {format:?}: the letters {word} stand for UTC, but literal letters of a format are ignored, so the \
             times would count as those of {}. Write %#z instead, which reads Z and offsets, or set timezone = \"UTC\" at \
             the top of the mapping",
            zone.name()
        ));
    }
    let signs: Vec<char> = letters.chars().collect();
    let offset =
        signs.windows(3).any(|part| matches!(part, ['+' | '-', a, b] if a.is_ascii_digit() && b.is_ascii_digit()));
    if offset {
        return Err(format!(
            "format {format:?}: an offset that is written as literal digits of the format is ignored. Write %:z for \
             offsets like +07:00, %z for +0700, %#z for +07 or Z"
        ));
    }
    Ok(clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VN: Tz = chrono_tz::Asia::Ho_Chi_Minh;

    fn checked(format: &str, day_only: bool, zone: Tz) -> Result<Clock, String> {
        let items: Vec<_> = StrftimeItems::new(format).collect();
        check(format, &items, day_only, zone)
    }

    #[test]
    fn a_format_that_loses_its_time_is_refused() {
        for (format, part) in [
            ("%d/%m/%Y %Hh", "%H"),
            ("%d/%m/%Y %k", "%H"),
            ("%d/%m/%Y %I %p", "%I"),
            ("%d/%m/%Y %I:%M", "%I"),
            ("%d/%m/%Y %l:%M", "%I"),
            ("%d/%m/%Y %p", "%p"),
            ("%d/%m/%Y %M", "%M"),
            ("%d/%M/%Y", "%M"),
            ("%d/%m/%Y %H:%S", "%H"),
            ("%d/%m/%Y %S", "%S"),
            ("%d/%m/%Y %H:%M%.3f", "%f"),
            ("%d/%m/%Y %H:%M.%3f", "%f"),
            ("%Y-%m-%dT%H%#z", "%H"),
            ("%Y-%m-%d%z", "offset"),
            ("%Y-%m-%d %H:%M:%S %Z", "%Z"),
            ("%Y-%m-%dT%H:%M:%SZ", "letters Z"),
            ("%Y-%m-%d %H:%M:%S UTC", "letters UTC"),
            ("%Y-%m-%d %H:%M:%S+00:00", "digits"),
        ] {
            let error = checked(format, false, VN).unwrap_err();
            assert!(error.contains(part) && error.contains(&format!("{format:?}")), "{format}: {error}");
        }
    }

    #[test]
    fn a_day_needs_the_time_only_where_a_zone_decides_about_it() {
        for lost in ["%Y-%m-%dT%H%#z", "%Y-%m-%d%z", "%Y-%m-%d %H:%M %Z"] {
            assert!(checked(lost, true, VN).is_err(), "{lost}");
        }
        for whole in ["%d/%m/%Y %Hh", "%d/%m/%Y %I:%M", "%Y-%m-%d %H:%M:%S%:z", "%d/%m/%Y"] {
            assert!(checked(whole, true, VN).is_ok(), "{whole}");
        }
    }

    #[test]
    fn what_gives_a_moment_is_taken() {
        for format in [
            "%d/%m/%Y",
            "%m/%Y",
            "%d/%m/%Y %H:%M",
            "%d/%m/%y %I:%M %p",
            "%d/%m/%Y %r",
            "%d/%m/%Y %T",
            "%F %R",
            "%+",
            "%s",
            "%Y-%m-%dT%H:%M:%S%.f%:z",
            "%Y-%m-%d %H:%M%#z",
            "ngày %d tháng %m năm %Y",
            "%H giờ %M ngày %d/%m/%Y",
            "%Y%m%d",
            "%d-%m-%Y",
            "%c",
        ] {
            assert!(checked(format, false, VN).is_ok(), "{format}: {:?}", checked(format, false, VN));
        }
        assert!(checked("%Y-%m-%dT%H:%M:%SZ", false, chrono_tz::UTC).is_ok());
        assert!(checked("%Y-%m-%d %H:%M UTC", false, chrono_tz::Etc::UTC).is_ok());
    }
}
