//! Pages as the Relay specification has them.

use super::error::bad_input;
use async_graphql::{Enum, Object, Result};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use data_encoding::BASE64URL_NOPAD;
use schema::Id;
use schema::keys::{Coder, CursorKeys};
use schema::queries::{Direction, Key, Slice, Window};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
}

/// A page size that was asked for.
pub fn size(name: &str, n: i32, largest: u32) -> Result<usize> {
    match usize::try_from(n) {
        Ok(n) if n <= largest as usize => Ok(n),
        Ok(_) => Err(bad_input(format!("{name} is {n}: a page has at most {largest} rows"))),
        Err(_) => Err(bad_input(format!("{name} is {n}: it cannot be negative"))),
    }
}

/// Makes cursors and reads them. With a key file they are sealed: they hold the values by which a list is
/// ordered, and the id of the row, which not everybody may see. The same row has the same cursor, so each audience has a key
/// of its own: a cursor would name the row to another audience otherwise.
#[derive(Clone, Default)]
pub struct Cursors(Option<Sealer>);

#[derive(Clone)]
struct Sealer {
    cipher: XChaCha20Poly1305,
    nonce: Coder,
}

/// Where a row stands in a list; it becomes a cursor when somebody asks for that, since sealing costs more than
/// the rest of a row.
#[derive(Clone)]
pub struct Cursor {
    sealer: Cursors,
    place: Place,
}

/// What a cursor holds.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// The values by which the list is ordered.
    Keys(Vec<Key>),
    /// The same for one list alone: no other takes the cursor.
    Of(&'static str, Vec<Key>),
    /// The row itself, in a list whose order is computed.
    Row(Id),
}

impl Cursor {
    pub fn encode(&self) -> String {
        self.sealer.encode(&self.place)
    }
}

/// Which part of a list a page is.
pub struct PageInfo {
    pub has_previous_page: bool,
    pub has_next_page: bool,
    pub start: Option<Cursor>,
    pub end: Option<Cursor>,
}

impl PageInfo {
    /// The page info of a part of a list.
    pub fn new<M>(slice: &Slice<M>, window: &Window, cursors: &[Cursor]) -> Self {
        Self {
            has_previous_page: if window.backward { slice.more } else { window.after.is_some() },
            has_next_page: if window.backward { window.before.is_some() } else { slice.more },
            start: cursors.first().cloned(),
            end: cursors.last().cloned(),
        }
    }
}

/// Information about pagination in a connection
#[Object]
impl PageInfo {
    /// When paginating backwards, are there more items?
    async fn has_previous_page(&self) -> bool {
        self.has_previous_page
    }

    /// When paginating forwards, are there more items?
    async fn has_next_page(&self) -> bool {
        self.has_next_page
    }

    /// When paginating backwards, the cursor to continue.
    async fn start_cursor(&self) -> Option<String> {
        self.start.as_ref().map(Cursor::encode)
    }

    /// When paginating forwards, the cursor to continue.
    async fn end_cursor(&self) -> Option<String> {
        self.end.as_ref().map(Cursor::encode)
    }
}

/// Bytes of a nonce.
const NONCE: usize = 24;

impl Cursors {
    pub fn new(keys: Option<&CursorKeys>) -> Self {
        Self(
            keys.map(|keys| Sealer { cipher: XChaCha20Poly1305::new(&keys.sealing.into()), nonce: keys.nonce.clone() }),
        )
    }

    /// Where a row stands, for a cursor.
    pub fn at(&self, place: Place) -> Cursor {
        Cursor { sealer: self.clone(), place }
    }

    /// A cursor of what says where a row stands.
    pub fn encode<T: Serialize + ?Sized>(&self, place: &T) -> String {
        let plain = serde_json::to_vec(place).unwrap_or_default();
        let Some(Sealer { cipher, nonce: coder }) = &self.0 else { return BASE64URL_NOPAD.encode(&plain) };
        // The nonce is made of the content, so that the same row has the same cursor, and no nonce is used twice
        // for different ones.
        let code = coder.code(&[&plain]);
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&code[..NONCE]);
        let sealed = cipher.encrypt(&XNonce::from(nonce), plain.as_slice()).unwrap_or_default();
        BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat())
    }

    /// Reads a cursor back; `name` is the argument that it came in.
    pub fn decode<T: DeserializeOwned>(&self, name: &str, cursor: &str) -> Result<T> {
        let opened = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok().and_then(|bytes| self.open(bytes));
        // Nothing of ours holds NUL, and PostgreSQL would not even look for it.
        let opened = opened.filter(|bytes| !bytes.windows(6).any(|part| part == b"\\u0000"));
        opened
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| bad_input(format!("{name} is no cursor: take one from `pageInfo` or an edge")))
    }

    fn open(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let Some(Sealer { cipher, .. }) = &self.0 else { return Some(bytes) };
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        cipher.decrypt(&XNonce::from(nonce), sealed).ok()
    }
}
