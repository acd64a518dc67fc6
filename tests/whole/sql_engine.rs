//! The SQL engine: right where the engine before was wrong, in a process that lives on, is limited, and ends with its
//! question.

use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::fixtures::Files;
use tests::{Answer, Client, Json, Role, Server, TestApp, raw_request, wait_until};

/// A question of many hours that needs no memory.
pub const LONG: &str = "SELECT SUM(value % 7) AS n FROM generate_series(1, 1000000000000)";

fn ask(client: &Client<'_>, sql: &str, parameters: &Value) -> Answer {
    let query = "query ($sql: String!, $p: [JSON]) { sql(query: $sql, parameters: $p) { columns { name type } rows } }";
    client.request_with(query, &json!({ "sql": sql, "p": parameters }))
}

/// The value of a counter of the metrics.
fn counter(app: &TestApp, name: &str) -> u64 {
    let board = app.as_role(Role::Board);
    let metrics = app.server().metrics(&board.token);
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("phananh_{name}_total ")));
    line.unwrap_or_else(|| panic!("{name}: {metrics}")).parse().unwrap()
}

/// The engine processes of the server.
pub fn engines(app: &TestApp) -> Vec<u32> {
    engines_of(app.server())
}

/// The engine processes of a server.
pub fn engines_of(server: &Server) -> Vec<u32> {
    let server = server.pid();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, after)| after.split_whitespace().nth(1)?.parse().ok());
        if parent == Some(server) && line.contains("phananh-engine") {
            found.push(pid);
        }
    }
    found
}

/// Processor time that a process used, in ticks; None for one that has ended.
pub fn ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    if fields.first() == Some(&"Z") {
        return None;
    }
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[test]
fn windows_over_aggregates_are_right() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let counts = team.rows("SELECT kind, COUNT(*) AS n FROM complaints GROUP BY kind ORDER BY kind");
        assert!(counts.len() > 1, "{counts:?}");
        let shares = team.rows(
            "SELECT kind, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS share,
                    LAG(COUNT(*)) OVER (ORDER BY kind) AS before, RANK() OVER (ORDER BY COUNT(*) DESC) AS place
             FROM complaints GROUP BY kind ORDER BY kind",
        );
        let mut before = Value::Null;
        for (count, share) in counts.iter().zip(&shares) {
            let expected = count["n"].as_f64().unwrap() / 15.0;
            assert!((share["share"].as_f64().unwrap() - expected).abs() < 1e-4, "{share} {expected}");
            assert_eq!(share["before"], before);
            before = count["n"].clone();
        }
        assert!(shares.iter().any(|share| share["place"] == 1), "{shares:?}");
        let median = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cost_vnd) AS median,
                             date_trunc('quarter', MIN(received_on)) AS quarter FROM complaints";
        assert!(team.rows(median)[0]["median"].is_number());
        let levels = "SELECT kind, channel, COUNT(*) AS n FROM complaints GROUP BY ROLLUP (kind, channel)";
        let all: Vec<Value> = team.rows(levels).into_iter().filter(|row| row["kind"].is_null()).collect();
        assert_eq!(all, [json!({ "kind": null, "channel": null, "n": 1_500 })]);
        let recursive = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
                         SELECT SUM(i) AS s FROM n";
        assert_eq!(team.rows(recursive), [json!({ "s": 55 })]);
        assert!(!team.rows("EXPLAIN SELECT COUNT(*) FROM complaints").is_empty());
    }
}

#[test]
fn a_parameter_takes_the_type_of_its_place() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let first = team.rows("SELECT MIN(received_on) AS day FROM complaints")[0]["day"].clone();
    let later = "SELECT COUNT(*) AS n FROM complaints WHERE received_on > $1 AND cost_vnd > $2 AND kind <> $3";
    let none = ask(&team, later, &json!([first, 0, null])).json();
    assert_eq!(none["data"]["sql"]["rows"], json!([{ "n": 0 }]), "{none}");
    let some = ask(&team, later, &json!([first, 0, "x"])).json()["data"]["sql"]["rows"][0]["n"].integer();
    assert!(some > 0 && some < 1_500, "{some}");
    let types =
        ask(&team, "SELECT $1 AS a, CAST($2 AS BIGINT) AS b, received_on FROM complaints LIMIT 0", &json!(["x", 7]));
    let types: Vec<String> =
        types.json()["data"]["sql"]["columns"].list().iter().map(|column| column["type"].text().to_owned()).collect();
    assert_eq!(types, ["text", "bigint", "date"]);
    for parameters in [json!([]), json!(["2024-01-01", 1, "x", 2]), json!(["no day", 1, "x"]), json!([[1], 1, "x"])] {
        let answer = ask(&team, later, &parameters);
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{parameters}: {}", answer.text);
    }
}

