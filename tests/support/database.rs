//! A database for one test: made for it, gone with it.

use crate::postgres;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// A database that nobody else uses.
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

impl Database {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self { url, name: "sqlite", kind: Kind::Sqlite(folder) }
    }

    pub fn postgres() -> Self {
        let server = postgres::server_url();
        let database = format!("phananh_test_{}", uuid::Uuid::new_v4().simple());
        let mut conn = PgConnection::establish(&server).expect("the PostgreSQL server of the tests");
        // An order of its own: our columns must not depend on it.
        conn.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'"))
            .expect("a database for the test");
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{base}/{database}");
        Self { url, name: "postgres", kind: Kind::Postgres { server, database } }
    }

    /// Another database that holds the same. Nobody may be connected to this one.
    pub fn copy(&self) -> Self {
        match &self.kind {
            Kind::Sqlite(folder) => {
                let copy = Self::sqlite();
                let Kind::Sqlite(into) = &copy.kind else { unreachable!("a SQLite database") };
                for file in std::fs::read_dir(folder.path()).expect("its folder").flatten() {
                    std::fs::copy(file.path(), into.path().join(file.file_name())).expect("a copy");
                }
                copy
            }
            Kind::Postgres { server, database } => {
                let copy = format!("phananh_test_{}", uuid::Uuid::new_v4().simple());
                let mut conn = PgConnection::establish(server).expect("the PostgreSQL server of the tests");
                conn.batch_execute(&format!("CREATE DATABASE {copy} TEMPLATE {database}")).expect("a copy");
                let url = self.url.replace(database, &copy);
                Self { url, name: self.name, kind: Kind::Postgres { server: server.clone(), database: copy } }
            }
        }
    }

    /// Changes the database as somebody does who goes around the program: no foreign key is in the way.
    #[track_caller]
    pub fn tamper(&self, sql: &str) {
        self.try_tamper(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The same; it may be a change that the database refuses.
    pub fn try_tamper(&self, sql: &str) -> Result<(), String> {
        let done = match &self.kind {
            Kind::Sqlite(folder) => {
                let file = folder.path().join("test.db").display().to_string();
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

    /// One of each kind.
    pub fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
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
                "SELECT table_name::text AS name, 0::bigint AS rows FROM information_schema.tables WHERE table_schema = 'public'"
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

    pub fn open(&self) -> schema::Db {
        let db = schema::Db::open(&self.url).expect("the database opens");
        db.migrate().expect("the database migrates");
        db
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kind::Postgres { server, database } = &self.kind
            && let Ok(mut conn) = PgConnection::establish(server)
        {
            let dropped = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
            if let Err(error) = dropped {
                eprintln!("the database {database} of a test is left behind: {error}");
            }
        }
    }
}
