//! What operators rely on: the log, the metrics, compression, and an end of the server that breaks off no answer.

use crate::program;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;
use tests::fixtures::{self, Files};
use tests::{Beside, Client, Database, Json, Role, TestApp, node, raw_request};

#[test]
fn the_log_names_slow_operations_and_no_person() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let token = program().token(&database, "BOARD", None);
    let files = Files::new();
    let config = files.put("slow.toml", "[api]\nslow_ms = 0\n");
    let environment = [("PHANANH_LOG", "json"), ("RUST_LOG", "info")];
    let server = program().serve_with(&database, &["--no-jobs", "--config", config.to_str().unwrap()], &environment);
    let query = "query Everybody($search: String, $tax: String) {
        complaints(filter: {search: $search}) { nodes { text reference enterprise { name taxCode } officers { officer { name } } } }
        enterprises(filter: {taxCode: {eq: $tax}}) { totalCount } }";
    let data = server.data_with(&token, query, &json!({ "search": "doi tien", "tax": "0100233488" }));
    assert_eq!(data["complaints"]["nodes"][0]["enterprise"]["name"], "Công ty A");
    let reference = data["complaints"]["nodes"][0]["reference"].text().to_owned();
    server.graphql(&token, "query Wrong { complaint(id: \"0100233488\") { text } }", &json!({}));
    let log = server.log_after("TERM");
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines.len(), log.lines().count(), "each line is a JSON document: {log}");
    let of = |name: &str| lines.iter().find(|line| line["fields"]["operation"] == name).cloned().unwrap_or_default();
    let slow = of("Everybody");
    assert_eq!(
        (&slow["fields"]["message"], &slow["fields"]["outcome"]),
        (&json!("slow operation"), &json!("OK")),
        "{log}"
    );
    assert!(slow["fields"]["cost"].integer() >= 50 && slow["fields"]["ms"].is_u64(), "{slow}");
    assert_eq!(of("Wrong")["fields"]["outcome"], "ERROR", "{log}");
    let personal =
        ["Công ty A", "0100233488", "doi tien", "đòi tiền", "Nguyễn Văn An", &reference, &token, "BOARD-all"];
    for word in personal {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

#[test]
fn metrics_tell_how_old_the_snapshot_is_and_what_jobs_ran() {
    let app = TestApp::sqlite().world_with_flags("2024-03-31").arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    board.data("{ serviceInfo { version } }");
    let metrics = app.server().metrics(&board.token);
    for part in
        ["phananh_snapshot_age_seconds ", "phananh_job_runs{", "state=\"SUCCEEDED\"", "phananh_snapshot_position "]
    {
        assert!(metrics.contains(part), "{part}: {metrics}");
    }
}

#[test]
fn large_answers_are_compressed_for_clients_that_accept_it() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let host = app.server().address.strip_prefix("http://").unwrap();
    let query =
        "{ units { nodes { id code nameVi name kind } } complaints { nodes { id text reference receivedAt state } } }";
    let ask = |more: &str| {
        let mut stream = TcpStream::connect(host).unwrap();
        stream
            .write_all(raw_request(host, &board.token, query, &format!("connection: close\r\n{more}")).as_bytes())
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let at = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&answer[..at]).to_lowercase(), answer[at + 4..].len())
    };
    let (plain, packed) = (ask(""), ask("accept-encoding: gzip\r\n"));
    assert!(
        !plain.0.contains("content-encoding") && packed.0.contains("content-encoding: gzip"),
        "{} {}",
        plain.0,
        packed.0
    );
    assert!(packed.1 * 3 < plain.1 * 2, "{} {}", packed.1, plain.1);
}

#[test]
fn a_server_that_ends_answers_first_what_it_was_asked() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let token = program().token(&database, "BOARD", None);
    let server = program().serve_patiently(&database);
    let host = server.address.strip_prefix("http://").unwrap().to_owned();
    let mut beside = Beside::new(&database);
    beside.lock("complaint_officers");
    let mut stream = TcpStream::connect(&host).unwrap();
    let query = "{ complaints { nodes { officers { finding } } } }";
    stream.write_all(raw_request(&host, &token, query, "connection: close\r\n").as_bytes()).unwrap();
    beside.until_waiting(1);
    let ending = std::thread::spawn(move || server.end_by("TERM"));
    // The server accepts no new connection, and lives on for the client that waits for its answer.
    let refused = (0..100).any(|_| {
        sleep(Duration::from_millis(50));
        TcpStream::connect(&host).is_err()
    });
    assert!(refused && !ending.is_finished());
    beside.unlock();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"finding\""), "{answer}");
    assert_eq!(ending.join().unwrap(), Some(0));
}

#[test]
fn a_token_says_when_it_was_used_and_its_socket_ends_with_it() {
    let files = Files::new();
    let config = files.put("one.toml", "[api.limits]\nsubscriptions = 1\ngroups = 10\n");
    let app = TestApp::sqlite().world().arguments(&["--no-jobs", "--config", config.to_str().unwrap()]).start();
    let admin = app.as_role(Role::Admin);
    // Fetching the client's packages may take longer than the token lasts.
    tests::clients();
    let expires = chrono::Utc::now() + chrono::Duration::seconds(15);
    let create = "mutation ($input: CreateTokenInput!) { createToken(input: $input) { token } }";
    let input = json!({ "name": "soon", "role": "BOARD", "expiresAt": expires.to_rfc3339() });
    let made = admin.data_with(create, &json!({ "input": input }));
    let soon = Client { server: app.server(), token: made["createToken"]["token"].text().to_owned() };
    let used = || {
        let query = "{ principals(filter: {name: {eq: \"soon\"}}) { nodes { tokens { lastUsedAt } } } }";
        admin.data(query)["principals"]["nodes"][0]["tokens"][0]["lastUsedAt"].clone()
    };
    assert_eq!(used(), Value::Null);
    assert_eq!(soon.request("{ complaintStatistics(groupBy: [UNIT], first: 10) { truncated } }").status, 200);
    let many = soon.request("{ complaintStatistics(groupBy: [UNIT], first: 11) { truncated } }");
    assert_eq!(many.codes(), ["BAD_USER_INPUT"], "{}", many.text);
    assert!(used().is_string());
    let url = format!("{}/graphql/ws", app.server().address.replace("http", "ws"));
    let said: Value = serde_json::from_str(&node("expiry.js", &[&url, &soon.token])).unwrap();
    // The configuration allows one subscription; the socket closes when the token expires.
    assert_eq!(said, json!({ "second": "RATE_LIMITED", "closed": 4401 }));
    assert!(chrono::Utc::now() >= expires);
}
