//! Questions of shapes in which dialects differ, which the server answers as PostgreSQL does over the same rows.

use super::questions::split;
use super::questions_against_duckdb::{same, sorted};
use super::{ask, fill_with_all_tables, rows, served};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Client, Database, Json, Role, TestApp};

/// The tables that the questions read.
const TABLES: [&str; 4] = ["allegations", "complaints", "responses", "units"];

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    answer: String,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Makes a table of the rows that the server answers.
fn load(into: &mut PgConnection, client: &Client<'_>, table: &str) {
    let answer = ask(client, &format!("SELECT * FROM {table}")).json();
    assert_eq!(answer["truncated"], false, "{table}");
    let columns = answer["columns"].list();
    let names: Vec<&str> = columns.iter().map(|column| column["name"].text()).collect();
    let types: Vec<String> =
        columns.iter().map(|column| format!("\"{}\" {}", column["name"].text(), column["type"].text())).collect();
    let object = |row: &Value| -> Value { names.iter().copied().zip(row.list().iter().cloned()).collect() };
    let objects: Vec<Value> = answer["rows"].list().iter().map(object).collect();
    assert!(!objects.is_empty(), "{table} has no rows");
    let types = types.join(", ");
    let objects = quoted(&json!(objects).to_string());
    let made = format!("CREATE TABLE {table} AS SELECT * FROM jsonb_to_recordset({objects}::jsonb) AS t ({types})");
    into.batch_execute(&made).unwrap_or_else(|error| panic!("{table}: {error}"));
}

/// The rows that PostgreSQL answers, each as a list.
fn of_postgresql(connection: &mut PgConnection, name: &str, text: &str) -> Vec<Value> {
    let lists = format!(
        "SELECT COALESCE(json_agg((SELECT json_agg(value) FROM json_each(row_to_json(t)))), '[]')::text AS answer \
         FROM ({text}) AS t"
    );
    let found: Answer = sql_query(lists).get_result(connection).unwrap_or_else(|error| panic!("{name}: {error}"));
    let found: Value = serde_json::from_str(&found.answer).unwrap();
    found.list().to_vec()
}

#[test]
fn the_server_answers_as_postgresql_does() {
    let files = Files::new();
    let app = served(TestApp::sqlite().filled(fill_with_all_tables), &files, "sql_rows = 100000\n");
    let team = app.as_role(Role::DataTeam);
    let scratch = Database::postgres();
    let mut postgres = PgConnection::establish(&scratch.url).unwrap();
    postgres.batch_execute("SET TimeZone = 'UTC'").unwrap();
    for table in TABLES {
        load(&mut postgres, &team, table);
    }
    let questions = split(include_str!("for_postgresql.sql"));
    assert!(questions.len() >= 80, "{}", questions.len());
    for (name, text) in questions {
        let (mut found, mut expected) = (rows(&team, text), of_postgresql(&mut postgres, name, text));
        if !text.lines().last().is_some_and(|line| line.starts_with("ORDER BY")) {
            (found, expected) = (sorted(found), sorted(expected));
        }
        assert!(!found.is_empty(), "{name} has no rows");
        assert_eq!(found.len(), expected.len(), "{name}: {found:?} {expected:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(same(found, expected), "{name}: {found}, but PostgreSQL says {expected}");
        }
    }
}
