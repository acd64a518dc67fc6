//! Pages as the Relay specification has them.

use super::error::bad_input;
use async_graphql::{Enum, Result};
use data_encoding::BASE64URL_NOPAD;
use schema::queries::{Direction, Key, Window};

/// Rows of a page where nobody says otherwise.
pub const DEFAULT_PAGE: usize = 25;

/// Which way a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SortDirection {
    Asc,
    Desc,
}

impl From<SortDirection> for Direction {
    fn from(direction: SortDirection) -> Self {
        match direction {
            SortDirection::Asc => Self::Asc,
            SortDirection::Desc => Self::Desc,
        }
    }
}

/// The arguments of every connection.
#[derive(Debug, Default)]
pub struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArgs {
    /// The part of the list that was asked for; a page has at most `largest` rows.
    pub fn window(&self, largest: u32) -> Result<Window> {
        if self.first.is_some() && self.last.is_some() {
            return Err(bad_input("give either `first` or `last`, not both"));
        }
        let limit = match (self.first, self.last) {
            (Some(n), _) => size("first", n, largest)?,
            (None, Some(n)) => size("last", n, largest)?,
            (None, None) => DEFAULT_PAGE.min(largest as usize),
        };
        Ok(Window {
            limit,
            after: self.after.as_deref().map(|text| decode("after", text)).transpose()?,
            before: self.before.as_deref().map(|text| decode("before", text)).transpose()?,
            backward: self.last.is_some(),
        })
    }
}

/// A page size that was asked for.
pub fn size(name: &str, n: i32, largest: u32) -> Result<usize> {
    match usize::try_from(n) {
        Ok(n) if n <= largest as usize => Ok(n),
        Ok(_) => Err(bad_input(format!("{name} is {n}: a page has at most {largest} rows"))),
        Err(_) => Err(bad_input(format!("{name} is {n}: it cannot be negative"))),
    }
}

/// A cursor of the keys of a row.
pub fn encode(keys: &[Key]) -> String {
    BASE64URL_NOPAD.encode(&serde_json::to_vec(keys).unwrap_or_default())
}

fn decode(name: &str, cursor: &str) -> Result<Vec<Key>> {
    BASE64URL_NOPAD
        .decode(cursor.as_bytes())
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| bad_input(format!("{name} is no cursor: take one from `pageInfo` or an edge")))
}
