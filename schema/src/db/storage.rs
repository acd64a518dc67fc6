//! Whether what is written stays: the file of a SQLite database may be deleted under it, a disk may be full, and a server of
//! PostgreSQL may take no writes.

use super::StoreError;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Below so many bytes that are free the disk is called full: a write needs room for its log, too.
const LEAST_FREE: u64 = 4 << 20;

/// The file of a SQLite database, as it was when it was opened.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    /// None where it cannot be looked at: then it is not watched.
    pub fn of(path: PathBuf) -> Option<Self> {
        let file = identity(&path)?;
        Some(Self { path, file })
    }

    /// # Errors
    /// `Gone` where the file is deleted, or another one has its name: what is written goes nowhere.
    pub fn check(&self) -> Result<(), StoreError> {
        if identity(&self.path) == Some(self.file) { Ok(()) } else { Err(StoreError::Gone(self.path.clone())) }
    }

    /// # Errors
    /// `Full` where its disk is.
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

/// What is known of the writes of a process.
#[derive(Debug)]
pub(super) struct Writes {
    pub place: Option<Place>,
    /// Whether the last write found no room, or was refused.
    refused: AtomicBool,
}

impl Writes {
    pub fn to(place: Option<Place>) -> Self {
        Self { place, refused: AtomicBool::new(false) }
    }

    /// Notes how a write went.
    pub fn note<T>(&self, outcome: &Result<T, StoreError>) {
        let refused = match outcome {
            Ok(_) => false,
            Err(error) if error.is_refused_write() => true,
            Err(_) => return,
        };
        self.refused.store(refused, Ordering::Relaxed);
    }

    /// Whether a write has to be tried to know whether others are taken.
    pub fn were_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// # Errors
    /// `Gone` or `Full`.
    pub fn check(&self) -> Result<(), StoreError> {
        self.place.iter().try_for_each(|place| place.check().and_then(|()| place.has_room()))
    }
}
