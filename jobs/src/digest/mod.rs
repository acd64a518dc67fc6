//! Digests: composed from stored job results, rendered in Vietnamese and English, stored, and delivered through an outbox:
//! one for the Board each day, and those of readers ([`reader`]).

pub mod address;
mod answers;
mod board;
mod document;
mod flagged;
mod head;
mod head_part;
mod links;
mod measured;
pub mod messages;
mod news;
mod numbers;
pub mod outbox;
mod parts;
mod people;
mod pictures;
pub mod reader;
mod render;
#[cfg(test)]
mod sample;
pub mod sections;
mod send;
mod sheets;
pub mod template_words;
mod timeline;
mod unusual;

pub use document::{DigestDocument, document};
pub(crate) use links::encoded;
pub(crate) use messages::Messages;
pub use parts::{Part, files, html_with_pictures, parts};
pub use render::{Rendered, render};
pub(crate) use send::transport;
pub use send::{Sender, write_files};

use crate::JobError;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::Locale;
use schema::models::Digest;
use schema::tables::digests;
use schema::{Conn, Id, StoreError};
use serde_json::Value;

/// The languages of every digest.
pub const LOCALES: [Locale; 2] = [Locale::Vi, Locale::En];

/// The newest stored digest of a language before a day, with its document. None when there is none or its document
/// cannot be parsed.
///
/// # Errors
/// If the database cannot be read.
pub fn before(conn: &mut Conn, as_of: NaiveDate, locale: Locale) -> Result<Option<(Id, DigestDocument)>, JobError> {
    let found: Option<Digest> = digests::table
        .filter(digests::locale.eq(locale))
        .filter(digests::as_of.lt(as_of))
        .order(digests::as_of.desc())
        .select(Digest::as_select())
        .first(conn)
        .optional()?;
    Ok(found.and_then(|digest| parsed(digest.id, digest.document.0)))
}

/// An earlier digest with its document. None if another version wrote a document that cannot be parsed: the new digest
/// then reports everything as new, like a first digest.
fn parsed(id: Id, document: Value) -> Option<(Id, DigestDocument)> {
    match serde_json::from_value(document) {
        Ok(document) => Some((id, document)),
        Err(error) => {
            tracing::warn!(digest = %id, %error, "an earlier digest cannot be parsed: no comparison with it");
            None
        }
    }
}

/// The stored digests, newest first.
///
/// # Errors
/// If the database cannot be read.
pub fn stored(conn: &mut Conn, limit: i64) -> Result<Vec<Digest>, StoreError> {
    Ok(digests::table
        .order((digests::as_of.desc(), digests::locale.desc()))
        .limit(limit)
        .select(Digest::as_select())
        .load(conn)?)
}
