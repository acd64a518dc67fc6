//! Databases that tests copy instead of filling their own. Each is made once in a process.
//!
//! A static is not dropped, so a process leaves databases on PostgreSQL behind; the next process removes those of
//! processes that have ended.

use crate::{Database, postgres};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Slot = Arc<OnceLock<Database>>;

/// The template of a kind of database and a key. `make` makes and fills it where this process has none yet.
pub fn get(kind: &'static str, key: &str, make: impl FnOnce() -> Database) -> Slot {
    static SLOTS: Mutex<BTreeMap<(&str, String), Slot>> = Mutex::new(BTreeMap::new());
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = Arc::clone(slots.entry((kind, key.to_owned())).or_default());
    drop(slots);
    slot.get_or_init(make);
    slot
}

/// The name of the next database on PostgreSQL: of a template, or of a test.
pub fn name() -> String {
    #[derive(QueryableByName)]
    struct Stale {
        #[diesel(sql_type = Text)]
        name: String,
    }
    // A connection that is held as long as the process lives tells others whose databases are in use.
    static HELD: OnceLock<(String, Mutex<PgConnection>)> = OnceLock::new();
    let (process, _) = HELD.get_or_init(|| {
        let process = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
        let mut conn = PgConnection::establish(&postgres::server_url()).expect("the PostgreSQL server of the tests");
        conn.batch_execute(&format!("SET application_name = 'phananh_tests_{process}'")).expect("a named connection");
        let stale = "SELECT datname::text AS name FROM pg_database WHERE datname LIKE 'phananh_test_%' AND NOT EXISTS \
                     (SELECT FROM pg_stat_activity WHERE application_name = 'phananh_tests_' || split_part(datname, '_', 3))";
        for Stale { name } in diesel::sql_query(stale).load(&mut conn).expect("the databases of other processes") {
            conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).ok();
        }
        (process, Mutex::new(conn))
    });
    format!("phananh_test_{process}_{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
}
