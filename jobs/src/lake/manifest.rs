//! The manifest: which files are the lake, and of which state of the register.

use super::failed;
use super::folder::{Folder, MANIFEST};
use crate::JobError;
use chrono::NaiveDate;
use schema::Timestamp;
use schema::enums::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// The version of this layout, and of the columns of the tables.
pub(super) const FORMAT: u32 = 2;

/// The contents of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub format: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// The role for which it is made, and whose pseudonyms of exports it holds.
    pub role: Role,
    pub key_version: u32,
    /// Codes by which a sync knows the key and the register.
    pub key: String,
    pub register: Option<String>,
    /// The position of the register that the tables hold.
    pub position: i64,
    /// The position of the register when the last table had been read. If it lies after `position`, tables that are not
    /// read from the snapshot may hold changes up to there.
    pub read_until: i64,
    /// Names the newest event up to `position`.
    pub mark: Option<String>,
    pub as_of: Timestamp,
    /// The day of `as_of`, as of which complaints are overdue or not.
    pub day: NaiveDate,
    /// The hash of the rules of deadlines.
    pub clock: String,
    /// Files of each table, by the table's name.
    pub tables: BTreeMap<String, TableFiles>,
    /// Versions of states before, which stay for their readers.
    pub superseded: Vec<Superseded>,
}

/// The files of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableFiles {
    pub rows: u64,
    /// Files in the order of months.
    pub files: Vec<LakeFile>,
}

/// A file: one part of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LakeFile {
    /// The version; a file of this name never has other contents.
    pub path: String,
    /// The file in the folder of the table, which the next sync may replace.
    pub latest: String,
    /// `YYYY-MM`; None for a table that is not divided, and for rows without a day.
    pub month: Option<String>,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
    /// The hash of the rows.
    pub content: String,
}

impl LakeFile {
    /// The part of the table, as its file is named.
    pub(super) fn part(&self) -> &str {
        let name = self.latest.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(".parquet").unwrap_or(name)
    }
}

/// A version that is in the lake no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Superseded {
    pub path: String,
    pub since: Timestamp,
}

impl Manifest {
    /// Reads the manifest of a folder; None if it does not exist.
    ///
    /// # Errors
    /// `Lake` if it cannot be read, or another version of the program wrote it.
    pub(super) fn read(folder: &Folder) -> Result<Option<Self>, JobError> {
        Self::at(&folder.path(MANIFEST))
    }

    /// Reads the manifest of a lake as those do who read its files: also while a sync runs, whose new files already
    /// exist next to those of this manifest.
    ///
    /// # Errors
    /// `Lake` if the lake does not exist or cannot be read, or another version of the program wrote it.
    pub fn of(root: &Path) -> Result<Self, JobError> {
        let manifest = Self::at(&root.join(MANIFEST))?;
        manifest.ok_or_else(|| failed(root, "it has no manifest: `phananh lake sync DIR` makes the lake"))
    }

    fn at(path: &Path) -> Result<Option<Self>, JobError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let text = match std::fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| failed(path, error))?,
        };
        let remedy = "`phananh lake sync DIR --anew` writes the lake again";
        let damaged = |error: serde_json::Error| failed(path, format!("it is damaged ({error}): {remedy}"));
        let Version { format } = serde_json::from_slice(&text).map_err(damaged)?;
        if format != FORMAT {
            let message = format!("it has format {format}, and this version of the program writes {FORMAT}: {remedy}");
            return Err(failed(path, message));
        }
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &LakeFile> {
        self.tables.values().flat_map(|table| &table.files)
    }
}
