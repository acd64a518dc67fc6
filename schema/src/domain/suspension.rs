//! Limits the suspension of an officer from work (đình chỉ công tác), by the ground of the suspension.
//!
//! The defaults are those of Article 68a of Decree 138/2020/NĐ-CP, which Decree 116/2024/NĐ-CP inserted: at most 15
//! working days, extended once by at most 15. A TOML file changes them (`docs/suspension.toml` has them all).

use super::toml_text;
use super::working_days::{UnknownYear, WorkingDays};
use crate::enums::SuspensionGround;
use chrono::NaiveDate;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The longest duration of a suspension, in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Working days of the suspension as decided, its first day included.
    pub working_days: u32,
    /// Working days of the extension; 0 if it cannot be extended.
    pub extension_working_days: u32,
}

/// The limits of suspensions. A measure stores the version and the limit by which it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspensionLimits {
    pub version: String,
    default: Limit,
    by_ground: BTreeMap<SuspensionGround, Limit>,
}

/// The form of a file with limits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    #[serde(default = "fifteen")]
    working_days: u32,
    #[serde(default = "fifteen")]
    extension_working_days: u32,
    #[serde(default)]
    grounds: BTreeMap<String, FileLimit>,
}

/// The limits of one ground. What it leaves out is as for all others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLimit {
    working_days: Option<u32>,
    extension_working_days: Option<u32>,
}

const fn fifteen() -> u32 {
    15
}

impl Default for SuspensionLimits {
    fn default() -> Self {
        let default = Limit { working_days: fifteen(), extension_working_days: fifteen() };
        Self { version: "1".into(), default, by_ground: BTreeMap::new() }
    }
}

impl SuspensionLimits {
    /// Reads limits from a TOML file.
    ///
    /// # Errors
    /// A message if the file cannot be read or parsed, names an unknown ground, or a value is out of range.
    pub fn load(path: &Path) -> Result<Self, String> {
        let wrong = |message: String| format!("{}: {message}", path.display());
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml_text::parse(text)?;
        let default = Limit { working_days: file.working_days, extension_working_days: file.extension_working_days };
        let mut by_ground = BTreeMap::new();
        for (ground, limit) in file.grounds {
            let ground = ground.parse::<SuspensionGround>().map_err(|e| format!("grounds: {e}"))?;
            let limit = Limit {
                working_days: limit.working_days.unwrap_or(default.working_days),
                extension_working_days: limit.extension_working_days.unwrap_or(default.extension_working_days),
            };
            by_ground.insert(ground, limit);
        }
        let limits = Self { version: file.version, default, by_ground };
        if limits.version == Self::default().version && limits != Self::default() {
            return Err(format!(
                "version {:?} is reserved for the default limits: set another version for changed limits",
                limits.version
            ));
        }
        if limits.version.trim().is_empty() {
            return Err("version is blank: it is stored with each suspension".into());
        }
        let is_wrong = |limit: &Limit| !(1..=250).contains(&limit.working_days) || limit.extension_working_days > 250;
        if is_wrong(&limits.default) || limits.by_ground.values().any(is_wrong) {
            return Err("working_days must be from 1 to 250, and extension_working_days from 0 to 250".into());
        }
        Ok(limits)
    }

    /// The limit of suspensions on a ground; None for one recorded before grounds were.
    pub fn of(&self, ground: Option<SuspensionGround>) -> Limit {
        ground.and_then(|ground| self.by_ground.get(&ground)).copied().unwrap_or(self.default)
    }
}

/// The rules of the length of suspensions.
#[derive(Debug, Clone, Copy)]
pub struct SuspensionRules<'a> {
    pub calendar: &'a WorkingDays,
    pub limits: &'a SuspensionLimits,
}

impl SuspensionRules<'_> {
    /// The last day of a suspension that begins on `starts_on` and lasts as long as `limit` allows.
    ///
    /// # Errors
    /// If the calendar does not have the year.
    pub fn last_day(&self, starts_on: NaiveDate, limit: Limit) -> Result<NaiveDate, UnknownYear> {
        self.calendar.last_of_working_days(starts_on, limit.working_days)
    }

    /// The last day of the longest extension of a suspension that would have ended on `ends_on`.
    ///
    /// # Errors
    /// If the calendar does not have the year.
    pub fn last_day_extended(&self, ends_on: NaiveDate, limit: Limit) -> Result<NaiveDate, UnknownYear> {
        self.calendar.add_working_days(ends_on, limit.extension_working_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SuspensionGround::{HarassmentOfEnterprises, RequestedByAuthority};

    #[test]
    fn the_documented_limits_are_the_defaults() {
        let documented = include_str!("../../../docs/suspension.toml");
        assert_eq!(SuspensionLimits::parse(documented), Ok(SuspensionLimits::default()));
    }

    #[test]
    fn a_ground_may_have_limits_of_its_own() {
        let text = "version = \"2\"\nworking_days = 10\n[grounds.REQUESTED_BY_AUTHORITY]\nextension_working_days = 0\n";
        let limits = SuspensionLimits::parse(text).expect("limits");
        let of = |ground| (limits.of(ground).working_days, limits.of(ground).extension_working_days);
        assert_eq!(of(Some(RequestedByAuthority)), (10, 0));
        assert_eq!(of(Some(HarassmentOfEnterprises)), (10, 15));
        assert_eq!(of(None), (10, 15));
    }

    #[test]
    fn wrong_limits_are_refused() {
        for (text, expected) in [
            ("version = \"1\"\nworking_days = 20\n", "reserved"),
            ("version = \" \"\n", "blank"),
            ("version = \"2\"\nworking_days = 0\n", "from 1 to 250"),
            ("version = \"2\"\n[grounds.RUDENESS]\nworking_days = 5\n", "RUDENESS"),
            ("version = \"2\"\nweeks = 3\n", "weeks"),
            ("working_days = 15\n", "version"),
        ] {
            let refused = SuspensionLimits::parse(text).expect_err(text);
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn an_extension_follows_the_suspension() {
        let (calendar, limits) = (&WorkingDays::shipped(), &SuspensionLimits::default());
        let rules = SuspensionRules { calendar, limits };
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let limit = rules.limits.of(Some(HarassmentOfEnterprises));
        assert_eq!(rules.last_day(day("2024-03-04"), limit), Ok(day("2024-03-22")));
        assert_eq!(rules.last_day_extended(day("2024-03-22"), limit), Ok(day("2024-04-12")));
    }
}
