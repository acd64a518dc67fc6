//! Brings a lake to the present state of the register.

use super::folder::{Folder, MANIFEST};
use super::identity::{Identity, Standing, standing};
use super::manifest::{FORMAT, LakeFile, Manifest, Superseded, TableFiles};
use super::parts::Source;
use super::{Load, failed, reader_of, statements, tables_of};
use crate::JobError;
use crate::tables::{TABLES, Table};
use chrono::{NaiveDate, TimeDelta};
use schema::domain::calendar::local_date;
use schema::enums::Role;
use schema::keys::Keys;
use schema::{Db, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Attempts to read all tables at one position while others write.
const ROUNDS: usize = 3;
/// The tables whose rows follow from events and the rules of deadlines alone: where neither changed, nor did they.
pub(super) const FROM_EVENTS: [&str; 4] = ["complaints", "allegations", "recurrence_complaints", "recurrence_exposure"];

/// Settings of a sync.
#[derive(Debug, Clone, Copy)]
pub struct SyncOptions {
    pub role: Role,
    /// Writes all files, also over a lake of another register, role or key.
    pub anew: bool,
    /// Versions of earlier states stay this many hours for their readers.
    pub keep_hours: u32,
}

/// The result of a sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    pub position: i64,
    pub key_version: u32,
    pub tables: usize,
    pub rows: u64,
    pub files: usize,
    /// The files that were written, under their names in the folders of tables.
    pub written: Vec<String>,
    /// Whether the register is at an earlier state than the lake was, or went another way: a backup was restored.
    pub went_back: bool,
}

/// The position of the snapshot when a table that follows from events was read.
type Held = (i64, NaiveDate, String);

/// Brings the lake in a folder up to date, and makes a new one in an empty folder. `is_stopping` ends it between two
/// tables; the lake then stays as it was.
///
/// # Errors
/// `Lake` if the folder holds something else or another lake, is in use, or cannot be written; else if the register
/// cannot be read.
pub fn sync(
    db: &Db,
    keys: &Keys,
    root: &Path,
    options: SyncOptions,
    load: Load<'_>,
    is_stopping: &dyn Fn() -> bool,
) -> Result<Synced, JobError> {
    let folder = Folder::to_write(root)?;
    let identity = Identity::of(db, keys, options.role)?;
    let before = if options.anew { None } else { Manifest::read(&folder)? };
    let mut went_back = false;
    if let Some(before) = &before {
        identity.check(root, before)?;
        let now = standing(db, keys, before.position)?;
        went_back = now.position < before.position || now.mark != before.mark;
    }
    let reader = reader_of(keys, options.role);
    let mut work = Work {
        folder: &folder,
        parts: present_parts(&folder, before.as_ref()),
        held: held(before.as_ref().filter(|_| !went_back)),
        written: BTreeSet::new(),
    };
    let mut round = 1;
    let (position, as_of, now) = loop {
        let snapshot = load()?;
        let clock = standing(db, keys, snapshot.position)?.clock;
        let source = Source { db, snapshot: &snapshot, reader: &reader };
        work.round(source, &clock, options.role, is_stopping)?;
        let now = standing(db, keys, snapshot.position)?;
        if now.position == snapshot.position || round == ROUNDS {
            break (snapshot.position, snapshot.as_of, Standing { clock, ..now });
        }
        round += 1;
    };
    let manifest = manifest(identity, &work.parts, before, (position, as_of, now), options.keep_hours);
    publish(&folder, &manifest)?;
    let latest: BTreeSet<&str> = manifest.files().map(|file| file.latest.as_str()).collect();
    Ok(Synced {
        position,
        key_version: manifest.key_version,
        tables: manifest.tables.len(),
        rows: manifest.tables.values().map(|table| table.rows).sum(),
        files: manifest.files().count(),
        written: work.written.iter().filter(|name| latest.contains(name.as_str())).cloned().collect(),
        went_back,
    })
}

/// Files by table and part.
type Parts = BTreeMap<&'static str, BTreeMap<String, LakeFile>>;

struct Work<'a> {
    folder: &'a Folder,
    parts: Parts,
    held: Option<Held>,
    written: BTreeSet<String>,
}

