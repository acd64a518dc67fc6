//! The arguments of an address, checked by their types before a page asks anything. What is wrong is said in the
//! language of the reader: the field, its value, and what is allowed.

use crate::web::{PageError, Problem, Visit};
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use fluent_bundle::FluentValue;
use uuid::Uuid;

/// An argument, and the key of the name of its field.
pub type Named<'n> = (&'n str, &'n str);

/// The first and the last day that a filter takes. The day after the last one still has a year of four digits, which
/// the API asks for.
const DAYS: [NaiveDate; 2] =
    [NaiveDate::from_ymd_opt(1900, 1, 1).expect("a day"), NaiveDate::from_ymd_opt(9998, 12, 31).expect("a day")];

/// Characters of a wrong value that a message repeats.
const REPEATED: usize = 100;

/// Reads arguments, and collects their problems.
pub struct Arguments<'v> {
    visit: &'v Visit,
    problems: Vec<Problem>,
}

impl<'v> Arguments<'v> {
    pub fn new(visit: &'v Visit) -> Self {
        Self { visit, problems: Vec::new() }
    }

    /// The problems of what was read.
    pub fn problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Whether all values that were read are right; for a page that cannot show its problems beside its fields.
    ///
    /// # Errors
    /// `Refused` with the problems.
    pub fn check(self) -> Result<(), PageError> {
        if self.problems.is_empty() { Ok(()) } else { Err(PageError::Refused(self.problems)) }
    }

    /// An argument that is one of those offered, each with its words.
    pub fn one_of<W: AsRef<str>>(&mut self, name: Named<'_>, offered: &[(W, String)]) -> Option<&'v str> {
        let given = self.visit.argument(name.0)?;
        if offered.iter().any(|(value, _)| value.as_ref() == given) {
            return Some(given);
        }
        let words: Vec<&str> = offered.iter().map(|(_, words)| words.as_str()).collect();
        self.refuse(name, "filters-not-a-choice", given, &[("allowed", words.join(", "))]);
        None
    }

    /// An argument that is a value of an enum; the keys of the words are `prefix-VALUE`.
    pub fn word(&mut self, name: Named<'_>, values: &[&str], prefix: &str) -> Option<&'v str> {
        let offered = values.iter().map(|value| (*value, self.visit.t(&format!("{prefix}-{value}"))));
        let offered: Vec<(&str, String)> = offered.collect();
        self.one_of(name, &offered)
    }

    /// An argument that is 1 or 0.
    pub fn flag(&mut self, name: Named<'_>) -> Option<bool> {
        let offered = [("1", "form-yes"), ("0", "form-no")];
        let offered = offered.map(|(value, key)| (value, format!("{value} ({})", self.visit.t(key))));
        self.one_of(name, &offered).map(|given| given == "1")
    }

    /// A number of months or days, one of those offered; the first one without the argument.
    pub fn offered<const N: usize>(&mut self, name: Named<'_>, offered: [u32; N]) -> u32 {
        let numbers = offered.map(|number| (number.to_string(), number.to_string()));
        let given = self.one_of(name, &numbers).and_then(|given| given.parse().ok());
        given.unwrap_or(offered[0])
    }

    /// A whole number between two others, both included.
    pub fn number(&mut self, name: Named<'_>, (least, most): (i64, i64)) -> Option<i64> {
        let given = self.visit.argument(name.0)?;
        let number: Option<i64> = given.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let shown = |number: i64| self.visit.number(number as f64, 0);
            let bounds = [("least", shown(least)), ("most", shown(most))];
            self.refuse(name, "filters-not-a-number", given, &bounds);
        }
        number
    }

    /// A day.
    pub fn day(&mut self, name: Named<'_>) -> Option<NaiveDate> {
        let given = self.visit.argument(name.0)?;
        let day: Option<NaiveDate> = given.parse().ok().filter(is_usable);
        if day.is_none() {
            let bounds = [("first", DAYS[0].to_string()), ("last", DAYS[1].to_string())];
            self.refuse(name, "filters-not-a-day", given, &bounds);
        }
        day
    }

    /// The arguments `from` and `until`, whose names are `view-from` and `view-until`.
    pub fn days(&mut self, view: &str) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let (from, until) = (format!("{view}-from"), format!("{view}-until"));
        (self.day(("from", &from)), self.day(("until", &until)))
    }

    /// A day, or a moment such as `2026-03-31T14:05` by clocks in Vietnam: the moment at which it begins.
    pub fn since(&mut self, name: Named<'_>) -> Option<NaiveDateTime> {
        self.day_or_moment(name).map(|(begins, _)| begins)
    }

