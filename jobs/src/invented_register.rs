//! An invented register, for tests.

use chrono::NaiveDate;
use schema::Db;
use schema::world::{self, Bursts, Parameters};
use tempfile::TempDir;

/// A register up to the end of 2025. Its folder must live as long as it does.
pub fn invented_register(complaints: usize, seed: u64) -> (TempDir, Db) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open(&format!("sqlite:{}", folder.path().join("world.db").display())).expect("a database");
    db.migrate().expect("migrations");
    let until = NaiveDate::from_ymd_opt(2025, 12, 31).expect("a date");
    let parameters = Parameters { complaints, seed, until, bursts: Bursts::default() };
    world::generate(&db, parameters, &mut |_| true).expect("a register");
    (folder, db)
}
