//! What the answers of SQL have to be: those of another engine, errors where a number would be wrong, nothing that
//! harms others, and no name.

mod arithmetic;
mod as_postgresql;
mod exported;
mod hostile;
mod no_way_to_a_name;
pub mod questions;
mod questions_against_duckdb;
mod questions_against_postgresql;

use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Answer, Client, Database, Program, TestApp, TestAppBuilder};

/// A server with a key file that answers many questions a minute.
fn served(app: TestAppBuilder, files: &Files, limits: &str) -> TestApp {
    app.start_with(files, &format!("[api.limits]\nrequests_per_minute = 10000000\n{limits}"))
}

/// Fills a database with an invented register, flags and results of jobs.
fn fill_with_all_tables(database: &Database) {
    database.fill_once("generated for SQL 3000 19", |database| {
        let program = Program::built();
        program.run(database, ["generate", "--complaints", "3000", "--seed", "19"]).ok();
        fixtures::run_counting(database, "2025-12-31");
        for job in ["timeliness", "trends", "blame-check"] {
            program.run(database, ["jobs", "run", job, "--as-of", "2025-12-31"]).ok();
        }
    });
}

/// The answer to SQL in JSON.
fn ask(client: &Client<'_>, sql: &str) -> Answer {
    let bearer = format!("Bearer {}", client.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    client.server.send("POST", "/sql", &headers, &json!({ "query": sql }).to_string())
}

/// The rows of an answer that has to be one.
#[track_caller]
fn rows(client: &Client<'_>, sql: &str) -> Vec<Value> {
    let answer = ask(client, sql);
    assert_eq!(answer.status, 200, "{sql}: {answer:?}");
    let document = answer.json();
    assert_eq!(document["truncated"], false, "{sql}");
    document["rows"].as_array().cloned().unwrap_or_else(|| panic!("{sql}: {document}"))
}