#[test]
fn a_parameter_is_the_number_that_was_given() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let amount = "(SELECT CAST(1 AS NUMERIC(18, 0)) AS m, 2 AS n) AS t";
    for (sql, parameters, expected) in [
        (format!("SELECT m / $1 AS x FROM {amount}"), json!([8_000_000]), json!(1.25e-7)),
        (format!("SELECT $1 / m AS x FROM {amount}"), json!([0.5]), json!(0.5)),
        (format!("SELECT m * $1 / 8000000 AS x FROM {amount}"), json!([2]), json!(2.5e-7)),
        (format!("SELECT (m + $1) / $2 AS x FROM {amount}"), json!([1, 16_000_000]), json!(1.25e-7)),
        (format!("SELECT n * CAST($1 AS DOUBLE PRECISION) AS x FROM {amount}"), json!([1.5]), json!(3.0)),
        ("SELECT CAST($1 AS NUMERIC(38, 0)) AS x".to_owned(), json!(["12345678901234567890123"]), {
            json!("12345678901234567890123")
        }),
        ("SELECT CAST($1 AS NUMERIC(38, 0)) AS x".to_owned(), json!([18_446_744_073_709_551_615_u64]), {
            json!("18446744073709551615")
        }),
    ] {
        let answer = ask(&team, &sql, &parameters).json();
        assert_eq!(answer["data"]["sql"]["rows"], json!([{ "x": expected }]), "{sql} {parameters}: {answer}");
        let body = json!({ "query": sql, "parameters": parameters }).to_string();
        let bearer = format!("Bearer {}", team.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let over_http = team.server.send("POST", "/sql", &headers, &body);
        assert_eq!(over_http.json()["rows"], json!([[expected]]), "{sql} {parameters}: {over_http:?}");
    }
    for (sql, parameters) in [
        (format!("SELECT n * $1 AS x FROM {amount}"), json!([1.5])),
        (format!("SELECT m * $1 AS x FROM {amount}"), json!(["1.5"])),
        (format!("SELECT 1 AS x FROM {amount} WHERE m > $1"), json!([0.4])),
        ("SELECT CAST($1 AS NUMERIC(38, 0)) AS x".to_owned(), json!([1e20])),
    ] {
        let answer = ask(&team, &sql, &parameters);
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{sql} {parameters}: {}", answer.text);
    }
}

#[test]
fn no_column_is_lost_because_another_one_has_its_name() {
    let files = Files::new();
    let app = TestApp::sqlite().world().start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let joined = "FROM complaints a JOIN complaints b ON a.complaint = b.complaint";
    let twice = ask(&team, &format!("SELECT a.unit, b.unit {joined} LIMIT 1"), &json!([])).json();
    let (columns, row) = (&twice["data"]["sql"]["columns"], &twice["data"]["sql"]["rows"][0]);
    assert_eq!((&columns[0]["name"], &columns[1]["name"]), (&json!("unit"), &json!("unit_2")), "{twice}");
    assert!(row["unit"].is_string() && row["unit"] == row["unit_2"], "{twice}");
}

#[test]
fn hostile_statements_are_refused_with_a_code() {
    let files = Files::new();
    let app = TestApp::sqlite().world().start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let mut hostile: Vec<String> = [
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE complaints",
        "INSERT INTO complaints SELECT * FROM complaints",
        "UPDATE complaints SET unit = 'x'",
        "DELETE FROM complaints",
        "SELECT * INTO t FROM complaints",
        "COPY complaints TO '/tmp/phananh.csv'",
        "COPY (SELECT 1) TO '/tmp/phananh.csv'",
        "EXPLAIN COPY complaints TO '/tmp/phananh.csv'",
        "SET datafusion.execution.batch_size = 1",
        "SET TIME ZONE 'UTC'",
        "RESET datafusion.execution.batch_size",
        "SHOW ALL",
        "PREPARE p AS SELECT 1",
        "BEGIN",
        "SELECT 1; DROP TABLE complaints",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM \"file:///etc/passwd\"",
        "SELECT * FROM \"http://127.0.0.1/x.csv\"",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT load_extension('x')",
        "SELECT * FROM principals",
        "SELECT * FROM sources",
        "SELECT json_build_object('n', COUNT(*)) AS o FROM complaints",
        "SELECT generate_subscripts(ARRAY[1, 2], 1) AS n",
    ]
    .map(str::to_owned)
    .into();
    for function in
        ["read_csv", "read_parquet", "read_json", "read_arrow", "parquet_metadata", "glob", "read_text", "url"]
    {
        hostile.push(format!("SELECT * FROM {function}('/etc/passwd')"));
    }
    hostile.push(format!("SELECT {}1{}", "(".repeat(2_000), ")".repeat(2_000)));
    hostile.push(format!("SELECT {}1", "NOT ".repeat(4_900)));
    hostile.push(format!("SELECT '{}'", "x".repeat(70_000)));
    hostile.push(vec!["SELECT 1"; 3_000].join(" UNION "));
    for sql in hostile {
        let answer = team.sql(&sql);
        let short: String = sql.chars().take(80).collect();
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{short}: {answer:?}");
    }
    // What is long and no harm is answered, or refused with a code; the server lives on.
    for sql in [
        vec!["SELECT 1 AS a"; 1_000].join(" UNION ALL "),
        format!("SELECT {}1 AS a", "1+".repeat(2_000)),
        format!("SELECT {}1 AS a", "- ".repeat(2_000)),
    ] {
        let answer = team.sql(&sql);
        assert!(answer.codes().iter().all(|code| code == "BAD_USER_INPUT" || code == "TIMEOUT"), "{answer:?}");
    }
    assert_eq!(team.rows("SELECT COUNT(*) AS n FROM complaints"), [json!({ "n": 6 })]);
    assert!(!std::path::Path::new("/tmp/phananh.csv").exists());
}

