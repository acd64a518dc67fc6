//! Seals make later changes to recorded rows evident. [`Sealer`] makes them, [`verify()`] checks them and the rows.
//!
//! The rows of each chain (events of complaints, events of reference data, the audit log, states of rows without
//! events) are sealed in batches, in the order of their positions. A seal holds a mark (position, ordinal, hash) of
//! each row, the hash of the previous seal, and a signature (HMAC-SHA-256) by a key that is kept outside the database.
//! Writers never wait for a seal.

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

/// Bytes of a seal's hash.
const HASH: usize = 32;

/// Approximate rows of a seal: a batch includes all rows of its last position.
const BATCH: i64 = 20_000;

/// The public name of a seal: every digest of the Board prints the newest ones.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealName {
    pub chain: Chain,
    pub number: i64,
    /// Hash in hexadecimal.
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
                "{text:?} is not the name of a seal: {what}; write CHAIN:NUMBER:HASH as digests print it, \
                 where CHAIN is one of {}, NUMBER is 1 or more, and HASH has {} hexadecimal digits",
                Chain::WORDS.join(", "),
                HASH * 2
            )
        };
        let parts: Vec<&str> = text.split(':').collect();
        let [chain, number, hash] = parts.as_slice() else { return Err(wrong("it does not have three parts")) };
        let chain = chain.parse().map_err(|_| wrong("CHAIN is unknown"))?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| digits && *number > 0);
        let number = number.ok_or_else(|| wrong("NUMBER is not a positive whole number"))?;
        // Accepts hexadecimal digits of either case.
        let hash = hash.to_ascii_lowercase();
        if data_encoding::HEXLOWER.decode(hash.as_bytes()).ok().is_none_or(|bytes| bytes.len() != HASH) {
            return Err(wrong("HASH is not a hash"));
        }
        Ok(Self { chain, number, hash })
    }
}

/// Seals unsealed rows, chain by chain. Remembers the newest seal of each chain that it read or made, and stops sealing
/// a chain when that seal disappears: a new chain would hide that seals were deleted.
#[derive(Debug, Default)]
pub struct Sealer {
    newest: BTreeMap<Chain, SealName>,
}

impl Sealer {
    /// Seals all unsealed rows and returns their number. Of two nodes that make the same seal, one writes it.
    ///
    /// # Errors
    /// Also if the newest known seal of a chain was deleted or replaced. The other chains are sealed nevertheless.
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

    /// Makes the next seal of a chain and returns its number of rows; None if no row is unsealed.
    fn seal_batch(&mut self, db: &Db, keys: &Keys, chain: Chain) -> Result<Option<usize>, StoreError> {
        let latest = self.newest.get(&chain);
        // Committed rows do not change, so they are read before the transaction that writes the seal.
        let (last, until) = db.read_snapshot(|conn| {
            latest.map_or(Ok(()), |latest| check_known_seal(conn, latest))?;
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
                    "{table}.{column} of an unsealed row cannot be read: {}; `phananh audit verify` names the row",
                    row.message
                )))
            })
        })?;
        let number = rows.len();
        let written = db.write("seal", |tx| {
            let seal = new_seal(keys, chain, last.as_ref(), (after, until), &rows, tx.now)?;
            each!(&mut *tx.conn, c => diesel::insert_into(seals::table).values(&seal).execute(c)?);
            Ok(name(&seal))
        });
        match written {
            Ok(committed) => {
                self.newest.insert(chain, committed.value);
                Ok(Some(number))
            }
            // Another node wrote this seal first.
            Err(error) if error.is_lost_race() => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }
}

/// Fails if a known seal is missing or differs.
fn check_known_seal(conn: &mut Conn, expected: &SealName) -> Result<(), StoreError> {
    let hash: Option<Vec<u8>> =
        seals::table.find((expected.chain, expected.number)).select(seals::hash).first(conn).optional()?;
    if hash.is_some_and(|hash| data_encoding::HEXLOWER.encode(&hash) == expected.hash) {
        return Ok(());
    }
    Err(StoreError::Rule(format!(
        "the seal {expected} was deleted or replaced outside the program: this server no longer seals {}; \
         `phananh audit verify --expect {expected}` says what else was changed",
        expected.chain
    )))
}

fn new_seal(
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
    seal.signature = signature(keys, &seal)
        .ok_or_else(|| StoreError::Rule("cannot sign a seal: the key file has no current key".into()))?;
    Ok(seal)
}

/// The SHA-256 hash of a seal's contents, without its signature.
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

/// The seals printed in digests. Skips unreadable documents; verification reports them.
///
/// # Errors
/// If the database cannot be read.
pub fn printed(conn: &mut Conn) -> Result<Vec<SealName>, StoreError> {
    let documents: Vec<Readable<JsonValue>> =
        digests::table.filter(digests::locale.eq(Locale::Vi)).select(digests::document).load(conn)?;
    let seals = |document: Readable<JsonValue>| {
        serde_json::from_value::<Vec<SealName>>(document.0.ok()?.0.get("seals")?.clone()).ok()
    };
    Ok(documents.into_iter().filter_map(seals).flatten().collect())
}

/// The newest seal of a chain.
///
/// # Errors
/// If the database cannot be read.
pub fn newest(conn: &mut Conn, chain: Chain) -> Result<Option<Seal>, StoreError> {
    Ok(seals::table
        .filter(seals::chain.eq(chain))
        .order(seals::number.desc())
        .select(Seal::as_select())
        .first(conn)
        .optional()?)
}

/// The names of the newest seals.
///
/// # Errors
/// If the database cannot be read.
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
