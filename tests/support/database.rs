//! A database for one test: made for it, gone with it.

use crate::{postgres, scratch, templates};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use tempfile::TempDir;

/// A database of this test alone.
pub struct Database {
    pub url: String,
    pub name: &'static str,
    kind: Kind,
}

#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

enum Kind {
    Sqlite(TempDir),
    Postgres { server: String, database: String },
}

/// The file of a SQLite database in its folder.
const FILE: &str = "test.db";

impl Database {
    pub fn sqlite() -> Self {
        let folder = scratch::temporary_folder();
        Self { url: url_in(folder.path()), name: "sqlite", kind: Kind::Sqlite(folder) }
    }

    pub fn postgres() -> Self {
        let name = templates::name();
        let Some(spare) = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop() else {
            return Self::postgres_from(name, EMPTY);
        };
        let server = postgres::server_url();
        rename(&server, &spare, &name);
        Self::at(server, name)
    }

    /// One on a server of the test's own.
    pub fn on(server: &str) -> Self {
        Self::postgres_on(server.to_owned(), format!("phananh_own_{}", uuid::Uuid::new_v4().simple()), EMPTY)
    }

    fn postgres_from(database: String, template: &str) -> Self {
        Self::postgres_on(postgres::server_url(), database, template)
    }

    fn postgres_on(server: String, database: String, template: &str) -> Self {
        create(&server, &database, template);
        Self::at(server, database)
    }

    /// One that is there.
    fn at(server: String, database: String) -> Self {
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{base}/{database}");
        Self { url, name: "postgres", kind: Kind::Postgres { server, database } }
    }

    /// One of each kind.
    pub fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    /// Another database that holds the same. Nobody may be connected to this one.
    pub fn copy(&self) -> Self {
        match &self.kind {
            Kind::Sqlite(folder) => {
                let copy = Self::sqlite();
                copy_files(folder.path(), copy.folder().expect("a SQLite database"));
                copy
            }
            Kind::Postgres { database, .. } => Self::postgres_from(templates::name(), database),
        }
    }

    /// Fills this database as `make` does. The first call with a key makes a template, of which this database and those
    /// of later calls become copies. A database that is not empty is filled by `make` itself.
    pub fn fill_once(&self, key: &str, make: impl FnOnce(&Self)) {
        if !self.is_empty() {
            return make(self);
        }
        let template = templates::get(self.name, key, || {
            let template = match &self.kind {
                Kind::Sqlite(_) => Self::sqlite(),
                Kind::Postgres { .. } => Self::postgres_from(templates::name(), EMPTY),
            };
            make(&template);
            template
        });
        match (&template.get().expect("a template").kind, &self.kind) {
            (Kind::Sqlite(from), Kind::Sqlite(into)) => copy_files(from.path(), into.path()),
            (Kind::Postgres { database: from, .. }, Kind::Postgres { server, database }) => {
                let spare = templates::name();
                rename(server, database, &spare);
                SPARE.lock().unwrap_or_else(PoisonError::into_inner).push(spare);
                create(server, database, from);
            }
            _ => unreachable!("a template is of the kind of its copies"),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Sqlite(folder) => !folder.path().join(FILE).exists(),
            Kind::Postgres { .. } => {
                let mut conn = PgConnection::establish(&self.url).expect("the database opens");
                let tables = "SELECT '' AS name, count(*) AS rows FROM pg_tables WHERE schemaname = 'public'";
                let counted: Rows = diesel::sql_query(tables).get_result(&mut conn).expect("its tables are counted");
                counted.rows == 0
            }
        }
    }

