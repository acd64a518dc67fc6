//! The description of an export: in the metadata of its file, on the second sheet of a workbook, and in its manifest.

use super::format::Format;
use super::subject::Subject;
use chrono::NaiveDate;
use data_encoding::HEXLOWER;
use schema::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

/// The question of an export, and the state of the register.
#[derive(Debug, Clone)]
pub struct About {
    pub subject: Subject,
    /// The selection of rows, as JSON: a filter, or the arguments of a statistic. Null for all rows.
    pub asked: serde_json::Value,
    /// Version of the key that made the pseudonyms; 0 for a temporary key.
    pub key_version: u32,
    /// Position of the register when the export was read.
    pub position: i64,
    /// When it was read.
    pub as_of: Timestamp,
    /// The day as of which complaints are overdue or not.
    pub day: NaiveDate,
    /// Whether the file has the columns with reference numbers of other registers.
    pub references: bool,
}

impl About {
    /// Names and values for the metadata of a file.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("table", self.subject.name().to_owned()),
            ("query", self.asked.to_string()),
            ("position", self.position.to_string()),
            ("as_of", self.as_of.utc().to_rfc3339()),
            ("day", self.day.to_string()),
            ("key_version", self.key_version.to_string()),
        ]
    }

    /// The manifest of a file.
    pub fn manifest(&self, format: Format, rows: u64, content: &Content) -> Manifest {
        Manifest {
            table: self.subject.name(),
            format: format.extension(),
            rows,
            bytes: content.bytes,
            sha256: content.sha256.clone(),
            position: self.position,
            as_of: self.as_of.utc().to_rfc3339(),
            day: self.day,
            query: self.asked.clone(),
            references: self.references,
            key_version: Some(self.key_version).filter(|version| *version != 0),
        }
    }
}

/// The length and the hash by which a file can be checked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    table: &'static str,
    format: &'static str,
    rows: u64,
    bytes: u64,
    /// Hash of the bytes of the file, in hexadecimal.
    sha256: String,
    position: i64,
    as_of: String,
    day: NaiveDate,
    query: serde_json::Value,
    references: bool,
    /// None for pseudonyms of a temporary key.
    key_version: Option<u32>,
}

/// The length of a file and the hash of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub bytes: u64,
    pub sha256: String,
}

/// Hashes the bytes that it passes on.
pub struct Hashing<W: Write> {
    to: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    pub fn new(to: W) -> Self {
        Self { to, hash: Sha256::new(), bytes: 0 }
    }

    /// The target, and the length and hash of what was written to it.
    pub fn finish(self) -> (W, Content) {
        (self.to, Content { bytes: self.bytes, sha256: HEXLOWER.encode(&self.hash.finalize()) })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
