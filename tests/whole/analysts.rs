//! What the data team works with: SQL and exports, with pseudonyms.

use crate::program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use tests::fixtures::Files;
use tests::{Answer, Client, Json, Role, TestApp, project, python};

fn sql(team: &Client<'_>, sql: &str) -> Value {
    let query =
        "query ($sql: String!) { sql(query: $sql) { columns { name type } rows truncated position keyVersion } }";
    team.data_with(query, &json!({ "sql": sql }))["sql"].clone()
}

/// The codes and the message with which the server refuses a question.
fn refused(team: &Client<'_>, sql: &str) -> (Vec<String>, String) {
    let answer = team.sql(sql);
    (answer.codes(), answer.json()["errors"][0]["message"].to_string())
}

fn get(client: &Client<'_>, path: &str) -> Answer {
    let bearer = format!("Bearer {}", client.token);
    client.server.send("GET", path, &[("authorization", &bearer)], "")
}

fn export(client: &Client<'_>, form: &str, filter: Option<&Value>) -> Answer {
    let filter = filter.map_or(String::new(), |filter| format!("?filter={}", encoded(&filter.to_string())));
    get(client, &format!("/export/complaints.{form}{filter}"))
}

/// A client of each role that may neither ask by SQL nor export.
fn others(app: &TestApp) -> Vec<(Role, Client<'_>)> {
    let roles = Role::WORDS.iter().map(|word| word.parse::<Role>().expect("a role"));
    let others = roles.filter(|role| ![Role::DataTeam, Role::Board].contains(role));
    let client = |role: Role| if role == Role::UnitHead { app.as_head("02") } else { app.as_role(role) };
    others.map(|role| (role, client(role))).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn sql_says_what_the_statistics_say() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let (team, board) = (app.as_role(Role::DataTeam), app.as_role(Role::Board));
        let answer = sql(
            &team,
            "SELECT department, COUNT(*) AS complaints, COUNT(DISTINCT enterprise) AS enterprises, SUM(cost_vnd) AS cost
             FROM complaints GROUP BY department ORDER BY department NULLS FIRST",
        );
        let types: Vec<&Value> = answer["columns"].list().iter().map(|column| &column["type"]).collect();
        assert_eq!(types, ["text", "bigint", "bigint", "numeric"]);
        let statistics = board.data(
            "{ complaintStatistics(groupBy: [DEPARTMENT]) {
                 position rows { department { code } complaints distinctEnterprises costVnd } } }",
        )["complaintStatistics"]
            .clone();
        let of = |row: &Value| {
            let cost: i64 = row["costVnd"].text().parse().unwrap();
            (row["department"]["code"].to_string(), row["complaints"].clone(), row["distinctEnterprises"].clone(), cost)
        };
        let mut expected: Vec<_> = statistics["rows"].list().iter().map(of).collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let said = answer["rows"].list().iter().map(|row| {
            // In SQL, the sum of no costs is null. A numeric with few digits is a number.
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
        // SQL finds officers by a join; the statistics list them in the same order.
        let most = sql(
            &team,
            "SELECT a.officer, COUNT(DISTINCT c.enterprise) AS enterprises FROM allegations a
             JOIN complaints c ON a.complaint = c.complaint GROUP BY a.officer ORDER BY enterprises DESC LIMIT 1",
        )["rows"][0]
            .clone();
        let first = board.data(
            "{ complaintStatistics(groupBy: [OFFICER], first: 2,
                                   orderBy: [{field: DISTINCT_ENTERPRISES, direction: DESC}]) {
                 rows { officer { pseudonym } distinctEnterprises } } }",
        )["complaintStatistics"]["rows"]
            .list()
            .iter()
            // Complaints that name no officer are a group, too.
            .find(|row| !row["officer"].is_null())
            .unwrap()
            .clone();
        assert_eq!(most["enterprises"], first["distinctEnterprises"]);
        assert!(most["officer"].text().starts_with("k1-"), "{most}");
        // The command line says the same.
        let counts = "SELECT COUNT(*) AS n, COUNT(DISTINCT officer) AS o FROM allegations";
        let by_command = program().json(&app.database, &["sql", counts, "--key-file", &files.key()]);
        let by_server = sql(&team, counts);
        assert_eq!((&by_command["rows"], &by_command["keyVersion"]), (&by_server["rows"], &json!(1)));
        // The audit log has an entry for each question.
        app.run(&["audit", "seal", "--key-file", &files.key()]);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let logged = loop {
            let entries: Vec<Value> = app
                .database
                .open()
                .read(|conn| {
                    use diesel::prelude::*;
                    use schema::enums::AuditAction;
                    use schema::tables::audit_log::{action, actor, objects, table};
                    let all: Vec<(AuditAction, String, schema::JsonValue)> =
                        table.select((action, actor, objects)).load(conn)?;
                    let asked =
                        all.into_iter().filter(|(what, who, _)| *what == AuditAction::Sql && who.starts_with("token:"));
                    Ok(asked.map(|(_, _, entry)| entry.0).collect())
                })
                .unwrap();
            if entries.len() == 3 || std::time::Instant::now() > deadline {
                break entries;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        };
        assert_eq!(logged.len(), 3, "one entry for each question to the server: {logged:?}");
        let last = logged.iter().find(|entry| entry["sql"] == counts).expect("the last question");
        assert!(last["rows"] == 1 && last["milliseconds"].is_number() && last["failure"].is_null(), "{last}");
    }
}

