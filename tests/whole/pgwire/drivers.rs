//! Drivers and tools of other people: psycopg, SQLAlchemy with pandas, asyncpg, node-postgres, JDBC, RPostgreSQL.

use super::PgApp;
use serde_json::{Value, json};
use std::process::Command;
use tests::{Json, Role, TestApp, java_with_jdbc, node, project, python, r_with_postgresql};

/// Runs a script of Python with the packages that all of them need.
fn python_says(script: &str, given: &Value) -> Value {
    let modules = ["psycopg", "sqlalchemy", "pandas", "asyncpg"];
    let packages = ["psycopg[binary]==3.3.9", "sqlalchemy==2.1.9", "pandas==3.1.1", "asyncpg==0.32.0"];
    let python = python(&modules, &[], &packages);
    let output =
        Command::new(python).arg(project().join("tests/clients").join(script)).arg(given.to_string()).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The number of complaints that are not about conduct, and of those that are, as the API counts them.
fn counted(app: &PgApp) -> (u64, u64) {
    let answer = app
        .app
        .as_role(Role::Board)
        .data("{ complaintStatistics(groupBy: [KIND]) { totals { complaints } rows { kind complaints } } }");
    let statistics = &answer["complaintStatistics"];
    let all = statistics["totals"]["complaints"].as_u64().unwrap();
    let conduct = statistics["rows"].list().iter().find(|row| row["kind"] == "CONDUCT");
    let conduct = conduct.map_or(0, |row| row["complaints"].as_u64().unwrap());
    (all - conduct, conduct)
}

#[test]
fn psycopg_reads_types_and_errors_and_cancels() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let said = python_says("pg_psycopg.py", &app.given(Role::DataTeam));
    assert_eq!(said["text"], said["binary"], "both formats say the same");
    assert_eq!(said["all"], 1_500);
    let (others, _) = counted(&app);
    let of_kinds: u64 = said["kinds"].list().iter().map(|row| row[1].as_u64().unwrap()).sum();
    assert_eq!(of_kinds, others);
    assert_eq!(said["parameters"], json!(["int:42", "date:2000-01-01", "str:it's", "float:0.5"]));
    assert_eq!(said["division"], json!(["float:1.25e-07"]));
    let codes = json!({
        "syntax": "42601", "table": "42P01", "column": "42703", "writes": "42501", "parameter": "22P02", "copy": "0A000",
    });
    assert_eq!(said["errors"], codes);
    assert_eq!(said["settings"], json!(["160006", "read committed", "UTC"]));
    assert_eq!(said["transaction"], json!(["INTRANS", "INERROR", "25P02", "IDLE"]));
    assert_eq!((&said["cancelled"], &said["afterwards"]), (&json!("57014"), &json!(1)));
    assert!(said["seconds"].as_f64().unwrap() < 5.0, "{said}");
    assert_eq!(said["timeout"], json!(["57014", true]));
    let cursors = json!({
        "after_commit": "34000", "no_transaction": "25P01", "scroll": ["0A000"], "hold": ["0A000"],
        "backward": ["0A000"], "twice": ["42P03"], "column": ["42703"], "closed": ["34000"], "too_many": ["53400"],
    });
    assert_eq!(said["cursors"], cursors);
}