    /// The arguments `from` and `until`, whose names are `view-from` and `view-until`, each a day or a moment: when the
    /// first one begins, and the moment before which the last one ends. A day is included, a moment is not.
    pub fn span(&mut self, view: &str) -> (Option<NaiveDateTime>, Option<NaiveDateTime>) {
        let from = self.since(("from", &format!("{view}-from")));
        let until = self.day_or_moment(("until", &format!("{view}-until")));
        let ends = |(begins, is_day): (NaiveDateTime, bool)| match is_day {
            true => begins.checked_add_days(Days::new(1)),
            false => Some(begins),
        };
        (from, until.and_then(ends))
    }

    /// When a day or a moment begins, and whether it is a day.
    fn day_or_moment(&mut self, name: Named<'_>) -> Option<(NaiveDateTime, bool)> {
        let given = self.visit.argument(name.0)?;
        let found = day_or_moment(given);
        if found.is_none() {
            let bounds = [("first", DAYS[0].to_string()), ("last", DAYS[1].to_string())];
            self.refuse(name, "filters-not-a-moment", given, &bounds);
        }
        found
    }

    /// A month, such as `2026-03`, as its first day.
    pub fn month(&mut self, name: Named<'_>) -> Option<NaiveDate> {
        let given = self.visit.argument(name.0)?;
        let month = month_of(given);
        if month.is_none() {
            let bounds = [("first", DAYS[0]), ("last", DAYS[1])];
            let bounds = bounds.map(|(bound, day)| (bound, day.format("%Y-%m").to_string()));
            self.refuse(name, "filters-not-a-month", given, &bounds);
        }
        month
    }

    /// The id of an object.
    pub fn id(&mut self, name: Named<'_>) -> Option<&'v str> {
        let given = self.visit.argument(name.0)?;
        self.is_id(name, given).then_some(given)
    }

    /// All values of an argument, each the id of an object.
    pub fn ids(&mut self, name: Named<'v>) -> Vec<&'v str> {
        self.visit.arguments(name.0).filter(|given| self.is_id(name, given)).collect()
    }

    fn is_id(&mut self, name: Named<'_>, given: &str) -> bool {
        let is_id = given.parse::<Uuid>().is_ok();
        if !is_id {
            self.refuse(name, "filters-not-an-id", given, &[]);
        }
        is_id
    }

    /// Says what is wrong with a value, and what is allowed.
    fn refuse(&mut self, (argument, name): Named<'_>, key: &str, given: &str, allowed: &[(&str, String)]) {
        let repeated: String = given.chars().take(REPEATED).collect();
        let mut values: Vec<(&str, FluentValue<'_>)> =
            vec![("field", self.visit.t(name).into()), ("value", repeated.into())];
        values.extend(allowed.iter().map(|(name, value)| (*name, value.clone().into())));
        self.problems.push(Problem::at_field(argument, self.visit.t_with(key, &values)));
    }
}

/// When a day or a moment begins, and whether it is a day. Browsers leave out the seconds of a moment if they are 0.
fn day_or_moment(text: &str) -> Option<(NaiveDateTime, bool)> {
    let day = text.parse::<NaiveDate>().ok().map(|day| (day.and_time(NaiveTime::MIN), true));
    let moment = || {
        let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
        let moment = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"].into_iter().find_map(read);
        // Leap seconds have more nanoseconds.
        moment.filter(|moment| moment.nanosecond() < 1_000_000_000).map(|moment| (moment, false))
    };
    day.or_else(moment).filter(|(begins, _)| is_usable(&begins.date()))
}

fn month_of(text: &str) -> Option<NaiveDate> {
    format!("{text}-01").parse().ok().filter(is_usable)
}

fn is_usable(day: &NaiveDate) -> bool {
    (DAYS[0]..=DAYS[1]).contains(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_from_a_day() {
        let begins = |text| day_or_moment(text).map(|(begins, is_day)| (begins.to_string(), is_day));
        for (text, moment, is_day) in [
            ("2026-03-31", "2026-03-31 00:00:00", true),
            ("2026-03-31T14:05", "2026-03-31 14:05:00", false),
            ("2026-03-31T14:05:09", "2026-03-31 14:05:09", false),
            ("2026-03-31T14:05:09.250", "2026-03-31 14:05:09.250", false),
        ] {
            assert_eq!(begins(text), Some((moment.to_owned(), is_day)), "{text}");
        }
        for wrong in [
            "2026-03-31T25:00",
            "2026-03-31T14",
            "2026-03-31 14:05",
            "1899-12-31T10:00",
            "2026-03-31T23:59:60",
            "today",
        ] {
            assert_eq!(begins(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn months_are_years_with_months() {
        assert_eq!(month_of("2026-03"), NaiveDate::from_ymd_opt(2026, 3, 1));
        for wrong in ["2026-13", "March", "2026-03-01", "1899-12", "9999-01", "+10000-01"] {
            assert_eq!(month_of(wrong), None, "{wrong}");
        }
    }
}
