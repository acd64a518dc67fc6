//! Logging in: the roles that may, the ways, and the length of a session.

use super::PgApp;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use tests::{Role, TestApp, wait_until};

#[test]
fn only_the_named_owner_of_a_token_that_may_ask_sql_logs_in() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let said = |user: &str, token: &str| {
        let output = app.psql_as(user, token, &[], &["-c", "SELECT 1"]);
        assert!(!output.status.success(), "{user}");
        String::from_utf8(output.stderr).unwrap()
    };
    let token = app.app.as_role(Role::DataTeam).token;
    assert!(said("DATA_TEAM-all", "wrong").contains("password authentication failed"));
    assert!(said("BOARD-all", &token).contains("password authentication failed"), "the name of another token");
    for role in Role::WORDS.iter().filter(|role| !["BOARD", "DATA_TEAM", "UNIT_HEAD"].contains(*role)) {
        let token = app.app.as_role(role.parse().unwrap()).token;
        assert!(said(&format!("{role}-all"), &token).contains("may not ask SQL"), "{role}");
    }
    let head = app.app.as_head("02");
    assert!(said("UNIT_HEAD-02", &head.token).contains("may not ask SQL"));
}

#[test]
fn a_role_with_an_allow_list_of_operations_does_not_log_in() {
    let app = PgApp::start(TestApp::sqlite(), "[api]\ntrusted_operations = [\"DATA_TEAM\"]\n");
    let output = app.psql(Role::DataTeam, &["-c", "SELECT 1"]);
    assert!(!output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("allow-list"), "{output:?}");
    assert_eq!(app.answer(Role::Board, "SELECT 1"), "1");
}

#[test]
fn without_a_key_file_nobody_logs_in() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let files = tests::fixtures::Files::new();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = files.put("phananh.toml", format!("[sql]\nlisten = \"{address}\"\n"));
    let _server = crate::program().serve(&app.app.database, &["--no-jobs", "--config", config.to_str().unwrap()]);
    let other = PgApp { address, ..app };
    let output = other.psql(Role::DataTeam, &["-c", "SELECT 1"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("key file"), "{output:?}");
}

#[test]
fn a_revoked_token_asks_no_further_question() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let app = PgApp::start(builder, "");
        let token = app.app.as_role(Role::DataTeam).token;
        let ready = app.files.path().join("ready");
        let script =
            format!("SELECT 'before' AS x;\n\\! touch {}\n\\! sleep 4\nSELECT 'after' AS x;\n", ready.display());
        let script = app.files.put("script.sql", script);
        let said = std::thread::scope(|scope| {
            let running = scope
                .spawn(|| app.psql_as("DATA_TEAM-all", &token, &[], &["-A", "-t", "-f", script.to_str().unwrap()]));
            wait_until(30, "the first answer", || ready.is_file());
            app.app.run(&["token", "revoke", "--name", "DATA_TEAM-all"]);
            running.join().unwrap()
        });
        let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert!(out.contains("before") && !out.contains("after"), "{out}");
        assert!(err.contains("revoked"), "{err}");
    }
}

#[test]
fn a_token_that_is_revoked_between_statements_of_one_text_asks_no_further_one() {
    let app = PgApp::start(TestApp::sqlite(), "[api.limits]\nrequests_per_minute = 10000000\n");
    let token = app.app.as_role(Role::DataTeam).token;
    // Each takes a moment, and all of them together take longer than a revocation.
    let busy = "SELECT SUM(value % 7) FROM generate_series(1, 30000000);".repeat(150);
    let text = format!("SELECT 'before' AS x; {busy} SELECT 'after' AS x");
    let said = std::thread::scope(|scope| {
        let running = scope.spawn(|| app.psql_as("DATA_TEAM-all", &token, &[], &["-A", "-t", "-c", &text]));
        wait_until(30, "the first question", || !app.audited().is_empty());
        app.app.run(&["token", "revoke", "--name", "DATA_TEAM-all"]);
        running.join().unwrap()
    });
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(!out.contains("after"), "{out}");
    assert!(err.contains("revoked"), "{err}");
}

#[test]
fn tls_is_that_of_the_server() {
    let files = tests::fixtures::Files::new();
    let (certificate, tls) = files.certificate();
    let database = tests::Database::sqlite();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let key_file = files.key_file();
    let config = files.put("phananh.toml", format!("{tls}[sql]\nlisten = \"{address}\"\n")).display().to_string();
    let _server = crate::program().serve(&database, &["--no-jobs", "--key-file", &key_file, "--config", &config]);
    let token = crate::program().token(&database, "DATA_TEAM", None);
    for (mode, works) in [("verify-full", true), ("require", true), ("disable", true)] {
        let output = Command::new(tests::postgres_tool("psql"))
            .env("PGPASSWORD", &token)
            .env("PGSSLMODE", mode)
            .env("PGSSLROOTCERT", &certificate)
            .args(["-X", "-w", "-h", "127.0.0.1", "-p", &address.port().to_string(), "-U", "DATA_TEAM-all"])
            .args(["-d", "phananh", "-A", "-t", "-c", "SELECT 1"])
            .output()
            .unwrap();
        assert_eq!(output.status.success(), works, "{mode}: {output:?}");
    }
}

#[test]
fn a_token_has_a_limited_number_of_connections() {
    let app = PgApp::start(TestApp::sqlite(), "connections_per_token = 1\nidle_seconds = 2\n");
    let token = app.app.as_role(Role::DataTeam).token;
    let held = logged_in(&app, "DATA_TEAM-all", &token);
    let output = app.psql_as("DATA_TEAM-all", &token, &[], &["-c", "SELECT 1"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("connections already"), "{output:?}");
    assert_eq!(app.answer(Role::Board, "SELECT 1"), "1", "another token has its own");
    // An idle connection is closed and gives its place back.
    let mut rest = Vec::new();
    let mut held = held;
    held.read_to_end(&mut rest).unwrap();
    assert!(String::from_utf8_lossy(&rest).contains("57P05"));
    assert_eq!(app.answer(Role::DataTeam, "SELECT 1"), "1");
}

/// A connection that has logged in and does nothing.
pub fn logged_in(app: &PgApp, user: &str, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&startup(user)).unwrap();
    let mut asked = [0; 9];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(asked[0], b'R');
    stream.write_all(&message(b'p', &[token.as_bytes(), &[0]].concat())).unwrap();
    let mut said = Vec::new();
    let ready = [b'Z', 0, 0, 0, 5, b'I'];
    while !said.ends_with(&ready) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    stream
}

/// A startup message.
pub fn startup(user: &str) -> Vec<u8> {
    let body = [&196_608_i32.to_be_bytes()[..], b"user\0", user.as_bytes(), b"\0\0"].concat();
    [&i32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], &body].concat()
}

/// A message with its type and length.
pub fn message(of: u8, body: &[u8]) -> Vec<u8> {
    [&[of][..], &i32::try_from(body.len() + 4).unwrap().to_be_bytes(), body].concat()
}
