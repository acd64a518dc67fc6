//! Checks whether writes succeed and last: a SQLite file may be deleted while it is open, a disk may be full, and a
//! PostgreSQL server may be read-only.

use super::StoreError;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The disk counts as full below this many free bytes: a write needs room for the write-ahead log, too.
const LEAST_FREE: u64 = 4 << 20;

/// The file of a SQLite database: its path, and its device and inode when it was opened.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    /// None if the file cannot be examined; then it is not watched.
    pub fn of(path: PathBuf) -> Option<Self> {
        let file = identity(&path)?;
        Some(Self { path, file })
    }

    /// # Errors
    /// `Gone` if the file was deleted or replaced: writes to the open file are lost.
    pub fn check(&self) -> Result<(), StoreError> {
        if identity(&self.path) == Some(self.file) { Ok(()) } else { Err(StoreError::Gone(self.path.clone())) }
    }

    /// # Errors
    /// `Full` if its disk is full.
    fn has_room(&self) -> Result<(), StoreError> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match rustix::fs::statvfs(folder) {
            Ok(disk) if disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_FREE => {
                Err(StoreError::Full(format!("{} has less than {} MiB left", folder.display(), LEAST_FREE >> 20)))
            }
            _ => Ok(()),
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = path.metadata().ok()?;
    Some((meta.dev(), meta.ino()))
}

/// State of the writes of a process: the place of the database, and whether the last write was refused.
#[derive(Debug)]
pub(super) struct Writes {
    pub place: Option<Place>,
    /// Whether the last write failed on a full disk or a read-only database.
    refused: AtomicBool,
}

impl Writes {
    pub fn to(place: Option<Place>) -> Self {
        Self { place, refused: AtomicBool::new(false) }
    }

    /// Records the outcome of a write.
    pub fn note<T>(&self, outcome: &Result<T, StoreError>) {
        let refused = match outcome {
            Ok(_) => false,
            Err(error) if error.is_refused_write() => true,
            Err(_) => return,
        };
        self.refused.store(refused, Ordering::Relaxed);
    }

    /// Whether only a trial write shows if writes succeed again.
    pub fn were_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// # Errors
    /// `Gone` or `Full`.
    pub fn check(&self) -> Result<(), StoreError> {
        self.place.iter().try_for_each(|place| place.check().and_then(|()| place.has_room()))
    }
}
