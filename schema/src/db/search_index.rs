//! The index of searches on SQLite: the trigrams of search forms, in FTS5. PostgreSQL keeps its own index.
//!
//! Triggers note which texts changed (migration `2026-11-30-000030_search_index`). The transaction that changed them
//! adds and removes their trigrams at its end, all in one statement. A text that is not in the index yet, because
//! another program wrote it, counts as a candidate of every search.

use super::{Conn, StoreError};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

/// The condition of texts to add. With the plus SQLite does not take the index of all ids for it.
const TO_ADD: &str = "plain IS NULL AND +id IS NOT NULL";
/// The condition of texts to remove.
const TO_REMOVE: &str = "id IS NULL AND plain IS NOT NULL";

/// The texts that are in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexed {
    ComplaintTexts,
    EnterpriseNames,
}

impl Indexed {
    const ALL: [Self; 2] = [Self::ComplaintTexts, Self::EnterpriseNames];

    /// The table with the texts, and their column.
    fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::ComplaintTexts => ("complaints", "text"),
            Self::EnterpriseNames => ("enterprises", "name"),
        }
    }

    /// SQL before the query of trigrams: whether a row may contain a text.
    pub(crate) fn candidates(self) -> String {
        let table = self.source().0;
        format!(
            "{table}.id IN (\
             SELECT search_{table}.id FROM search_{table} WHERE {TO_ADD} UNION ALL \
             SELECT search_{table}.id FROM search_{table}_trigrams \
             JOIN search_{table} ON search_{table}.number = search_{table}_trigrams.rowid \
             WHERE search_{table}.id IS NOT NULL AND search_{table}_trigrams MATCH "
        )
    }

    /// SQL before and after the query of trigrams: whether more than `most` texts have them.
    pub(crate) fn has_more_than(self, most: u32) -> (String, String) {
        let table = self.source().0;
        let before = format!("EXISTS (SELECT 1 FROM search_{table}_trigrams WHERE search_{table}_trigrams MATCH ");
        (before, format!(" LIMIT 1 OFFSET {most})"))
    }

    /// Whether rows meet a condition of the table that notes changes.
    fn notes(self, c: &mut SqliteConnection, condition: &str) -> Result<bool, StoreError> {
        let table = self.source().0;
        let exists = format!("EXISTS (SELECT 1 FROM search_{table} WHERE {condition})");
        Ok(diesel::select(sql::<Bool>(&exists)).get_result(c)?)
    }

    /// Removes the trigrams of texts that are gone.
    fn remove(self, c: &mut SqliteConnection) -> Result<(), StoreError> {
        let table = self.source().0;
        Ok(c.batch_execute(&format!(
            "INSERT INTO search_{table}_trigrams (search_{table}_trigrams, rowid, plain) \
             SELECT 'delete', number, plain FROM search_{table} WHERE {TO_REMOVE}; \
             UPDATE search_{table} SET plain = NULL WHERE {TO_REMOVE}"
        ))?)
    }

    /// Adds the trigrams of new texts. Their rows are the last ones: each got a number after all that were there, and all
    /// of them are added at once.
    fn add(self, c: &mut SqliteConnection) -> Result<(), StoreError> {
        let (table, column) = self.source();
        let first = format!("(SELECT min(number) FROM search_{table} WHERE {TO_ADD})");
        let first: Option<i64> = diesel::select(sql::<Nullable<BigInt>>(&first)).get_result(c)?;
        let Some(first) = first else { return Ok(()) };
        // The cast to BLOB lets writes succeed although a text is not UTF-8, which only another program can store.
        Ok(c.batch_execute(&format!(
            "UPDATE search_{table} SET plain = \
             coalesce((SELECT phananh_search_form(CAST({column} AS BLOB)) FROM {table} \
             WHERE {table}.id = search_{table}.id), '') WHERE {TO_ADD}; \
             INSERT INTO search_{table}_trigrams (rowid, plain) \
             SELECT number, plain FROM search_{table} WHERE number >= {first} AND +id IS NOT NULL"
        ))?)
    }
}

/// Brings the index up to date with the texts that changed.
///
/// # Errors
/// If the database fails.
pub(super) fn update(conn: &mut Conn) -> Result<(), StoreError> {
    let Conn::Sqlite(c) = conn else { return Ok(()) };
    for texts in Indexed::ALL {
        if texts.notes(c, TO_REMOVE)? {
            texts.remove(c)?;
        }
        if texts.notes(c, TO_ADD)? {
            texts.add(c)?;
        }
    }
    Ok(())
}

/// Makes the index of texts that were inserted without triggers ([`super::indexes::drop_indexes`]).
///
/// # Errors
/// If the database fails.
pub(super) fn fill(conn: &mut Conn) -> Result<(), StoreError> {
    let Conn::Sqlite(c) = conn else { return Ok(()) };
    for texts in Indexed::ALL {
        let (table, column) = texts.source();
        if texts.notes(c, "id IS NOT NULL")? {
            // The end of the transaction adds them to those that are there.
            c.batch_execute(&format!(
                "INSERT INTO search_{table} (id) SELECT id FROM {table} \
                 WHERE {column} IS NOT NULL AND id NOT IN (SELECT id FROM search_{table} WHERE id IS NOT NULL)"
            ))?;
        } else {
            c.batch_execute(&format!(
                "INSERT INTO search_{table} (id, plain) \
                 SELECT id, phananh_search_form(CAST({column} AS BLOB)) FROM {table} WHERE {column} IS NOT NULL; \
                 INSERT INTO search_{table}_trigrams (search_{table}_trigrams) VALUES ('rebuild')"
            ))?;
        }
    }
    Ok(())
}

/// Whether no trigrams were removed since the index was last rewritten.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn is_clean(conn: &mut Conn) -> Result<bool, StoreError> {
    let Conn::Sqlite(c) = conn else { return Ok(true) };
    for texts in Indexed::ALL {
        if texts.notes(c, "id IS NULL")? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Brings the index up to date, and rewrites what trigrams were removed from.
///
/// # Errors
/// If the database fails.
pub(super) fn clean(conn: &mut Conn) -> Result<(), StoreError> {
    update(conn)?;
    let Conn::Sqlite(c) = conn else { return Ok(()) };
    for texts in Indexed::ALL {
        if texts.notes(c, "id IS NULL")? {
            let table = texts.source().0;
            c.batch_execute(&format!(
                "INSERT INTO search_{table}_trigrams (search_{table}_trigrams) VALUES ('optimize'); \
                 DELETE FROM search_{table} WHERE id IS NULL"
            ))?;
        }
    }
    Ok(())
}
