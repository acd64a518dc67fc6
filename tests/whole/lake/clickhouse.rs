//! ClickHouse finds in a lake what the register answers.

use super::Lake;
use crate::program;
use chrono::DateTime;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use tests::{Database, Json, project, python};

/// Questions in words that the register and ClickHouse share.
const QUESTIONS: [&str; 10] = [
    "SELECT COUNT(*) AS n, COUNT(cost_vnd) AS costs, SUM(cost_vnd) AS cost, MIN(cost_vnd) AS least,
         MAX(cost_vnd) AS most, COUNT(delay_hours) AS delays, SUM(delay_hours) AS hours, MIN(received_on) AS first_day,
         MAX(received_on) AS last_day, MIN(received_at) AS first_time, MAX(received_at) AS last_time FROM complaints",
    "SELECT year, month, COUNT(*) AS n, SUM(CASE WHEN confidential THEN 1 ELSE 0 END) AS kept FROM complaints
     GROUP BY year, month ORDER BY year, month",
    "SELECT department, COUNT(*) AS n, COUNT(enterprise) AS named, COUNT(DISTINCT enterprise) AS enterprises,
         COUNT(answered_on) AS answered, MIN(answered_on) AS first_answer, MAX(waited_days) AS longest,
         COUNT(escalated_on) AS escalations, SUM(officers) AS accused FROM complaints
     GROUP BY department ORDER BY department NULLS LAST",
    "SELECT confidential, blames_system, COUNT(*) AS n FROM complaints
     WHERE received_on >= DATE '2025-03-01' AND cost_vnd IS NOT NULL GROUP BY confidential, blames_system
     ORDER BY confidential, blames_system",
    "SELECT COUNT(*) AS n, MIN(CAST(received_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS DATE)) AS first_day,
         SUM(CASE WHEN CAST(received_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS DATE) = received_on THEN 1 ELSE 0 END) AS same
     FROM complaints",
    "SELECT EXTRACT(HOUR FROM received_at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS local_hour, COUNT(*) AS n FROM complaints
     GROUP BY 1 ORDER BY 1",
    "SELECT COUNT(*) AS n, COUNT(satisfied) AS rated, SUM(CASE WHEN satisfied THEN 1 ELSE 0 END) AS content,
         MIN(responded_at) AS first_time, MAX(recorded_at) AS last_time, COUNT(outcome) AS outcomes,
         COUNT(DISTINCT responded_on) AS days FROM responses",
    "SELECT month, SUM(declarations) AS n FROM workload GROUP BY month ORDER BY month",
    // What is not there is null: no empty text, and no day of 1970.
    "SELECT COUNT(*) AS n, COUNT(c.complaint) AS found, MAX(c.received_on) AS last_day FROM units AS u
     LEFT JOIN (SELECT complaint, branch, received_on FROM complaints WHERE confidential) AS c ON c.branch = u.code",
    "SELECT MAX(received_on) AS last_day, SUM(officers) AS accused FROM complaints WHERE department = 'no such'",
];
const OF_THE_JOIN: usize = 8;

/// What the statements of the lake give in ClickHouse: the rows of each question, or the numbers of rows.
#[track_caller]
fn clickhouse(lake: &Lake, questions: &[&str]) -> Value {
    let mut command = Command::new(python(&["chdb"], &[], &["chdb-core==26.9.0"]));
    command.arg("-W").arg("ignore").arg(project().join("tests/clients/lake_engines.py"));
    let output = command.arg(&lake.folder).arg("clickhouse").args(questions).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Rows as both write them.
fn plain(rows: &Value) -> Vec<BTreeMap<String, String>> {
    let row =
        |row: &Value| row.object().iter().map(|(name, value)| (name.clone(), cell(value))).collect::<BTreeMap<_, _>>();
    rows.list().iter().map(row).collect()
}

/// An instant as its microseconds, and a number without the point that a whole one may have.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => {
            DateTime::parse_from_rfc3339(text).map_or_else(|_| text.clone(), |at| at.timestamp_micros().to_string())
        }
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        other => other.to_string(),
    }
}

#[test]
fn clickhouse_finds_in_it_what_the_register_answers() {
    for database in Database::both() {
        program().run(&database, ["generate", "--complaints", "300", "--seed", "4"]).ok();
        let mut lake = Lake::new();
        // ClickHouse would make a column of this folder, in the place of the year of receipt.
        let above = lake.files.path().join("year=1999");
        std::fs::create_dir(&above).unwrap();
        lake.folder = above.join("lake");
        lake.sync(&database, &[]);

        let counted = clickhouse(&lake, &[]);
        let manifest = lake.manifest();
        let tables = manifest["tables"].object();
        let rows: BTreeMap<&str, i64> = tables.iter().map(|(name, of)| (name.as_str(), of["rows"].integer())).collect();
        let found: BTreeMap<&str, i64> =
            counted["rows"].object().iter().map(|(name, rows)| (name.as_str(), rows.integer())).collect();
        assert_eq!(found, rows);
        assert!(rows["complaints"] > 200 && rows["workload"] > 0 && rows["responses"] > 0, "{rows:?}");

        let answers = clickhouse(&lake, &QUESTIONS);
        for (question, answer) in QUESTIONS.into_iter().zip(answers.list()) {
            let of_register = program().json(&database, &["sql", question, "--key-file", &lake.key]);
            let (found, expected) = (plain(answer), plain(&of_register["rows"]));
            assert!(!expected.is_empty(), "{question}");
            assert_eq!(found, expected, "{question}");
        }
        let joined = &answers[OF_THE_JOIN][0];
        assert!(joined["found"].integer() < joined["n"].integer(), "a unit has no such complaint: {joined}");
    }
}
