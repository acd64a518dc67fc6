//! `POST /sql`: SQL over HTTP, in the formats that tools of analysts read.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::fixtures::Files;
use tests::{Answer, Client, Json, Role, TestApp, project, python, wait_until};

/// 3,375,000,000 rows, more than any deadline of these tests allows.
const ENDLESS: &str = "SELECT a.complaint, b.complaint AS d, c.complaint AS e
                       FROM complaints a CROSS JOIN complaints b CROSS JOIN complaints c";
const BY_KIND: &str = "SELECT kind, COUNT(*) AS n FROM complaints GROUP BY kind ORDER BY n DESC, kind";

fn post(client: &Client<'_>, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {}", client.token);
    let headers = [&[("authorization", bearer.as_str())][..], headers].concat();
    client.server.send("POST", path, &headers, body)
}

/// The answer to SQL as the client accepts it.
fn ask(client: &Client<'_>, sql: &str, accept: &str) -> Answer {
    post(client, "/sql", &[("content-type", "application/sql"), ("accept", accept)], sql)
}

#[test]
fn json_says_what_graphql_says_and_where_it_stands() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let answer = ask(&team, BY_KIND, "application/json");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.content_type.starts_with("application/json"), "{}", answer.content_type);
        let document = answer.json();
        let by_graphql = team.data_with(
            "query ($sql: String!) { sql(query: $sql) { columns { name type } rows truncated position keyVersion } }",
            &json!({ "sql": BY_KIND }),
        )["sql"]
            .clone();
        assert_eq!(document["columns"], by_graphql["columns"]);
        let rows: Vec<Value> = by_graphql["rows"].list().iter().map(|row| json!([row["kind"], row["n"]])).collect();
        assert!(rows.len() > 1, "{by_graphql}");
        assert_eq!(document["rows"], json!(rows));
        assert_eq!((&document["truncated"], &document["keyVersion"]), (&json!(false), &json!(1)));
        assert_eq!(document["position"], by_graphql["position"]);
        assert_eq!(answer.header("phananh-position"), document["position"].to_string());
        assert_eq!(answer.header("phananh-key-version"), "1");
        assert_eq!(answer.header("phananh-as-of"), document["asOf"].text());
        assert_eq!(answer.header("phananh-truncated"), "false");
        assert_eq!(answer.header("cache-control"), "private, no-store");
        // Parameters have values of JSON, and a text takes the type of its place.
        let body = json!({
            "query": "SELECT COUNT(*) AS n FROM complaints WHERE received_on >= $1 AND kind = $2",
            "parameters": ["2025-01-01", "CONDUCT"],
        });
        let given = post(&team, "/sql", &[("content-type", "application/json")], &body.to_string());
        let written =
            "SELECT COUNT(*) AS n FROM complaints WHERE received_on >= DATE '2025-01-01' AND kind = 'CONDUCT'";
        let written = ask(&team, written, "*/*");
        assert_eq!((given.status, &given.json()["rows"]), (200, &written.json()["rows"]), "{given:?}");
        assert!(given.json()["rows"][0][0].integer() > 0);
    }
}

#[test]
fn a_client_sees_what_it_wrote() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.world().start_with(&files, "");
        let (team, intake) = (app.as_role(Role::DataTeam), app.as_role(Role::Intake));
        let count = |position: &str| {
            let headers = [("content-type", "application/sql"), ("phananh-position", position)];
            post(&team, "/sql", &headers, "SELECT COUNT(*) AS n FROM complaints")
        };
        let counted = |position: &str| {
            let headers = [("content-type", "application/json"), ("phananh-position", position)];
            let query = "{ sql(query: \"SELECT COUNT(*) AS n FROM complaints\") { rows } }";
            post(&team, "/graphql", &headers, &json!({ "query": query }).to_string())
        };
        for written in 1..=5 {
            intake.data(&format!(
                "mutation {{ submitComplaint(input: {{idempotencyKey: \"{written}\", unit: \"02CV\", category: \"HT\",
                    legalForm: FEEDBACK, channel: PORTAL, text: \"x {written}\"}}) {{ reference }} }}"
            ));
            let position = app.database.open().read(schema::db::dialect::current_position).unwrap();
            let seen = count(&position.to_string());
            assert_eq!((seen.status, &seen.json()["rows"]), (200, &json!([[6 + written]])), "{seen:?}");
            let by_graphql = counted(&position.to_string()).json();
            assert_eq!(by_graphql["data"]["sql"]["rows"], json!([{ "n": 6 + written }]), "{by_graphql}");
        }
        let ahead = count("1000000000");
        assert_eq!((ahead.status, ahead.codes()), (503, vec!["UNAVAILABLE".to_owned()]), "{}", ahead.text);
        let ahead = counted("1000000000");
        assert_eq!(ahead.codes(), ["UNAVAILABLE"], "{}", ahead.text);
    }
}

