//! The legal clock: until when a complaint must be answered, by its legal form, its category, and the steps that change
//! the deadline (acceptance, extensions, stops).
//!
//! Each reopening begins a round with a deadline of its own. The terms are data: `docs/deadlines.toml` has the
//! defaults.

use super::toml_text;
use super::working_days::{WorkingDays, Years};
use crate::enums::{DeadlineUnit, LegalForm};
use crate::sql_types::Id;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// Number of days from which a term is not counted day by day where the calendar does not help: 77 years.
const LONG: u32 = 20_000;

/// The deadline of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    pub days: u32,
    pub unit: DeadlineUnit,
}

impl Deadline {
    /// The deadline of stored columns; None for a category without one.
    pub fn of(days: Option<i32>, unit: Option<DeadlineUnit>) -> Option<Self> {
        let days = u32::try_from(days?).unwrap_or(0);
        Some(Self { days, unit: unit.unwrap_or(DeadlineUnit::Working) })
    }
}

/// A period in which the clock does not run: from a day on, and before another one; None while it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub from: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
}

/// The inputs of the deadline of one round besides the legal form and the category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundClock {
    pub started_on: NaiveDate,
    pub accepted_on: Option<NaiveDate>,
    pub remote_area: bool,
    /// The sum of the extensions.
    pub extended_days: u32,
    /// Stops in order of time.
    pub stops: Vec<Stop>,
}

impl RoundClock {
    /// A round without any step.
    pub fn begun(started_on: NaiveDate) -> Self {
        Self { started_on, accepted_on: None, remote_area: false, extended_days: 0, stops: Vec::new() }
    }
}

/// The terms of complaints that are accepted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormTerms {
    pub acceptance_working_days: u32,
    /// Days from acceptance.
    pub days: u32,
    pub remote_days: u32,
    /// The deadline may be extended this many times.
    pub extensions: u32,
    /// The days of each extension.
    pub extension_days: u32,
}

/// Rule by which the deadline of feedback may be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackTerms {
    pub extensions: u32,
    pub extension_days: u32,
}

/// The terms of the law.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub version: String,
    pub feedback: FeedbackTerms,
    pub grievance: FormTerms,
    pub denunciation: FormTerms,
}

impl Default for Terms {
    fn default() -> Self {
        let of = |days, remote_days, extensions, extension_days| FormTerms {
            acceptance_working_days: 10,
            days,
            remote_days,
            extensions,
            extension_days,
        };
        Self {
            version: "1".into(),
            feedback: FeedbackTerms { extensions: 1, extension_days: 5 },
            grievance: of(30, 45, 1, 15),
            denunciation: of(30, 30, 2, 30),
        }
    }
}

impl Terms {
    fn parse(text: &str) -> Result<Self, String> {
        let terms: Self = toml_text::parse(text)?;
        if terms.version.trim().is_empty() {
            return Err("version is blank: it tells one set of terms from another".into());
        }
        let defaults = Self::default();
        if terms.version == defaults.version && terms != defaults {
            return Err(format!(
                "version {:?} is reserved for the default terms: set another version for changed terms",
                terms.version
            ));
        }
        for (name, of) in [("grievance", terms.grievance), ("denunciation", terms.denunciation)] {
            let lengths = [of.acceptance_working_days, of.days, of.remote_days, of.extension_days];
            if lengths.iter().any(|days| !(1..=3_650).contains(days)) || of.extensions > 100 {
                return Err(format!("{name}: days must be from 1 to 3650, and extensions at most 100"));
            }
        }
        if !(1..=3_650).contains(&terms.feedback.extension_days) || terms.feedback.extensions > 100 {
            return Err("feedback: extension_days must be from 1 to 3650, and extensions at most 100".into());
        }
        Ok(terms)
    }

    /// The terms of a legal form that is accepted first; None for feedback.
    pub fn of(&self, form: LegalForm) -> Option<&FormTerms> {
        match form {
            LegalForm::Feedback => None,
            LegalForm::Grievance => Some(&self.grievance),
            LegalForm::Denunciation => Some(&self.denunciation),
        }
    }

    /// Number of times that the deadline of a legal form may be extended, and the days of each extension.
    pub fn extensions(&self, form: LegalForm) -> (u32, u32) {
        match self.of(form) {
            Some(terms) => (terms.extensions, terms.extension_days),
            None => (self.feedback.extensions, self.feedback.extension_days),
        }
    }
}

/// The contents of the files that change the rules; None for a default. The register keeps them, so that writers
/// and verification count by the same rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockFiles {
    pub holidays: Option<String>,
    pub terms: Option<String>,
}

impl ClockFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// A message that names the setting and the file, if one cannot be read or parsed.
    pub fn read(holidays: Option<&Path>, terms: Option<&Path>) -> Result<Self, String> {
        let read = |setting: &str, file: Option<&Path>| {
            file.map(|file| {
                std::fs::read_to_string(file).map_err(|error| format!("{setting}: {}: {error}", file.display()))
            })
            .transpose()
        };
        let files = Self { holidays: read("calendar.holidays", holidays)?, terms: read("deadlines.terms", terms)? };
        if let Some(text) = &files.holidays {
            let file = holidays.map(|file| file.display().to_string()).unwrap_or_default();
            WorkingDays::with(Some(text), &Years::new())
                .map_err(|message| format!("calendar.holidays: {file}: {message}"))?;
        }
        if let Some(text) = &files.terms {
            let file = terms.map(|file| file.display().to_string()).unwrap_or_default();
            Terms::parse(text).map_err(|message| format!("deadlines.terms: {file}: {message}"))?;
        }
        Ok(files)
    }
}