    /// Changes the database as somebody does who goes around the program: no foreign key is in the way.
    #[track_caller]
    pub fn tamper(&self, sql: &str) {
        self.try_tamper(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Like [`Self::tamper`], for a change that the database may refuse.
    ///
    /// # Errors
    /// The message of the database.
    pub fn try_tamper(&self, sql: &str) -> Result<(), String> {
        let done = match &self.kind {
            Kind::Sqlite(folder) => {
                let file = folder.path().join(FILE).display().to_string();
                let mut conn = SqliteConnection::establish(&file).expect("the database opens");
                conn.batch_execute(&format!("PRAGMA busy_timeout = 30000; PRAGMA foreign_keys = OFF; {sql}"))
            }
            Kind::Postgres { .. } => {
                let mut conn = PgConnection::establish(&self.url).expect("the database opens");
                conn.batch_execute(&format!("SET session_replication_role = replica; {sql}"))
            }
        };
        done.map_err(|error| error.to_string())
    }

    /// The folder of a SQLite database.
    pub fn folder(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Sqlite(folder) => Some(folder.path()),
            Kind::Postgres { .. } => None,
        }
    }

    /// How many rows each table has.
    pub fn rows(&self) -> BTreeMap<String, i64> {
        let db = schema::Db::open(&self.url).expect("the database opens");
        let tables = match &self.kind {
            Kind::Sqlite(_) => "SELECT name AS name, 0 AS rows FROM sqlite_schema WHERE type = 'table'",
            Kind::Postgres { .. } => {
                "SELECT table_name::text AS name, 0::bigint AS rows FROM information_schema.tables \
                 WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            }
        };
        let counted = db.read(|conn| {
            let tables: Vec<Rows> = schema::each!(&mut *conn, c => diesel::sql_query(tables).load(c)?);
            tables
                .into_iter()
                .map(|table| {
                    let count = format!("SELECT '{0}' AS name, count(*) AS rows FROM \"{0}\"", table.name);
                    let counted: Rows = schema::each!(&mut *conn, c => diesel::sql_query(count).get_result(c)?);
                    Ok((table.name, counted.rows))
                })
                .collect()
        });
        counted.expect("its rows are counted")
    }

    /// The position of the last change.
    pub fn position(&self) -> i64 {
        self.open().read(schema::db::dialect::current_position).expect("its position is read")
    }

    pub fn open(&self) -> schema::Db {
        let db = schema::Db::open(&self.url).expect("the database opens");
        db.migrate().expect("the database migrates");
        db
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kind::Postgres { server, database } = &self.kind {
            drop_later(server.clone(), database.clone());
        }
    }
}

/// Number of databases that are dropped together.
const DROPPED_AT_ONCE: usize = 16;

/// Lets a thread drop a database of a test that has ended. For each database that it drops, a server writes all that it
/// has in memory to its disk, which may take seconds. The first drop of several does that for the others, too, and no test
/// waits for it. The next process drops what is left of them.
fn drop_later(server: String, database: String) {
    static ENDED: LazyLock<Mutex<Sender<(String, String)>>> = LazyLock::new(|| {
        let (sender, ended) = channel();
        std::thread::spawn(move || {
            let mut waiting = Vec::new();
            while let Ok(one) = ended.recv() {
                waiting.push(one);
                if waiting.len() == DROPPED_AT_ONCE {
                    waiting.drain(..).for_each(|(server, database): (String, String)| drop_now(&server, &database));
                }
            }
        });
        Mutex::new(sender)
    });
    let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    ended.send((server, database)).expect("the thread that drops databases");
}

fn drop_now(server: &str, database: &str) {
    // A server of a test's own may have ended with it.
    let Ok(mut conn) = PgConnection::establish(server) else { return };
    let dropped = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
    if let Err(error) = dropped {
        eprintln!("the database {database} of a test is left behind: {error}");
    }
}

/// Empty databases of tests that took a copy of a template instead: another test takes them. The next process removes
/// what is left of them.
static SPARE: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn rename(server: &str, from: &str, to: &str) {
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server of the tests");
    conn.batch_execute(&format!("ALTER DATABASE {from} RENAME TO {to}")).expect("an empty database is renamed");
}

/// What a PostgreSQL database of the tests is made of: no order of its own, since ours must not depend on it.
const EMPTY: &str = "template0 ENCODING 'UTF8'";

fn create(server: &str, database: &str, template: &str) {
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server of the tests");
    conn.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE {template}")).expect("a database for the test");
    // A test does not outlive the server's crash, so no commit waits for the disk.
    conn.batch_execute(&format!("ALTER DATABASE {database} SET synchronous_commit = off")).expect("a faster database");
}

fn url_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join(FILE).display())
}

fn copy_files(from: &Path, into: &Path) {
    for file in std::fs::read_dir(from).expect("the folder of a database").flatten() {
        std::fs::copy(file.path(), into.join(file.file_name())).expect("a copy of a file");
    }
}
