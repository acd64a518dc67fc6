//! The file that keeps the snapshot from one run of the program to the next, so that a start reads only what was
//! written since.
//!
//! The loader verifies a file before it uses it: when another program wrote it, when it belongs to another register or
//! another state of this one, or when a byte changed, the start reads the register instead ([`resume`]). It holds no
//! name, no tax code and no text, so that nothing erased from the register lives on in it: people are in it as ids, and
//! their rows come from the database ([`people`]).

mod layout;
mod people;
mod resume;
#[cfg(test)]
mod tests;

use super::load::reference_changed;
use super::{Reference, Snapshot};
use crate::JobError;
use crate::runner::settings::SnapshotSettings;
use data_encoding::HEXLOWER;
use layout::{Contents, Description};
use polars::error::PolarsError;
use schema::files::AtomicFile;
use schema::keys::Keys;
use schema::{Db, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

/// The file is rewritten when 1/100 of the complaints changed (1/1,000 at shutdown), because each write writes all of
/// it.
pub const WHILE_SERVING: u64 = 100;
pub const AT_THE_END: u64 = 1_000;

/// Bytes that the file leaves free on its disk, which the database may need.
const LEAST_FREE: u64 = 64 << 20;

/// Why a file is not used, or not written.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Doubt(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Polars(#[from] PolarsError),
    #[error(transparent)]
    Job(#[from] JobError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Job(error.into())
    }
}

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self::Job(error.into())
    }
}

fn doubt<T>(words: impl Into<String>) -> Result<T, Failed> {
    Err(Failed::Doubt(words.into()))
}

/// What this process knows of the file.
#[derive(Debug, Default)]
struct FileState {
    /// The position of the snapshot in it; None if there is none that fits.
    position: Option<i64>,
    /// Why the last attempt to write it failed.
    failure: Option<String>,
}

/// The file of a register's snapshot.
pub struct SnapshotFile {
    path: PathBuf,
    from_complaints: usize,
    keys: Option<Arc<Keys>>,
    /// Its lock is held while the file is written, so that a process writes it once at a time.
    known: Mutex<FileState>,
}

impl SnapshotFile {
    /// The file beside a SQLite database, or in the folder of the settings. None if the settings want none.
    pub fn of(db: &Db, settings: &SnapshotSettings, keys: Option<Arc<Keys>>) -> Option<Self> {
        if !settings.keep {
            return None;
        }
        let path = match (&settings.folder, db.file()) {
            (Some(folder), file) => {
                let file = file.and_then(|file| file.canonicalize().ok());
                let name = file.map_or_else(|| db.name(), |file| file.display().to_string());
                let hash = HEXLOWER.encode(&Sha256::digest(name.as_bytes()));
                folder.join(format!("phananh-{}.snapshot", hash.get(..16).unwrap_or_default()))
            }
            (None, Some(file)) => {
                let mut name = file.into_os_string();
                name.push("-snapshot");
                name.into()
            }
            (None, None) => return None,
        };
        let from_complaints = settings.from_complaints as usize;
        Some(Self { path, from_complaints, keys, known: Mutex::default() })
    }

    /// The snapshot of the file, with what was written since. None if there is no file that fits; the log says why.
    pub(super) fn load(&self, db: &Db, clock: &impl Fn() -> Timestamp) -> Option<Snapshot> {
        let began = Instant::now();
        let contents = match Contents::open(&self.path, self.keys.as_deref()) {
            // The first start, or somebody deleted the file.
            Err(Failed::Io(error)) if error.kind() == ErrorKind::NotFound => return None,
            contents => contents,
        };
        let loaded = contents.and_then(|contents| {
            let position = contents.description.position;
            let snapshot = db.read_snapshot(|conn| resume::resumed(conn, contents, clock()))?;
            Ok((snapshot, position))
        });
        let file = self.path.display();
        match loaded {
            Ok((snapshot, position)) => {
                self.known.lock().unwrap_or_else(PoisonError::into_inner).position = Some(position);
                let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(%file, position, milliseconds, "the snapshot was read from its file");
                Some(snapshot)
            }
            Err(reason) => {
                tracing::warn!(%file, %reason, "the snapshot file is not used: the register is read instead");
                None
            }
        }
    }

