//! What is taken out, or never stored, before a seal covers it leaves a gap: no number is missing in a genuine chain.

use super::register::key_file;
use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::verification::verify;
use tests::work::Mutations;
use tests::{Client, Database, Json};

/// The problems as chain, kind and message.
fn told(report: &Value) -> Vec<String> {
    let problems = report["problems"].list().iter();
    problems
        .map(|one| format!("{} {}: {}", one["chain"].as_str().unwrap_or("all"), one["kind"], one["message"]))
        .collect()
}

fn seal(database: &Database, key: &str) {
    program().run(database, ["audit", "seal", "--key-file", key]).ok();
}

/// Submits a complaint; its id as the database has it.
fn submit(database: &Database, key: &str) -> String {
    let token = program().token(database, "INTAKE", None);
    let server = program().serve(database, &["--no-jobs"]);
    let more = json!({ "officers": ["CC01"], "unit": "02CV", "category": "TD1" });
    let receipt = Client { server: &server, token }.submitted(key, &more);
    let id = receipt["id"].text();
    match database.name {
        "sqlite" => format!("x'{}'", id.replace('-', "")),
        _ => format!("'{id}'"),
    }
}

#[test]
fn what_was_taken_out_before_it_was_sealed_leaves_a_gap() {
    let files = Files::new();
    let key = key_file(&files);
    for filled in Database::both() {
        fixtures::fill(&filled);
        seal(&filled, &key);
        let board = program().token(&filled, "BOARD", None);
        for (what, expected) in [
            ("a look", "AUDIT \"removed\""),
            ("a complaint with all its traces", "COMPLAINTS \"removed\""),
            ("a revocation", "STATE \"removed\""),
            ("one of several events of an import", "COMPLAINTS \"removed\""),
        ] {
            let database = filled.copy();
            match what {
                "a look" => {
                    let server = program().serve(&database, &["--no-jobs"]);
                    for name in ["First", "Second", "Third"] {
                        server.data(&board, &format!("query {name} {{ officer(code: \"CC01\") {{ name }} }}"));
                    }
                    server.end_by("TERM");
                    database.tamper("DELETE FROM audit_log WHERE operation = 'Second'");
                }
                "a complaint with all its traces" => {
                    let id = submit(&database, "first");
                    submit(&database, "second");
                    for table in
                        ["complaint_officers", "complaint_sources", "complaint_event_values", "complaint_events"]
                    {
                        database.tamper(&format!("DELETE FROM {table} WHERE complaint_id = {id}"));
                    }
                    database.tamper(&format!("DELETE FROM complaints WHERE id = {id}"));
                }
                "a revocation" => {
                    program().run(&database, ["token", "create", "--name", "out", "--role", "BOARD"]).ok();
                    program().run(&database, ["token", "revoke", "--name", "out"]).ok();
                    program().run(&database, ["token", "create", "--name", "in", "--role", "ADMIN"]).ok();
                    database.tamper("DELETE FROM state_events WHERE number = (SELECT max(e.number) FROM state_events e WHERE e.table_name = 'api_tokens' AND EXISTS (SELECT 1 FROM state_events f WHERE f.table_name = 'api_tokens' AND f.row_key = e.row_key AND f.number < e.number))");
                    database.tamper("UPDATE api_tokens SET revoked_at = NULL");
                }
                _ => {
                    // Two complaints in one transaction, of which one goes.
                    let more = fixtures::COMPLAINTS.replace("PA-", "PB-");
                    fixtures::import(&database, "complaints", more, fixtures::COMPLAINTS_MAP);
                    let gone = "(SELECT complaint_id FROM complaint_sources WHERE reference = 'PB-1')";
                    for table in ["complaint_officers", "complaint_event_values", "complaint_events"] {
                        database.tamper(&format!("DELETE FROM {table} WHERE complaint_id = {gone}"));
                    }
                    database.tamper(&format!("CREATE TABLE gone AS {}", gone.trim_matches(['(', ')'])));
                    database.tamper("DELETE FROM complaint_sources WHERE reference = 'PB-1'");
                    database.tamper("DELETE FROM complaints WHERE id IN (SELECT complaint_id FROM gone)");
                    database.tamper("DROP TABLE gone");
                }
            }
            // Sealed afterwards, as a server does every few seconds.
            seal(&database, &key);
            let (status, report) = verify(&database, &key, &[]);
            let told = told(&report);
            assert_eq!((status, &report["verified"]), (1, &json!(false)), "{what} on {}: {report}", database.name);
            assert!(
                told.iter().any(|one| one.starts_with(expected) && one.contains("deleted or never stored")),
                "{what} on {}: {told:?}",
                database.name
            );
        }
    }
}

