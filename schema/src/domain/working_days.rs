//! Working days of the civil service: Monday to Friday without public holidays, and the Saturdays worked in exchange.
//!
//! The days off are data (`holidays.toml`), because the government decides them year by year. A file of the same form
//! adds or replaces years, and so does the register itself, whose years win over those of the file.

use super::toml_text;
use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A day outside the years of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the calendar of working days knows no public holidays of {year}, only those of {first} to {last}: an ADMIN adds \
     them (`setHolidays`, `phananh holidays import`), or name a file with that year in the configuration, [calendar] \
     holidays = \"FILE\""
)]
pub struct UnknownYear {
    pub year: i32,
    pub first: i32,
    pub last: i32,
}

/// The days off of one year, and the days worked in exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct YearDays {
    /// Days off. Saturdays and Sundays need not be listed.
    pub off: Vec<NaiveDate>,
    /// Saturdays and Sundays worked in exchange.
    pub worked: Vec<NaiveDate>,
}

impl YearDays {
    /// The same days in order of time, each of them once.
    pub fn sorted(mut self) -> Self {
        for days in [&mut self.off, &mut self.worked] {
            days.sort_unstable();
            days.dedup();
        }
        self
    }
}

/// Years, with their days.
pub type Years = BTreeMap<i32, YearDays>;

/// The years that a calendar may have.
pub const POSSIBLE_YEARS: RangeInclusive<i32> = 1970..=2199;

/// The working days of consecutive years. Every question takes the same time, however many days it spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDays {
    first: i32,
    last: i32,
    /// The first day of the first year.
    start: NaiveDate,
    /// Number of working days before each day from `start` on, and before the day after the last one.
    before: Vec<u32>,
    /// The working days, in order of time.
    days: Vec<NaiveDate>,
}

impl WorkingDays {
    /// The calendar that comes with the program.
    pub fn shipped() -> Self {
        // Part of the binary, parsed in a test.
        Self::of(shipped_years()).expect("holidays.toml is a calendar")
    }

    /// The calendar that comes with the program, with the years of a file added or replaced, and then those of the
    /// register.
    ///
    /// # Errors
    /// A message if the text of the file is not a calendar, a day is not of its year, or a year is missing between two
    /// others.
    pub fn with(file: Option<&str>, register: &Years) -> Result<Self, String> {
        let mut years = shipped_years();
        if let Some(text) = file {
            years.extend(years_of(text)?);
        }
        years.extend(register.clone());
        Self::of(years)
    }

    fn of(years: Years) -> Result<Self, String> {
        let (Some(first), Some(last)) = (years.keys().next().copied(), years.keys().next_back().copied()) else {
            return Err("it has no year".into());
        };
        let missing: Vec<String> =
            (first..=last).filter(|year| !years.contains_key(year)).map(|year| year.to_string()).collect();
        if !missing.is_empty() {
            return Err(format!("the years from {first} to {last} must not have gaps: add {}", missing.join(", ")));
        }
        let start = NaiveDate::from_ymd_opt(first, 1, 1).ok_or_else(|| format!("{first} is not a year"))?;
        let end = NaiveDate::from_ymd_opt(last, 12, 31).ok_or_else(|| format!("{last} is not a year"))?;
        let (mut off, mut worked) = (BTreeSet::new(), BTreeSet::new());
        for (year, days) in years {
            for (name, listed, all) in [("off", days.off, &mut off), ("worked", days.worked, &mut worked)] {
                if let Some(day) = listed.iter().find(|day| day.year() != year) {
                    return Err(format!("{year}.{name}: {day} is a day of another year"));
                }
                all.extend(listed);
            }
        }
        if let Some(day) = worked.iter().find(|day| !is_weekend(**day) || off.contains(*day)) {
            return Err(format!("{}.worked: {day} must be a Saturday or Sunday that is not in `off`", day.year()));
        }
        let (mut before, mut days) = (Vec::new(), Vec::new());
        for day in start.iter_days().take_while(|day| *day <= end) {
            before.push(u32::try_from(days.len()).unwrap_or(u32::MAX));
            if worked.contains(&day) || !is_weekend(day) && !off.contains(&day) {
                days.push(day);
            }
        }
        before.push(u32::try_from(days.len()).unwrap_or(u32::MAX));
        Ok(Self { first, last, start, before, days })
    }

    /// The first and the last year.
    pub fn years(&self) -> RangeInclusive<i32> {
        self.first..=self.last
    }

    /// The working days, in order of time.
    pub fn days(&self) -> &[NaiveDate] {
        &self.days
    }

    /// Whether people work on a day.
    ///
    /// # Errors
    /// If the calendar does not have the year.
    pub fn is_working_day(&self, day: NaiveDate) -> Result<bool, UnknownYear> {
        let place = self.place(day)?;
        Ok(self.before[place + 1] > self.before[place])
    }

    /// The `number`-th working day after a day, which itself does not count; the day itself for 0.
    ///
    /// # Errors
    /// If the calendar does not have the year of the day or of the answer.
    pub fn add_working_days(&self, day: NaiveDate, number: u32) -> Result<NaiveDate, UnknownYear> {
        let place = self.place(day)?;
        let Some(more) = number.checked_sub(1) else { return Ok(day) };
        let nth = self.before[place + 1] as usize + more as usize;
        self.days.get(nth).copied().ok_or_else(|| self.unknown(self.last + 1))
    }

    /// The `number`-th working day of a period that begins on `from`, which counts if it is a working day: the last
    /// day of a period of so many working days.
    ///
    /// # Errors
    /// Same errors as [`Self::add_working_days`].
    pub fn last_of_working_days(&self, from: NaiveDate, number: u32) -> Result<NaiveDate, UnknownYear> {
        let place = self.place(from)?;
        let nth = self.before[place] as usize + number.max(1) as usize - 1;
        self.days.get(nth).copied().ok_or_else(|| self.unknown(self.last + 1))
    }

    /// The number of working days from one day to another, both included; 0 if the period has no day.
    ///
    /// # Errors
    /// If the calendar does not have the year of one of them.
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> Result<u32, UnknownYear> {
        let (from, to) = (self.place(from)?, self.place(to)?);
        Ok(self.before[to + 1].saturating_sub(self.before[from]))
    }

    fn place(&self, day: NaiveDate) -> Result<usize, UnknownYear> {
        let is_known = self.years().contains(&day.year());
        let days = usize::try_from(day.signed_duration_since(self.start).num_days()).ok().filter(|_| is_known);
        days.ok_or_else(|| self.unknown(day.year()))
    }

    fn unknown(&self, year: i32) -> UnknownYear {
        UnknownYear { year, first: self.first, last: self.last }
    }
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The years that come with the program.
pub fn shipped_years() -> Years {
    // Part of the binary, parsed in a test.
    years_of(include_str!("holidays.toml")).expect("holidays.toml has years")
}

/// The years of a file.
///
/// # Errors
/// A message if the text is not TOML of this form.
pub fn years_of(text: &str) -> Result<Years, String> {
    let by_name: BTreeMap<String, YearDays> = toml_text::parse(text)?;
    let year = |name: String, days| match name.parse::<i32>() {
        Ok(year) if POSSIBLE_YEARS.contains(&year) => Ok((year, days)),
        _ => Err(format!("[{name}] is not a year: write one from 1970 to 2199")),
    };
    by_name.into_iter().map(|(name, days)| year(name, days)).collect()
}

#[cfg(test)]
#[path = "working_days_tests.rs"]
mod tests;
