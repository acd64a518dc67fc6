//! The rules by which a register counts: those of the program, or of files that it keeps; and the holidays that it has
//! itself, which win over both.

use crate::db::{Conn, StoreError};
use crate::domain::legal_clock::{ClockFiles, ClockRules};
use crate::domain::working_days::{YearDays, Years};
use crate::models::HolidayYear;
use crate::sql_types::JsonValue;
use crate::tables::{holiday_years, legal_clock, register_info};
use diesel::prelude::*;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The row of `register_info` with the files of the configuration.
pub(super) const KEY: &str = "legal_clock";

/// The row of `legal_clock`.
pub(super) const ONLY: i32 = 1;

static SHIPPED: LazyLock<Arc<ClockRules>> = LazyLock::new(|| Arc::new(ClockRules::shipped().clone()));

/// The sources of the rules.
type Parts = (ClockFiles, Years);

/// The rules parsed last, and what they are made of.
static PARSED: Mutex<Option<(Parts, Arc<ClockRules>)>> = Mutex::new(None);

/// The files that the register keeps; None if it counts by the rules that come with the program.
///
/// # Errors
/// `Rule` if they cannot be read.
pub(crate) fn clock_files(conn: &mut Conn) -> Result<Option<ClockFiles>, StoreError> {
    let found: Option<JsonValue> =
        register_info::table.find(KEY).select(register_info::value).first(conn).optional()?;
    found.map(|value| serde_json::from_value(value.0).map_err(unreadable)).transpose()
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Rule(format!(
        "the rules of deadlines in register_info cannot be read ({error}): run `phananh migrate` with a configuration \
         that names them ([calendar] holidays, [deadlines] terms)"
    ))
}

/// The holidays that the register has itself, by year.
///
/// # Errors
/// `Rule` if they cannot be read.
pub(crate) fn register_holidays(conn: &mut Conn) -> Result<Years, StoreError> {
    let rows: Vec<HolidayYear> = holiday_years::table
        .filter(holiday_years::days_off.is_not_null())
        .select(HolidayYear::as_select())
        .load(conn)?;
    rows.iter().map(|row| Ok((row.year, days_of(row)?.unwrap_or_default()))).collect()
}

/// The days of a year of the register; None if it is left to the configuration and the program.
///
/// # Errors
/// `Rule` if they cannot be read.
pub(crate) fn days_of(row: &HolidayYear) -> Result<Option<YearDays>, StoreError> {
    let (Some(off), Some(worked)) = (&row.days_off, &row.days_worked) else { return Ok(None) };
    let wrong = |error: serde_json::Error| StoreError::Rule(format!("the holidays of {}: {error}", row.year));
    let off = serde_json::from_value(off.0.clone()).map_err(wrong)?;
    let worked = serde_json::from_value(worked.0.clone()).map_err(wrong)?;
    Ok(Some(YearDays { off, worked }))
}

/// The rules by which the register counts.
///
/// # Errors
/// `Rule` if the files or holidays that it keeps cannot be parsed.
pub fn clock_rules(conn: &mut Conn) -> Result<Arc<ClockRules>, StoreError> {
    let holidays = register_holidays(conn)?;
    clock_rules_with(conn, holidays)
}

/// The same with other holidays than the register has now.
///
/// # Errors
/// Same errors as [`clock_rules`].
pub(crate) fn clock_rules_with(conn: &mut Conn, holidays: Years) -> Result<Arc<ClockRules>, StoreError> {
    rules_of(clock_files(conn)?, holidays)
}

/// The rules in some files with some holidays. The rules that were parsed last are kept.
///
/// # Errors
/// If a file cannot be parsed.
pub(super) fn rules_of(files: Option<ClockFiles>, holidays: Years) -> Result<Arc<ClockRules>, StoreError> {
    if files.is_none() && holidays.is_empty() {
        return Ok(Arc::clone(&SHIPPED));
    }
    let parts = (files.unwrap_or_default(), holidays);
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, rules)) = &*parsed
        && *of == parts
    {
        return Ok(Arc::clone(rules));
    }
    let rules = Arc::new(ClockRules::of(&parts.0, &parts.1).map_err(unreadable)?);
    *parsed = Some((parts, Arc::clone(&rules)));
    Ok(rules)
}

/// The hash of the rules by which the deadlines in the register were computed last; empty if they never were.
///
/// # Errors
/// If the database cannot be read.
pub fn rules_hash(conn: &mut Conn) -> Result<String, StoreError> {
    let found: Option<String> = legal_clock::table.find(ONLY).select(legal_clock::rules).first(conn).optional()?;
    Ok(found.unwrap_or_default())
}