#[test]
fn csv_runs_no_formula_and_a_url_is_enough() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let sql = "SELECT '=1+1' AS f, -5 AS n, CAST(NULL AS TEXT) AS nothing, 'a,b' AS two";
    let csv = "f,n,nothing,two\n'=1+1,-5,,\"a,b\"\n";
    let answer = ask(&team, sql, "text/csv");
    assert_eq!((answer.status, answer.text.as_str()), (200, csv));
    assert!(answer.content_type.starts_with("text/csv"), "{}", answer.content_type);
    let bearer = format!("Bearer {}", team.token);
    let encoded: String = sql.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let path = format!("/sql?format=csv&query={encoded}");
    let by_url = team.server.send("GET", &path, &[("authorization", &bearer)], "");
    assert_eq!((by_url.status, by_url.text.as_str()), (200, csv));
    // What a client rules out is no wish.
    for (accept, expected) in [("text/csv;q=0, application/json", 200), ("text/csv;q=0", 406), ("text/csv; q=0.1", 200)]
    {
        let answer = ask(&team, sql, accept);
        assert_eq!(answer.status, expected, "{accept}: {answer:?}");
        assert_eq!(answer.content_type.starts_with("text/csv"), accept.ends_with("0.1"), "{accept}: {answer:?}");
    }
    // Without rows there is a header.
    let empty = ask(&team, "SELECT kind, unit FROM complaints WHERE kind = 'NONE'", "text/csv");
    assert_eq!((empty.status, empty.text.as_str()), (200, "kind,unit\n"));
}

#[test]
fn a_question_that_may_not_be_asked_is_refused_with_a_code() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let sql = ("content-type", "application/sql");
    let json = ("content-type", "application/json");
    for (path, headers, body, status, code) in [
        ("/sql", vec![("content-type", "application/x-www-form-urlencoded")], "SELECT 1", 415, "BAD_USER_INPUT"),
        ("/sql", vec![sql, ("accept", "image/png")], "SELECT 1", 406, "BAD_USER_INPUT"),
        ("/sql?format=xlsx", vec![sql], "SELECT 1", 400, "BAD_USER_INPUT"),
        ("/sql?rows=10001", vec![sql], "SELECT 1", 400, "BAD_USER_INPUT"),
        ("/sql?limit=5", vec![sql], "SELECT 1", 400, "BAD_USER_INPUT"),
        ("/sql?query=SELECT", vec![sql], "SELECT 1", 400, "BAD_USER_INPUT"),
        ("/sql", vec![json], "SELECT 1", 400, "BAD_USER_INPUT"),
        ("/sql", vec![json], r#"{"query": "SELECT $1", "parameters": [[1]]}"#, 400, "BAD_USER_INPUT"),
        ("/sql", vec![sql], "SELECT nothing FROM complaints", 400, "BAD_USER_INPUT"),
        ("/sql", vec![sql], "DROP TABLE complaints", 400, "BAD_USER_INPUT"),
        ("/sql", vec![sql, ("accept", "text/csv")], "SELECT * FROM principals", 400, "BAD_USER_INPUT"),
    ] {
        let answer = post(&team, path, &headers, body);
        assert_eq!((answer.status, answer.codes()), (status, vec![code.to_owned()]), "{path} {body}: {}", answer.text);
    }
    let large = format!("SELECT 1 -- {}", "x".repeat(300_000));
    assert_eq!(ask(&team, &large, "*/*").status, 413);
    let nobody = app.server().send("POST", "/sql", &[sql], "SELECT 1");
    assert_eq!((nobody.status, nobody.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]));
    let unknown = Client { server: app.server(), token: "unknown".into() };
    assert_eq!(ask(&unknown, "SELECT 1", "*/*").status, 401);
    for role in Role::WORDS.iter().map(|word| word.parse::<Role>().unwrap()) {
        let answer = ask(&app.as_any(role, "02"), "SELECT 1 AS one", "*/*");
        let expected = if [Role::DataTeam, Role::Board].contains(&role) { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{role}: {}", answer.text);
    }
}