#[test]
fn an_engine_has_its_pipes_and_nothing_else() {
    let files = Files::new();
    let app = TestApp::sqlite().world().start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    team.rows("SELECT COUNT(*) AS n FROM complaints");
    let [engine] = engines(&app)[..] else { panic!("one engine: {:?}", engines(&app)) };
    let links = std::fs::read_dir(format!("/proc/{engine}/fd")).unwrap().flatten();
    for link in links {
        let target = std::fs::read_link(link.path()).unwrap().display().to_string();
        assert!(target.starts_with("pipe:") || target == "/dev/null", "{target}");
    }
    let environment = std::fs::read_to_string(format!("/proc/{engine}/environ")).unwrap();
    assert_eq!(environment.trim_end_matches('\0'), "PHANANH_ENGINE_STAGE=1");
    let status = std::fs::read_to_string(format!("/proc/{engine}/status")).unwrap();
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    assert_eq!((of("Seccomp:"), of("NoNewPrivs:")), (Some("2"), Some("1")), "{status}");
}

#[test]
fn a_question_that_needs_too_much_memory_ends_alone() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "[api.limits]\nsql_memory_mb = 512\n");
    let team = app.as_role(Role::DataTeam);
    for sql in [
        "SELECT length(repeat(complaint, 1000000000)) AS n FROM complaints",
        "SELECT array_length(range(0, 4000000000)) AS n",
        "SELECT COUNT(*) AS n FROM (SELECT DISTINCT a.complaint, b.complaint AS d, c.month
           FROM complaints a CROSS JOIN complaints b CROSS JOIN complaints c) t",
    ] {
        let answer = team.sql(sql);
        let codes = answer.codes();
        assert!(codes == ["BAD_USER_INPUT"] || codes == ["TIMEOUT"], "{sql}: {answer:?}");
        assert_eq!(team.rows("SELECT COUNT(*) AS n FROM complaints"), [json!({ "n": 1_500 })]);
    }
    assert_eq!(app.server().get("/healthz").status, 200);
}

#[test]
fn a_question_whose_asker_leaves_stops() {
    let files = Files::new();
    let app = TestApp::sqlite().world().start_with(&files, "[api.limits]\ndeadline_ms = 600000\n");
    let team = app.as_role(Role::DataTeam);
    let host = app.server().address.strip_prefix("http://").unwrap().to_owned();
    let query = format!("{{ sql(query: \"{LONG}\") {{ rows }} }}");
    let mut asking = TcpStream::connect(&host).unwrap();
    asking.write_all(raw_request(&host, &team.token, &query, "").as_bytes()).unwrap();
    let busy = |pid: u32| ticks(pid).is_some_and(|ticks| ticks > 50);
    wait_until(30, "an engine computes", || engines(&app).into_iter().any(busy));
    let worked = engines(&app);
    drop(asking);
    // The engine is idle or has ended: it uses no processor for a second.
    let rests = |pid: u32| {
        let before = ticks(pid);
        std::thread::sleep(Duration::from_secs(1));
        ticks(pid) == before
    };
    let until = Instant::now() + Duration::from_secs(20);
    while !worked.iter().all(|pid| rests(*pid)) {
        assert!(Instant::now() < until, "the engines {worked:?} go on");
    }
    assert_eq!(team.rows("SELECT COUNT(*) AS n FROM complaints"), [json!({ "n": 6 })]);
}

