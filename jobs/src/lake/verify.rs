//! Compares a lake with its manifest and with the register.

use super::folder::Folder;
use super::identity::{Identity, standing};
use super::manifest::{LakeFile, Manifest};
use super::parts::Source;
use super::{Load, failed, reader_of, statements, tables_of};
use crate::JobError;
use crate::tables::TABLES;
use data_encoding::HEXLOWER;
use parquet::file::reader::{FileReader, SerializedFileReader};
use schema::domain::calendar::local_date;
use schema::keys::Keys;
use schema::{Db, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const DAMAGED: &str = "its bytes are not those of the manifest: `phananh lake sync DIR --anew` writes the lake again";

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Whether it found no problem.
    pub verified: bool,
    pub position: i64,
    pub as_of: Timestamp,
    pub files: usize,
    pub rows: u64,
    pub problems: Vec<String>,
    /// The position of the register.
    pub register_position: i64,
    /// Whether the register is at an earlier state than the lake, or went another way.
    pub went_back: bool,
    /// The files whose rows the register has otherwise by now: the next sync writes them.
    pub behind: Vec<String>,
}

/// Verifies the lake in a folder: each file against the manifest, and the rows of each part against the register.
///
/// # Errors
/// `Lake` if the lake does not exist, a sync is under way, or the lake is of another register or key; else if the
/// register cannot be read.
pub fn verify(db: &Db, keys: &Keys, root: &Path, load: Load<'_>) -> Result<Verified, JobError> {
    let folder = Folder::to_read(root)?;
    let manifest = Manifest::read(&folder)?;
    let manifest =
        manifest.ok_or_else(|| failed(root, "it has no manifest: `phananh lake sync DIR` makes the lake"))?;
    Identity::of(db, keys, manifest.role)?.check(root, &manifest)?;
    let mut problems = problems_of_files(&folder, &manifest);
    let snapshot = load()?;
    let now = standing(db, keys, manifest.position)?;
    let went_back = now.position < manifest.position || now.mark != manifest.mark;
    let is_same_state = !went_back
        && [now.position, snapshot.position, manifest.read_until].iter().all(|one| *one == manifest.position)
        && local_date(snapshot.as_of) == manifest.day
        && now.clock == manifest.clock;
    let reader = reader_of(keys, manifest.role);
    let source = Source { db, snapshot: &snapshot, reader: &reader };
    let mut behind = Vec::new();
    for table in tables_of(manifest.role) {
        let mut found = source.summaries(table)?;
        let files = manifest.tables.get(table.name).map(|table| table.files.as_slice()).unwrap_or_default();
        // Rows of other tables may change without an event, and so at one position.
        let must_agree = is_same_state && super::sync::FROM_EVENTS.contains(&table.name);
        let mut differs = |name: String| {
            if must_agree {
                problems.push(format!("{name}: the register has other rows at position {}", manifest.position));
            } else {
                behind.push(name);
            }
        };
        for file in files {
            let summary = found.remove(file.part());
            if summary.is_none_or(|summary| (summary.rows, &summary.content) != (file.rows, &file.content)) {
                differs(file.latest.clone());
            }
        }
        found.into_keys().for_each(|part| differs(format!("{}/{part}.parquet", table.name)));
    }
    Ok(Verified {
        verified: problems.is_empty(),
        position: manifest.position,
        as_of: manifest.as_of,
        files: manifest.files().count(),
        rows: manifest.tables.values().map(|table| table.rows).sum(),
        problems,
        register_position: now.position,
        went_back,
        behind,
    })
}

fn problems_of_files(folder: &Folder, manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    for table in tables_of(manifest.role).filter(|table| !manifest.tables.contains_key(table.name)) {
        problems.push(format!("{}: the table is missing", table.name));
    }
    for file in manifest.files() {
        match problem_of_file(folder, file) {
            Ok(None) => {}
            Ok(Some(problem)) => problems.push(format!("{}: {problem}", file.path)),
            Err(error) => problems.push(format!("{}: {error}", file.path)),
        }
    }
    let shown: BTreeSet<&str> = manifest.files().map(|file| file.latest.as_str()).collect();
    match folder.strays(&shown, &TABLES.iter().map(|table| table.name).collect()) {
        Ok(strays) => problems.extend(strays.into_iter().map(|name| {
            format!(
                "{name}: it is no file of the lake, and engines that read folders count its rows; a sync removes it"
            )
        })),
        Err(error) => problems.push(format!("{}: {error}", folder.root().display())),
    }
    for (name, text) in statements::files(manifest, folder.root()) {
        if std::fs::read(folder.path(&name)).ok().as_deref() != Some(text.as_bytes()) {
            problems.push(format!("{name}: it does not make the tables of the manifest; a sync writes it again"));
        }
    }
    problems
}

fn problem_of_file(folder: &Folder, file: &LakeFile) -> io::Result<Option<String>> {
    let path = folder.path(&file.path);
    let (bytes, sha256) = hashed(&path)?;
    if bytes != file.bytes || sha256 != file.sha256 {
        return Ok(Some(DAMAGED.to_owned()));
    }
    let reader = SerializedFileReader::new(File::open(&path)?).map_err(io::Error::other)?;
    let rows = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or_default();
    if rows != file.rows {
        return Ok(Some(format!("it has {rows} rows, and {} by the manifest", file.rows)));
    }
    Ok((!folder.shows(&file.path, &file.latest)).then(|| format!("{} is another file", file.latest)))
}

fn hashed(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0u64);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, HEXLOWER.encode(&hash.finalize())));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}
