//! Verifications of a database, and the problems that they find.

use crate::{Database, Json, Program};
use serde_json::Value;

/// What a verification says: the exit status and the report.
pub fn verify(database: &Database, key: &str, more: &[&str]) -> (i32, Value) {
    let args = [&["audit", "verify", "--key-file", key, "--format", "json"], more].concat();
    let finished = Program::built().run(database, args);
    (finished.status, finished.json())
}

/// The problems as `table.column`, `table +` for a row that was put in, `table -` for one that was taken out.
pub fn found(report: &Value) -> Vec<String> {
    let problems = report["problems"].list();
    let mut found: Vec<String> = problems
        .iter()
        .map(|problem| match problem["table"].as_str() {
            None => format!("{} {}", problem["chain"].as_str().unwrap_or("all"), problem["kind"].text()),
            Some(table) => {
                assert!(!problem["row"].text().is_empty(), "{problem}");
                match problem["kind"].text() {
                    "inserted" => format!("{table} +"),
                    "removed" => format!("{table} -"),
                    "changed" => format!("{table}.{}", problem["column"].text()),
                    other => format!("{table}.{} {other}", problem["column"].text()),
                }
            }
        })
        .collect();
    found.sort();
    found.dedup();
    found
}