#[test]
fn an_engine_that_is_killed_comes_back() {
    let files = Files::new();
    let app = TestApp::sqlite().world().start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let count = "SELECT COUNT(*) AS n FROM complaints";
    assert_eq!(team.rows(count), [json!({ "n": 6 })]);
    assert_eq!(team.rows(count), [json!({ "n": 6 })]);
    assert_eq!(counter(&app, "sql_engines_started"), 1, "it lives on");
    for engine in engines(&app) {
        assert!(Command::new("kill").args(["-KILL", &engine.to_string()]).status().unwrap().success());
        wait_until(30, "it ends", || ticks(engine).is_none());
    }
    assert_eq!(team.rows(count), [json!({ "n": 6 })]);
    assert_eq!(counter(&app, "sql_engines_started"), 2);
    // A question may come while the killed process still ends.
    for _ in 0..20 {
        for engine in engines(&app) {
            assert!(Command::new("kill").args(["-KILL", &engine.to_string()]).status().unwrap().success());
        }
        assert_eq!(team.rows(count), [json!({ "n": 6 })]);
    }
}

#[test]
fn an_engine_is_given_only_what_changed() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.world().start_with(&files, "");
        let (team, intake) = (app.as_role(Role::DataTeam), app.as_role(Role::Intake));
        let by_unit = "SELECT unit, COUNT(*) AS n FROM complaints GROUP BY unit ORDER BY unit";
        let before = team.rows(by_unit);
        let sent = counter(&app, "sql_pieces_sent");
        assert!(sent > 0);
        assert_eq!(team.rows(by_unit), before);
        assert_eq!(counter(&app, "sql_pieces_sent"), sent, "nothing changed");
        intake.data(
            "mutation { submitComplaint(input: {idempotencyKey: \"1\", unit: \"02CV\", category: \"HT\",
                legalForm: FEEDBACK, channel: PORTAL, text: \"x\"}) { reference } }",
        );
        wait_until(30, "the next questions count it", || {
            team.rows("SELECT COUNT(*) AS n FROM complaints") == [json!({ "n": 7 })]
        });
        assert!(counter(&app, "sql_pieces_sent") > sent);
        assert_ne!(team.rows(by_unit), before);
    }
}

#[test]
fn an_engine_is_given_only_the_columns_that_questions_read() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.world().start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let sent = || counter(&app, "sql_pieces_sent");
        assert_eq!(team.rows("SELECT COUNT(*) AS n FROM complaints"), [json!({ "n": 6 })]);
        assert_eq!(sent(), 1, "one column to count by");
        let by_kind = "SELECT kind, COUNT(*) AS n FROM complaints GROUP BY kind ORDER BY kind";
        assert_eq!((team.rows(by_kind), sent()), (team.rows(by_kind), 2));
        // The text names no column: the engine says which it needs.
        let all = team.rows("SELECT * FROM complaints");
        let columns = jobs::tables::table("complaints").unwrap().columns;
        assert!(all.len() == 6 && columns.iter().all(|column| all[0].get(column.name).is_some()), "{all:?}");
        assert_eq!(sent(), columns.len() as u64);
        let named = "SELECT COUNT(DISTINCT officer) AS n FROM \"allegations\" WHERE finding <> 'UNFOUNDED'";
        assert!(team.rows(named)[0]["n"].integer() > 0);
        assert_eq!(sent(), columns.len() as u64 + 2);
        let beside = "SELECT (SELECT COUNT(*) FROM units) AS units, COUNT(category) AS n FROM allegations";
        assert!(team.rows(beside)[0]["units"].integer() > 0);
    }
}

#[test]
fn the_audit_log_has_questions_that_failed() {
    let files = Files::new();
    let app = TestApp::sqlite().world().start_with(&files, "[api.limits]\ndeadline_ms = 2000\n");
    let team = app.as_role(Role::DataTeam);
    assert_eq!(team.sql("SELECT nothing FROM complaints").codes(), ["BAD_USER_INPUT"]);
    assert_eq!(team.sql(LONG).codes(), ["TIMEOUT"]);
    let entries = || -> Vec<Value> {
        let read = app.database.open().read(|conn| {
            use diesel::prelude::*;
            use schema::enums::AuditAction;
            use schema::tables::audit_log::{action, objects, table};
            let all: Vec<(AuditAction, schema::JsonValue)> = table.select((action, objects)).load(conn)?;
            Ok(all.into_iter().filter(|(what, _)| *what == AuditAction::Sql).map(|(_, entry)| entry.0).collect())
        });
        read.unwrap()
    };
    wait_until(30, "two entries", || entries().len() == 2);
    let failed = |sql: &str| entries().into_iter().find(|entry| entry["sql"] == sql).unwrap();
    let wrong = failed("SELECT nothing FROM complaints");
    assert!(wrong["failure"].text().contains("nothing") && wrong["rows"].is_null(), "{wrong}");
    assert!(failed(LONG)["milliseconds"].integer() >= 1_000, "{}", failed(LONG));
}
