//! A database whose file is deleted, whose disk is full, or that takes no writes; and the number of connections to one.

use crate::program;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::{Answer, Beside, Client, Database, Role, Server, TestApp};

const SUBMIT: &str =
    "mutation($key: String!, $text: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
    category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: $text}) { reference } }";

/// Submits a complaint with a long text.
fn submit(intake: &Client<'_>, key: &str) -> Answer {
    intake.request_with(SUBMIT, &json!({ "key": key, "text": "a ".repeat(20_000) }))
}

#[track_caller]
fn assert_written(answer: &Answer) {
    assert!(answer.status == 200 && answer.codes().is_empty(), "{answer:?}");
}

/// The answer and the readiness say that the database is away; the server itself stays healthy.
#[track_caller]
fn assert_away(server: &Server, answer: &Answer, words: &str) {
    assert_eq!(answer.codes(), ["UNAVAILABLE"], "{answer:?}");
    let began = Instant::now();
    let ready = server.get("/readyz");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(ready.status, 503, "{ready:?}");
    assert_told_soon(server, words, || {});
    assert_eq!(server.get("/healthz").status, 200);
}

/// Waits until the readiness tells why the database is away. On a busy machine a probe may take longer than the server
/// waits for it: it then tells that the database does not answer. `again` happens before each look.
#[track_caller]
fn assert_told_soon(server: &Server, words: &str, again: impl Fn()) {
    let is_told = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        again();
        let ready = server.get("/readyz");
        ready.status == 503 && ready.text.contains(words)
    });
    assert!(is_told, "{:?}", server.get("/readyz"));
}

/// Waits until the server is ready again.
#[track_caller]
fn assert_ready_soon(server: &Server) {
    let ready = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        server.get("/readyz").status == 200
    });
    assert!(ready, "{:?}", server.get("/readyz"));
}

#[test]
fn nothing_is_written_to_a_file_that_was_deleted_or_replaced() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let [intake, board] = ["INTAKE", "BOARD"].map(|role| program().token(&database, role, None));
    let server = program().serve(&database, &[]);
    let [intake, board] = [intake, board].map(|token| Client { server: &server, token });
    assert_written(&submit(&intake, "1"));
    let folder = database.folder().unwrap();
    let (file, aside) = (folder.join("test.db"), folder.join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    let words = "deleted or replaced under the server";
    for n in 0..20 {
        assert_away(&server, &submit(&intake, &format!("away-{n}")), words);
    }
    let page = board.request("{ complaints(first: 3) { nodes { reference } } }");
    assert_eq!(page.status, 503, "{page:?}");
    assert!(!file.exists(), "it is not made anew");
    // The server does not take another register in its place.
    let other = Database::sqlite();
    fixtures::fill(&other);
    std::fs::copy(other.folder().unwrap().join("test.db"), &file).unwrap();
    assert_away(&server, &submit(&intake, "other"), words);
    // With the right file again the server goes on, and exactly what it confirmed was written.
    std::fs::remove_file(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    assert_ready_soon(&server);
    assert_written(&submit(&intake, "2"));
    assert_eq!(server.end_by("TERM"), Some(0));
    assert_eq!(database.rows()["complaints"], 6 + 2);
}

/// A small file system in memory, where the machine allows to mount one. It is unmounted with the test.
pub struct Disk<'f>(&'f Path);

impl<'f> Disk<'f> {
    pub fn of(folder: &'f Path) -> Option<Self> {
        let made =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs"]).arg(folder).output();
        if made.is_ok_and(|made| made.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("NOT TESTED: a full disk, since no file system can be mounted here");
        None
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_gone_once_there_is_room() {
    let files = Files::new();
    let folder = files.path().join("disk");
    std::fs::create_dir(&folder).unwrap();
    let Some(_disk) = Disk::of(&folder) else { return };
    let database = Database::sqlite();
    fixtures::fill(&database);
    let token = program().token(&database, "INTAKE", None);
    let url = format!("sqlite:{}", folder.join("test.db").display());
    // The token may still be in the write-ahead log.
    for name in ["test.db", "test.db-wal"] {
        let from = database.folder().unwrap().join(name);
        if from.exists() {
            std::fs::copy(from, folder.join(name)).unwrap();
        }
    }
    let server = program().serve(&database, &["--no-jobs", "--database", &url]);
    let intake = Client { server: &server, token };
    assert_written(&submit(&intake, "1"));
    assert_eq!(server.get("/readyz").status, 200);
    // Another program fills the disk to its last byte.
    let filler = folder.join("filler");
    let to_filler = format!("of={}", filler.display());
    let fill = || {
        let arguments = ["if=/dev/zero", "bs=64k", "oflag=append", "conv=notrunc", &to_filler];
        let full = Command::new("dd").env("LC_ALL", "C").args(arguments).output().unwrap();
        assert!(String::from_utf8_lossy(&full.stderr).contains("No space left"), "{full:?}");
    };
    assert_told_soon(&server, "its disk is full", fill);
    let refused = (0..200).map(|n| submit(&intake, &format!("full-{n}"))).find(|answer| !answer.codes().is_empty());
    assert_away(&server, &refused.expect("no room"), "its disk is full");
    std::fs::remove_file(&filler).unwrap();
    assert_ready_soon(&server);
    assert_written(&submit(&intake, "2"));
    assert!(!server.log_after("TERM").contains("panicked"));
}

#[test]
fn a_server_of_postgresql_that_takes_no_writes_is_not_ready() {
    let app = TestApp::postgres().world().arguments(&["--no-jobs"]).start();
    let name = app.database.url.rsplit_once('/').unwrap().1.to_owned();
    let mut beside = Beside::new(&app.database);
    let intake = app.as_role(Role::Intake);
    assert_written(&submit(&intake, "1"));
    // A database is in this state after a failover to a server that still follows another.
    beside.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    beside.end_all_others();
    let refused: Vec<Answer> = (0..20).map(|n| submit(&intake, &format!("read-only-{n}"))).collect();
    assert_away(app.server(), &refused[19], "takes no writes");
    beside.run(&format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    beside.end_all_others();
    assert_ready_soon(app.server());
    assert_written(&submit(&intake, "2"));
    assert_eq!(app.database.rows()["complaints"], 6 + 2);
}

#[derive(QueryableByName)]
struct Connections {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[test]
fn a_node_keeps_to_its_connections() {
    let files = Files::new();
    let config = files.put("phananh.toml", "[database]\nconnections = 12\n");
    let app = TestApp::postgres().world().arguments(&["--config", config.to_str().unwrap()]).start();
    let board = app.as_role(Role::Board);
    let count = "SELECT count(*) AS number FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut conn = PgConnection::establish(&app.database.url).unwrap();
    let mut most = 0;
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..40)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..5 {
                        board.data("{ complaints(first: 20) { totalCount nodes { reference } } }");
                    }
                })
            })
            .collect();
        while asking.iter().any(|one| !one.is_finished()) {
            let found: Connections = diesel::sql_query(count).get_result(&mut conn).unwrap();
            most = most.max(found.number);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert!((3..=12).contains(&most), "{most}");
    let config = files.put("too-few.toml", "[database]\nconnections = 3\n");
    let refused = program().run(&app.database, ["jobs", "list", "--config", config.to_str().unwrap()]);
    assert!(refused.status == 1 && refused.err.contains("connections must be from 12 to 1000"), "{refused:?}");
}
