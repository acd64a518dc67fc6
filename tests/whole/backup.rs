//! Backups of a register that is written to meanwhile, and what a restore makes of them.

use crate::program;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::fixtures::{self, Files};
use tests::{Client, Database, Json, postgres_tool};

/// Submits complaints until told to stop, and collects the positions of all that were taken.
fn write(intake: &Client<'_>, writer: usize, stop: &AtomicBool, taken: &Mutex<Vec<i64>>) {
    let submit = "mutation($key: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
        category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: \"a\"}) { position } }";
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let data = intake.data_with(submit, &json!({ "key": format!("{writer}-{n}") }));
        taken.lock().unwrap().push(data["submitComplaint"]["position"].integer());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Stops the writers when it is dropped, so also where the test fails.
struct Stops<'s>(&'s AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A restored register has this number of complaints, verifies, reproduces its run, and lets a server become ready.
#[track_caller]
fn assert_whole(restored: &Database, key: &str, run: &str, hash: &Value, complaints: usize) {
    program().run(restored, ["migrate"]).ok();
    assert_eq!(restored.rows()["complaints"], i64::try_from(complaints).unwrap(), "{}", restored.name);
    program().run(restored, ["audit", "seal", "--key-file", key]).ok();
    let verified = program().json(restored, &["audit", "verify", "--key-file", key]);
    assert_eq!(verified["verified"], true, "{verified}");
    let again = program().json(restored, &["flags", "reproduce", run]);
    assert!(again.to_string().contains(hash.text()), "{again}");
    let server = program().serve(restored, &["--no-jobs", "--key-file", key]);
    assert_eq!(server.get("/readyz").status, 200);
}

/// Backs a register up three times while four clients write to it. Returns the positions of all complaints that were
/// taken, and what each backup returned.
fn under_load(database: &Database, key: &str, back_up: impl Fn(usize) -> Option<i64>) -> (Vec<i64>, Vec<Option<i64>>) {
    let token = program().token(database, "INTAKE", None);
    let server = program().serve(database, &["--key-file", key]);
    let intake = Client { server: &server, token };
    let (stop, taken) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let backups = std::thread::scope(|scope| {
        for writer in 0..4 {
            let (intake, stop, taken) = (&intake, &stop, &taken);
            scope.spawn(move || write(intake, writer, stop, taken));
        }
        let _stops = Stops(&stop);
        let mut backups = Vec::new();
        for n in 0..3 {
            let before = taken.lock().unwrap().len();
            backups.push(back_up(n));
            // The writers go on after the backup.
            while taken.lock().unwrap().len() < before + 8 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        backups
    });
    let taken = taken.into_inner().unwrap();
    assert!(taken.len() > 24, "{taken:?}");
    (taken, backups)
}

#[test]
fn a_register_in_sqlite_is_backed_up_under_load_and_restored() {
    let files = Files::new();
    let key = files.key_file();
    let database = Database::sqlite();
    fixtures::fill(&database);
    let run = fixtures::run_counting(&database, "2024-03-31");
    let place = |n: usize| files.path().join(format!("backup-{n}.db")).display().to_string();
    let (taken, backups) = under_load(&database, &key, |n| {
        let made = program().run(&database, ["backup", &place(n), "--format", "json"]).ok();
        assert!(made.err.contains("the key file is not in it"), "{made:?}");
        let made = made.json();
        assert_eq!(made["bytes"], Path::new(&place(n)).metadata().unwrap().len());
        Some(made["position"].integer())
    });
    for (n, position) in backups.iter().enumerate() {
        let position = position.expect("a position");
        let held = 6 + taken.iter().filter(|one| **one <= position).count();
        let restored = Database::sqlite();
        let told = program().run(&restored, ["restore", &place(n), "--format", "json"]).ok();
        assert!(told.err.contains("are valid again"), "{told:?}");
        assert_eq!(told.json()["position"], position);
        assert_whole(&restored, &key, run["run"].text(), &run["hash"], held);
    }
}

#[test]
fn what_is_no_backup_or_has_no_place_is_refused_in_words() {
    let files = Files::new();
    let [database, other] = [Database::sqlite(), Database::sqlite()];
    fixtures::fill(&database);
    let place = files.path().join("backup.db");
    let backup = place.to_str().unwrap();
    program().run(&database, ["backup", backup]).ok();
    let refused = |database: &Database, args: &[&str], words: &str| {
        let refused = program().run(database, args);
        assert_eq!(refused.status, 1, "{args:?}: {refused:?}");
        assert!(refused.err.contains(words), "{args:?}: {refused:?}");
    };
    refused(&database, &["backup", backup], "already exists");
    refused(&database, &["backup", "/nowhere/backup.db"], "No such file");
    refused(&other, &["backup", &format!("{backup}2")], "there is no database");
    refused(&database, &["restore", backup], "exists: stop the programs that use it");
    refused(&other, &["restore", &format!("{backup}2")], "No such file");
    // A write-ahead log is left without its database.
    let folder = other.folder().unwrap();
    std::fs::write(folder.join("test.db-wal"), "left").unwrap();
    refused(&other, &["restore", backup], "test.db-wal exists");
    std::fs::remove_file(folder.join("test.db-wal")).unwrap();
    // The following are no backups: a database in use, half a backup, a damaged one, a text, an empty file.
    let server = program().serve(&database, &["--no-jobs"]);
    let used = database.folder().unwrap().join("test.db");
    program().run(&database, ["token", "create", "--name", "a", "--role", "BOARD"]).ok();
    refused(&other, &["restore", used.to_str().unwrap()], "is a database in use and not a backup");
    drop(server);
    let whole = std::fs::read(&place).unwrap();
    let half = files.put("half.db", &whole[..whole.len() / 2]);
    refused(&other, &["restore", half.to_str().unwrap()], "is not a complete backup of a register");
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xff);
    let damaged = files.put("damaged.db", bytes);
    refused(&other, &["restore", damaged.to_str().unwrap()], "is not a complete backup of a register");
    let text = files.put("text.db", "no database");
    refused(&other, &["restore", text.to_str().unwrap()], "is not a complete backup of a register");
    let empty = files.put("empty.db", "");
    refused(&other, &["restore", empty.to_str().unwrap()], "is not a complete backup of a register");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "nothing is left in its place");
    // A newer version has migrated the database.
    database.tamper("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')");
    refused(&database, &["backup", &format!("{backup}3")], "a newer version of phananh");
    database.tamper("DELETE FROM __diesel_schema_migrations WHERE version = '20991231000001'");
    program().run(&other, ["restore", backup]).ok();
    assert_eq!(other.rows()["complaints"], 6);
    let postgres = Database::postgres();
    for command in ["backup", "restore"] {
        refused(&postgres, &[command, &format!("{backup}4")], "pg_dump --format=custom");
    }
}

#[test]
fn a_register_in_postgresql_is_dumped_under_load_and_restored_as_documented() {
    let files = Files::new();
    let key = files.key_file();
    let database = Database::postgres();
    fixtures::fill(&database);
    let run = fixtures::run_counting(&database, "2024-03-31");
    let place = |n: usize| files.path().join(format!("backup-{n}.dump")).display().to_string();
    let tool = |name: &str, args: &[&str]| {
        let done = Command::new(postgres_tool(name)).args(args).output().unwrap();
        assert!(done.status.success(), "{name} {args:?}: {done:?}");
    };
    let (taken, _) = under_load(&database, &key, |n| {
        tool("pg_dump", &["--format=custom", &format!("--file={}", place(n)), &database.url]);
        None
    });
    for n in 0..3 {
        let restored = Database::postgres();
        let into = format!("--dbname={}", restored.url);
        tool("pg_restore", &["--no-owner", "--exit-on-error", &into, &place(n)]);
        let held = usize::try_from(restored.rows()["complaints"]).unwrap();
        assert!((6 + 8 * n..=6 + taken.len()).contains(&held), "{held} in backup {n}");
        assert_whole(&restored, &key, run["run"].text(), &run["hash"], held);
    }
}
