//! Sessions of PostgreSQL in addition to those of a server.

use crate::Database;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::thread::sleep;
use std::time::Duration;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// A session of PostgreSQL that is not the server's.
pub struct Beside(PgConnection);

impl Beside {
    pub fn new(database: &Database) -> Self {
        Self(PgConnection::establish(&database.url).expect("the database of the test"))
    }

    /// Keeps a table from everybody until the session ends.
    pub fn lock(&mut self, table: &str) {
        self.0.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).expect("the lock");
    }

    /// Gives the table back.
    pub fn unlock(&mut self) {
        self.0.batch_execute("ROLLBACK").expect("the end");
    }

    /// Ends all other sessions of the database.
    pub fn end_all_others(&mut self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.0.batch_execute(end).expect("the others end");
    }

    /// Does something in a session that began before.
    pub fn run(&mut self, sql: &str) {
        self.0.batch_execute(sql).expect("it is done");
    }

    /// A number that a query selects.
    pub fn number(&mut self, sql: &str) -> i64 {
        // Within a transaction sessions are looked up once.
        self.0.batch_execute("SELECT pg_stat_clear_snapshot()").expect("the statistics");
        diesel::sql_query(sql).get_result::<Number>(&mut self.0).expect(sql).n
    }

    /// Waits until so many statements wait for a lock.
    pub fn until_waiting(&mut self, statements: i64) {
        let waiting = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        for _ in 0..600 {
            if self.number(waiting) == statements {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{} statements wait, not {statements}", self.number(waiting));
    }
}
