//! Texts and days of inputs, as they have to be.

use super::error::bad_input;
use async_graphql::Result;
use chrono::NaiveDate;
use schema::domain::calendar::{FIRST_DAY, LAST_DAY, is_sensible};

/// A text that has to be there: without blanks around it.
pub fn required(name: &str, text: &str, longest: usize) -> Result<String> {
    optional(name, Some(text), longest)?
        .ok_or_else(|| bad_input(format!("{name} is blank: write 1 to {longest} characters")))
}

/// A text that may be left out; a blank one is none.
pub fn optional(name: &str, text: Option<&str>, longest: usize) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > longest {
        return Err(bad_input(format!("{name} has at most {longest} characters")));
    }
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// A day that can be one of ours, and not a slip of the keyboard.
pub fn day(name: &str, day: NaiveDate) -> Result<NaiveDate> {
    match is_sensible(day) {
        true => Ok(day),
        false => Err(bad_input(format!("{name} is {day}: write a day from {FIRST_DAY} to {LAST_DAY}"))),
    }
}

/// Characters of a title or a number.
pub const SHORT: usize = 500;
/// Characters of a text.
pub const LONG: usize = 100_000;
