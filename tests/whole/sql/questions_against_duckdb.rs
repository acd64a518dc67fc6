//! Many questions over all tables, which the server answers as DuckDB does over the lake.

use super::questions::{Question, questions};
use super::{fill_with_all_tables, rows, served};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tests::fixtures::Files;
use tests::{Json, Role, TestApp, project, python};

/// The relative difference up to which two numbers are one: engines add in another order.
const NEAR: f64 = 1e-9;

/// The answers of DuckDB.
fn of_duckdb(lake: &Path, questions: &[Question]) -> Vec<Value> {
    let texts: Vec<&str> = questions.iter().map(|one| one.for_duckdb.as_str()).collect();
    let mut command = Command::new(python(&["duckdb"], &[], &["duckdb"]));
    command.arg(project().join("tests/clients/duckdb_answers.py")).arg(lake);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(json!(texts).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap();
    answers.list().to_vec()
}

/// A number, also one that has too many digits for JSON and is a text.
fn number(of: &Value) -> Option<f64> {
    of.as_f64().or_else(|| of.as_str()?.parse().ok())
}

pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Number(_), _) | (_, Value::Number(_)) => match (number(one), number(other)) {
            (Some(one), Some(other)) => (one - other).abs() <= NEAR * one.abs().max(other.abs()).max(NEAR),
            _ => false,
        },
        _ => one == other,
    }
}

/// What rows are sorted by where their order is not part of the answer.
fn sort_key(row: &Value) -> Vec<String> {
    let text = |cell: &Value| match cell {
        Value::Number(_) => format!("{:.6e}", cell.number()),
        other => other.to_string(),
    };
    row.list().iter().map(text).collect()
}

pub fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_cached_key(sort_key);
    rows
}

#[test]
fn the_server_answers_as_duckdb_does() {
    let questions = questions();
    assert!(questions.len() >= 60, "{}", questions.len());
    for table in jobs::tables::TABLES.iter().filter(|table| !table.board_only) {
        assert!(questions.iter().any(|one| one.text.contains(table.name)), "no question reads {}", table.name);
    }
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = served(app.filled(fill_with_all_tables), &files, "");
        let (lake, key) = (files.path().join("lake"), files.path().join("key"));
        app.run(&["lake", "sync", lake.to_str().unwrap(), "--key-file", key.to_str().unwrap()]);
        let expected = of_duckdb(&lake, &questions);
        let team = app.as_role(Role::DataTeam);
        let mut with_rows = 0;
        for (question, expected) in questions.iter().zip(expected) {
            let name = question.name;
            assert!(expected.is_array(), "{name}: DuckDB says {expected}");
            let (mut found, mut expected) = (rows(&team, &question.text), expected.list().to_vec());
            if !question.is_ordered() {
                (found, expected) = (sorted(found), sorted(expected));
            }
            assert_eq!(found.len(), expected.len(), "{name}: {found:?} {expected:?}");
            for (found, expected) in found.iter().zip(&expected) {
                assert!(same(found, expected), "{name}: {found}, but DuckDB says {expected}");
            }
            with_rows += usize::from(!found.is_empty());
        }
        assert!(with_rows >= 60, "{with_rows} questions have an answer with rows");
    }
}
