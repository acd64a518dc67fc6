//! Work is cancelled when its client disconnects or its deadline passes, and an incomplete result is not taken for a
//! whole one.

use crate::program;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;
use tests::fixtures::{self, Files};
use tests::{Beside, Database, Json, raw_request};

#[test]
fn after_a_deadline_nothing_more_is_asked_of_the_database() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let files = Files::new();
    // PostgreSQL itself would break statements off only after the longest deadline.
    let config =
        files.put("phananh.toml", "[api.limits]\ndeadline_ms = 600000\n[api.roles.BOARD]\ndeadline_ms = 6000\n");
    let server = program().serve(&database, &["--no-jobs", "--config", config.to_str().unwrap()]);
    let mut beside = Beside::new(&database);
    beside.lock("complaint_officers");
    let query =
        "{ complaints { nodes { officers { finding } } } postings: officers { nodes { postings { validFrom } } } }";
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.graphql(&board, query, &json!({})));
        // The statement under way waits for the lock, which is not given, and is cancelled all the same.
        beside.until_waiting(1);
        beside.until_waiting(0);
        let answer = asking.join().unwrap();
        assert_eq!((answer.status, answer.codes()), (504, vec!["TIMEOUT".to_owned()]), "{answer:?}");
    });
    // Long enough for the rest of the operation, which would ask for officers and their postings.
    sleep(Duration::from_millis(300));
    let asked = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                 AND query LIKE '%FROM \"postings\"%'";
    assert_eq!(beside.number(asked), 0);
    beside.unlock();
    // The operation reaches this statement if nothing delays it.
    let roomy = program().serve(&database, &["--no-jobs"]);
    assert!(roomy.data(&board, query)["postings"]["nodes"].is_array());
    assert_eq!(beside.number(asked), 1);
}

#[test]
fn what_a_client_that_left_had_asked_for_is_cancelled() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve_patiently(&database);
    let mut beside = Beside::new(&database);
    beside.lock("complaint_officers");
    let host = server.address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let query = "{ complaints { nodes { officers { finding } } } }";
    stream.write_all(raw_request(host, &board, query, "").as_bytes()).unwrap();
    beside.until_waiting(1);
    drop(stream);
    beside.until_waiting(0);
    // The metrics count it like any other operation that ended.
    let left = "outcome=\"LEFT\"} 1";
    assert!(server.metrics(&board).contains(left), "{}", server.metrics(&board));
    beside.unlock();
    assert!(server.data(&board, "{ complaints { nodes { officers { finding } } } }")["complaints"]["nodes"].is_array());
}

#[test]
fn operations_that_wait_for_a_lock_keep_no_others_from_their_turn() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve_patiently(&database);
    let mut beside = Beside::new(&database);
    beside.lock("complaint_officers");
    // One more than have a turn at once, where the processors are not so many that the connections are fewer.
    let many = (3 * std::thread::available_parallelism().map_or(1, usize::from) + 1).min(11);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..many)
            .map(|_| scope.spawn(|| server.data(&board, "{ complaints { nodes { officers { finding } } } }")))
            .collect();
        beside.until_waiting(many as i64);
        let other = server.data(&board, "{ issueCategories { nodes { code } } }");
        assert!(!other["issueCategories"]["nodes"].list().is_empty(), "{other}");
        beside.unlock();
        for answer in waiting {
            assert!(answer.join().unwrap()["complaints"]["nodes"][0]["officers"].is_array());
        }
    });
}

#[test]
fn an_export_that_breaks_off_has_no_end() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let files = Files::new();
    let key = files.key_file();
    let token = program().token(&database, "DATA_TEAM", None);
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
    let host = server.address.strip_prefix("http://").unwrap().to_owned();
    let export = move || {
        let mut stream = TcpStream::connect(&host).unwrap();
        write!(
            stream,
            "GET /export/complaints.csv HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        // A connection that is cut may also be an error of reading.
        let _cut = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let whole = export();
    assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with("\r\n0\r\n\r\n"), "{whole}");
    let mut beside = Beside::new(&database);
    beside.lock("complaint_officers");
    let exporting = std::thread::spawn(export);
    beside.until_waiting(1);
    let ended = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(beside.number(ended), 1);
    let broken = exporting.join().unwrap();
    assert!(!broken.ends_with("0\r\n\r\n"), "{broken}");
    beside.unlock();
    assert_eq!(server.get("/healthz").status, 200);
}
