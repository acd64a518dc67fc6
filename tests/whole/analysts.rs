//! What the data team works with: SQL and exports, with pseudonyms.

use crate::program;
use crate::world::Files;
use schema::enums::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use tests::python;
use tests::{Database, Server};

struct Analysts {
    database: Database,
    server: Server,
    files: Files,
    key: String,
    data_team: String,
    board: String,
}

/// An invented register of some size on a database, and a server with keys.
fn analysts(database: Database, config: &str) -> Analysts {
    program().run(&database, ["generate", "--complaints", "1500", "--seed", "11"]).ok();
    let files = Files::new();
    let key = files.path().join("key").display().to_string();
    program().run(&database, ["key", "create", &key]).ok();
    let config = files.put("phananh.toml", config).display().to_string();
    let (data_team, board) = (program().token(&database, "DATA_TEAM", None), program().token(&database, "BOARD", None));
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key, "--config", &config]);
    Analysts { database, server, files, key, data_team, board }
}

impl Analysts {
    fn sql(&self, sql: &str) -> Value {
        let query =
            "query ($sql: String!) { sql(query: $sql) { columns { name type } rows truncated position keyVersion } }";
        self.server.data_with(&self.data_team, query, &json!({ "sql": sql }))["sql"].clone()
    }

    /// The codes and the message of a question that is not answered.
    fn refused(&self, sql: &str) -> (Vec<String>, String) {
        let query = "query ($sql: String!) { sql(query: $sql) { rows } }";
        let answer = self.server.graphql(&self.data_team, query, &json!({ "sql": sql }));
        (answer.codes(), answer.json()["errors"][0]["message"].to_string())
    }

