//! Relay pagination: page arguments, page info, and cursors, which are sealed if the server has a key file.

use super::error::{bad_input, refuse};
use async_graphql::{Enum, Object, Result};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use data_encoding::BASE64URL_NOPAD;
use schema::Id;
use schema::keys::{Coder, CursorKeys};
use schema::queries::{Direction, Key, Window};
use schema::refusal::FilterRefusal;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Rows of a page if neither `first` nor `last` is given.
pub const DEFAULT_PAGE: usize = 25;

/// The direction of an order.
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

/// The page arguments of every connection.
#[derive(Debug, Default)]
pub struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArgs {
    /// The window of the list that was asked for, of at most `largest` rows.
    ///
    /// # Errors
    /// BAD_USER_INPUT if both `first` and `last` are given, a size is out of range, or a cursor is invalid.
    pub fn window(&self, largest: u32, cursors: &Cursors) -> Result<Window> {
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
            after: self.after.as_deref().map(|text| cursors.decode("after", text)).transpose()?,
            before: self.before.as_deref().map(|text| cursors.decode("before", text)).transpose()?,
            backward: self.last.is_some(),
        })
    }

    /// Whether they ask for no row, at either end of the list, and give no cursor.
    pub fn is_empty(&self) -> bool {
        let asks_for_none = matches!((self.first, self.last), (Some(0), None) | (None, Some(0)));
        asks_for_none && self.after.is_none() && self.before.is_none()
    }
}

/// Checks a page size.
///
/// # Errors
/// BAD_USER_INPUT if it is negative or above `largest`.
pub fn size(name: &str, n: i32, largest: u32) -> Result<usize> {
    match usize::try_from(n) {
        Ok(n) if n <= largest as usize => Ok(n),
        Ok(_) => Err(bad_input(format!("{name} is {n}: a page has at most {largest} rows"))),
        Err(_) => Err(bad_input(format!("{name} is {n}: it must not be negative"))),
    }
}

/// Checks up to which number a list is to be counted.
///
/// # Errors
/// BAD_USER_INPUT unless it is from 1 to 10,000.
pub fn limit_of_count(limit: i32) -> Result<i64> {
    match limit {
        1..=10_000 => Ok(limit.into()),
        _ => Err(bad_input(format!("limit is {limit}: a list is counted up to a number from 1 to 10,000"))),
    }
}

/// Encodes and decodes cursors. With a key file they are sealed, since they hold the sort values and the id of
/// the row, which not every audience may see. Sealing is deterministic, so each audience has its own key:
/// otherwise equal cursors would identify a row across audiences.
#[derive(Clone, Default)]
pub struct Cursors(Option<Sealer>);

#[derive(Clone)]
struct Sealer {
    cipher: XChaCha20Poly1305,
    nonce: Coder,
}

/// The place of a row in a list. It is encoded only when selected, since sealing costs more than the rest of
/// the row.
#[derive(Clone)]
pub struct Cursor {
    sealer: Cursors,
    place: Place,
}

/// The content of a cursor.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// The sort values of the row.
    Keys(Vec<Key>),
    /// The name of the one list that accepts the cursor, and the sort values.
    Of(&'static str, Vec<Key>),
    /// The id of the row, in a list whose order is computed.
    Row(Id),
}

impl Cursor {
    pub fn encode(&self) -> String {
        self.sealer.encode(&self.place)
    }
}

pub struct PageInfo {
    pub has_previous_page: bool,
    pub has_next_page: bool,
    pub start: Option<Cursor>,
    pub end: Option<Cursor>,
}

/// Whether a list has rows before a page and after it.
#[derive(Debug, Clone, Copy)]
pub struct Beyond {
    pub before: bool,
    pub after: bool,
}

impl Beyond {
    /// Around the page that a window selects; `more` tells whether more rows follow in its direction.
    pub fn window(window: &Window, more: bool) -> Self {
        if window.backward {
            Self { before: more, after: window.before.is_some() }
        } else {
            Self { before: window.after.is_some(), after: more }
        }
    }
}

/// The position of a page in its list.
#[Object]
impl PageInfo {
    /// Whether rows exist before this page, when paging with `last`.
    async fn has_previous_page(&self) -> bool {
        self.has_previous_page
    }

    /// Whether rows exist after this page, when paging with `first`.
    async fn has_next_page(&self) -> bool {
        self.has_next_page
    }

    /// The cursor of the first row: pass it as `before`. Null if the page is empty.
    async fn start_cursor(&self) -> Option<String> {
        self.start.as_ref().map(Cursor::encode)
    }

    /// The cursor of the last row: pass it as `after`. Null if the page is empty.
    async fn end_cursor(&self) -> Option<String> {
        self.end.as_ref().map(Cursor::encode)
    }
}

/// Length of a nonce in bytes.
const NONCE: usize = 24;

impl Cursors {
    pub fn new(keys: Option<&CursorKeys>) -> Self {
        Self(
            keys.map(|keys| Sealer { cipher: XChaCha20Poly1305::new(&keys.sealing.into()), nonce: keys.nonce.clone() }),
        )
    }

    /// The cursor of a place.
    pub fn at(&self, place: Place) -> Cursor {
        Cursor { sealer: self.clone(), place }
    }

    /// Encodes a place as a cursor.
    pub fn encode<T: Serialize + ?Sized>(&self, place: &T) -> String {
        let plain = serde_json::to_vec(place).unwrap_or_default();
        let Some(Sealer { cipher, nonce: coder }) = &self.0 else { return BASE64URL_NOPAD.encode(&plain) };
        // The nonce is derived from the content: the same row has the same cursor, and no nonce seals two
        // contents.
        let code = coder.code(&[&plain]);
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&code[..NONCE]);
        let sealed = cipher.encrypt(&XNonce::from(nonce), plain.as_slice()).unwrap_or_default();
        BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat())
    }

    /// Decodes a cursor; `name` is the argument that held it.
    ///
    /// # Errors
    /// BAD_USER_INPUT if the cursor does not decode or was sealed for another audience.
    pub fn decode<T: DeserializeOwned>(&self, name: &str, cursor: &str) -> Result<T> {
        let opened = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok().and_then(|bytes| self.open(bytes));
        // No stored text holds NUL, and PostgreSQL fails on a parameter that does.
        let opened = opened.filter(|bytes| !bytes.windows(6).any(|part| part == b"\\u0000"));
        opened
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| refuse(FilterRefusal::NotACursor { field: name.to_owned() }))
    }

    fn open(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let Some(Sealer { cipher, .. }) = &self.0 else { return Some(bytes) };
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        cipher.decrypt(&XNonce::from(nonce), sealed).ok()
    }
}
