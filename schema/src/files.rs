//! Atomic writes of files that only their owner can read, file locks, and folders for temporary work.
//!
//! A draft is written into the folder of its target and renamed when it is complete. The writing process holds a lock
//! on it, which the system releases when the process dies in any way; the next writer removes drafts that are not
//! locked.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile, TempDir};

/// The suffix of incomplete files.
const PART: &str = ".part";
/// The prefix of work folders.
const WORK: &str = "phananh-work-";

/// A file that is being written; dropping it discards it.
#[derive(Debug)]
pub struct AtomicFile(Target);

#[derive(Debug)]
enum Target {
    Beside {
        file: NamedTempFile,
        path: PathBuf,
    },
    /// A terminal, a pipe, `/dev/null`: not a regular file, so it is written directly and not replaced.
    Straight(File),
}

impl AtomicFile {
    /// Begins a file, and removes earlier drafts of it that killed processes left.
    ///
    /// # Errors
    /// If the path is a folder or cannot be written.
    pub fn begin(path: &Path) -> io::Result<Self> {
        // Replaces the target of a symbolic link, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match path.metadata() {
            Ok(meta) if meta.is_dir() => return Err(io::Error::from(ErrorKind::IsADirectory)),
            Ok(meta) if !meta.is_file() => {
                return Ok(Self(Target::Straight(OpenOptions::new().write(true).open(&path)?)));
            }
            // A user who may not write to the file must not replace it either.
            Ok(_) => drop(OpenOptions::new().write(true).open(&path)?),
            Err(_) => {}
        }
        let name = path.file_name().ok_or(ErrorKind::InvalidFilename)?.to_string_lossy().into_owned();
        let folder = folder_of(&path).to_owned();
        folder.metadata()?;
        let prefix = format!(".{name}.");
        remove_left_behind(&folder, |found| found.starts_with(&prefix) && found.ends_with(PART));
        loop {
            let mut builder = Builder::new();
            builder.prefix(&prefix).suffix(PART).permissions(Permissions::from_mode(0o600));
            // The original error names the draft, a path that the caller does not know.
            let file = builder.tempfile_in(&folder).map_err(|failure| io::Error::from(failure.kind()))?;
            // On a file system without locks, drafts of killed processes stay.
            let _lockless = file.as_file().lock();
            // Another process may have removed the draft before it was locked.
            if file.as_file().metadata()?.nlink() > 0 {
                return Ok(Self(Target::Beside { file, path }));
            }
        }
    }

    /// The path of the draft; None where the target is written directly.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Target::Beside { file, .. } => Some(file.path()),
            Target::Straight(_) => None,
        }
    }

    /// Syncs the draft and moves it to its target, replacing an existing file.
    ///
    /// # Errors
    /// If it cannot be synced or moved. Before the move, the old file stays.
    pub fn keep(self) -> io::Result<()> {
        self.put(|file, path| file.persist(path).map(drop).map_err(|e| e.error))
    }

    /// Syncs the draft and moves it to its target, which must not exist.
    ///
    /// # Errors
    /// `AlreadyExists` where the target exists.
    pub fn keep_new(self) -> io::Result<()> {
        self.put(|file, path| file.persist_noclobber(path).map(drop).map_err(|e| e.error))
    }

    fn put(self, place: impl FnOnce(NamedTempFile, &Path) -> io::Result<()>) -> io::Result<()> {
        let Target::Beside { file, path } = self.0 else { return Ok(()) };
        file.as_file().sync_all()?;
        place(file, &path)?;
        File::open(folder_of(&path))?.sync_all()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::Beside { file, .. } => file.write(bytes),
            Target::Straight(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Target::Beside { file, .. } => file.flush(),
            Target::Straight(file) => file.flush(),
        }
    }
}

/// Writes a file atomically, replacing an existing one.
///
/// # Errors
/// If the file cannot be written; before the move, the old file stays.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let mut draft = AtomicFile::begin(path)?;
    draft.write_all(contents.as_ref())?;
    draft.keep()
}