#[test]
fn what_never_arrived_because_of_a_trigger_leaves_a_gap() {
    let files = Files::new();
    let key = key_file(&files);
    let database = Database::sqlite();
    fixtures::fill(&database);
    seal(&database, &key);
    let (board, other) =
        (program().token(&database, "BOARD", None), program().token(&database, "UNIT_HEAD", Some("02CV")));
    database.tamper(
        "CREATE TRIGGER hides BEFORE INSERT ON audit_log WHEN NEW.role = 'BOARD' BEGIN SELECT raise(IGNORE); END",
    );
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
    server.data(&board, "query Hidden { officers { nodes { name } } }");
    server.data(&other, "query Seen { complaints { nodes { text } } }");
    server.end_by("TERM");
    database.tamper("DROP TRIGGER hides");
    let (status, report) = verify(&database, &key, &[]);
    assert!(status == 1 && told(&report).iter().any(|one| one.starts_with("AUDIT \"removed\"")), "{report}");
}

#[test]
fn a_row_of_the_future_is_not_unsealed_for_ever() {
    let files = Files::new();
    let key = key_file(&files);
    for database in Database::both() {
        fixtures::fill(&database);
        seal(&database, &key);
        program().run(&database, ["token", "create", "--name", "late", "--role", "ADMIN"]).ok();
        let later = if database.name == "sqlite" { "at + 2000000000000000" } else { "at + interval '70 years'" };
        database.tamper(&format!("UPDATE audit_log SET at = {later} WHERE number > (SELECT coalesce(max(until), 0) FROM seals WHERE chain = 'AUDIT')"));
        let (status, report) = verify(&database, &key, &[]);
        assert!(status == 1 && told(&report).iter().any(|one| one.starts_with("AUDIT \"unsealed\"")), "{report}");
    }
}

#[test]
fn history_that_was_erased_is_told() {
    let files = Files::new();
    let key = key_file(&files);
    for filled in Database::both() {
        fixtures::fill(&filled);
        let corrected = fixtures::COMPLAINTS.replace("Cán bộ đòi tiền", "Nội dung khác");
        fixtures::import(&filled, "complaints", corrected, fixtures::COMPLAINTS_MAP);
        let renamed = fixtures::OFFICERS.replace("Nguyễn Văn An", "Nguyễn Văn Ân");
        fixtures::import(&filled, "officers", renamed, fixtures::OFFICERS_MAP);
        seal(&filled, &key);
        assert_eq!(verify(&filled, &key, &[]).0, 0, "nothing was erased yet");
        for sql in [
            "DELETE FROM complaint_event_values WHERE value = 'Cán bộ đòi tiền' AND side = 'AFTER'",
            "DELETE FROM complaint_event_values WHERE side = 'BEFORE'",
            "DELETE FROM reference_event_values WHERE side = 'BEFORE'",
            "DELETE FROM reference_event_values WHERE value = 'Nguyễn Văn An' AND side = 'AFTER'",
        ] {
            let database = filled.copy();
            database.tamper(sql);
            let (status, report) = verify(&database, &key, &[]);
            let told = told(&report);
            assert!(
                status == 1 && told.iter().all(|one| one.contains("was erased")),
                "{sql} on {}: {told:?}",
                database.name
            );
        }
    }
}
