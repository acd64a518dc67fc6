use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::path::PathBuf;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0:?} names no database: write sqlite:PATH or postgres://USER@HOST/NAME")]
    BadUrl(String),
    #[error("the folder {0:?} of the database does not exist: create it or name another file")]
    NoFolder(PathBuf),
    #[error(
        "there is no database {0:?}, and this command makes none: name the file that holds the register with \
         --database sqlite:PATH, or make a new one with `phananh migrate`"
    )]
    NoDatabase(PathBuf),
    #[error("cannot open the database {place}: {}", one_line(source))]
    Connect { place: String, source: diesel::ConnectionError },
    #[error("cannot use {path} as a database: {source}")]
    NotADatabase { path: String, source: DieselError },
    #[error("no connection to the database was free in time: {0}")]
    Pool(String),
    #[error("migration failed: {0}")]
    Migration(String),
    #[error(
        "a newer version of phananh has migrated the database ({}), which this one ({}) would damage: take the newer \
         version, or a database from before, as docs/operations.md says",
        .0.join(", "), env!("CARGO_PKG_VERSION")
    )]
    Newer(Vec<String>),
    #[error(
        "the database {0:?} was deleted or another file was put into its place while it was used: nothing is written until \
         the server is started again with the register in its place"
    )]
    Gone(PathBuf),
    #[error("the disk of the database is full ({0}): make room")]
    Full(String),
    #[error("database: {0}")]
    Query(#[from] DieselError),
    #[error("{0}")]
    Rule(String),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NotFound(String),
    #[error("the work was cancelled: its client disconnected, or its deadline passed")]
    Cancelled,
}

/// A message of libpq, which has several lines.
fn one_line(message: &diesel::ConnectionError) -> String {
    message.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How libpq and PostgreSQL say that a connection has ended, or that the server starts or stops.
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

/// How the databases say that there is no room, or that they take no writes.
const REFUSED: [&str; 5] = [
    "disk is full",
    "No space left",
    "could not extend file",
    "in a read-only transaction",
    "attempt to write a readonly database",
];

impl StoreError {
    /// The database is away, or has no connection to spare: nothing is wrong with what was asked.
    pub fn is_unavailable(&self) -> bool {
        match self {
            // Another node serves a database that this one is too old for.
            Self::Connect { .. } | Self::Pool(_) | Self::Newer(_) | Self::Gone(_) => true,
            _ if self.is_refused_write() => true,
            Self::Query(DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            )) => true,
            Self::Query(DieselError::BrokenTransactionManager) => true,
            // libpq tells of a connection that ends in the middle of an answer in words alone.
            Self::Query(DieselError::DatabaseError(DatabaseErrorKind::Unknown, told)) => {
                ENDED.iter().any(|words| told.message().contains(words))
            }
            _ => false,
        }
    }

    /// No write is taken for now: the disk is full, or the server is one that only reads.
    pub fn is_refused_write(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Query(DieselError::DatabaseError(_, told)) => {
                REFUSED.iter().any(|words| told.message().contains(words))
            }
            _ => false,
        }
    }

    /// Another transaction wrote the same key first: the whole transaction can be tried again.
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