/// Opens and locks a file exclusively until the handle is dropped; waits for other holders.
///
/// # Errors
/// If the file does not exist or cannot be locked.
pub fn lock(path: &Path) -> io::Result<File> {
    loop {
        let file = File::open(path)?;
        file.lock()?;
        // The previous holder may have replaced the file.
        let (locked, current) = (file.metadata()?, path.metadata()?);
        if (locked.dev(), locked.ino()) == (current.dev(), current.ino()) {
            return Ok(file);
        }
    }
}

/// A work folder of this process, deleted when it is dropped.
#[derive(Debug)]
pub struct WorkFolder {
    folder: TempDir,
    _lock: File,
}

impl WorkFolder {
    /// Creates a work folder in the folder for temporary files, and removes those of killed processes.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn new() -> io::Result<Self> {
        let within = std::env::temp_dir();
        remove_left_behind(&within, |found| found.starts_with(WORK));
        loop {
            let folder = Builder::new().prefix(WORK).permissions(Permissions::from_mode(0o700)).tempdir_in(&within)?;
            let lock = File::open(folder.path());
            let lock = match lock {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                lock => lock?,
            };
            let _lockless = lock.lock();
            // Another process may have removed the folder before it was locked.
            if folder.path().is_dir() {
                return Ok(Self { folder, _lock: lock });
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes matching files and folders that no process has locked.
fn remove_left_behind(within: &Path, is_one: impl Fn(&str) -> bool) {
    for entry in std::fs::read_dir(within).into_iter().flatten().flatten() {
        if !is_one(&entry.file_name().to_string_lossy()) {
            continue;
        }
        // Skips links, which may lead anywhere, and pipes, whose opening would block.
        let Ok(kind) = entry.file_type() else { continue };
        if !kind.is_file() && !kind.is_dir() {
            continue;
        }
        let path = entry.path();
        let Ok(file) =
            OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(&path)
        else {
            continue;
        };
        let removed = match file.try_lock() {
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => continue,
            Ok(()) if kind.is_dir() => std::fs::remove_dir_all(&path),
            Ok(()) => std::fs::remove_file(&path),
        };
        match removed {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Ok(()) => tracing::info!(path = %path.display(), "removed files of a killed process"),
            Err(error) => tracing::warn!(path = %path.display(), %error, "cannot remove files of a killed process"),
        }
    }
}

/// The folder that holds a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let found = std::fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<String> = found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_the_old_one_until_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        write(&path, "old").expect("written");
        let mut draft = AtomicFile::begin(&path).expect("a draft");
        draft.write_all(b"new").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "old");
        draft.keep().expect("kept");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "new");
        assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        drop(AtomicFile::begin(&path).expect("a draft"));
        let refused = AtomicFile::begin(&path).expect("a draft").keep_new().expect_err("there is one");
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn what_has_no_owner_any_more_goes_and_what_has_one_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        for other in [".a.json.x.part", ".b.json.x.part", ".a.json.x"] {
            std::fs::write(folder.path().join(other), "").expect("written");
        }
        let first = AtomicFile::begin(&path).expect("a draft");
        let second = AtomicFile::begin(&path).expect("a draft");
        assert_eq!(names(folder.path()).len(), 4, "{:?}", names(folder.path()));
        second.keep().expect("kept");
        first.keep().expect("kept");
        assert_eq!(names(folder.path()), [".a.json.x", ".b.json.x.part", "a.json"]);
    }

    #[test]
    fn a_link_stays_one_and_what_is_no_file_is_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("a"), folder.path().join("link"));
        std::fs::write(&path, "old").expect("written");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        write(&link, "new").expect("written");
        assert!(link.is_symlink() && std::fs::read_to_string(&path).expect("a file") == "new");
        write(Path::new("/dev/null"), "x").expect("written");
        assert!(!Path::new("/dev/null").metadata().expect("a device").is_file());
        assert!(write(folder.path(), "x").is_err());
    }

    #[test]
    fn of_two_that_change_a_file_the_second_sees_what_the_first_did() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("n");
        write(&path, "0").expect("written");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _held = lock(&path).expect("a lock");
                        let n: u32 = std::fs::read_to_string(&path).expect("a file").parse().expect("a number");
                        write(&path, (n + 1).to_string()).expect("written");
                    }
                });
            }
        });
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "160");
    }
}
