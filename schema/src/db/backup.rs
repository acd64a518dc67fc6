//! Online backup of a SQLite register, and its restoration.

use super::migrations::MigrationStatus;
use super::target::Target;
use super::{Backend, Conn, Db, StoreError, dialect};
use crate::files::AtomicFile;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A backup file and what it holds.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Backup {
    pub file: PathBuf,
    pub bytes: u64,
    /// The last position of the register in it.
    pub position: i64,
    /// Whether an older version wrote it, so that it has to be migrated.
    #[serde(skip)]
    pub is_behind: bool,
}

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    found: String,
}

const OF_POSTGRES: &str = "PostgreSQL has its own tools for that: `pg_dump --format=custom --file=FILE URL` writes a backup \
    while the register is used, and `pg_restore --no-owner --exit-on-error --dbname=URL FILE` reads it into an empty \
    database; see docs/operations.md";

impl Db {
    /// Writes a snapshot of a SQLite register into a new file, while others read and write.
    ///
    /// # Errors
    /// `Rule` if the file exists, and for PostgreSQL. Never leaves an incomplete file.
    pub fn back_up(&self, path: &Path) -> Result<Backup, StoreError> {
        if self.backend() == Backend::Postgres {
            return Err(StoreError::Rule(OF_POSTGRES.into()));
        }
        let wrong = |error: io::Error| failed(path, &error);
        if path.try_exists().map_err(wrong)? {
            return Err(there_already(path));
        }
        let draft = AtomicFile::begin(path).map_err(wrong)?;
        let beside = draft.path().ok_or_else(|| there_already(path))?.to_owned();
        self.read(|conn| {
            if let MigrationStatus::Ahead(migrations) = conn.migration_status()? {
                return Err(StoreError::Newer(migrations));
            }
            let Conn::Sqlite(c) = conn else { return Err(StoreError::Rule(OF_POSTGRES.into())) };
            // Reads everything in one transaction; what others write meanwhile stays in the write-ahead log.
            diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(text(&beside)?).execute(c)?;
            Ok(())
        })?;
        let backup = checked(path, &beside)?;
        match draft.keep_new() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(there_already(path)),
            kept => kept.map(|()| backup).map_err(wrong),
        }
    }
}

/// Restores a backup as a new SQLite database.
///
/// # Errors
/// `Rule` if a file is in the way, if the backup is not a complete register, and for PostgreSQL.
pub fn restore(url: &str, backup: &Path) -> Result<Backup, StoreError> {
    let target = Target::parse(url, false)?;
    let Some(place) = target.file() else { return Err(StoreError::Rule(OF_POSTGRES.into())) };
    // SQLite would apply a leftover write-ahead log to the restored file.
    if let Some(there) = with_those_beside(&place).into_iter().find(|path| path.exists()) {
        return Err(StoreError::Rule(format!(
            "{} exists: stop the programs that use it and move it away, with the files beside it (-wal, -shm), or name \
             another place with --database sqlite:PATH",
            there.display()
        )));
    }
    let [_, beside @ ..] = with_those_beside(backup);
    if let Some(there) = beside.into_iter().find(|path| path.metadata().is_ok_and(|meta| meta.len() > 0)) {
        return Err(StoreError::Rule(format!(
            "{} is a database in use and not a backup: {} holds a part of it; `phananh backup FILE` makes a backup",
            backup.display(),
            there.display()
        )));
    }
    let copied = File::open(backup).and_then(|mut from| {
        let mut draft = AtomicFile::begin(&place)?;
        io::copy(&mut from, &mut draft)?;
        Ok(draft)
    });
    let draft = copied.map_err(|error| failed(backup, &error))?;
    let copy = draft.path().ok_or_else(|| there_already(&place))?.to_owned();
    let restored = checked(&place, &copy).map_err(|error| match error {
        StoreError::Newer(_) => error,
        error => StoreError::Rule(format!("{} is not a complete backup of a register: {error}", backup.display())),
    })?;
    draft.keep_new().map(|()| restored).map_err(|error| failed(&place, &error))
}

/// Checks that a copy is a complete register. Opens it without the usual settings, which would switch it to WAL mode.
fn checked(path: &Path, copy: &Path) -> Result<Backup, StoreError> {
    let place = path.display().to_string();
    let conn = SqliteConnection::establish(text(copy)?).map_err(|source| StoreError::Connect { place, source })?;
    let mut conn = Conn::Sqlite(conn);
    let standing = conn.migration_status()?;
    if let MigrationStatus::Ahead(migrations) = standing {
        return Err(StoreError::Newer(migrations));
    }
    let Conn::Sqlite(c) = &mut conn else { return Err(StoreError::Rule(OF_POSTGRES.into())) };
    let found: Vec<Checked> = diesel::sql_query("PRAGMA integrity_check(1)").load(c)?;
    if let Some(wrong) = found.iter().find(|one| one.integrity_check != "ok") {
        return Err(StoreError::Rule(format!("the file is damaged: {}", wrong.integrity_check)));
    }
    let loose = "SELECT \"table\" AS found FROM pragma_foreign_key_check LIMIT 1";
    if let Some(loose) = diesel::sql_query(loose).load::<Found>(c)?.first() {
        return Err(StoreError::Rule(format!("rows of {} refer to rows that do not exist", loose.found)));
    }
    let position = dialect::current_position(&mut conn)?;
    let bytes = copy.metadata().map_err(|error| failed(path, &error))?.len();
    Ok(Backup { file: path.to_owned(), bytes, position, is_behind: standing == MigrationStatus::Behind })
}

/// The path of a database, and those of the files that SQLite keeps next to it.
fn with_those_beside(path: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-shm", "-journal"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

fn text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::Rule(format!("the path {} is not UTF-8: use another name", path.display())))
}

fn there_already(path: &Path) -> StoreError {
    StoreError::Rule(format!("{} already exists: name another file", path.display()))
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Rule(format!("{}: {error}", path.display()))
}