impl Work<'_> {
    /// Compares all tables with the lake, and writes the parts that differ.
    fn round(
        &mut self,
        source: Source<'_>,
        clock: &str,
        role: Role,
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<(), JobError> {
        let snapshot = source.snapshot;
        let held = Some((snapshot.position, local_date(snapshot.as_of), clock.to_owned()));
        for table in tables_of(role) {
            if is_stopping() {
                return Err(failed(self.folder.root(), "the sync was stopped before its end: the lake is as it was"));
            }
            let is_unchanged = held == self.held && FROM_EVENTS.contains(&table.name);
            if !is_unchanged || self.parts.get(table.name).is_none_or(BTreeMap::is_empty) {
                self.table(source, table)?;
            }
        }
        self.held = held;
        Ok(())
    }

    fn table(&mut self, source: Source<'_>, table: &'static Table) -> Result<(), JobError> {
        let parts = self.parts.entry(table.name).or_default();
        let written = if parts.is_empty() {
            source.write(self.folder, table, &|_| true)?
        } else {
            let found = source.summaries(table)?;
            parts.retain(|part, _| found.contains_key(part));
            let changed: BTreeSet<&str> = found
                .iter()
                .filter(|(part, summary)| parts.get(*part).is_none_or(|file| file.content != summary.content))
                .map(|(part, _)| part.as_str())
                .collect();
            if changed.is_empty() {
                return Ok(());
            }
            source.write(self.folder, table, &|part| changed.contains(part))?
        };
        self.written.extend(written.values().map(|file| file.latest.clone()));
        parts.extend(written);
        // The rows that were to be written went meanwhile: a table without rows has a file, too.
        if parts.is_empty() { self.table(source, table) } else { Ok(()) }
    }
}

/// The parts of the lake whose files are there.
fn present_parts(folder: &Folder, before: Option<&Manifest>) -> Parts {
    let mut parts = Parts::new();
    let Some(before) = before else { return parts };
    for table in tables_of(before.role) {
        let files = before.tables.get(table.name).map(|table| table.files.as_slice()).unwrap_or_default();
        let present =
            files.iter().filter(|file| folder.path(&file.path).metadata().is_ok_and(|m| m.len() == file.bytes));
        let present: BTreeMap<String, LakeFile> = present.map(|file| (file.part().to_owned(), file.clone())).collect();
        // A table of which a file is missing is read again, also where no event says that it changed.
        if present.len() == files.len() {
            parts.insert(table.name, present);
        }
    }
    parts
}

/// The position of the snapshot of a lake, if this program made the lake at one position.
fn held(before: Option<&Manifest>) -> Option<Held> {
    let before = before.filter(|before| before.program == PROGRAM)?;
    Some((before.position, before.day, before.clock.clone()))
}

const PROGRAM: &str = env!("CARGO_PKG_VERSION");

fn manifest(
    identity: Identity,
    parts: &Parts,
    before: Option<Manifest>,
    (position, as_of, now): (i64, Timestamp, Standing),
    keep_hours: u32,
) -> Manifest {
    let tables: BTreeMap<String, TableFiles> = parts
        .iter()
        .map(|(table, parts)| {
            let files: Vec<LakeFile> = parts.values().cloned().collect();
            ((*table).to_owned(), TableFiles { rows: files.iter().map(|file| file.rows).sum(), files })
        })
        .collect();
    let present: BTreeSet<&str> =
        tables.values().flat_map(|table| &table.files).map(|file| file.path.as_str()).collect();
    let time = Timestamp::now();
    let oldest = Timestamp::from(time.utc() - TimeDelta::hours(i64::from(keep_hours)));
    let mut superseded: Vec<Superseded> = Vec::new();
    if let Some(before) = before {
        superseded.extend(before.files().map(|file| Superseded { path: file.path.clone(), since: time }));
        superseded.extend(before.superseded.into_iter().filter(|one| one.since >= oldest));
        superseded.retain(|one| !present.contains(one.path.as_str()) && keep_hours > 0);
    }
    Manifest {
        format: FORMAT,
        program: PROGRAM.to_owned(),
        role: identity.role,
        key_version: identity.key_version,
        key: identity.key,
        register: identity.register,
        position,
        read_until: now.position.max(position),
        mark: now.mark,
        as_of,
        day: local_date(as_of),
        clock: now.clock,
        tables,
        superseded,
    }
}

/// Makes a manifest the present one. A process that is killed at any point leaves a lake that can be read, and what it
/// did not do the next sync does.
///
/// # Errors
/// If a file of the lake cannot be written, moved or removed.
pub(super) fn publish(folder: &Folder, manifest: &Manifest) -> Result<(), JobError> {
    let path = folder.path(MANIFEST);
    let mut text = serde_json::to_vec_pretty(manifest).map_err(|error| failed(&path, error))?;
    text.push(b'\n');
    folder.put(MANIFEST, &text)?;
    for (name, text) in statements::files(manifest, folder.root()) {
        folder.put(&name, text.as_bytes())?;
    }
    for file in manifest.files() {
        folder.show(&file.path, &file.latest)?;
    }
    let mut keep: BTreeSet<&str> =
        manifest.files().flat_map(|file| [file.path.as_str(), file.latest.as_str()]).collect();
    keep.extend(manifest.superseded.iter().map(|one| one.path.as_str()));
    let tables: BTreeSet<&str> = TABLES.iter().map(|table| table.name).collect();
    folder.remove_others(&keep, &tables)
}
