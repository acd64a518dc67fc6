//! Exports of tables have the rows that SQL answers.

use super::{fill_with_all_tables, served};
use crate::exports::{cells, get};
use tests::fixtures::Files;
use tests::{Role, TestApp};

/// Tables with columns that have one text in files and in answers. Files have pseudonyms of their own.
const TABLES: [(&str, &[&str]); 4] = [
    ("allegations", &["category", "unit", "attribution", "finding", "decided_on", "received_on"]),
    ("responses", &["unit", "responded_on", "kind", "visibility"]),
    ("flags", &["subject_kind", "unit", "tier", "state", "proposed", "as_of"]),
    ("workload", &["unit", "month", "declarations"]),
];

#[test]
fn exported_tables_have_the_rows_that_sql_answers() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = served(app.filled(fill_with_all_tables), &files, "sql_rows = 1000000\n");
        let team = app.as_role(Role::DataTeam);
        let bearer = format!("Bearer {}", team.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/sql"), ("accept", "text/csv")];
        for (table, columns) in TABLES {
            let sql = format!("SELECT {} FROM {table}", columns.join(", "));
            let answer = team.server.send("POST", "/sql", &headers, &sql);
            assert_eq!(answer.status, 200, "{table}: {}", answer.text);
            let mut expected: Vec<String> = answer.text.lines().skip(1).map(str::to_owned).collect();
            let exported = get(&team, &format!("{table}.csv"));
            assert_eq!(exported.status, 200, "{table}: {}", exported.text);
            let of_columns: Vec<Vec<String>> = columns.iter().map(|column| cells(&exported.text, column)).collect();
            let row = |at: usize| of_columns.iter().map(|column| column[at].as_str()).collect::<Vec<_>>().join(",");
            let mut found: Vec<String> = (0..of_columns[0].len()).map(row).collect();
            expected.sort_unstable();
            found.sort_unstable();
            assert!(!found.is_empty(), "{table} has no rows");
            assert!(found == expected, "{table}: {} rows of the file, {} of SQL", found.len(), expected.len());
        }
    }
}