    fn export(&self, token: &str, form: &str, filter: Option<&Value>) -> tests::Answer {
        let bearer = format!("Bearer {token}");
        let filter = filter.map_or(String::new(), |filter| format!("?filter={}", encoded(&filter.to_string())));
        self.server.send("GET", &format!("/export/complaints.{form}{filter}"), &[("authorization", &bearer)], "")
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn sql_says_what_the_statistics_say() {
    for database in Database::both() {
        let analysts = analysts(database, "");
        let answer = analysts.sql(
            "SELECT department, COUNT(*) AS complaints, COUNT(DISTINCT enterprise) AS enterprises, SUM(cost_vnd) AS cost
             FROM complaints GROUP BY department ORDER BY department NULLS FIRST",
        );
        let types: Vec<&Value> = answer["columns"].as_array().unwrap().iter().map(|column| &column["type"]).collect();
        assert_eq!(types, ["str", "u32", "u32", "i64"]);
        let statistics = analysts.server.data(
            &analysts.board,
            "{ complaintStatistics(groupBy: [DEPARTMENT]) { position rows { department { code } complaints distinctEnterprises costVnd } } }",
        )["complaintStatistics"]
            .clone();
        let of = |row: &Value| {
            let cost: i64 = row["costVnd"].as_str().unwrap().parse().unwrap();
            (row["department"]["code"].to_string(), row["complaints"].clone(), row["distinctEnterprises"].clone(), cost)
        };
        let mut expected: Vec<_> = statistics["rows"].as_array().unwrap().iter().map(of).collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let said = answer["rows"].as_array().unwrap().iter().map(|row| {
            // No cost at all sums to null in SQL.
            (
                row["department"].to_string(),
                row["complaints"].clone(),
                row["enterprises"].clone(),
                row["cost"].as_i64().unwrap_or(0),
            )
        });
        let mut said: Vec<_> = said.collect();
        said.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(said, expected);
        assert_eq!((&answer["position"], &answer["keyVersion"]), (&statistics["position"], &json!(1)));
        // Officers by joining, against a list in the same order.
        let most = analysts.sql(
            "SELECT a.officer, COUNT(DISTINCT c.enterprise) AS enterprises FROM allegations a
             JOIN complaints c ON a.complaint = c.complaint GROUP BY a.officer ORDER BY enterprises DESC LIMIT 1",
        )["rows"][0]
            .clone();
        let first = analysts.server.data(
            &analysts.board,
            "{ complaintStatistics(groupBy: [OFFICER], orderBy: [{field: DISTINCT_ENTERPRISES, direction: DESC}], first: 2) {
                 rows { officer { pseudonym } distinctEnterprises } } }",
        )["complaintStatistics"]["rows"]
            .as_array()
            .unwrap()
            .iter()
            // Those who name nobody are a group, too.
            .find(|row| !row["officer"].is_null())
            .unwrap()
            .clone();
        assert_eq!(most["enterprises"], first["distinctEnterprises"]);
        assert!(most["officer"].as_str().unwrap().starts_with("k1-"), "{most}");
        // The command line says the same.
        let by_command = program().json(
            &analysts.database,
            &[
                "sql",
                "SELECT COUNT(*) AS n, COUNT(DISTINCT officer) AS o FROM allegations",
                "--key-file",
                &analysts.key,
            ],
        );
        let by_server = analysts.sql("SELECT COUNT(*) AS n, COUNT(DISTINCT officer) AS o FROM allegations");
        assert_eq!((&by_command["rows"], &by_command["keyVersion"]), (&by_server["rows"], &json!(1)));
        // What was asked is in the audit log.
        let asked = program().run(&analysts.database, ["audit", "seal", "--key-file", &analysts.key]).ok();
        assert_eq!(asked.status, 0);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let logged = loop {
            let actions: Vec<String> = analysts
                .database
                .open()
                .read(|conn| {
                    use diesel::prelude::*;
                    let log = schema::tables::audit_log::table.select(schema::tables::audit_log::action);
                    Ok(log.load::<schema::enums::AuditAction>(conn)?.iter().map(ToString::to_string).collect())
                })
                .unwrap();
            let number = actions.iter().filter(|action| *action == "SQL").count();
            if number == 3 || std::time::Instant::now() > deadline {
                break number;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        };
        assert_eq!(logged, 3, "each question of the server's");
    }
}

#[test]
fn sql_reads_no_files_changes_nothing_and_tells_nothing_of_the_inside() {
    let analysts = analysts(Database::sqlite(), "");
    let secret = analysts.files.put("secret.csv", "a,b\n1,2\n");
    let path = secret.display();
    for sql in [
        format!("SELECT * FROM read_csv('{path}')"),
        format!("SELECT * FROM complaints WHERE unit IN (SELECT a FROM READ_CSV('{path}'))"),
        format!("WITH t AS (SELECT * FROM read_parquet('{path}')) SELECT * FROM t"),
        format!("SELECT * FROM '{path}'"),
        format!("COPY complaints TO '{path}'"),
        format!("CREATE TABLE t AS SELECT * FROM read_json('{path}')"),
        "DROP TABLE complaints".into(),
        "DELETE FROM complaints".into(),
        "SELECT 1; SELECT 2".into(),
        "SELEC 1".into(),
        "SELECT nothing FROM complaints".into(),
        "SELECT * FROM principals".into(),
        "SELECT text FROM complaints".into(),
        String::new(),
    ] {
        let (codes, message) = analysts.refused(&sql);
        assert_eq!(codes, ["BAD_USER_INPUT"], "{sql}: {message}");
        assert!(!message.contains(".rs") && !message.contains("polars"), "{message}");
    }
    let unknown = analysts.refused("SELECT nothing, state FROM complaints").1;
    assert!(unknown.contains("nothing") && unknown.contains("received_on"), "{unknown}");
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "a,b\n1,2\n");
    assert_eq!(analysts.sql("SELECT COUNT(*) AS n FROM complaints")["rows"], json!([{ "n": 1500 }]));
    // Pseudonyms only: nothing that the register itself uses.
    let row = analysts.sql("SELECT * FROM complaints LIMIT 1")["rows"][0].clone();
    let names: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    for forbidden in ["id", "reference", "text", "declaration_number", "tax_code", "received_at"] {
        assert!(!names.contains(forbidden), "{forbidden}");
    }
    for role in Role::WORDS.iter().filter(|role| !["DATA_TEAM", "BOARD"].contains(*role)) {
        let token = program().token(&analysts.database, role, (*role == "UNIT_HEAD").then_some("02"));
        let answer = analysts.server.graphql(&token, "{ sql(query: \"SELECT 1\") { rows } }", &json!({}));
        assert_eq!(answer.status, 403, "{role}");
        assert!(answer.codes().iter().all(|code| code == "FORBIDDEN"), "{role}: {}", answer.text);
    }
}

