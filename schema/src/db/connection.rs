//! The connection whose variant the database URL chooses at run time.

use super::StoreError;
use diesel::connection::SimpleConnection;
use diesel::result::Error as DieselError;
use diesel::{Connection, PgConnection, QueryResult, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Pg(PgConnection),
    Sqlite(SqliteConnection),
}

/// Which database a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Postgres,
    Sqlite,
}

/// A parsed database URL.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub backend: Backend,
    location: String,
    bulk: bool,
    /// Whether a SQLite database that is not there is made.
    makes: bool,
    /// After which PostgreSQL breaks a statement off.
    statement_timeout: Option<Duration>,
}

impl Target {
    /// `bulk`: for one writer of very many rows, whose indexes are to stay in memory.
    pub fn parse(url: &str, bulk: bool) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path == ":memory:" {
                return Err(StoreError::BadUrl(url.to_owned()));
            }
            return Ok(Self {
                backend: Backend::Sqlite,
                location: path.to_owned(),
                bulk,
                makes: true,
                statement_timeout: None,
            });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let location = with_settings(with_certificate_store(url), &PATIENCE);
            return Ok(Self { backend: Backend::Postgres, location, bulk, makes: true, statement_timeout: None });
        }
        Err(StoreError::BadUrl(url.to_owned()))
    }

    /// The same, but only where it is there.
    pub fn existing(self) -> Self {
        Self { makes: false, ..self }
    }

    /// The same, with statements that are broken off after some time.
    pub fn with_statement_timeout(self, timeout: Duration) -> Self {
        Self { statement_timeout: Some(timeout), ..self }
    }

    /// The same, with a connection that soon says where it cannot be used.
    pub fn impatient(&self) -> Self {
        // libpq takes the last of several values.
        let location = format!("{}&tcp_user_timeout=5000", self.location);
        let is_postgres = self.backend == Backend::Postgres;
        Self { location: if is_postgres { location } else { self.location.clone() }, ..self.clone() }
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> Option<PathBuf> {
        // It takes URIs, too: file:PATH?OPTIONS.
        let uri = self.location.strip_prefix("file:").map(|path| path.strip_prefix("//").unwrap_or(path));
        let path = uri.map_or(self.location.as_str(), |path| path.split(['?', '#']).next().unwrap_or_default());
        (self.backend == Backend::Sqlite).then(|| path.into())
    }

    /// SQLite makes the file that it opens.
    fn must_be_there(&self) -> Result<(), StoreError> {
        match self.file().filter(|path| !path.exists()) {
            Some(path) => Err(StoreError::NoDatabase(path)),
            None => Ok(()),
        }
    }

    /// Whether statements are cancelled with their operation ([`super::cancellation`]).
    pub fn cancels(&self) -> bool {
        self.backend == Backend::Postgres && self.statement_timeout.is_some()
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// With the database's own words: the derived `establish` of the multi connection hides them.
    pub fn connect(&self) -> Result<Conn, StoreError> {
        match self.backend {
            Backend::Postgres => {
                // libpq would set OpenSSL up with a handler that tears it down at exit, under the
                // feet of a pool's thread that is still connecting.
                openssl_sys::init();
                let mut conn = PgConnection::establish(&self.location)
                    .map_err(|e| StoreError::Connect { place: redact(&self.location), source: e })?;
                // Registers lie in memory or on disks without arms: a page read out of order costs hardly more.
                conn.batch_execute(
                    "SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET random_page_cost = 1.1",
                )
                .map_err(StoreError::Query)?;
                if let Some(timeout) = self.statement_timeout {
                    conn.batch_execute(&format!("SET statement_timeout = {}", timeout.as_millis()))?;
                }
                Ok(Conn::Pg(conn))
            }
            Backend::Sqlite => {
                let folder = Path::new(&self.location).parent().filter(|p| !p.as_os_str().is_empty());
                if let Some(folder) = folder.filter(|f| !f.is_dir()) {
                    return Err(StoreError::NoFolder(folder.to_owned()));
                }
                if !self.makes {
                    self.must_be_there()?;
                }
                let mut conn = SqliteConnection::establish(&self.location)
                    .map_err(|e| StoreError::Connect { place: self.location.clone(), source: e })?;
                // The timeout stands first: changing the journal mode may itself have to wait.
                let cache = super::dialect::CACHE;
                let settings = format!(
                    "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON; PRAGMA cache_size = -{cache}; \
                     PRAGMA temp_store = MEMORY",
                    BUSY.as_millis(),
                );
                taking_turns(|| conn.batch_execute(&settings))
                    .map_err(|e| StoreError::NotADatabase { path: self.location.clone(), source: e })?;
                super::search_text::register_functions(&mut conn)?;
                super::cancellation::register_functions(&mut conn)?;
                crate::queries::shuffled::give(&mut conn)?;
                if self.bulk {
                    conn.batch_execute("PRAGMA cache_size = -262144; PRAGMA wal_autocheckpoint = 16384")?;
                }
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}

/// How long SQLite waits for others that hold its file.
const BUSY: Duration = Duration::from_secs(30);

/// Of several processes that open a new file at once one makes it a file with a log of writes (WAL), and for that SQLite
/// lets none of the others wait.
fn taking_turns(mut work: impl FnMut() -> QueryResult<()>) -> QueryResult<()> {
    let end = Instant::now() + BUSY;
    loop {
        match work() {
            Err(DieselError::DatabaseError(_, told))
                if told.message().contains("database is locked") && Instant::now() < end =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}

/// How soon a connection says that the other end is gone, where the URL says nothing else (settings of libpq): a host that
/// vanished without a word (a failover, a firewall) is noticed after 10 s, and not after the 15 minutes of the system's.
const PATIENCE: [(&str, &str); 6] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "10000"),
    ("keepalives", "1"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
];

/// A URL with settings that it does not have yet.
fn with_settings(mut location: String, settings: &[(&str, &str)]) -> String {
    for (name, value) in settings {
        // A password may have a question mark.
        let behind = location.rsplit_once('@').map_or(location.as_str(), |(_, behind)| behind);
        let (sign, given) = match behind.split_once('?') {
            None => ("?", ""),
            Some((_, given)) if given.is_empty() || given.ends_with('&') => ("", given),
            Some((_, given)) => ("&", given),
        };
        if !given.split('&').any(|one| one.split_once('=').is_some_and(|(own, _)| own == *name)) {
            location = format!("{location}{sign}{name}={value}");
        }
    }
    location
}

/// libpq is bundled and knows no certificate store of the system's: name it where the URL wants
/// certificates verified and names none.
fn with_certificate_store(url: &str) -> String {
    if !url.contains("sslmode=verify-") || url.contains("sslrootcert=") {
        return url.to_owned();
    }
    match openssl_probe::probe().cert_file {
        Some(file) => format!("{url}&sslrootcert={}", file.display()),
        None => url.to_owned(),
    }
}

/// The URL without its password, for messages.
fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // Settings, after the question mark, may hold a password, too; most of them are ours.
    let shown = |host: &str| host.split('?').next().unwrap_or_default().to_owned();
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{}", shown(host))
        }
        None => format!("{scheme}://{}", shown(rest)),
    }
}

impl Conn {
    pub fn backend(&self) -> Backend {
        match self {
            Self::Pg(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }
}
