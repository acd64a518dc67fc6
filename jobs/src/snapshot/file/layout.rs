//! The bytes of the file.
//!
//! | part | contents |
//! | --- | --- |
//! | sections | enterprises, officers: an id and a place each; then pieces of the facts: Arrow IPC streams |
//! | description | [`Description`] as JSON, with the length and SHA-256 of each section |
//! | ending | SHA-256 of the description; its MAC by the key file, and the key's version; its length; format; mark |
//!
//! The ending has a fixed length and is read first: a file that was cut off has none.

use super::{ENDS, Failed, NO_FILE, doubt};
use crate::snapshot::columns::Columns;
use crate::snapshot::load::Transaction;
use crate::snapshot::pieces::Pieces;
use crate::snapshot::{Reference, Snapshot};
use chrono::NaiveDate;
use data_encoding::HEXLOWER;
use polars::io::ipc::{IpcStreamReader, IpcStreamWriter};
use polars::prelude::{SerReader, SerWriter};
use rustix::fs::OFlags;
use schema::files::folder_of;
use schema::keys::Keys;
use schema::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use uuid::Uuid;

/// The version of this layout.
const FORMAT: u32 = 3;
const MARK: &[u8; 8] = b"PHANANHS";
const ENDING: usize = 32 + 32 + 4 + 8 + 4 + 8;
/// The key version of a file without a MAC.
const NO_KEY: u32 = u32::MAX;
/// The purpose of the MAC, so that no MAC of another use fits ([`Keys`]).
const PURPOSE: &str = "snapshot-file";
/// Bytes of an id and a place.
const ENTRY: usize = 16 + 4;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    /// The executable that wrote it.
    pub program: String,
    pub position: i64,
    pub as_of: Timestamp,
    /// The transaction that made `position`.
    pub transaction: Transaction,
    /// A hash of units and categories, to which the columns refer by place.
    pub reference: String,
    pub later: Vec<(NaiveDate, Id)>,
    pub rows: u64,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Section {
    bytes: u64,
    sha256: String,
}

/// Writes a file, unless it `has_to_end` before; `description` has no sections yet.
///
/// # Errors
/// If the file cannot be written, or writing it has to end.
pub(super) fn write(
    out: &mut impl Write,
    mut description: Description,
    snapshot: &Snapshot,
    keys: Option<&Keys>,
    has_to_end: impl Fn() -> bool,
) -> Result<(), Failed> {
    let sections = &mut description.sections;
    let mut write_section = |bytes: &[u8]| -> io::Result<()> {
        sections.push(Section { bytes: bytes.len() as u64, sha256: sha256(bytes) });
        out.write_all(bytes)
    };
    let enterprises: Vec<u8> = snapshot.enterprises.in_order().flat_map(|(id, index)| entry(id, index)).collect();
    write_section(&enterprises)?;
    drop(enterprises);
    let officers: Vec<u8> =
        (0u32..).zip(snapshot.officers.in_order()).flat_map(|(index, id)| entry(id, index)).collect();
    write_section(&officers)?;
    for piece in snapshot.pieces() {
        if has_to_end() {
            return doubt(ENDS);
        }
        let mut bytes = Vec::new();
        IpcStreamWriter::new(&mut bytes).finish(&mut piece.rows().clone())?;
        write_section(&bytes)?;
    }
    let text = serde_json::to_vec(&description).map_err(io::Error::from)?;
    let digest: [u8; 32] = Sha256::digest(&text).into();
    let signed = keys.and_then(|keys| Some((keys.version(), code_of(keys, keys.version(), &digest)?)));
    let (version, code) = signed.unwrap_or((NO_KEY, [0; 32]));
    out.write_all(&text)?;
    out.write_all(&digest)?;
    out.write_all(&code)?;
    out.write_all(&version.to_le_bytes())?;
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(&FORMAT.to_le_bytes())?;
    out.write_all(MARK)?;
    Ok(())
}

/// An opened file, whose sections are read in their order. Its description is true; each section is checked when it is
/// read.
pub(super) struct Contents {
    file: File,
    /// The index of the next section.
    next: usize,
    pub description: Description,
}

