//! The folder of a lake: its lock, and changes that readers see whole or not at all.

use super::failed;
use crate::JobError;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

pub(super) const MANIFEST: &str = "manifest.json";
/// The folder of versions.
pub(super) const VERSIONS: &str = ".versions";
/// The folder of files that are being written. The next sync removes the files of a killed process.
const DRAFTS: &str = ".drafts";
const LOCK: &str = ".lock";

/// An open folder. It stays locked until it is dropped; the system unlocks it when the process dies in any way.
pub(super) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens a folder for a sync, and makes it if it does not exist.
    ///
    /// # Errors
    /// `Lake` if another process uses it, if it holds files that are not those of a lake, or cannot be written.
    pub fn to_write(root: &Path) -> Result<Self, JobError> {
        if !root.exists() {
            // The permissions of the folder decide who reads the lake; an operator may widen them.
            DirBuilder::new().mode(0o700).create(root).map_err(|error| failed(root, error))?;
        }
        refuse_foreign_files(root)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(root.join(LOCK));
        let lock = lock.map_err(|error| failed(root, error))?;
        locked(root, lock.try_lock())?;
        let folder = Self { root: root.to_owned(), _lock: lock };
        let drafts = folder.path(DRAFTS);
        let made = match std::fs::remove_dir_all(&drafts) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => std::fs::create_dir(&drafts),
        };
        made.map_err(|error| failed(&drafts, error))?;
        Ok(folder)
    }

    /// Opens a folder to verify it: no sync may change it meanwhile.
    ///
    /// # Errors
    /// `Lake` if a sync uses it, or it is not a lake.
    pub fn to_read(root: &Path) -> Result<Self, JobError> {
        let lock = File::open(root.join(LOCK)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => failed(root, "there is no lake: `phananh lake sync DIR` makes one"),
            _ => failed(root, error),
        })?;
        locked(root, lock.try_lock_shared())?;
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The path of a draft.
    pub fn draft(&self, name: &str) -> PathBuf {
        self.root.join(DRAFTS).join(name)
    }

    /// Moves a synced draft to its name.
    ///
    /// # Errors
    /// `Lake` if the file cannot be moved.
    pub fn keep(&self, draft: &Path, name: &str) -> Result<(), JobError> {
        let path = self.path(name);
        self.with_folder_of(&path, |parent| {
            std::fs::rename(draft, &path)?;
            File::open(parent)?.sync_all()
        })
    }

    /// Writes a file, unless it holds these bytes already. Readers see the old file or the new one.
    ///
    /// # Errors
    /// `Lake` if it cannot be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), JobError> {
        if std::fs::read(self.path(name)).is_ok_and(|present| present == bytes) {
            return Ok(());
        }
        let draft = self.draft("draft");
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| failed(&draft, error))?;
        self.keep(&draft, name)
    }

    /// Makes `latest` the same file as `version`, at once. File systems without hard links get a copy.
    ///
    /// # Errors
    /// `Lake` if the file cannot be put there.
    pub fn show(&self, version: &str, latest: &str) -> Result<(), JobError> {
        let (version, latest) = (self.path(version), self.path(latest));
        if is_link(&version, &latest) {
            return Ok(());
        }
        let draft = self.draft("latest");
        self.with_folder_of(&latest, |_| {
            match std::fs::remove_file(&draft) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if std::fs::hard_link(&version, &draft).is_err() {
                if is_copy(&version, &latest) {
                    return Ok(());
                }
                std::fs::copy(&version, &draft)?;
                File::open(&draft)?.sync_all()?;
            }
            std::fs::rename(&draft, &latest)
        })
    }

    /// Whether a version is also the file that is shown as `latest`.
    pub fn shows(&self, version: &str, latest: &str) -> bool {
        let (version, latest) = (self.path(version), self.path(latest));
        is_link(&version, &latest) || is_copy(&version, &latest)
    }

    /// Removes all Parquet files but the named ones, and folders that are empty then.
    ///
    /// # Errors
    /// `Lake` if the folder cannot be read, or a file not be removed.
    pub fn remove_others(&self, keep: &BTreeSet<&str>, tables: &BTreeSet<&str>) -> Result<(), JobError> {
        let mut folders = subfolders(&self.path(VERSIONS)).map_err(|error| failed(&self.root, error))?;
        folders.extend(self.folders_of(tables).map_err(|error| failed(&self.root, error))?);
        for folder in folders {
            let removed = self.remove_others_in(&folder, keep);
            removed.map_err(|error| failed(&folder, error))?;
            // Removing the folder fails while it has files, and is then not needed.
            let _not_empty = std::fs::remove_dir(&folder);
        }
        Ok(())
    }

    /// The folders of tables. One that holds no table of a lake is not ours.
    fn folders_of(&self, tables: &BTreeSet<&str>) -> io::Result<Vec<PathBuf>> {
        let is_of_table =
            |path: &PathBuf| path.file_name().and_then(OsStr::to_str).is_some_and(|name| tables.contains(name));
        Ok(subfolders(&self.root)?.into_iter().filter(is_of_table).collect())
    }

    /// The Parquet files in the folders of tables that are not among the shown ones.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn strays(&self, shown: &BTreeSet<&str>, tables: &BTreeSet<&str>) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for folder in self.folders_of(tables)? {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                let name = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
                let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
                found.extend(name.filter(|name| is_parquet && !shown.contains(name)).map(str::to_owned));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn remove_others_in(&self, folder: &Path, keep: &BTreeSet<&str>) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
            let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
            if is_parquet && name.is_some_and(|name| !keep.contains(name)) {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn with_folder_of(&self, path: &Path, work: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), JobError> {
        let parent = path.parent().unwrap_or(&self.root);
        let done = self.made(parent).and_then(|()| work(parent));
        done.map_err(|error| failed(path, error))
    }

    /// Makes a folder within this one, if it is missing. It stays when the power fails: the manifest may name its files.
    fn made(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(folder)?;
        let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(&self.root));
        for above in above {
            File::open(above)?.sync_all()?;
        }
        Ok(())
    }
}

fn locked(root: &Path, lock: Result<(), TryLockError>) -> Result<(), JobError> {
    match lock {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(failed(root, "another sync or verification uses it: try again when that one has ended"))
        }
        Err(TryLockError::Error(error)) => {
            Err(failed(root, format!("the file {LOCK} in it cannot be locked ({error}): use a file system with locks")))
        }
    }
}

/// Refuses a folder that holds files but no lake: a sync must not write among them.
fn refuse_foreign_files(root: &Path) -> Result<(), JobError> {
    let entries = std::fs::read_dir(root).map_err(|error| failed(root, error))?;
    let names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // A first sync that was killed left hidden files only.
    let foreign = names.iter().find(|name| !name.starts_with('.') && *name != "lost+found");
    match foreign {
        Some(name) if !names.iter().any(|name| name == MANIFEST) => {
            let message = format!("the folder holds other files, such as {name:?}, and no lake: name an empty folder");
            Err(failed(root, message))
        }
        _ => Ok(()),
    }
}

fn subfolders(of: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(of) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether two names are those of one file.
fn is_link(version: &Path, latest: &Path) -> bool {
    let place = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let version = version.symlink_metadata().map(place);
    latest.symlink_metadata().map(place).is_ok_and(|latest| version.is_ok_and(|version| version == latest))
}

fn is_copy(version: &Path, latest: &Path) -> bool {
    matches!((std::fs::read(version), std::fs::read(latest)), (Ok(version), Ok(latest)) if version == latest)
}