#[test]
fn an_allow_list_of_operations_refuses_sql() {
    let files = Files::new();
    let app =
        TestApp::sqlite().generated(1_500, 11).start_with(&files, "[api]\ntrusted_operations = [\"DATA_TEAM\"]\n");
    let refused = ask(&app.as_role(Role::DataTeam), "SELECT 1 AS one", "*/*");
    assert_eq!((refused.status, refused.codes()), (403, vec!["FORBIDDEN".to_owned()]));
    let export = |role: Role, name: &str| {
        let bearer = format!("Bearer {}", app.as_role(role).token);
        app.server().send("GET", &format!("/export/{name}"), &[("authorization", &bearer)], "").status
    };
    for name in ["complaints.csv", "flags.csv", "workload.csv"] {
        assert_eq!(export(Role::Board, name), 200, "{name}");
        let refused = export(Role::DataTeam, name);
        assert!((400..500).contains(&refused), "{name}: {refused}");
    }
    assert_eq!(ask(&app.as_role(Role::Board), "SELECT 1 AS one", "*/*").status, 200);
}

#[test]
fn no_answer_is_cut_off_without_a_word() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "[api.limits]\nsql_rows = 100\n");
    let team = app.as_role(Role::DataTeam);
    let sql = "SELECT complaint FROM complaints";
    let document = ask(&team, sql, "application/json").json();
    assert_eq!((document["rows"].list().len(), &document["truncated"]), (100, &json!(true)));
    let cut = ask(&team, sql, "text/csv");
    assert_eq!((cut.status, cut.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{}", cut.text);
    assert!(cut.text.contains("more than 100 rows"), "{}", cut.text);
    let headers = [("content-type", "text/plain"), ("accept", "text/csv")];
    let wanted = post(&team, "/sql?rows=7", &headers, sql);
    assert_eq!((wanted.status, wanted.text.lines().count()), (200, 8), "{}", wanted.text);
    assert_eq!(wanted.header("phananh-truncated"), "true");
}

/// Begins to ask by hand; the answer is read from the stream.
fn begin(app: &TestApp, token: &str, sql: &str) -> TcpStream {
    let host = app.server().address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = format!(
        "POST /sql HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/sql\r\n\
         accept: text/csv\r\ncontent-length: {}\r\n\r\n{sql}",
        sql.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn an_answer_that_fails_in_the_middle_does_not_look_complete() {
    let files = Files::new();
    let app = TestApp::sqlite()
        .generated(1_500, 11)
        .start_with(&files, "[api.limits]\ndeadline_ms = 5000\nsql_rows = 4000000000\n");
    let team = app.as_role(Role::DataTeam);
    // The engine starts.
    assert_eq!(ask(&team, "SELECT COUNT(*) AS n FROM complaints", "*/*").json()["rows"], json!([[1500]]));
    let mut stream = begin(&app, &team.token, ENDLESS);
    let (mut head, mut tail, mut bytes) = (Vec::new(), Vec::new(), vec![0; 1 << 20]);
    while let Ok(read) = stream.read(&mut bytes) {
        if read == 0 {
            break;
        }
        if head.len() < 1_000 {
            head.extend_from_slice(&bytes[..read]);
        }
        tail.extend_from_slice(&bytes[..read]);
        tail.drain(..tail.len().saturating_sub(16));
    }
    let head = String::from_utf8_lossy(&head[..head.len().min(1_000)]).into_owned();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("complaint,d,e"), "{head}");
    assert!(!tail.ends_with(b"0\r\n\r\n"), "the body ended as if it were complete");
}

#[test]
fn a_client_that_leaves_holds_nothing() {
    let files = Files::new();
    let app = TestApp::sqlite()
        .generated(1_500, 11)
        .start_with(&files, "[api.limits]\ndeadline_ms = 120000\nsql_rows = 4000000000\n");
    let team = app.as_role(Role::DataTeam);
    assert_eq!(ask(&team, "SELECT 1 AS one", "*/*").status, 200);
    let silent = "SELECT COUNT(*) AS n FROM complaints a, complaints b, complaints c, complaints d";
    for sql in [ENDLESS, silent] {
        let mut stream = begin(&app, &team.token, sql);
        if sql == ENDLESS {
            stream.read_exact(&mut [0; 4_096]).unwrap();
        } else {
            std::thread::sleep(Duration::from_secs(1));
        }
        drop(stream);
        // A token has one question at a time.
        let began = Instant::now();
        assert_eq!(ask(&team, "SELECT 1 AS one", "*/*").json()["rows"], json!([[1]]), "{sql}");
        assert!(began.elapsed() < Duration::from_secs(30), "{sql}: {:?}", began.elapsed());
    }
}

#[test]
fn the_audit_log_has_each_question_with_its_asker() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        ask(&team, "SELECT 42 AS answer", "*/*");
        ask(&team, "SELECT missing FROM complaints", "text/csv");
        let given = json!({ "query": "SELECT $1 AS given", "parameters": ["only in the value"] });
        post(&team, "/sql", &[("content-type", "application/json")], &given.to_string());
        let bearer = format!("Bearer {}", team.token);
        team.server.send("GET", "/sql?query=SELECT+43", &[("authorization", &bearer)], "");
        let admin = app.as_role(Role::Admin);
        let log = "{ auditLog(first: 20, filter: {action: {eq: SQL}}) { nodes { actor operation objects } } }";
        wait_until(10, "the audit of all questions", || {
            let nodes = admin.data(log)["auditLog"]["nodes"].clone();
            let notes = |sql: &str| {
                nodes
                    .list()
                    .iter()
                    .any(|node| node["actor"].text().contains("DATA_TEAM") && node["objects"].to_string().contains(sql))
            };
            let came_by = |sql: &str, way: &str| {
                let has = |node: &Value| node["operation"] == way && node["objects"].to_string().contains(sql);
                nodes.list().iter().any(has)
            };
            came_by("SELECT 42 AS answer", "POST /sql")
                && came_by("SELECT 43", "GET /sql")
                && notes("SELECT missing FROM complaints")
                && notes("only in the value")
        });
    }
}

