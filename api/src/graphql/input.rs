//! Texts and days of inputs, as they have to be.

use super::error::bad_input;
use async_graphql::Result;
use chrono::{Datelike, NaiveDate};

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
    if (1970..=2199).contains(&day.year()) {
        Ok(day)
    } else {
        Err(bad_input(format!("{name} is {day}: it lies from 1970 to 2199")))
    }
}

/// Characters of a title or a number.
pub const SHORT: usize = 500;
/// Characters of a text.
pub const LONG: usize = 100_000;