/// The rules of deadlines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockRules {
    pub calendar: WorkingDays,
    pub terms: Terms,
}

/// The rules that come with the program.
static SHIPPED: LazyLock<ClockRules> =
    LazyLock::new(|| ClockRules { calendar: WorkingDays::shipped(), terms: Terms::default() });

impl Default for ClockRules {
    fn default() -> Self {
        Self::shipped().clone()
    }
}

impl ClockRules {
    /// The rules that come with the program.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The rules of files, with the holidays that the register has itself.
    ///
    /// # Errors
    /// A message if a text cannot be parsed, or the years are not a calendar.
    pub fn of(files: &ClockFiles, holidays: &Years) -> Result<Self, String> {
        let shipped = Self::shipped();
        Ok(Self {
            calendar: WorkingDays::with(files.holidays.as_deref(), holidays)?,
            terms: match &files.terms {
                Some(text) => Terms::parse(text)?,
                None => shipped.terms.clone(),
            },
        })
    }

    /// A hash of the rules: equal rules have the same.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", self.terms));
        hash.update(format!("{:?}", self.calendar.years()));
        for day in self.calendar.days() {
            hash.update(day.num_days_from_ce().to_le_bytes());
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }

    /// Whether people work on a day: by the calendar, and Monday to Friday in years that it does not have.
    fn is_working_day(&self, day: NaiveDate) -> bool {
        let is_weekday = || !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        self.calendar.is_working_day(day).unwrap_or_else(|_| is_weekday())
    }

    /// The `number`-th day after a day; None beyond the end of time.
    fn after(&self, day: NaiveDate, number: u32, unit: DeadlineUnit) -> Option<NaiveDate> {
        if unit == DeadlineUnit::Calendar {
            return day.checked_add_days(Days::new(u64::from(number)));
        }
        if let Ok(found) = self.calendar.add_working_days(day, number) {
            return Some(found);
        }
        if number > LONG {
            return day.checked_add_days(Days::new(u64::from(number) / 5 * 7));
        }
        let mut found = day;
        for _ in 0..number {
            found = found.succ_opt()?;
            while !self.is_working_day(found) {
                found = found.succ_opt()?;
            }
        }
        Some(found)
    }

    /// The number of days from a day on and before another.
    fn between(&self, from: NaiveDate, to: NaiveDate, unit: DeadlineUnit) -> u32 {
        let days = u32::try_from((to - from).num_days()).unwrap_or(0);
        if unit == DeadlineUnit::Calendar || days > LONG {
            return days;
        }
        let counted = from.iter_days().take(days as usize).filter(|day| self.is_working_day(*day)).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    /// The last day of a term that begins after `begins`. A stop moves it only if it began before the term was over.
    fn last_day(&self, begins: NaiveDate, days: u32, unit: DeadlineUnit, stops: &[Stop]) -> Option<NaiveDate> {
        let mut last = self.after(begins, days, unit)?;
        for stop in stops {
            let from = stop.from.max(begins.succ_opt()?);
            let Some(to) = stop.to.filter(|to| *to > from) else { continue };
            if from <= last {
                last = self.after(last, self.between(from, to, unit), unit)?;
            }
        }
        while !self.is_working_day(last) {
            last = last.succ_opt()?;
        }
        Some(last)
    }

    /// The last day to accept a complaint; None for feedback, which is not accepted.
    pub fn acceptance_due_on(&self, form: LegalForm, clock: &RoundClock) -> Option<NaiveDate> {
        let terms = self.terms.of(form)?;
        self.last_day(clock.started_on, terms.acceptance_working_days, DeadlineUnit::Working, &clock.stops)
    }

    /// The last day to answer; None for feedback of a category without a deadline. Until a complaint is accepted, it is
    /// due as if it were accepted on the last day for that.
    pub fn due_on(&self, form: LegalForm, deadline: Option<Deadline>, clock: &RoundClock) -> Option<NaiveDate> {
        match self.terms.of(form) {
            None => {
                let Deadline { days, unit } = deadline?;
                self.last_day(clock.started_on, days.saturating_add(clock.extended_days), unit, &clock.stops)
            }
            Some(terms) => {
                let begins = match clock.accepted_on {
                    Some(day) => day,
                    None => self.acceptance_due_on(form, clock)?,
                };
                let days = if clock.remote_area { terms.remote_days } else { terms.days };
                self.last_day(begins, days + clock.extended_days, DeadlineUnit::Calendar, &clock.stops)
            }
        }
    }
}

/// The rules and the deadlines of categories.
#[derive(Debug, Clone)]
pub struct Clock {
    pub rules: Arc<ClockRules>,
    pub deadlines: HashMap<Id, Deadline>,
}

impl Clock {
    /// The last day to answer a complaint of a category in a round; None without a deadline.
    pub fn due_on(&self, form: LegalForm, category: Option<Id>, round: &RoundClock) -> Option<NaiveDate> {
        let deadline = category.and_then(|id| self.deadlines.get(&id)).copied();
        self.rules.due_on(form, deadline, round)
    }
}

#[cfg(test)]
#[path = "legal_clock_tests.rs"]
mod tests;
