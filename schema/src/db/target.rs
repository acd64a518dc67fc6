//! Database URLs, and how a connection is opened from one.

use super::dialect::BUSY;
use super::{Backend, Conn, StoreError};
use diesel::connection::SimpleConnection;
use diesel::result::Error as DieselError;
use diesel::{Connection, PgConnection, QueryResult, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A parsed database URL.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub backend: Backend,
    location: String,
    bulk: bool,
    /// Whether a missing SQLite database is created.
    makes: bool,
    /// The time after which PostgreSQL cancels a statement.
    statement_timeout: Option<Duration>,
    /// Whether the server is the replica of another.
    pub is_replica: bool,
}

impl Target {
    /// `bulk`: for one writer of very many rows, whose indexes should stay in memory.
    ///
    /// # Errors
    /// `BadUrl` if the URL names no database of a supported kind.
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
                is_replica: false,
            });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let location = with_settings(with_certificate_store(url), &LIBPQ_DEFAULTS);
            return Ok(Self {
                backend: Backend::Postgres,
                location,
                bulk,
                makes: true,
                statement_timeout: None,
                is_replica: false,
            });
        }
        Err(StoreError::BadUrl(url.to_owned()))
    }

    /// A replica, whose loss is noticed within 3 s: the primary answers instead.
    ///
    /// # Errors
    /// `Rule` if the URL names no PostgreSQL server; `BadUrl` if it cannot be parsed.
    pub fn replica(url: &str) -> Result<Self, StoreError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(StoreError::Rule(
                "the replica must be a PostgreSQL server: write --replica postgres://USER@HOST/NAME".into(),
            ));
        }
        let target = Self::parse(&with_settings(url.to_owned(), &LIBPQ_OF_REPLICAS), false)?;
        Ok(Self { is_replica: true, ..target.existing() })
    }

    /// The target, for which a missing database is an error.
    pub fn existing(self) -> Self {
        Self { makes: false, ..self }
    }

    /// The target, whose statements time out.
    pub fn with_statement_timeout(self, timeout: Duration) -> Self {
        Self { statement_timeout: Some(timeout), ..self }
    }

    /// The target, whose connections notice a dead server within 5 s.
    pub fn with_short_timeout(&self) -> Self {
        // libpq takes the last of several values.
        let location = format!("{}&tcp_user_timeout=5000", self.location);
        let is_postgres = self.backend == Backend::Postgres;
        Self { location: if is_postgres { location } else { self.location.clone() }, ..self.clone() }
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> Option<PathBuf> {
        // SQLite takes URIs, too: file:PATH?OPTIONS.
        let uri = self.location.strip_prefix("file:").map(|path| path.strip_prefix("//").unwrap_or(path));
        let path = uri.map_or(self.location.as_str(), |path| path.split(['?', '#']).next().unwrap_or_default());
        (self.backend == Backend::Sqlite).then(|| path.into())
    }

    /// The location, for people.
    pub fn name(&self) -> String {
        match self.backend {
            Backend::Postgres => redact(&self.location),
            Backend::Sqlite => self.location.clone(),
        }
    }

    /// The location with all of its settings, which may name the database, but without its password.
    pub fn identity(&self) -> String {
        match self.backend {
            Backend::Postgres => without_password(&self.location),
            Backend::Sqlite => self.location.clone(),
        }
    }

    /// Fails if a SQLite file is missing: SQLite would create it.
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
    /// The database's own message, which the derived `establish` of the multi connection hides.
    pub fn connect(&self) -> Result<Conn, StoreError> {
        match self.backend {
            Backend::Postgres => {
                // Otherwise libpq registers an exit handler that tears OpenSSL down while a thread of the pool may
                // still be connecting.
                openssl_sys::init();
                let mut conn = PgConnection::establish(&self.location)
                    .map_err(|e| StoreError::Connect { place: redact(&self.location), source: e })?;
                // Registers are in memory or on SSDs, where random reads cost hardly more than sequential ones.
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
                let file = self.file().unwrap_or_default();
                if file.is_dir() {
                    return Err(StoreError::IsFolder(file));
                }
                let mut conn = SqliteConnection::establish(&self.location).map_err(|e| match no_access(&e) {
                    Some(message) => StoreError::NotWritable(file.clone(), message),
                    None => StoreError::Connect { place: self.location.clone(), source: e },
                })?;
                // The timeout comes first: changing the journal mode may itself have to wait. Deleted texts are
                // overwritten.
                let cache = super::dialect::CACHE;
                let settings = format!(
                    "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON; PRAGMA cache_size = -{cache}; \
                     PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON",
                    BUSY.as_millis(),
                );
                retry_while_locked(|| conn.batch_execute(&settings)).map_err(|e| match no_access(&e) {
                    Some(message) => StoreError::NotWritable(file, message),
                    None => StoreError::NotADatabase { path: self.location.clone(), source: e },
                })?;
                super::search_text::register_functions(&mut conn)?;
                super::cancellation::register_functions(&mut conn)?;
                crate::queries::shuffled::register_functions(&mut conn)?;
                if self.bulk {
                    conn.batch_execute("PRAGMA cache_size = -262144; PRAGMA wal_autocheckpoint = 65536")?;
                }
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}

/// The message of SQLite, if it says that the user may not open the file, or not write to it.
fn no_access(error: &impl std::fmt::Display) -> Option<String> {
    const WORDS: [&str; 2] = ["unable to open database file", "attempt to write a readonly database"];
    let message = error.to_string();
    WORDS.iter().any(|words| message.contains(words)).then_some(message)
}

/// Retries while the database is locked: of several processes that open a new file, one switches it to WAL mode, and
/// SQLite does not let the others wait for that.
fn retry_while_locked(mut work: impl FnMut() -> QueryResult<()>) -> QueryResult<()> {
    let end = Instant::now() + BUSY;
    loop {
        match work() {
            Err(DieselError::DatabaseError(_, info))
                if info.message().contains("database is locked") && Instant::now() < end =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}

/// Settings of libpq that apply unless the URL has them: a host that vanishes silently (a failover, a firewall) is
/// noticed after 10 s, and not after the system's 15 minutes.
const LIBPQ_DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "10000"),
    ("keepalives", "1"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
];

/// The same for a replica.
const LIBPQ_OF_REPLICAS: [(&str, &str); 6] = [
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "2000"),
    ("keepalives", "1"),
    ("keepalives_idle", "1"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "2"),
];

/// Adds the settings that a URL does not have yet.
fn with_settings(mut location: String, settings: &[(&str, &str)]) -> String {
    for (name, value) in settings {
        // A password may contain a question mark.
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

/// Names the system's certificate store, which the bundled libpq does not know, if the URL asks for verified
/// certificates and names no store.
fn with_certificate_store(url: &str) -> String {
    if !url.contains("sslmode=verify-") || url.contains("sslrootcert=") {
        return url.to_owned();
    }
    match openssl_probe::probe().cert_file {
        Some(file) => format!("{url}&sslrootcert={}", file.display()),
        None => url.to_owned(),
    }
}

/// The URL without its passwords.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // libpq takes everything before an `@` as the user, unless a slash comes first.
    let at = rest.find(['@', '/']).filter(|at| rest[*at..].starts_with('@'));
    let (user, place) = at.map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
    let user = user.split(':').next().unwrap_or_default();
    let (place, settings) = place.split_once('?').unwrap_or((place, ""));
    let is_password = |setting: &&str| ["password=", "sslpassword="].iter().any(|name| setting.starts_with(name));
    let settings: Vec<&str> = settings.split('&').filter(|setting| !is_password(setting)).collect();
    format!("{scheme}://{user}@{place}?{}", settings.join("&"))
}

/// The URL without its password, for messages.
fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // Drops the settings after the question mark: they may hold a password, and most are added by `with_settings`.
    let shown = |host: &str| host.split('?').next().unwrap_or_default().to_owned();
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{}", shown(host))
        }
        None => format!("{scheme}://{}", shown(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_differ_by_their_settings_and_not_by_a_password() {
        let bare = |url: &str| without_password(url);
        let url = "postgres://u@host:5432/db?options=-csearch_path%3Da";
        assert_eq!(bare(url), url);
        assert_eq!(bare("postgres://u:secret?x@host:5432/db?options=-csearch_path%3Da"), url);
        assert_eq!(bare("postgres://u@host:5432/db?password=secret&options=-csearch_path%3Da"), url);
        assert_ne!(bare("postgres:///db?host=a"), bare("postgres:///db?host=b"));
        assert_eq!(bare("postgres:///db?user=a@b"), "postgres://@/db?user=a@b");
    }
}