impl Contents {
    /// Opens a snapshot file and reads its description.
    ///
    /// # Errors
    /// `Doubt` if the file must not be used; if it cannot be read.
    pub fn open(path: &Path, keys: Option<&Keys>) -> Result<Self, Failed> {
        // Opening a pipe would wait for its other end, and a link may lead anywhere: here, and in its place a moment
        // later.
        if !path.symlink_metadata()?.is_file() {
            return doubt(NO_FILE);
        }
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return doubt(NO_FILE);
        }
        // Root may read the file of the server's user, who owns the folder.
        let owners = [rustix::process::geteuid().as_raw(), folder_of(path).metadata()?.uid()];
        if meta.mode() & 0o077 != 0 || !owners.contains(&meta.uid()) {
            return doubt("other users can read or replace it");
        }
        let Some(ending_at) = meta.len().checked_sub(ENDING as u64) else { return doubt("it is cut off") };
        let mut ending = [0u8; ENDING];
        file.seek(SeekFrom::Start(ending_at))?;
        file.read_exact(&mut ending)?;
        let (digest, rest) = ending.split_at(32);
        let (code, rest) = rest.split_at(32);
        let (version, rest) = rest.split_at(4);
        let (length, rest) = rest.split_at(8);
        let (format, mark) = rest.split_at(4);
        if mark != MARK.as_slice() {
            return doubt("it is cut off");
        }
        if number(format) != u64::from(FORMAT) {
            return doubt("another version of the program wrote it");
        }
        let Some(described_at) = ending_at.checked_sub(number(length)) else { return doubt("it is damaged") };
        file.seek(SeekFrom::Start(described_at))?;
        let text = read(&mut file, number(length))?;
        let own: [u8; 32] = Sha256::digest(&text).into();
        if own.as_slice() != digest {
            return doubt("it is damaged");
        }
        if let Some(keys) = keys {
            let version = u32::try_from(number(version)).ok().filter(|version| *version != NO_KEY);
            let expected = version.and_then(|version| code_of(keys, version, &own));
            if expected.is_none_or(|expected| expected.as_slice() != code) {
                return doubt("the key file did not sign it");
            }
        }
        let description: Description = serde_json::from_slice(&text).map_err(io::Error::from)?;
        let bytes = description.sections.iter().try_fold(0u64, |sum, section| sum.checked_add(section.bytes));
        if bytes != Some(described_at) {
            return doubt("it is damaged");
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, next: 0, description })
    }

    /// The next section; None after the last.
    fn section(&mut self) -> Result<Option<Vec<u8>>, Failed> {
        let Some(section) = self.description.sections.get(self.next) else { return Ok(None) };
        self.next += 1;
        let bytes = read(&mut self.file, section.bytes)?;
        if sha256(&bytes) == section.sha256 { Ok(Some(bytes)) } else { doubt("it is damaged") }
    }

    /// The next section as ids and places: first the enterprises, then the officers.
    ///
    /// # Errors
    /// `Doubt` if the section does not have this form; if the file cannot be read.
    pub fn entries(&mut self) -> Result<Vec<(Id, u32)>, Failed> {
        let bytes = self.section()?.unwrap_or_default();
        let mut entries = Vec::with_capacity(bytes.len() / ENTRY);
        for entry in bytes.chunks_exact(ENTRY) {
            let (id, index) = entry.split_at(16);
            let id = Uuid::from_slice(id).map_err(|error| Failed::Doubt(error.to_string()))?;
            entries.push((Id(id), u32::try_from(number(index)).unwrap_or(u32::MAX)));
        }
        Ok(entries)
    }

    /// The facts in all further sections, each of which is a piece. In addition to the facts, a reader holds the bytes
    /// of one section.
    ///
    /// # Errors
    /// `Doubt` if the columns or the number of rows differ; if the file cannot be read.
    pub fn pieces(&mut self, reference: &Reference) -> Result<Pieces, Failed> {
        let empty = Columns::new(0, NaiveDate::default(), reference).into_frame()?;
        let (mut pieces, mut height) = (Pieces::default(), 0);
        while let Some(bytes) = self.section()? {
            let rows = IpcStreamReader::new(Cursor::new(bytes)).set_rechunk(false).finish()?;
            if rows.schema() != empty.schema() {
                return doubt("it has other columns");
            }
            height += rows.height() as u64;
            pieces.push(rows)?;
        }
        if height == self.description.rows { Ok(pieces) } else { doubt("it lacks rows") }
    }
}

fn read(file: &mut File, bytes: u64) -> Result<Vec<u8>, Failed> {
    let mut found = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    file.take(bytes).read_to_end(&mut found)?;
    if found.len() as u64 == bytes { Ok(found) } else { doubt("it is cut off") }
}

fn entry(id: Id, index: u32) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    bytes[..16].copy_from_slice(id.0.as_bytes());
    bytes[16..].copy_from_slice(&index.to_le_bytes());
    bytes
}

/// A number from bytes, the lowest first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn code_of(keys: &Keys, version: u32, digest: &[u8; 32]) -> Option<[u8; 32]> {
    keys.code(version, PURPOSE, &[digest.as_slice()])
}