#[test]
fn sql_reads_no_files_changes_nothing_and_tells_nothing_of_the_inside() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let secret = files.put("secret.csv", "a,b\n1,2\n");
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
        let (codes, message) = refused(&team, &sql);
        assert_eq!(codes, ["BAD_USER_INPUT"], "{sql}: {message}");
        assert!(!message.contains(".rs") && !message.contains("polars"), "{message}");
    }
    let (_, unknown) = refused(&team, "SELECT nothing, state FROM complaints");
    assert!(unknown.contains("nothing") && unknown.contains("received_on"), "{unknown}");
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "a,b\n1,2\n");
    assert_eq!(sql(&team, "SELECT COUNT(*) AS n FROM complaints")["rows"], json!([{ "n": 1500 }]));
    // A row has pseudonyms, and nothing by which the register itself names a complaint.
    let row = sql(&team, "SELECT * FROM complaints LIMIT 1")["rows"][0].clone();
    let names: BTreeSet<&str> = row.object().keys().map(String::as_str).collect();
    for forbidden in ["id", "reference", "text", "declaration_number", "tax_code"] {
        assert!(!names.contains(forbidden), "{forbidden}");
    }
    for (role, client) in others(&app) {
        let answer = client.request("{ sql(query: \"SELECT 1\") { rows } }");
        assert_eq!(answer.status, 403, "{role}");
        assert!(answer.codes().iter().all(|code| code == "FORBIDDEN"), "{role}: {}", answer.text);
    }
}

#[test]
fn an_expensive_sql_query_does_not_affect_other_clients() {
    let files = Files::new();
    let config = "[api.limits]\ndeadline_ms = 4000\nsql_memory_mb = 3000\nsql_rows = 100\n";
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, config);
    let team = app.as_role(Role::DataTeam);
    let cut = sql(&team, "SELECT complaint FROM complaints");
    assert_eq!((cut["rows"].list().len(), &cut["truncated"]), (100, &json!(true)));
    // 3,375,000,000 rows exceed either the memory or the time, whichever comes first.
    let (codes, message) = refused(
        &team,
        "SELECT a.complaint, b.complaint AS d, c.complaint AS e
         FROM complaints a CROSS JOIN complaints b CROSS JOIN complaints c ORDER BY 1, 2, 3",
    );
    assert!(codes == ["BAD_USER_INPUT"] || codes == ["TIMEOUT"], "{codes:?} {message}");
    assert!(message.contains("MB") || message.contains("longer than"), "{message}");
    assert_eq!(app.server().get("/healthz").status, 200);
    assert_eq!(sql(&team, "SELECT COUNT(*) AS n FROM complaints")["rows"], json!([{ "n": 1500 }]));
}

