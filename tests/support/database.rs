//! A database for one test: made for it, gone with it.

use crate::postgres;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::path::Path;
use tempfile::TempDir;

/// A database that nobody else uses.
pub struct Database {
    pub url: String,
    pub name: &'static str,
    kind: Kind,
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
