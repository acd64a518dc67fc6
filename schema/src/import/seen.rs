//! Stores the keys that an import has seen on disk. It checks that the rows of one entity are adjacent, without memory
//! that grows with the file.

use crate::db::StoreError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use sha2::{Digest, Sha256};

diesel::table! {
    seen (id) {
        id -> BigInt,
    }
}

/// The keys seen so far, as hashes of 64 bits.
pub struct SeenKeys(SqliteConnection);

impl SeenKeys {
    /// Opens an SQLite database without a name, which is a temporary file that is deleted with its connection.
    ///
    /// # Errors
    /// If the temporary file cannot be created.
    pub fn new() -> Result<Self, StoreError> {
        let place = "a temporary file (TMPDIR)".to_owned();
        let mut conn = SqliteConnection::establish("").map_err(|source| StoreError::Connect { place, source })?;
        conn.batch_execute(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; \
             CREATE TABLE seen (id INTEGER PRIMARY KEY NOT NULL)",
        )?;
        Ok(Self(conn))
    }

    /// Adds keys; returns for each whether it was there before.
    ///
    /// # Errors
    /// If the temporary file cannot be written.
    pub fn note<'k>(&mut self, keys: impl Iterator<Item = &'k str>) -> Result<Vec<bool>, StoreError> {
        self.0.transaction(|conn| {
            keys.map(|key| {
                let hash = Sha256::digest(key.as_bytes());
                let id = hash.iter().take(8).fold(0i64, |id, byte| id << 8 | i64::from(*byte));
                let noted = diesel::insert_or_ignore_into(seen::table).values(seen::id.eq(id)).execute(conn)?;
                Ok(noted == 0)
            })
            .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_met_once() {
        let mut seen = SeenKeys::new().expect("a place for keys");
        assert_eq!(seen.note(["a", "b", "a"].into_iter()).expect("noted"), [false, false, true]);
        assert_eq!(seen.note(["c", "b"].into_iter()).expect("noted"), [false, true]);
    }
}
