//! A database whose file goes, whose disk is full, or that takes no writes; and how many connections there are to one.

use crate::broken_off::Beside;
use crate::program;
use crate::transport::configured;
use crate::world::{self, Files};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::{Answer, Database, Server};

const SUBMIT: &str =
    "mutation($key: String!, $text: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
    category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: $text}) { reference } }";

fn submit(server: &Server, intake: &str, key: &str) -> Answer {
    server.graphql(intake, SUBMIT, &json!({ "key": key, "text": "a ".repeat(20_000) }))
}

#[track_caller]
fn assert_written(answer: &Answer) {
    assert!(answer.status == 200 && answer.codes().is_empty(), "{answer:?}");
}

#[track_caller]
fn assert_away(server: &Server, answer: &Answer, words: &str) {
    assert_eq!(answer.codes(), ["UNAVAILABLE"], "{answer:?}");
    let began = Instant::now();
    let ready = server.get("/readyz");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(ready.status == 503 && ready.text.contains(words), "{ready:?}");
    assert_eq!(server.get("/healthz").status, 200);
}

/// Waits until it is ready again.
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
    world::fill(&database);
    let (intake, board) = (program().token(&database, "INTAKE", None), program().token(&database, "BOARD", None));
    let server = program().serve(&database, &[]);
    assert_written(&submit(&server, &intake, "1"));
    let folder = database.folder().unwrap();
    let (file, aside) = (folder.join("test.db"), folder.join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    let words = "deleted or replaced under the server";
    for n in 0..20 {
        assert_away(&server, &submit(&server, &intake, &format!("away-{n}")), words);
    }
    let page = server.graphql(&board, "{ complaints(first: 3) { nodes { reference } } }", &json!({}));
    assert_eq!(page.status, 503, "{page:?}");
    assert!(!file.exists(), "it is not made anew");
    // Another register in its place is another register.
    let other = Database::sqlite();
    world::fill(&other);
    std::fs::copy(other.folder().unwrap().join("test.db"), &file).unwrap();
    assert_away(&server, &submit(&server, &intake, "other"), words);
    // The right one again: nobody was told that something was written which was not.
    std::fs::remove_file(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    assert_ready_soon(&server);
    assert_written(&submit(&server, &intake, "2"));
    assert_eq!(server.end_by("TERM"), Some(0));
    assert_eq!(database.rows()["complaints"], 6 + 2);
}

/// A small disk of its own, where somebody may make one; it goes with the test.
struct Disk<'f>(&'f Path);

impl<'f> Disk<'f> {
    fn of(folder: &'f Path) -> Option<Self> {
        let made = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder).output();
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
    world::fill(&database);
    let intake = program().token(&database, "INTAKE", None);
    let url = format!("sqlite:{}", folder.join("test.db").display());
    std::fs::copy(database.folder().unwrap().join("test.db"), folder.join("test.db")).unwrap();
    let server = program().serve(&database, &["--no-jobs", "--database", &url]);
    assert_written(&submit(&server, &intake, "1"));
    assert_eq!(server.get("/readyz").status, 200);
    // Something else fills the disk to its last byte.
    let filler = folder.join("filler");
    let full =
        Command::new("dd").args(["if=/dev/zero", "bs=64k", &format!("of={}", filler.display())]).output().unwrap();
    assert!(!full.status.success());
    std::thread::sleep(Duration::from_millis(300));
    let ready = server.get("/readyz");
    assert!(ready.status == 503 && ready.text.contains("its disk is full"), "{ready:?}");
    let refused =
        (0..200).map(|n| submit(&server, &intake, &format!("full-{n}"))).find(|answer| !answer.codes().is_empty());
    assert_away(&server, &refused.expect("no room"), "its disk is full");
    std::fs::remove_file(&filler).unwrap();
    assert_ready_soon(&server);
    assert_written(&submit(&server, &intake, "2"));
    assert!(!server.log_after("TERM").contains("panicked"));
}

#[test]
fn a_server_of_postgresql_that_takes_no_writes_is_not_ready() {
    let database = Database::postgres();
    world::fill(&database);
    let intake = program().token(&database, "INTAKE", None);
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    let mut beside = Beside::new(&database);
    let server = program().serve(&database, &["--no-jobs"]);
    assert_written(&submit(&server, &intake, "1"));
    // As after a failover to a server that is still one that follows.
    beside.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    beside.end_all_others();
    let refused: Vec<Answer> = (0..20).map(|n| submit(&server, &intake, &format!("read-only-{n}"))).collect();
    assert_away(&server, &refused[19], "takes no writes");
    beside.run(&format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    beside.end_all_others();
    assert_ready_soon(&server);
    assert_written(&submit(&server, &intake, "2"));
    assert_eq!(database.rows()["complaints"], 6 + 2);
}

#[derive(QueryableByName)]
struct Connections {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[test]
fn a_node_keeps_to_its_connections() {
    let database = Database::postgres();
    world::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = configured(&database, "[database]\nconnections = 12\n");
    let count = "SELECT count(*) AS number FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut conn = PgConnection::establish(&database.url).unwrap();
    let mut most = 0;
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..40)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..5 {
                        server.data(&board, "{ complaints(first: 20) { totalCount nodes { reference } } }");
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
    let files = Files::new();
    let config = files.put("phananh.toml", "[database]\nconnections = 3\n");
    let refused = program().run(&database, ["jobs", "list", "--config", config.to_str().unwrap()]);
    assert!(refused.status == 1 && refused.err.contains("connections is from 12 to 1000"), "{refused:?}");
}
