//! Seals: that nothing which was recorded is changed, removed or put in later without being noticed.
//!
//! Rows of a chain (events of complaints, events of reference data, the audit log, states of rows without events) are
//! sealed in batches, in the order of their positions. A seal holds a mark of each of its rows, the hash of the seal before, and a
//! signature by a key that does not stand in the database. No writer waits for one.

mod coverage;
mod rows;
mod verify;
pub mod witness;

pub use coverage::{Cover, cover_of, covered_tables};
pub use verify::LONGEST_LEASE;
pub use verify::{ChainReport, Positions, Problem, Report, Scope, TableReport, verify};

use crate::db::readable::Readable;
use crate::db::{Conn, Db, StoreError};
use crate::each;
use crate::enums::{Chain, Locale};
use crate::keys::Keys;
use crate::models::Seal;
use crate::sql_types::{JsonValue, Timestamp};
use crate::tables::{digests, seals};
use diesel::prelude::*;
use rows::{Marked, marked};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Bytes of the hash of a seal.
const HASH: usize = 32;

/// Rows of a seal, about: a batch ends with a position.
const BATCH: i64 = 20_000;

/// What names a seal to people: it is printed in every digest of the Board.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealName {
    pub chain: Chain,
    pub number: i64,
    /// In hex.
    pub hash: String,
}

impl std::fmt::Display for SealName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.chain, self.number, self.hash)
    }
}

impl std::str::FromStr for SealName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "{text:?} names no seal, {what}: write CHAIN:NUMBER:HASH as digests print it, where CHAIN is one of {}, \
                 NUMBER begins with 1, and HASH has {} hexadecimal digits",
                Chain::WORDS.join(", "),
                HASH * 2
            )
        };
        let parts: Vec<&str> = text.split(':').collect();
        let [chain, number, hash] = parts.as_slice() else { return Err(wrong("since it has not three parts")) };
        let chain = chain.parse().map_err(|_| wrong("since there is no such chain"))?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| digits && *number > 0);
        let number = number.ok_or_else(|| wrong("since its number is none"))?;
        // Both cases of a digit are the same hash.
        let hash = hash.to_ascii_lowercase();
        if data_encoding::HEXLOWER.decode(hash.as_bytes()).ok().is_none_or(|bytes| bytes.len() != HASH) {
            return Err(wrong("since its hash is none"));
        }
        Ok(Self { chain, number, hash })
    }
}

/// Seals what is not sealed yet, chain by chain. It remembers the last seal of each chain that it saw or made: where that
/// one is gone, a new chain would hide that seals were deleted.
#[derive(Debug, Default)]
pub struct Sealer {
    newest: BTreeMap<Chain, SealName>,
}

impl Sealer {
    /// Seals what is not sealed yet; how many rows. Two nodes may try at once: one of them is first.
    ///
    /// # Errors
    /// Also where the seals of a chain were deleted or replaced since the last time: the other chains are sealed all the
    /// same.
    pub fn seal(&mut self, db: &Db, keys: &Keys) -> Result<usize, StoreError> {
        let mut sealed = 0;
        let mut outcome = Ok(());
        for chain in Chain::ALL {
            let of_chain = loop {
                match self.seal_batch(db, keys, chain) {
                    Ok(None) => break Ok(()),
                    Ok(Some(rows)) => sealed += rows,
                    Err(error) => break Err(error),
                }
            };
            outcome = outcome.and(of_chain);
        }
        outcome.map(|()| sealed)
    }

