//! The lock of imports that defer indexes ([`super::deferred`]). The system releases it when a process dies in any way:
//! on PostgreSQL it belongs to a session, on SQLite to an open file next to the database.

use super::dialect::IMPORT_LOCK;
use super::{Conn, Db, StoreError};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A process waits this long for the lock of an import, which may have been killed just now: PostgreSQL notices that a
/// little later.
const PATIENCE: Duration = Duration::from_millis(500);

/// A held lock, released when it is dropped.
pub struct ImportLock(Held);

enum Held {
    Session {
        conn: Conn,
        release: &'static str,
    },
    Beside {
        file: File,
        path: PathBuf,
    },
    /// The file system has no locks.
    Nothing,
}

impl ImportLock {
    /// The lock of an import, which others may hold, too. Waits while another process makes indexes. None if the
    /// file system has no locks.
    ///
    /// # Errors
    /// If the database fails. A file that cannot be locked is no error.
    pub(super) fn shared(db: &Db) -> Result<Option<Self>, StoreError> {
        let Some(path) = path_of(db) else {
            let mut conn = db.separate_connection()?;
            ask(&mut conn, "SELECT pg_advisory_lock_shared")?;
            return Ok(Some(Self(Held::Session { conn, release: "SELECT pg_advisory_unlock_shared" })));
        };
        match locked_file(&path, |file| file.lock_shared().map(|()| true)) {
            Ok(Some(file)) => Ok(Some(Self(Held::Beside { file, path }))),
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::info!(%error, path = %path.display(), "this import keeps all indexes: it cannot lock a file");
                Ok(None)
            }
        }
    }

    /// The lock of a process that makes indexes; None while an import runs.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) fn alone(db: &Db) -> Result<Option<Self>, StoreError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let lock = Self::try_alone(db)?;
            if lock.is_some() || Instant::now() > end {
                return Ok(lock);
            }
            std::thread::sleep(PATIENCE / 10);
        }
    }

    fn try_alone(db: &Db) -> Result<Option<Self>, StoreError> {
        let Some(path) = path_of(db) else {
            let mut conn = db.separate_connection()?;
            let asked = sql::<Bool>(&format!("pg_try_advisory_lock({IMPORT_LOCK})"));
            let is_free: bool = diesel::select(asked).get_result(&mut conn)?;
            return Ok(is_free.then(|| Self(Held::Session { conn, release: "SELECT pg_advisory_unlock" })));
        };
        let locked = locked_file(&path, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        });
        match locked {
            Ok(file) => Ok(file.map(|file| Self(Held::Beside { file, path }))),
            // Indexes may be made at any time: a concurrent import would only be slower.
            Err(_) => Ok(Some(Self(Held::Nothing))),
        }
    }
}

impl Drop for ImportLock {
    fn drop(&mut self) {
        match &mut self.0 {
            // The server releases the lock of a closed connection, too, but after a while.
            Held::Session { conn, release } => {
                if let Err(error) = ask(conn, release) {
                    tracing::debug!(%error, "the lock of an import ended with its connection");
                }
            }
            // The last holder removes the file. One who waits for it finds out, and makes another.
            Held::Beside { file, path } => {
                if file.unlock().is_ok() && file.try_lock().is_ok() {
                    let _gone_already = std::fs::remove_file(path);
                }
            }
            Held::Nothing => {}
        }
    }
}

/// Calls a function of PostgreSQL with the lock's number.
fn ask(conn: &mut Conn, function: &str) -> Result<(), StoreError> {
    crate::each!(conn, c => diesel::sql_query(format!("{function}({IMPORT_LOCK})")).execute(c)?);
    Ok(())
}

/// The path of the lock's file; None on PostgreSQL.
fn path_of(db: &Db) -> Option<PathBuf> {
    let file = db.file()?;
    let mut path = file.canonicalize().unwrap_or(file).into_os_string();
    path.push("-import");
    Some(path.into())
}

/// Opens a file and locks it; None if `lock` says that another process holds it.
fn locked_file(path: &Path, lock: impl Fn(&File) -> io::Result<bool>) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
        if !lock(&file)? {
            return Ok(None);
        }
        // The previous holder may have removed the file.
        let locked = file.metadata()?;
        if path.metadata().is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino())) {
            return Ok(Some(file));
        }
    }
}
