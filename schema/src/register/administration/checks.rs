//! Checks of the values that an administrator writes.

use crate::db::StoreError;
use crate::domain::calendar::{FIRST_DAY, LAST_DAY, is_sensible};
use crate::domain::inert::is_control_or_hidden;
use crate::import::looks::without_hidden;
use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization;

/// The longest code in characters, as in imports.
const LONGEST_CODE: usize = 200;
/// The longest name in characters.
const LONGEST_NAME: usize = 500;

pub(super) fn rule(field: &str, message: impl std::fmt::Display) -> StoreError {
    StoreError::Rule(format!("{field}: {message}"))
}

/// A code for a new row, trimmed and in NFC.
///
/// # Errors
/// `Rule` if it is blank, too long, or has control or invisible characters.
pub(super) fn code(field: &str, text: &str) -> Result<String, StoreError> {
    let code: String = text.trim().nfc().collect();
    if let Some((_, hidden)) = without_hidden(&code) {
        return Err(rule(field, format!("has invisible characters ({hidden}): remove them")));
    }
    if code.is_empty() || code.chars().count() > LONGEST_CODE || code.chars().any(is_control_or_hidden) {
        return Err(rule(field, format!("write 1 to {LONGEST_CODE} characters without control characters")));
    }
    Ok(code)
}

/// A name, trimmed and in NFC.
///
/// # Errors
/// `Rule` if it is blank, too long, or has control or invisible characters.
pub(super) fn name(field: &str, text: &str) -> Result<String, StoreError> {
    let name: String = text.trim().nfc().collect();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(is_control_or_hidden) {
        return Err(rule(field, format!("write 1 to {LONGEST_NAME} characters without control characters")));
    }
    Ok(name)
}

/// An optional [`name`].
///
/// # Errors
/// Same errors as [`name`].
pub(super) fn optional_name(field: &str, text: Option<&str>) -> Result<Option<String>, StoreError> {
    text.map(|text| name(field, text)).transpose()
}

/// A day within the range of the register.
///
/// # Errors
/// `Rule` if it is outside.
pub(super) fn day(field: &str, day: NaiveDate) -> Result<NaiveDate, StoreError> {
    match is_sensible(day) {
        true => Ok(day),
        false => Err(rule(field, format!("is {day}: write a day from {FIRST_DAY} to {LAST_DAY}"))),
    }
}

/// The day before a day.
pub(super) fn day_before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(day)
}

/// Whether the last day of a period is at or after a day; a period without a last day lasts for ever.
pub(super) fn lasts_until(valid_to: Option<NaiveDate>, day: Option<NaiveDate>) -> bool {
    match (valid_to, day) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(to), Some(day)) => to >= day,
    }
}

/// The earlier of two last days.
pub(super) fn earlier_end(one: Option<NaiveDate>, other: Option<NaiveDate>) -> Option<NaiveDate> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Some items in words: the first ten, and how many more there are.
pub(super) fn listed(items: &[String]) -> String {
    let first = items.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
    if items.len() > 10 { format!("{first} and {} more", items.len() - 10) } else { first }
}
