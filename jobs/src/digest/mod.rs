//! The Board's digest: a stored document, made of stored results, in Vietnamese and English.

pub mod address;
mod document;
mod flagged;
pub mod outbox;
mod render;
mod send;
mod words;

pub use document::{DigestDocument, document};
pub use render::{Rendered, render};
pub use send::{Sender, write_files};

use crate::JobError;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::Locale;
use schema::models::Digest;
use schema::tables::digests;
use schema::{Conn, Id, StoreError};

/// The languages that every digest is made in.
pub const LOCALES: [Locale; 2] = [Locale::Vi, Locale::En];

/// The newest stored digest of a language before a day, with what it said.
pub fn before(conn: &mut Conn, as_of: NaiveDate, locale: Locale) -> Result<Option<(Id, DigestDocument)>, JobError> {
    let found: Option<Digest> = digests::table
        .filter(digests::locale.eq(locale))
        .filter(digests::as_of.lt(as_of))
        .order(digests::as_of.desc())
        .select(Digest::as_select())
        .first(conn)
        .optional()?;
    Ok(found.and_then(|digest| match serde_json::from_value(digest.document.0) {
        Ok(document) => Some((digest.id, document)),
        Err(error) => {
            // Of another version: the next digest tells everything, as the first did.
            tracing::warn!(digest = %digest.id, %error, "an earlier digest does not read: nothing is compared with it");
            None
        }
    }))
}

/// The stored digests, newest first.
pub fn stored(conn: &mut Conn, limit: i64) -> Result<Vec<Digest>, StoreError> {
    Ok(digests::table
        .order((digests::as_of.desc(), digests::locale.desc()))
        .limit(limit)
        .select(Digest::as_select())
        .load(conn)?)
}