#[test]
fn sqlalchemy_pandas_and_asyncpg_see_tables_and_ask() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let said = python_says("pg_tools.py", &app.given(Role::DataTeam));
    let tables: Vec<&str> = said["tables"].list().iter().map(Json::text).collect();
    assert!(["allegations", "complaints", "units"].iter().all(|table| tables.contains(table)), "{tables:?}");
    assert_eq!((&said["columns"]["received_on"], &said["columns"]["kind"]), (&json!("DATE"), &json!("TEXT")), "{said}");
    assert_eq!((&said["nullable"]["complaint"], &said["nullable"]["department"]), (&json!(false), &json!(true)));
    assert_eq!(said["schemas"], json!(["information_schema", "public"]));
    assert_eq!((&said["tables_of_schema"], &said["reflected"]), (&said["tables"], &said["tables"]));
    assert_eq!((&said["views"], &said["has"]), (&json!([]), &json!([true, false])));
    assert_eq!(said["keys"], json!([[], [], [], [], []]), "there are no keys and indexes");
    assert!(said["comment"].text().starts_with("Units. "), "{said}");
    assert_eq!(said["comments"]["code"], "Code of the unit.");
    assert!(said["units"].list().contains(&json!("name_vi")), "{said}");
    assert_eq!(said["chunks"], json!([400, 400, 400, 300]));
    assert_eq!(said["frame"], json!([["received_on", "kind", "cost_vnd"], 5]));
    let (_, conduct) = counted(&app);
    assert_eq!((said["conduct"].as_u64(), said["whole"].as_u64()), (Some(conduct), Some(1_500)));
    assert_eq!(said["escaped"], json!([conduct, 0, 0]));
    assert_eq!(said["asyncpg"], json!({ "n": conduct, "first": "date", "error": "42703" }));
}

#[test]
fn node_postgres_asks_with_parameters() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let said: Value = serde_json::from_str(&node("pg.js", &[&app.given(Role::DataTeam).to_string()])).unwrap();
    let (others, _) = counted(&app);
    // The driver reads `bigint` as text.
    let of_kinds: u64 = said["kinds"].list().iter().map(|row| row["n"].text().parse::<u64>().unwrap()).sum();
    assert_eq!(of_kinds, others);
    assert_eq!(said["counts"][0], said["counts"][1]);
    // date, numeric, text[], text.
    assert_eq!(said["types"], json!([1082, 1700, 1009, 25]));
    assert_eq!((&said["list"], &said["money"]), (&json!(["a", "b"]), &json!("1.50")));
    assert_eq!((&said["code"], &said["position"]), (&json!("42601"), &json!("14")));
    assert_eq!(said["both"], json!([[{ "one": "1" }], [{ "two": "2" }]]));
    assert_eq!(said["refused"], "28P01");
}

#[test]
fn the_jdbc_driver_sees_tables_asks_and_cancels() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let given = app.given(Role::DataTeam);
    let url = format!("jdbc:postgresql://{}/phananh", app.address);
    let said = java_with_jdbc("Jdbc.java", &[&url, given["user"].text(), given["password"].text()]);
    let (others, _) = counted(&app);
    for line in [
        "tables: true",
        "columns: true",
        "comments: true",
        "keys: 0 0 0",
        "date: 2024-01-02",
        "instant: 2024-01-02T03:04:05Z",
        "decimal: -12.50",
        "list: 2",
        "null: true",
        "float: 1.5",
        "rows: 1500",
        "error: 42703",
        "cancelled: 57014",
        "valid: true",
    ] {
        assert!(said.lines().any(|one| one == line), "{line}: {said}");
    }
    assert_eq!(said.lines().filter(|line| **line == format!("others: {others}")).count(), 7, "{said}");
}

#[test]
fn r_sees_tables_and_reads_answers_in_parts() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let (given, port) = (app.given(Role::DataTeam), app.address.port().to_string());
    let said = r_with_postgresql("pg.R", &["127.0.0.1", &port, given["user"].text(), given["password"].text()]);
    let (_, conduct) = counted(&app);
    for line in [
        "tables: TRUE",
        "fields: TRUE",
        "exists: TRUE FALSE",
        "types: character numeric Date numeric",
        "all: 1500",
        &format!("conduct: {conduct}"),
        "parts: 100 1400",
        &format!("parameter: {conduct}"),
        "read: TRUE",
        "refused: TRUE",
        "afterwards: 1",
        "closed: TRUE",
    ] {
        assert!(said.lines().any(|one| one == line), "{line}: {said}");
    }
}
