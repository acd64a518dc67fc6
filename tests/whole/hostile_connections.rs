//! Connections that hold places, and heads and bodies that HTTP does not allow, keep nobody out.

use crate::program;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tests::{Database, fixtures, raw_answer, raw_request};

/// A request of which the end is missing: its head is whole and its body is not, or not even its head.
fn half_sent(host: &str, with_body: bool) -> TcpStream {
    let mut stream = TcpStream::connect(host).expect("a connection");
    let half = if with_body {
        format!(
            "POST /graphql HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{\"que"
        )
    } else {
        format!("POST /graphql HTTP/1.1\r\nhost: {host}\r\ncontent-ty")
    };
    // One that is closed at once may not even take this.
    let _closed = stream.write_all(half.as_bytes());
    stream
}

/// Whether the server closes a connection within some time.
fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).expect("a time limit");
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}

#[test]
fn unfinished_requests_do_not_block_other_clients() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server =
        program().serve_configured(&database, "[api]\nincomplete_requests_per_address = 50\nrequest_seconds = 3\n");
    let host = server.address.strip_prefix("http://").unwrap();
    let mut held: Vec<TcpStream> = (0..1_100).map(|n| half_sent(host, n % 2 == 0)).collect();
    for _ in 0..20 {
        assert_eq!(server.data(&board, "{ serviceInfo { version } }")["serviceInfo"]["version"], "0.1.0");
        assert_eq!(server.get("/healthz").status, 200);
    }
    // Connections beyond the limit were closed at once, the oldest first; the others are closed when their time is
    // over.
    assert!(is_closed(&mut held[0], Duration::from_secs(1)), "the oldest");
    let mut last = held.pop().expect("the last");
    assert!(is_closed(&mut last, Duration::from_secs(10)), "the last, after its time");
    // A body that comes a little at a time is not there in time either.
    let mut slow = half_sent(host, true);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) && slow.write_all(b" ").is_ok() {
        sleep(Duration::from_millis(200));
    }
    assert!(is_closed(&mut slow, Duration::from_secs(1)));
}

#[test]
fn a_full_node_still_tells_of_its_health() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve_configured(&database, "[api]\nconnections = 20\nrequest_seconds = 60\n");
    let host = server.address.strip_prefix("http://").unwrap();
    let silent: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(host).expect("a connection")).collect();
    let half: Vec<TcpStream> = (0..40).map(|n| half_sent(host, n % 2 == 0)).collect();
    // Until the server has taken all of them.
    sleep(Duration::from_secs(2));
    for _ in 0..10 {
        assert_eq!(server.get("/healthz").status, 200);
        assert_eq!(server.get("/readyz").status, 200);
        assert_eq!(server.data(&board, "{ serviceInfo { version } }")["serviceInfo"]["version"], "0.1.0");
    }
    drop((silent, half));
}

#[test]
fn a_body_is_not_inflated() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &["--no-jobs"]);
    let body = json!({ "query": "{ serviceInfo { version } }" }).to_string();
    for encoding in ["gzip", "deflate", "br", "gzip, gzip"] {
        let bearer = format!("Bearer {board}");
        let headers =
            [("content-type", "application/json"), ("content-encoding", encoding), ("authorization", &*bearer)];
        // The bytes are taken as they are: the header says what is not true of them, and nothing is inflated.
        let answer = server.send("POST", "/graphql", &headers, &body);
        assert_eq!(answer.json()["data"]["serviceInfo"]["version"], "0.1.0", "{encoding}: {answer:?}");
    }
}

#[test]
fn a_line_of_a_head_ends_with_both_signs() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &["--no-jobs"]);
    let host = server.address.strip_prefix("http://").unwrap();
    let answers = |bytes: &str| raw_answer(host, bytes);
    let good = raw_request(host, &board, "{\n serviceInfo {\n version } }", "connection: close\r\n");
    assert!(answers(&good).starts_with("HTTP/1.1 200"), "{}", answers(&good));
    // A body may hold what it wants, also as a list of chunks.
    let body = "{\"query\":\n\"{ serviceInfo { version } }\"\n}";
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {board}\r\ncontent-type: application/json\r\nconnection: close\r\n"
    );
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert!(answers(&chunked).starts_with("HTTP/1.1 200"), "{}", answers(&chunked));
    let get = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n");
    for bad in [
        good.replacen("\r\n", "\n", 1),
        good.replace("connection: close\r\n", "connection: close\n"),
        good.replace("\r\n\r\n", "\n\n"),
        good.replace("\r\n\r\n", "\r\n\n"),
        good.replace("\r\n", "\n"),
        format!("\n{get}"),
        // A second request on the connection: another parser may see the first one's body in its place.
        format!("{get}{}", get.replace("\r\n", "\n")),
    ] {
        let answer = answers(&bad);
        assert!(answer.contains("HTTP/1.1 400"), "{bad:?}: {answer}");
        assert!(!answer.contains("\"version\""), "{bad:?}: {answer}");
    }
}
