//! Validates texts and days of inputs.

use super::error::{bad_input, refuse};
use super::scalars::parse_id;
use async_graphql::{ID, Result};
use chrono::NaiveDate;
use schema::Id;
use schema::domain::calendar::{FIRST_DAY, LAST_DAY, is_sensible};
use schema::refusal::InputRefusal;

/// Trims a required text.
///
/// # Errors
/// BAD_USER_INPUT if it is blank or too long.
pub fn required(name: &str, text: &str, longest: usize) -> Result<String> {
    optional(name, Some(text), longest)?
        .ok_or_else(|| refuse(InputRefusal::Blank { field: name.to_owned(), most: longest }))
}

/// Trims an optional text; a blank one is None.
///
/// # Errors
/// BAD_USER_INPUT if it is too long.
pub fn optional(name: &str, text: Option<&str>, longest: usize) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > longest {
        return Err(refuse(InputRefusal::TooLong { field: name.to_owned(), most: longest }));
    }
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// Checks a day against the range of the register, to catch typing errors.
///
/// # Errors
/// BAD_USER_INPUT if it is outside.
pub fn day(name: &str, day: NaiveDate) -> Result<NaiveDate> {
    match is_sensible(day) {
        true => Ok(day),
        false => {
            let field = name.to_owned();
            Err(refuse(InputRefusal::DayOutside { field, day, first: FIRST_DAY, last: LAST_DAY }))
        }
    }
}

/// Longest title or number, in characters.
pub const SHORT: usize = 500;
/// Longest text, in characters.
pub const LONG: usize = 100_000;

/// Choice of a single object.
pub enum IdOrCode {
    Id(Id),
    Code(String),
}

/// Chooses by id or by code.
///
/// # Errors
/// BAD_USER_INPUT unless exactly one is given.
pub fn id_or_code(id: Option<ID>, code: Option<String>) -> Result<IdOrCode> {
    match (id, code) {
        (Some(id), None) => Ok(IdOrCode::Id(parse_id(&id)?)),
        (None, Some(code)) => Ok(IdOrCode::Code(code)),
        _ => Err(bad_input("give exactly one of id and code")),
    }
}
