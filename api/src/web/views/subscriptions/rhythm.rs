//! The times of digests in words: what a reader may choose without knowing cron.

use crate::web::Visit;
use fluent_bundle::FluentValue;

/// The times that the form offers.
const USUAL: [&str; 5] = ["0 7 * * *", "0 7 * * 1-5", "0 7 * * 1", "30 16 * * 5", "0 7 1 * *"];

/// The choice of times that only a cron expression names.
pub const OTHER: &str = "OTHER";

/// The days of a cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    All,
    /// From Monday to Friday.
    Working,
    /// A day of the week: 1 is Monday, 7 is Sunday.
    Week(u32),
    /// A day of the month.
    Month(u32),
}

/// The times of a cron expression in words; None where it has times of another kind.
pub fn in_words(visit: &Visit, cron: &str) -> Option<String> {
    let (days, hour, minute) = read(cron)?;
    let time: FluentValue<'_> = format!("{hour}:{minute:02}").into();
    let (kind, day) = match days {
        Days::All => ("all".to_owned(), 0),
        Days::Working => ("working".to_owned(), 0),
        Days::Week(day) => (format!("week-{day}"), day),
        Days::Month(day) => ("month".to_owned(), day),
    };
    Some(visit.t_with(&format!("subscriptions-rhythm-{kind}"), &[("time", time), ("day", day.into())]))
}

/// The choices of the form with their words: the usual times, the present ones, and others.
pub fn choices(visit: &Visit, present: &str) -> Vec<(String, String)> {
    let offered = USUAL.into_iter().chain((!USUAL.contains(&present)).then_some(present));
    let worded = offered.filter_map(|cron| Some((cron.to_owned(), in_words(visit, cron)?)));
    worded.chain([(OTHER.to_owned(), visit.t("subscriptions-rhythm-other"))]).collect()
}

/// The days, the hour and the minute of a cron expression that names one time of the day.
fn read(cron: &str) -> Option<(Days, u32, u32)> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, "*", weekday] = fields[..] else { return None };
    let days = match (day, weekday) {
        ("*", "*") => Days::All,
        ("*", "1-5") => Days::Working,
        // Sunday has two numbers.
        ("*", "0") => Days::Week(7),
        ("*", weekday) => Days::Week(number(weekday, 1, 7)?),
        (day, "*") => Days::Month(number(day, 1, 31)?),
        _ => return None,
    };
    Some((days, number(hour, 0, 23)?, number(minute, 0, 59)?))
}

/// A number between two others, both included.
fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_plain && (least..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_of_usual_days_has_words() {
        for (cron, read_as) in [
            ("0 7 * * *", (Days::All, 7, 0)),
            ("05 23 * * 1-5", (Days::Working, 23, 5)),
            ("30 16 * * 5", (Days::Week(5), 16, 30)),
            ("0 7 * * 0", (Days::Week(7), 7, 0)),
            ("0 7 * * 7", (Days::Week(7), 7, 0)),
            ("0 7 31 * *", (Days::Month(31), 7, 0)),
        ] {
            assert_eq!(read(cron), Some(read_as), "{cron}");
        }
        for cron in USUAL {
            assert!(read(cron).is_some(), "{cron}");
        }
    }

    #[test]
    fn other_times_have_none() {
        for cron in [
            "",
            "0 7 * *",
            "0 0 7 * * *",
            "0 7 1 * 1",
            "0 7 1 1 *",
            "0 8,14 * * *",
            "*/5 7 * * *",
            "0 +7 * * *",
            "0 7 * * MON",
            "0 24 * * *",
            "60 7 * * *",
            "0 7 32 * *",
            "0 7 * * 8",
        ] {
            assert_eq!(read(cron), None, "{cron}");
        }
    }
}
