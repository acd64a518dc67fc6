//! The file that keeps the snapshot from one run of the program to the next, so that a start reads only what was
//! written since.
//!
//! The loader verifies a file before it uses it: when another program wrote it, when it belongs to another register or
//! another state of this one, or when a byte changed, the start reads the register instead ([`resume`]). It holds no
//! name, no tax code and no text, so that nothing erased from the register lives on in it: people are in it as ids, and
//! their rows come from the database. These ids are made of tax codes and of officers' codes without a
//! secret: a person with the file and a list of these codes can find them in it.

mod layout;
mod resume;
#[cfg(test)]
mod tests;

use super::Snapshot;
use super::load::changes_since;
use crate::JobError;
use crate::runner::settings::SnapshotSettings;
use data_encoding::HEXLOWER;
use layout::{Contents, Description};
use polars::error::PolarsError;
use schema::files::{AtomicFile, folder_of};
use schema::keys::Keys;
use schema::{Db, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// The file is rewritten when 1/100 of the complaints changed (1/1,000 at shutdown), because each write writes all of
/// it.
pub const WHILE_SERVING: u64 = 100;
pub const AT_THE_END: u64 = 1_000;

/// Bytes that the file leaves free on its disk, which the database may need.
const LEAST_FREE: u64 = 64 << 20;

/// [`Snapshot::reading`] of a snapshot that stems from a file.
const FROM_A_FILE: u64 = 0;

const NO_FILE: &str = "it is not a regular file";
const ENDS: &str = "the server has to end";

/// The reason why a file is not used, or not written.
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

/// The snapshot that the file holds.
#[derive(Debug, Clone, Copy)]
struct FileContent {
    position: i64,
    /// The [`Snapshot::reading`] that it stems from.
    reading: u64,
}

impl FileContent {
    fn of(snapshot: &Snapshot) -> Self {
        Self { position: snapshot.position, reading: snapshot.reading }
    }
}

/// The state of the file, as this process knows it.
#[derive(Debug, Default)]
struct FileState {
    /// Its content; None without a file that fits.
    content: Option<FileContent>,
    /// The error of the last attempt to write it.
    failure: Option<String>,
}

/// The file of a register's snapshot.
pub struct SnapshotFile {
    path: PathBuf,
    from_complaints: usize,
    keys: Option<Arc<Keys>>,
    /// Its lock is held while the file is written, so that a process writes it once at a time.
    state: Mutex<FileState>,
    /// When the process ends, whether the file is written by then or not.
    ends: OnceLock<Instant>,
}

impl SnapshotFile {
    /// The file next to a SQLite database, or in the folder of the settings. None if the settings want none.
    pub fn of(db: &Db, settings: &SnapshotSettings, keys: Option<Arc<Keys>>) -> Option<Self> {
        if !settings.keep {
            return None;
        }
        if PROGRAM.is_none() {
            tracing::warn!("there is no snapshot file: the file of the running program cannot be found");
            return None;
        }
        // This is a warning only: the folder may be mounted later.
        if let Some(folder) = settings.folder.as_ref().filter(|folder| !folder.is_dir()) {
            tracing::warn!(folder = %folder.display(), "snapshot.folder is not a folder: starts read the register");
        }
        let path = match (&settings.folder, db.file()) {
            (Some(folder), file) => {
                let file = file.and_then(|file| file.canonicalize().ok());
                let name = file.map_or_else(|| db.identity(), |file| file.display().to_string());
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
        Some(Self { path, from_complaints, keys, state: Mutex::default(), ends: OnceLock::new() })
    }

    /// The snapshot of the file, with what was written since. None if there is no file that fits; the log says why.
    pub(super) fn load(&self, db: &Db, clock: &impl Fn() -> Timestamp) -> Option<Snapshot> {
        let began = Instant::now();
        let contents = match Contents::open(&self.path, self.keys.as_deref()) {
            // The first start, or the file was deleted.
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
                let content = FileContent { position, reading: FROM_A_FILE };
                self.state.lock().unwrap_or_else(PoisonError::into_inner).content = Some(content);
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

    /// Sets the time at which the process ends: what is being written by then is given up.
    pub fn end_by(&self, at: Instant) {
        let _set_once = self.ends.set(at);
    }

    fn has_to_end(&self) -> bool {
        self.ends.get().is_some_and(|at| Instant::now() >= *at)
    }

    /// Writes a snapshot into the file, if at least one of `share` complaints changed since it was written, if the
    /// register was read in full since, or if the file would not be used. A failure goes to the log: without the file a
    /// start takes longer, and nothing else.
    pub fn keep(&self, db: &Db, snapshot: &Snapshot, share: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.path.display();
        match self.write_if_due(db, snapshot, share, state.content) {
            Ok(false) => {}
            Ok(true) => {
                *state = FileState { content: Some(FileContent::of(snapshot)), failure: None };
                tracing::info!(%file, position = snapshot.position, "the snapshot was written to its file");
            }
            Err(failed) => {
                let reason = failed.to_string();
                // Log a lasting failure once.
                if state.failure.as_ref() != Some(&reason) {
                    tracing::warn!(%file, reason, "the snapshot file cannot be written: starts read the register");
                }
                state.failure = Some(reason);
            }
        }
    }

    fn write_if_due(
        &self,
        db: &Db,
        snapshot: &Snapshot,
        share: u64,
        content: Option<FileContent>,
    ) -> Result<bool, Failed> {
        let rows = snapshot.facts.height();
        // A small register is read about as fast as its file.
        if rows < self.from_complaints {
            return Ok(false);
        }
        // There is none in an empty register.
        let (Some(transaction), Some(program)) = (snapshot.transaction.clone(), PROGRAM.clone()) else {
            return Ok(false);
        };
        if self.has_to_end() {
            return doubt(ENDS);
        }
        // A full reading corrects what was wrong in memory, and so in the file, without any change after its position.
        let content = content.filter(|content| content.reading == snapshot.reading && self.path.exists());
        let is_due = match content {
            None => true,
            Some(FileContent { position, .. }) => db.read(|conn| {
                let changed = changes_since(conn, position)?;
                Ok(changed > 0 && changed.saturating_mul(share) >= rows as u64)
            })?,
        };
        if !is_due {
            return Ok(false);
        }
        // A draft would go through a link, and into a pipe.
        if self.path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
            return doubt(NO_FILE);
        }
        // The old file stays until the new one is complete.
        has_room(&self.path, 2 * snapshot.facts.estimated_size() as u64)?;
        let description = Description {
            program,
            position: snapshot.position,
            as_of: snapshot.as_of,
            transaction,
            reference: snapshot.reference.hash_of_columns(),
            later: snapshot.later.to_vec(),
            rows: rows as u64,
            sections: Vec::new(),
        };
        let mut draft = AtomicFile::begin(&self.path)?;
        layout::write(&mut draft, description, snapshot, self.keys.as_deref(), || self.has_to_end())?;
        draft.keep()?;
        Ok(true)
    }
}

fn has_room(path: &Path, bytes: u64) -> Result<(), Failed> {
    match rustix::fs::statvfs(folder_of(path)) {
        Ok(disk) if disk.f_bavail.saturating_mul(disk.f_frsize) < bytes.saturating_add(LEAST_FREE) => {
            doubt("its disk has too little room")
        }
        _ => Ok(()),
    }
}

/// The running executable: another build may compute the columns in another way. Builds of one version can have the
/// same size and time, as where builds are reproducible, so that the place of the file on its disk and the time when it
/// came there count, too. None where the executable cannot be found.
static PROGRAM: LazyLock<Option<String>> = LazyLock::new(|| {
    // /proc/self/exe is this program even after an upgrade replaced its file.
    let path: PathBuf =
        if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe().ok()? };
    let meta = path.metadata().ok()?;
    let [version, size, place] = [env!("CARGO_PKG_VERSION").to_owned(), meta.len().to_string(), meta.ino().to_string()];
    let changed = format!("{}.{:09} {}.{:09}", meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
    Some(format!("{version} {size} {place} {changed}"))
});