    /// Writes a snapshot into the file, if at least one of `share` complaints changed since it was written, or the file
    /// would not be used. A failure goes to the log: without the file a start takes longer, and nothing else.
    pub fn keep(&self, db: &Db, snapshot: &Snapshot, share: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.path.display();
        match self.write_if_due(db, snapshot, share, known.position) {
            Ok(false) => {}
            Ok(true) => {
                *known = FileState { position: Some(snapshot.position), failure: None };
                tracing::info!(%file, position = snapshot.position, "the snapshot was written to its file");
            }
            Err(failed) => {
                let reason = failed.to_string();
                // Log a lasting failure once.
                if known.failure.as_ref() != Some(&reason) {
                    tracing::warn!(%file, reason, "the snapshot file cannot be written: starts read the register");
                }
                known.failure = Some(reason);
            }
        }
    }

    fn write_if_due(&self, db: &Db, snapshot: &Snapshot, share: u64, position: Option<i64>) -> Result<bool, Failed> {
        let rows = snapshot.facts.height();
        // A small register is read about as fast as its file.
        if rows < self.from_complaints {
            return Ok(false);
        }
        let position = position.filter(|_| self.path.exists());
        let transaction = db.read(|conn| {
            let is_due = match position {
                None => true,
                Some(position) => {
                    let changed = u64::try_from(resume::changes_since(conn, position)?).unwrap_or(0);
                    let is_much = changed > 0 && changed.saturating_mul(share) >= rows as u64;
                    is_much || reference_changed(conn, position)?
                }
            };
            // There is none in an empty register.
            if is_due { resume::transaction_at(conn, snapshot.position) } else { Ok(None) }
        })?;
        let Some(transaction) = transaction else { return Ok(false) };
        // The old file stays until the new one is complete.
        has_room(&self.path, 2 * snapshot.facts.estimated_size() as u64)?;
        let description = Description {
            program: PROGRAM.clone(),
            position: snapshot.position,
            as_of: snapshot.as_of,
            transaction,
            reference: hash_of(&snapshot.reference),
            later: snapshot.later.to_vec(),
            rows: rows as u64,
            sections: Vec::new(),
        };
        let mut draft = AtomicFile::begin(&self.path)?;
        layout::write(&mut draft, description, snapshot, self.keys.as_deref())?;
        draft.keep()?;
        Ok(true)
    }
}

fn has_room(path: &Path, bytes: u64) -> Result<(), Failed> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(disk) if disk.f_bavail.saturating_mul(disk.f_frsize) < bytes.saturating_add(LEAST_FREE) => {
            doubt("its disk has too little room")
        }
        _ => Ok(()),
    }
}

/// The running executable: another build may compute the columns in another way. Size and time tell two builds of one
/// version apart.
static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    // /proc/self/exe is this program even after an upgrade replaced its file.
    let program = if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() };
    let version = env!("CARGO_PKG_VERSION");
    match program.and_then(|path: PathBuf| path.metadata()) {
        Ok(meta) => format!("{version} {} {}.{:09}", meta.len(), meta.mtime(), meta.mtime_nsec()),
        Err(_) => version.to_owned(),
    }
});

/// What the columns depend on in units and categories: their order, and the kinds and deadlines of categories.
fn hash_of(reference: &Reference) -> String {
    let mut hash = Sha256::new();
    for unit in &reference.units {
        hash.update(unit.id.0.as_bytes());
    }
    for category in &reference.categories {
        hash.update(category.id.0.as_bytes());
        hash.update(category.kind.place().to_le_bytes());
        // No deadline is not a deadline of any number of days.
        hash.update(category.deadline_days.map_or(i64::MIN, i64::from).to_le_bytes());
    }
    HEXLOWER.encode(&hash.finalize())
}
