//! The questions of docs/questions.md: SQL, GraphQL, DuckDB and polars give the same numbers.

mod in_graphql;
mod none_to_many;

use crate::program;
use in_graphql::IN_GRAPHQL;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp, project, python};

/// The files of the questions with the names under which they are saved, in their order.
fn questions() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(project().join("docs/questions")).unwrap();
    let mut files: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let name = |file: &String| file.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').replace(".sql", "");
    files.iter().map(|file| (name(file), file.clone())).collect()
}

/// The GraphQL of each question that has one.
fn documents() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(project().join("docs/questions.md")).unwrap();
    let mut found = BTreeMap::new();
    for (name, file) in questions() {
        let section = text.split("\n## ").find(|section| section.contains(&format!("(questions/{file})")));
        let section = section.unwrap_or_else(|| panic!("docs/questions.md does not name {file}"));
        if let Some((_, rest)) = section.split_once("```graphql\n") {
            found.insert(name, rest.split_once("```").unwrap().0.to_owned());
        }
    }
    found
}

/// The columns and rows of a saved question, as the server answers it.
fn run(client: &Client<'_>, name: &str) -> Value {
    let query = "query ($name: String!) { runSavedQuery(name: $name) { answer { columns { name } rows truncated } } }";
    let answer = client.data_with(query, &json!({ "name": name }))["runSavedQuery"]["answer"].clone();
    assert_eq!(answer["truncated"], false, "{name}");
    let columns: Vec<Value> = answer["columns"].list().iter().map(|column| column["name"].clone()).collect();
    let cells = |row: &Value| columns.iter().map(|column| row[column.text()].clone()).collect::<Vec<_>>();
    let rows: Vec<Vec<Value>> = answer["rows"].list().iter().map(cells).collect();
    json!({ "columns": columns, "rows": rows })
}

/// Whether two answers are the same. Engines add up floating-point numbers in another order.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
        }
        (a, b) => a == b,
    }
}

/// A cell as text. Amounts are texts in GraphQL, and what is null there is `NONE` here.
fn said(cell: &Value) -> String {
    let number = cell.as_f64().or_else(|| cell.as_str().and_then(|text| text.parse().ok()));
    match (number, cell) {
        (Some(number), _) => format!("{number:.3}"),
        (None, Value::String(text)) => text.clone(),
        (None, Value::Null) => "NONE".to_owned(),
        (None, other) => other.to_string(),
    }
}

#[test]
fn sql_graphql_duckdb_and_polars_give_the_same_numbers() {
    let python = python(&["duckdb", "polars"], &[], &["duckdb", "polars"]);
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        // A register that has a flag on a branch.
        let app = app.generated(6_000, 7).arguments(&["--no-jobs", "--key-file", &key]).start();
        app.run(&["jobs", "run", "recurrence", "--as-of", "2025-12-31"]);
        app.run(&["jobs", "run", "escalate-overdue"]);
        let folder = project().join("docs/questions").display().to_string();
        let saved = program().json(&app.database, &["queries", "save", "--all", &folder]);
        let names: Vec<&str> = saved.list().iter().map(|one| one["name"].text()).collect();
        let questions = questions();
        assert_eq!(names, questions.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        assert_eq!(names.len(), 20);
        let lake = files.path().join("lake").display().to_string();
        app.run(&["lake", "sync", &lake, "--key-file", &key]);
        let output = Command::new(&python)
            .arg(project().join("tests/clients/questions.py"))
            .args([&lake, &project().join("docs").display().to_string()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let elsewhere: Value = serde_json::from_slice(&output.stdout).unwrap();
        let team = app.as_role(Role::DataTeam);
        let documents = documents();
        assert_eq!(
            documents.keys().map(String::as_str).collect::<BTreeSet<_>>(),
            IN_GRAPHQL.iter().map(|asked| asked.name).collect::<BTreeSet<_>>()
        );
        for name in names {
            let answer = run(&team, name);
            assert!(!answer["rows"].list().is_empty(), "{name} has no rows");
            for engine in ["duckdb", "polars"] {
                let other = &elsewhere[name][engine];
                assert!(same(&answer, other), "{name}: SQL {answer}\n{engine} {other}");
            }
            let Some(asked) = IN_GRAPHQL.iter().find(|asked| asked.name == name) else { continue };
            let place = |column: &str| answer["columns"].list().iter().position(|one| one == column).unwrap();
            let rows = answer["rows"].list().iter();
            let mut by_sql: BTreeSet<Vec<String>> =
                rows.map(|row| asked.columns.iter().map(|column| said(&row[place(column)])).collect()).collect();
            // Statistics have no group without complaints.
            if name == "rate-by-branch" {
                by_sql.retain(|row| row[1] != said(&json!(0)));
            }
            let data = app.as_role(asked.role).data(&documents[name]);
            let by_graphql: BTreeSet<Vec<String>> =
                (asked.rows)(&data).iter().map(|row| row.iter().map(said).collect()).collect();
            assert_eq!(by_sql, by_graphql, "{name}");
        }
    }
}
