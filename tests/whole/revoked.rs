//! A client that loses a right hears, on every node, nothing that is committed a second later.

use crate::program;
use diesel::connection::SimpleConnection;
use schema::Conn;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tests::fixtures::{self, Files};
use tests::{Database, Json, Role, TestApp, node};

fn millis() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[test]
fn nothing_that_is_committed_a_second_after_a_token_ends_is_heard_with_it() {
    for database in Database::both() {
        fixtures::fill(&database);
        let create = |name: &str, role: &str| program().token_by(&database, &["--name", name, "--role", role]);
        let (admin, intake) = (create("admin", "ADMIN"), create("intake", "INTAKE"));
        let [listening, writing] = [0, 1].map(|_| program().serve(&database, &["--no-jobs"]));
        let folder = Files::new();
        let [ready, end] = ["ready", "end"].map(|name| folder.path().join(name));
        let names = ["stays", "revoked", "disabled", "demoted", "blinded"];
        let mut tokens: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), create(name, "BOARD").into())).collect();
        let expires = chrono::Utc::now() + chrono::TimeDelta::seconds(12);
        let mutation = "mutation ($input: CreateTokenInput!) { createToken(input: $input) { token } }";
        let input = json!({ "input": { "name": "expires", "role": "BOARD", "expiresAt": expires } });
        tokens.insert("expires".into(), writing.data_with(&admin, mutation, &input)["createToken"]["token"].clone());
        let given = json!({
            "ws": format!("{}/graphql/ws", listening.address.replace("http", "ws")),
            "tokens": tokens, "ready": ready, "end": end,
        });
        let listener = std::thread::spawn(move || node("revoked.js", &[&given.to_string()]));
        let began = Instant::now();
        while !ready.exists() {
            assert!(began.elapsed() < Duration::from_secs(60) && !listener.is_finished(), "nobody listens");
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut number = 0;
        let mut submit = || {
            number += 1;
            let input = json!({ "idempotencyKey": format!("n{number}"), "text": "x", "unit": "02CV" });
            let mutation = "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { created } }";
            writing.data_with(&intake, mutation, &json!({ "input": input }));
        };
        submit();
        std::thread::sleep(Duration::from_millis(1_500));
        let revoke = "mutation ($name: String!, $disable: Boolean!) { revokeTokens(name: $name, disable: $disable) { revoked } }";
        writing.data_with(&admin, revoke, &json!({ "name": "revoked", "disable": false }));
        writing.data_with(&admin, revoke, &json!({ "name": "disabled", "disable": true }));
        let sql = "UPDATE principals SET role = 'INTAKE' WHERE name = 'demoted';
                   UPDATE principals SET officer_id = (SELECT id FROM officers WHERE code = 'CC01') WHERE name = 'blinded'";
        database
            .open()
            .read(|conn| {
                match conn {
                    Conn::Pg(c) => c.batch_execute(sql)?,
                    Conn::Sqlite(c) => c.batch_execute(sql)?,
                }
                Ok(())
            })
            .unwrap();
        let ended = millis();
        std::thread::sleep(Duration::from_millis(1_000));
        // This is longer than the interval at which an earlier version checked the token of a socket.
        while millis() < ended + 4_500 {
            submit();
            std::thread::sleep(Duration::from_millis(100));
        }
        while chrono::Utc::now() < expires + chrono::TimeDelta::seconds(1) {
            std::thread::sleep(Duration::from_millis(100));
        }
        submit();
        std::thread::sleep(Duration::from_millis(1_500));
        std::fs::write(&end, "").unwrap();
        let outcome: Value = serde_json::from_str(&listener.join().unwrap()).unwrap();
        let heard = |who: &str| outcome["heard"][who].list().len();
        assert_eq!(heard("stays"), number, "{}: {outcome}", database.name);
        assert_eq!(heard("expires"), number - 1, "{}: {outcome}", database.name);
        assert!(outcome["closed"].get("stays").is_none(), "{outcome}");
        for who in ["revoked", "disabled", "demoted", "blinded"] {
            assert_eq!(heard(who), 1, "{who} on {}: {outcome}", database.name);
            let closed = &outcome["closed"][who];
            assert_eq!(closed["code"], 4401, "{who}: {outcome}");
            let after = closed["at"].integer() - ended;
            assert!(after < 1_500, "{who} was let go after {after} ms: {outcome}");
        }
        assert_eq!(outcome["closed"]["expires"]["code"], 4401, "{outcome}");
    }
}

#[test]
fn an_export_under_way_ends_with_its_token() {
    use std::io::{Read, Write};
    let files = Files::new();
    let app = TestApp::sqlite().generated(40_000, 3).keyed(&files).arguments(&["--no-jobs"]).start();
    let token = app.as_role(Role::DataTeam).token;
    let mut stream = std::net::TcpStream::connect(app.server().address.strip_prefix("http://").unwrap()).unwrap();
    // Most of it waits on the server's side.
    socket2::SockRef::from(&stream).set_recv_buffer_size(128 * 1024).unwrap();
    let request = format!("GET /export/complaints.csv HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut taken = vec![0; 100_000];
    stream.read_exact(&mut taken).unwrap();
    assert!(taken.starts_with(b"HTTP/1.1 200"));
    app.run(&["token", "revoke", "--name", "DATA_TEAM-all"]);
    std::thread::sleep(Duration::from_millis(1_500));
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut rest = Vec::new();
    let _broken_off = stream.read_to_end(&mut rest);
    // What lay in buffers still arrives; the last chunk, which says that the file is whole, does not.
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{} bytes came", rest.len());
}