#[test]
fn every_form_of_an_export_holds_the_same_and_others_read_it() {
    let python = python(&["pyarrow"], &[], &["pyarrow==21.0.0"]);
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let key = files.key();
        let folder = files.path().join("exports");
        std::fs::create_dir_all(&folder).unwrap();
        for form in ["csv", "parquet", "arrow"] {
            let path = folder.join(format!("complaints.{form}")).display().to_string();
            let done = program().json(&app.database, &["export", &path, "--key-file", &key]);
            assert_eq!((&done["rows"], &done["keyVersion"]), (&json!(1500), &json!(1)), "{done}");
        }
        let read = |folder: &std::path::Path| -> Value {
            let script = project().join("tests/clients/exports.py");
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
        // The pseudonyms of a file differ from those of the API: a file joins with other files only.
        let list = team.data(
            "{ complaints(first: 200) { nodes {
                 pseudonym costVnd enterprise { pseudonym } officers { officer { pseudonym } } } } }",
        );
        let exported: BTreeSet<&str> = said["csv"]["enterprises"].list().iter().map(Json::text).collect();
        let listed = list["complaints"]["nodes"].list().iter();
        let listed: Vec<&str> = listed.filter_map(|node| node["enterprise"]["pseudonym"].as_str()).collect();
        assert!(listed.len() > 100 && listed.iter().all(|one| !exported.contains(one)));
        // A CSV file has no salt of its own, so over HTTP it is the same, byte by byte.
        let over_http = export(&team, "csv", None);
        assert_eq!((over_http.status, over_http.header("phananh-key-version")), (200, "1"));
        assert!(over_http.content_type.starts_with("text/csv"), "{}", over_http.content_type);
        assert!(over_http.header("content-disposition").contains("complaints.csv"));
        assert_eq!(over_http.text, std::fs::read_to_string(folder.join("complaints.csv")).unwrap());
        // An export by month, of one unit and one year.
        let months = files.path().join("months").display().to_string();
        let of_a_year = ["--unit", "02", "--from", "2025-01-01", "--until", "2025-12-31"];
        let by_month = [&["export", &months, "--by-month", "--key-file", &key][..], &of_a_year].concat();
        let done = program().json(&app.database, &by_month);
        let filter = json!({
            "unit": { "within": "02" },
            "receivedAt": { "gte": "2025-01-01T00:00:00+07:00", "lt": "2026-01-01T00:00:00+07:00" },
        });
        let filtered = export(&team, "csv", Some(&filter));
        assert_eq!(filtered.text.lines().count() as i64, done["rows"].integer() + 1);
        assert!(done["rows"].integer() > 10, "{done}");
        let written: Vec<&str> = done["files"].list().iter().map(Json::text).collect();
        assert!(written.len() > 6 && written[0].ends_with("/month=2025-01/complaints.parquet"), "{written:?}");
    }
}

#[test]
fn only_those_export_who_may_and_only_by_what_they_may_filter_by() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let (team, board) = (app.as_role(Role::DataTeam), app.as_role(Role::Board));
    for (role, client) in others(&app) {
        let answer = export(&client, "csv", None);
        assert_eq!((answer.status, answer.codes()), (403, vec!["FORBIDDEN".to_owned()]), "{role}");
    }
    let answer = app.server().get("/export/complaints.csv");
    assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]));
    for (filter, status, code) in [
        (json!({ "text": { "like": "%a%" } }), 403, "FORBIDDEN"),
        (json!({ "enterprise": { "taxCode": { "eq": "0100233488" } } }), 403, "FORBIDDEN"),
        (json!({ "unti": { "within": "02" } }), 400, "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "unit": { "within": "nowhere" } }), 400, "BAD_USER_INPUT"),
        (json!({ "state": { "eq": null } }), 400, "BAD_USER_INPUT"),
        (json!("CLOSED"), 400, "BAD_USER_INPUT"),
    ] {
        let answer = export(&team, "csv", Some(&filter));
        assert_eq!((answer.status, answer.codes()[0].as_str()), (status, code), "{filter}: {}", answer.text);
    }
    assert_eq!(get(&team, "/export/complaints.doc").status, 404);
    assert_eq!(get(&team, "/export/complaints.csv?filter=%7B").status, 400);
    assert_eq!(get(&team, "/export/complaints.csv?fliter=%7B%7D").status, 400);
    // A member of the Board exports no complaint about that member.
    let officer = board.data(
        "{ officers(orderBy: [{measure: COMPLAINTS, direction: DESC}], first: 1) {
             nodes { code complaints { totalCount } } } }",
    )["officers"]["nodes"][0]
        .clone();
    let own = officer["complaints"]["totalCount"].integer();
    let code = officer["code"].text();
    let member = app.as_member("member", code);
    let lines = export(&member, "csv", None).text.lines().count() as i64;
    assert!(own > 0);
    assert_eq!(lines, 1501 - own);
    let counted = member.data("{ sql(query: \"SELECT COUNT(*) AS n FROM complaints\") { rows } }");
    assert_eq!(counted["sql"]["rows"][0]["n"], 1500 - own);
}