#[test]
fn a_question_that_takes_too_much_harms_nobody() {
    let analysts =
        analysts(Database::sqlite(), "[api.limits]\ndeadline_ms = 4000\nsql_memory_mb = 3000\nsql_rows = 100\n");
    let cut = analysts.sql("SELECT complaint FROM complaints");
    assert_eq!((cut["rows"].as_array().unwrap().len(), &cut["truncated"]), (100, &json!(true)));
    // Either is what becomes of 3,375,000,000 rows: the memory ends, or the time.
    let (codes, message) = analysts.refused(
        "SELECT a.complaint, b.complaint AS d, c.complaint AS e FROM complaints a CROSS JOIN complaints b CROSS JOIN complaints c ORDER BY 1, 2, 3",
    );
    assert!(codes == ["BAD_USER_INPUT"] || codes == ["TIMEOUT"], "{codes:?} {message}");
    assert!(message.contains("MB") || message.contains("broken off"), "{message}");
    assert_eq!(analysts.server.get("/healthz").status, 200);
    assert_eq!(analysts.sql("SELECT COUNT(*) AS n FROM complaints")["rows"], json!([{ "n": 1500 }]));
}

#[test]
fn every_form_of_an_export_holds_the_same_and_others_read_it() {
    let python = python(&["pyarrow"], &[], &["pyarrow==21.0.0"]);
    for database in Database::both() {
        let analysts = analysts(database, "");
        let folder = analysts.files.path().join("exports");
        std::fs::create_dir_all(&folder).unwrap();
        for form in ["csv", "parquet", "arrow"] {
            let path = folder.join(format!("complaints.{form}")).display().to_string();
            let done = program().json(&analysts.database, &["export", &path, "--key-file", &analysts.key]);
            assert_eq!((&done["rows"], &done["keyVersion"]), (&json!(1500), &json!(1)), "{done}");
        }
        let read = |folder: &std::path::Path| -> Value {
            let script = tests::project().join("tests/clients/exports.py");
            let output = Command::new(&python).arg(script).arg(folder).output().unwrap();
            serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
        };
        let said = read(&folder);
        assert_eq!(said["about"]["phananh.key_version"], "1");
        assert_eq!((&said["csv"]["rows"], &said["csv"]["inOrder"]), (&json!(1500), &json!(true)));
        assert_eq!(said["csv"]["complaints"], 1500, "each has a pseudonym of its own");
        for form in ["parquet", "arrow"] {
            assert_eq!(said[form], said["csv"], "{form}");
        }
        // Pseudonyms are others than those of the API: a file joins with files.
        let list = analysts.server.data(
            &analysts.data_team,
            "{ complaints(first: 200) { nodes { pseudonym costVnd enterprise { pseudonym } officers { officer { pseudonym } } } } }",
        );
        let exported: BTreeSet<&str> =
            said["csv"]["enterprises"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        let listed = list["complaints"]["nodes"].as_array().unwrap().iter();
        let listed: Vec<&str> = listed.filter_map(|node| node["enterprise"]["pseudonym"].as_str()).collect();
        assert!(listed.len() > 100 && listed.iter().all(|one| !exported.contains(one)));
        // Over HTTP the file is the same, byte by byte where the form has no salt of its own.
        let over_http = analysts.export(&analysts.data_team, "csv", None);
        assert_eq!((over_http.status, over_http.header("phananh-key-version")), (200, "1"));
        assert!(over_http.content_type.starts_with("text/csv"), "{}", over_http.content_type);
        assert!(over_http.header("content-disposition").contains("complaints.csv"));
        assert_eq!(over_http.text, std::fs::read_to_string(folder.join("complaints.csv")).unwrap());
        // By month, and of a unit and a time.
        let months = analysts.files.path().join("months").display().to_string();
        let done = program().json(
            &analysts.database,
            &[
                "export",
                &months,
                "--by-month",
                "--unit",
                "02",
                "--from",
                "2025-01-01",
                "--until",
                "2025-12-31",
                "--key-file",
                &analysts.key,
            ],
        );
        let filter = json!({ "unit": { "within": "02" }, "receivedAt": { "gte": "2025-01-01T00:00:00+07:00", "lt": "2026-01-01T00:00:00+07:00" } });
        let filtered = analysts.export(&analysts.data_team, "csv", Some(&filter));
        assert_eq!(filtered.text.lines().count() as u64, done["rows"].as_u64().unwrap() + 1);
        assert!(done["rows"].as_u64().unwrap() > 10, "{done}");
        let files: Vec<&str> = done["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
        assert!(files.len() > 6 && files[0].ends_with("/month=2025-01/complaints.parquet"), "{files:?}");
    }
}

#[test]
fn only_those_export_who_may_and_only_by_what_they_may_filter_by() {
    let analysts = analysts(Database::sqlite(), "");
    for role in Role::WORDS.iter().filter(|role| !["DATA_TEAM", "BOARD"].contains(*role)) {
        let token = program().token(&analysts.database, role, (*role == "UNIT_HEAD").then_some("02"));
        let answer = analysts.export(&token, "csv", None);
        assert_eq!((answer.status, answer.codes()), (403, vec!["FORBIDDEN".to_owned()]), "{role}");
    }
    let answer = analysts.server.get("/export/complaints.csv");
    assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]));
    for (filter, status, code) in [
        (json!({ "text": { "like": "%a%" } }), 403, "FORBIDDEN"),
        (json!({ "enterprise": { "taxCode": { "eq": "0100233488" } } }), 403, "FORBIDDEN"),
        (json!({ "unti": { "within": "02" } }), 400, "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "unit": { "within": "nowhere" } }), 400, "BAD_USER_INPUT"),
        (json!({ "state": { "eq": null } }), 400, "BAD_USER_INPUT"),
        (json!("CLOSED"), 400, "BAD_USER_INPUT"),
    ] {
        let answer = analysts.export(&analysts.data_team, "csv", Some(&filter));
        assert_eq!((answer.status, answer.codes()[0].as_str()), (status, code), "{filter}: {}", answer.text);
    }
    let bearer = format!("Bearer {}", analysts.data_team);
    let get = |path: &str| analysts.server.send("GET", path, &[("authorization", &bearer)], "");
    assert_eq!(get("/export/complaints.xlsx").status, 404);
    assert_eq!(get("/export/complaints.csv?filter=%7B").status, 400);
    assert_eq!(get("/export/complaints.csv?fliter=%7B%7D").status, 400);
    // A member of the Board exports nothing about himself.
    let officer = analysts.server.data(
        &analysts.board,
        "{ officers(orderBy: [{measure: COMPLAINTS, direction: DESC}], first: 1) { nodes { code complaints { totalCount } } } }",
    )["officers"]["nodes"][0]
        .clone();
    let own = officer["complaints"]["totalCount"].as_u64().unwrap();
    let code = officer["code"].as_str().unwrap();
    let member = program().json(
        &analysts.database,
        &["token", "create", "--name", "member", "--role", "BOARD", "--officer", code],
    )["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let lines = analysts.export(&member, "csv", None).text.lines().count() as u64;
    assert!(own > 0);
    assert_eq!(lines, 1501 - own);
    let counted = analysts.server.data(&member, "{ sql(query: \"SELECT COUNT(*) AS n FROM complaints\") { rows } }");
    assert_eq!(counted["sql"]["rows"][0]["n"], 1500 - own);
}
