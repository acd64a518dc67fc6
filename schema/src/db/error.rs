//! The error type of the store, and which errors are transient.

use crate::refusal::{Refusal, Refuses};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::fmt::Display;
use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0:?} is not a database URL: write sqlite:PATH or postgres://USER@HOST/NAME")]
    BadUrl(String),
    #[error("the folder {0:?} of the database does not exist: create it or name another file")]
    NoFolder(PathBuf),
    #[error(
        "there is no database {0:?}, and this command does not create one: name the file that holds the register with \
         --database sqlite:PATH, or create a new one with `phananh migrate`"
    )]
    NoDatabase(PathBuf),
    #[error("cannot open the database {place}: {}", one_line(source))]
    Connect { place: String, source: diesel::ConnectionError },
    #[error("cannot use {path} as a database: {source}")]
    NotADatabase { path: String, source: DieselError },
    #[error("cannot open the database {0:?}: it is a folder: name a file in it")]
    IsFolder(PathBuf),
    /// SQLite keeps files next to the database also while a command only reads from it.
    #[error(
        "cannot open the database {0:?} ({1}): the user of this command must be able to write to the file and to its \
         folder, also to read the register"
    )]
    NotWritable(PathBuf, String),
    #[error("no database connection was available in time: {0}")]
    Pool(String),
    #[error("migration failed: {0}")]
    Migration(String),
    #[error(
        "a newer version of phananh has migrated the database ({}), and this version ({}) would damage it: use the \
         newer version, or a database from before the migration (see docs/operations.md)",
        .0.join(", "), env!("CARGO_PKG_VERSION")
    )]
    Newer(Vec<String>),
    #[error(
        "the database {0:?} was deleted or replaced while in use: nothing is written until the register is back in \
         place and the server is restarted"
    )]
    Gone(PathBuf),
    #[error("the disk of the database is full ({0}): make room")]
    Full(String),
    #[error("database: {0}")]
    Query(#[from] DieselError),
    /// A refusal that the page words in two languages. Where functions document `Rule` or `Conflict`, it may be a
    /// refusal of that kind.
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("{0}")]
    Rule(String),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NotFound(String),
    #[error("the work was cancelled: its client disconnected, or its deadline passed")]
    Cancelled,
}

impl<R: Refuses> From<R> for StoreError {
    fn from(refused: R) -> Self {
        Self::Refused(Box::new(refused.refusal()))
    }
}

/// Joins the lines of a libpq message.
fn one_line(message: &diesel::ConnectionError) -> String {
    message.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Texts by which libpq and PostgreSQL report that a connection has ended, or that the server is starting or stopping.
const ENDED: [&str; 8] = [
    "server closed the connection unexpectedly",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "terminating connection due to",
    "the database system is",
    "Connection timed out",
    "connection to server",
];

/// Texts by which the databases report that the disk is full, or that they are read-only.
const REFUSED: [&str; 5] = [
    "disk is full",
    "No space left",
    "could not extend file",
    "in a read-only transaction",
    "attempt to write a readonly database",
];

impl StoreError {
    /// The error for an id that does not exist or that the caller may not see: one text for both, so that it does not
    /// reveal which rows exist. `query` is the GraphQL query that lists what the caller may see.
    pub fn no_such(what: &str, id: &dyn Display, query: &str) -> Self {
        Self::NotFound(format!("there is no {what} {id}: the query `{query}` lists those that you may see"))
    }

    /// The database is unreachable or has no free connection; the request is not at fault.
    pub fn is_unavailable(&self) -> bool {
        match self {
            // Newer: another node, with the newer version, can serve the request.
            Self::Connect { .. } | Self::NotWritable(..) | Self::Pool(_) | Self::Newer(_) | Self::Gone(_) => true,
            _ if self.is_refused_write() => true,
            Self::Query(DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            )) => true,
            Self::Query(DieselError::BrokenTransactionManager) => true,
            // libpq reports a connection that ends in the middle of an answer only by its text.
            Self::Query(DieselError::DatabaseError(DatabaseErrorKind::Unknown, info)) => {
                ENDED.iter().any(|words| info.message().contains(words))
            }
            _ => false,
        }
    }

    /// Writes fail for now: the disk is full, or the server is read-only.
    pub fn is_refused_write(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Query(DieselError::DatabaseError(_, info)) => {
                REFUSED.iter().any(|words| info.message().contains(words))
            }
            _ => false,
        }
    }

    /// A replica failed, and the primary may succeed: the replica is away, or it cancelled the statement because it
    /// removes rows that the statement reads.
    pub fn is_failure_of_replica(&self) -> bool {
        match self {
            Self::Query(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            // A conflict that the replica finds as a deadlock has another code.
            Self::Query(DieselError::DatabaseError(_, info)) if info.message().contains("conflict with recovery") => {
                true
            }
            _ => self.is_unavailable(),
        }
    }

    /// The transaction conflicts with a concurrent one and can be retried as a whole.
    pub fn is_lost_race(&self) -> bool {
        matches!(
            self,
            Self::Query(DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::SerializationFailure,
                _
            ))
        )
    }
}
