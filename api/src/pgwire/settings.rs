//! The settings of a session, which `SET` changes and `SHOW` answers. Only `statement_timeout` has an effect. Where the
//! server supports a single value, as of the encoding, it refuses others or warns. It stores all other settings.

use super::errors::error;
use super::statement::Setting;
use crate::sql::POSTGRES_VERSION;
use pgwire::error::PgWireResult;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Settings that a client may set in addition to those that the server knows, and bytes of each.
const OWN_SETTINGS: usize = 64;
const BYTES: usize = 1_024;

/// The settings of a session.
pub struct Settings(Mutex<BTreeMap<String, String>>);

/// The values at the beginning of a session.
const DEFAULTS: &[(&str, &str)] = &[
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("escape_string_warning", "on"),
    ("extra_float_digits", "1"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("timezone", "UTC"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
];

/// The settings that are reported to clients at login, in the spelling of PostgreSQL.
pub const REPORTED: &[&str] = &[
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "search_path",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

impl Settings {
    pub fn of(user: &str) -> Self {
        let mut values: BTreeMap<String, String> =
            DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        values.insert("server_version".to_owned(), POSTGRES_VERSION.to_owned());
        values.insert("server_version_num".to_owned(), version_number(POSTGRES_VERSION));
        values.insert("session_authorization".to_owned(), user.to_owned());
        Self(Mutex::new(values))
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.lock().get(&name.to_ascii_lowercase()).cloned()
    }

    /// Changes a setting. Returns a warning if the value has no effect that the client may expect.
    ///
    /// # Errors
    /// If the server cannot do what the value says.
    pub fn set(&self, setting: &Setting) -> PgWireResult<Option<&'static str>> {
        let Setting { name, value } = setting;
        let plain = value.trim_matches('\'').to_ascii_lowercase();
        let only = |possible: bool, what: &str| match possible {
            true => Ok(None),
            false => Err(error("22023", format!("{name} cannot be {value:?}: {what}"))),
        };
        match name.as_str() {
            "client_encoding" => {
                let is_utf8 = matches!(plain.replace('-', "").as_str(), "utf8" | "unicode" | "default");
                return only(is_utf8, "the server writes UTF8");
            }
            "datestyle" => {
                let is_iso = plain.starts_with("iso") || plain == "default";
                return only(is_iso, "the server writes days as ISO");
            }
            "intervalstyle" => {
                return only(
                    matches!(plain.as_str(), "postgres" | "default"),
                    "the server writes intervals as postgres",
                );
            }
            "standard_conforming_strings" => {
                return only(
                    matches!(plain.as_str(), "on" | "true" | "1" | "default"),
                    "a backslash stands for itself",
                );
            }
            "timezone" => {
                let is_utc =
                    matches!(plain.as_str(), "utc" | "etc/utc" | "gmt" | "z" | "0" | "+00:00" | "default" | "local");
                let warning = "instants stay in UTC: write AT TIME ZONE 'Asia/Ho_Chi_Minh' for local times";
                return Ok((!is_utc).then_some(warning));
            }
            "server_version" | "server_version_num" | "server_encoding" | "session_authorization" | "is_superuser" => {
                return only(false, "it cannot be changed");
            }
            "statement_timeout" if duration(&plain).is_none() => {
                return only(false, "write milliseconds, or a number with ms, s, min or h");
            }
            "transaction" | "session characteristics" | "session authorization" | "role" => return Ok(None),
            _ => {}
        }
        let mut values = self.lock();
        let fits = value.len() <= BYTES && name.len() <= BYTES;
        if fits && (values.contains_key(name) || values.len() < DEFAULTS.len() + OWN_SETTINGS) {
            values.insert(name.clone(), value.clone());
        }
        Ok(None)
    }

    /// Resets a setting to its value at login; None for all.
    pub fn reset(&self, name: Option<&str>) {
        let mut values = self.lock();
        let first = |name: &str| DEFAULTS.iter().find(|(known, _)| *known == name);
        match name {
            None => values.retain(|name, _| is_fixed(name) || first(name).is_some()),
            Some(name) if !is_fixed(name) && first(name).is_none() => {
                values.remove(name);
            }
            Some(_) => {}
        }
        for (known, value) in DEFAULTS.iter().filter(|(known, _)| name.is_none_or(|name| name == *known)) {
            values.insert((*known).to_owned(), (*value).to_owned());
        }
    }

    /// None if the client has set no limit.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.get("statement_timeout").and_then(|value| duration(&value)).filter(|timeout| !timeout.is_zero())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fixed(name: &str) -> bool {
    matches!(name, "server_version" | "server_version_num" | "session_authorization")
}

/// `16.6` as `160006`.
fn version_number(version: &str) -> String {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    format!("{major}{minor:0>4}")
}

/// Milliseconds, or a number with a unit.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text == "default" {
        return Some(Duration::ZERO);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let milliseconds = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(milliseconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(settings: &Settings, name: &str, value: &str) -> PgWireResult<Option<&'static str>> {
        settings.set(&Setting { name: name.to_owned(), value: value.to_owned() })
    }

    #[test]
    fn settings_are_kept_or_refused() {
        let settings = Settings::of("team");
        assert_eq!(settings.get("TimeZone").as_deref(), Some("UTC"));
        assert_eq!(settings.get("server_version_num").map(|number| number.len()), Some(6));
        assert_eq!(set(&settings, "application_name", "psql").unwrap(), None);
        assert_eq!(settings.get("application_name").as_deref(), Some("psql"));
        assert!(set(&settings, "client_encoding", "LATIN1").is_err());
        assert!(set(&settings, "timezone", "Asia/Ho_Chi_Minh").unwrap().is_some());
        assert!(set(&settings, "statement_timeout", "soon").is_err());
        set(&settings, "statement_timeout", "2s").unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(2)));
        settings.reset(None);
        assert_eq!(settings.statement_timeout(), None);
        assert_eq!(settings.get("session_authorization").as_deref(), Some("team"));
    }

    #[test]
    fn a_client_cannot_fill_the_memory_with_settings() {
        let settings = Settings::of("team");
        for number in 0..1_000 {
            set(&settings, &format!("own.{number}"), "x").unwrap();
        }
        assert!(settings.lock().len() < 200);
        set(&settings, "own.long", &"x".repeat(BYTES + 1)).unwrap();
        assert_eq!(settings.get("own.long"), None);
    }
}