#[test]
fn pandas_polars_duckdb_and_pyarrow_read_it() {
    let packages = ["pandas==3.1.1", "polars==2.1.0", "duckdb==2.0.1", "pyarrow==26.0.1"];
    let python = python(&["pandas", "polars", "duckdb", "pyarrow"], &[], &packages);
    let files = Files::new();
    let app = TestApp::sqlite()
        .generated(1_500, 11)
        .start_with(&files, "[api.limits]\ndeadline_ms = 5000\nsql_rows = 4000000000\n");
    let team = app.as_role(Role::DataTeam);
    let rows = ask(&team, BY_KIND, "*/*").json()["rows"].clone();
    let given =
        json!({ "address": team.server.address, "token": team.token, "sql": BY_KIND, "endless": ENDLESS }).to_string();
    let output = Command::new(python).arg(project().join("tests/clients/sql.py")).arg(given).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    for client in ["pandas", "polars", "polarsParquet", "arrow", "parquet"] {
        assert_eq!(said[client], rows, "{client}");
    }
    assert_eq!(said["duckdb"], json!([1500, rows.list().len()]));
    assert_eq!(said["types"][1], "int64", "{said}");
    for about in ["about", "arrowAbout"] {
        assert_eq!(said[about]["phananh.key_version"], "1", "{said}");
        assert!(said[about]["phananh.position"].text().parse::<i64>().unwrap() > 0, "{said}");
    }
    let is_aborted = said["aborted"] == "IncompleteRead" || said["aborted"] == "ConnectionResetError";
    assert!(is_aborted, "{said}");
}