    /// The next seal of a chain; None where there is nothing to seal.
    fn seal_batch(&mut self, db: &Db, keys: &Keys, chain: Chain) -> Result<Option<usize>, StoreError> {
        let known = self.newest.get(&chain);
        // What was committed stays as it is, so it can be read before the transaction that writes the seal.
        let (last, until) = db.read_snapshot(|conn| {
            known.map_or(Ok(()), |known| stands(conn, known))?;
            let last = newest(conn, chain)?;
            let until = rows::batch_end(conn, chain, last.as_ref().map_or(0, |seal| seal.until), BATCH)?;
            Ok::<_, StoreError>((last, until))
        })?;
        self.newest.extend(last.as_ref().map(|seal| (chain, name(seal))));
        let Some(until) = until else { return Ok(None) };
        let after = last.as_ref().map_or(0, |seal| seal.until);
        let rows = db.read(|conn| {
            marked(conn, chain, after, until, &mut |table, row| {
                let column = row.column.unwrap_or_default();
                Err(StoreError::Rule(format!(
                    "{table}.{column} of a row that is not sealed yet does not read: {}; `phananh audit verify` names it",
                    row.message
                )))
            })
        })?;
        let number = rows.len();
        let written = db.write("seal", |tx| {
            let seal = made(keys, chain, last.as_ref(), (after, until), &rows, tx.now)?;
            each!(&mut *tx.conn, c => diesel::insert_into(seals::table).values(&seal).execute(c)?);
            Ok(name(&seal))
        });
        match written {
            Ok(committed) => {
                self.newest.insert(chain, committed.value);
                Ok(Some(number))
            }
            // Another node sealed the same.
            Err(error) if error.is_lost_race() => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }
}

/// Refuses to go on where a seal that was there is gone, or another.
fn stands(conn: &mut Conn, known: &SealName) -> Result<(), StoreError> {
    let hash: Option<Vec<u8>> =
        seals::table.find((known.chain, known.number)).select(seals::hash).first(conn).optional()?;
    if hash.is_some_and(|hash| data_encoding::HEXLOWER.encode(&hash) == known.hash) {
        return Ok(());
    }
    Err(StoreError::Rule(format!(
        "the seal {known} was deleted or replaced behind the program's back: this server makes no seals of {} any more; \
         `phananh audit verify --expect {known}` says what else was changed",
        known.chain
    )))
}

fn made(
    keys: &Keys,
    chain: Chain,
    last: Option<&Seal>,
    (after, until): (i64, i64),
    rows: &[Marked],
    now: Timestamp,
) -> Result<Seal, StoreError> {
    let mut seal = Seal {
        chain,
        number: last.map_or(1, |seal| seal.number + 1),
        after,
        until,
        rows: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        marks: rows.iter().flat_map(Marked::bytes).collect(),
        previous: last.map_or_else(|| vec![0; 32], |seal| seal.hash.clone()),
        hash: Vec::new(),
        key_version: i32::try_from(keys.version()).unwrap_or(i32::MAX),
        signature: Vec::new(),
        sealed_at: now,
    };
    seal.hash = hash(&seal);
    seal.signature = signature(keys, &seal).ok_or_else(|| StoreError::Rule("there is no current key".into()))?;
    Ok(seal)
}

/// The hash of everything that a seal says, but its signature.
fn hash(seal: &Seal) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(seal.chain.as_str());
    for number in [seal.number, seal.after, seal.until, seal.rows, i64::from(seal.key_version), seal.sealed_at.micros()]
    {
        hasher.update(number.to_be_bytes());
    }
    hasher.update(&seal.previous);
    hasher.update(Sha256::digest(&seal.marks));
    hasher.finalize().to_vec()
}

fn signature(keys: &Keys, seal: &Seal) -> Option<Vec<u8>> {
    let version = u32::try_from(seal.key_version).ok()?;
    Some(keys.code(version, "seal", &[&seal.hash])?.to_vec())
}

/// The seals that were printed in digests. A document that does not read prints none: a verification names it.
pub fn printed(conn: &mut Conn) -> Result<Vec<SealName>, StoreError> {
    let documents: Vec<Readable<JsonValue>> =
        digests::table.filter(digests::locale.eq(Locale::Vi)).select(digests::document).load(conn)?;
    let seals = |document: Readable<JsonValue>| {
        serde_json::from_value::<Vec<SealName>>(document.0.ok()?.0.get("seals")?.clone()).ok()
    };
    Ok(documents.into_iter().filter_map(seals).flatten().collect())
}

/// The newest seal of a chain.
pub fn newest(conn: &mut Conn, chain: Chain) -> Result<Option<Seal>, StoreError> {
    Ok(seals::table
        .filter(seals::chain.eq(chain))
        .order(seals::number.desc())
        .select(Seal::as_select())
        .first(conn)
        .optional()?)
}

/// The names of the newest seals.
pub fn newest_names(conn: &mut Conn) -> Result<Vec<SealName>, StoreError> {
    let mut names = Vec::new();
    for chain in Chain::ALL {
        names.extend(newest(conn, chain)?.map(|seal| name(&seal)));
    }
    Ok(names)
}

fn name(seal: &Seal) -> SealName {
    SealName { chain: seal.chain, number: seal.number, hash: data_encoding::HEXLOWER.encode(&seal.hash) }
}
