//! Seals that are deleted, cut off or made anew, rows without a seal, and what the daily job does.

use super::register::{Prepared, key_file};
use crate::program;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tests::fixtures::{self, Files};
use tests::verification::{found, verify};
use tests::{Database, Json};

fn kinds(report: &Value) -> Vec<String> {
    let problems = report["problems"].list().iter();
    let mut kinds: Vec<String> = problems.map(|problem| problem["kind"].text().to_owned()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn seal(database: &Database, key: &str, more: &[&str]) {
    program().run(database, [&["audit", "seal", "--key-file", key], more].concat()).ok();
}

#[test]
fn nothing_is_verified_without_a_key_a_seal_and_within_a_minute() {
    let files = Files::new();
    let key = key_file(&files);
    for database in Database::both() {
        // Anew: rows of a template may be older than the minute in which they have to be sealed.
        fixtures::fill_anew(&database);
        let without = program().run(&database, ["audit", "verify", "--format", "json"]);
        assert!(without.status == 1 && without.err.contains("--key-file"), "{without:?}");
        assert_eq!(
            (&without.json()["verified"], kinds(&without.json())),
            (&json!(false), vec!["key-missing".into(), "no-seals".into()])
        );
        // Rows that were just written wait for their seal, and without any nothing is verified.
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, kinds(&report)), (1, vec!["no-seals".to_owned()]), "{report}");
        assert!(report["unsealed"].as_i64() > Some(10) && report["sealed"] == 0, "{report}");
        seal(&database, &key, &[]);
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, &report["verified"], &report["unsealed"]), (0, &json!(true), &json!(0)), "{report}");
        assert_eq!(report["sealed"], report["chains"].list().iter().map(|c| c["rows"].integer()).sum::<i64>());
        let sealed = program().run(&database, ["audit", "verify", "--format", "json"]);
        assert_eq!((sealed.status, kinds(&sealed.json())), (1, vec!["key-missing".to_owned()]), "the key is missing");

        // Each chain is checked: a row that is two minutes old must have a seal.
        program().run(&database, ["token", "create", "--name", "late", "--role", "ADMIN"]).ok();
        let (status, report) = verify(&database, &key, &[]);
        assert!(status == 0 && report["unsealed"].as_i64() >= Some(3), "{report}");
        let earlier = |column: &str| match database.name {
            "sqlite" => format!("{column} = {column} - 120000000"),
            _ => format!("{column} = {column} - interval '2 minutes'"),
        };
        let last = |chain: &str| format!("(SELECT coalesce(max(until), 0) FROM seals WHERE chain = '{chain}')");
        database.tamper(&format!("UPDATE audit_log SET {} WHERE number > {}", earlier("at"), last("AUDIT")));
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, found(&report)), (1, vec!["AUDIT unsealed".to_owned()]), "{report}");
        database.tamper(&format!(
            "UPDATE state_events SET {} WHERE number > {}",
            earlier("recorded_at"),
            last("STATE")
        ));
        let (_, report) = verify(&database, &key, &[]);
        assert_eq!(found(&report), ["AUDIT unsealed", "STATE unsealed"], "{report}");
        seal(&database, &key, &[]);
        assert_eq!(verify(&database, &key, &[]).0, 0);
    }
}

#[test]
fn seals_made_anew_are_told_by_what_lies_outside() {
    for prepared in Prepared::both() {
        let Prepared { database, key } = &prepared;
        let files = Files::new();
        let witness = files.path().join("witness").display().to_string();
        std::fs::create_dir(&witness).unwrap();
        let config = files.put("config.toml", format!("[audit]\nwitness = {witness:?}\n")).display().to_string();
        let configured = ["--config", config.as_str()];
        // What was sealed before is witnessed, too.
        seal(database, key, &configured);
        let (status, report) = verify(database, key, &configured);
        assert_eq!((status, found(&report)), (0, vec![]), "{report}");
        let lines = |chain: &str| std::fs::read_to_string(Path::new(&witness).join(chain)).unwrap();
        assert_eq!(report["chains"][0]["seals"], lines("complaints.seals").lines().count());
        for file in ["complaints.seals", "reference.seals", "audit.seals", "state.seals"] {
            let mode = std::fs::metadata(Path::new(&witness).join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let newest: Vec<String> = report["chains"]
            .list()
            .iter()
            .map(|chain| {
                format!(
                    "{}:{}:{}",
                    chain["newest"]["chain"].text(),
                    chain["newest"]["number"],
                    chain["newest"]["hash"].text()
                )
            })
            .collect();
        assert!(lines("state.seals").trim_end().ends_with(&newest[3]));

        // Somebody deletes all of them, and a server seals what he left behind.
        let copy = database.copy();
        copy.tamper("UPDATE complaint_events SET effective_at = recorded_at; DELETE FROM seals");
        let (status, report) = verify(&copy, key, &[]);
        assert!(status == 1 && report["seals"] == 0 && kinds(&report).contains(&"no-seals".to_owned()), "{report}");
        seal(&copy, key, &[]);
        assert_eq!(verify(&copy, key, &[]).0, 0, "nothing within the database tells");
        for outside in [&configured[..], &["--witness", &witness], &["--expect", &newest[0]], &["--seal", &newest[0]]] {
            let (status, report) = verify(&copy, key, outside);
            assert_eq!((status, kinds(&report)), (1, vec!["cut-off".to_owned()]), "{outside:?}: {report}");
        }
        // A server that goes on does not overwrite what was witnessed.
        let before = lines("complaints.seals");
        seal(&copy, key, &configured);
        assert!(lines("complaints.seals").starts_with(&before));

        // The end of a chain, with its seal, its rows and its position.
        let copy = database.copy();
        copy.tamper(
            "DELETE FROM audit_log WHERE number > (SELECT after FROM seals WHERE chain = 'AUDIT' ORDER BY number DESC LIMIT 1);
             UPDATE audit_position SET value = (SELECT after FROM seals WHERE chain = 'AUDIT' ORDER BY number DESC LIMIT 1);
             DELETE FROM seals WHERE chain = 'AUDIT' AND number = (SELECT max(number) FROM seals WHERE chain = 'AUDIT')",
        );
        assert_eq!(verify(&copy, key, &[]).0, 0);
        for outside in [&["--witness", witness.as_str()][..], &["--expect", &newest[0], "--expect", &newest[2]]] {
            let (status, report) = verify(&copy, key, outside);
            assert_eq!((status, found(&report)), (1, vec!["AUDIT cut-off".to_owned()]), "{report}");
        }
        let nowhere = program().run(&copy, ["audit", "verify", "--key-file", key, "--witness", "/no/such/folder"]);
        assert!(nowhere.status == 1 && nowhere.err.contains("/no/such/folder"), "{nowhere:?}");
    }
}

#[test]
fn a_server_witnesses_the_seals_that_it_makes() {
    let files = Files::new();
    let key = key_file(&files);
    let witness = files.path().join("witness");
    std::fs::create_dir(&witness).unwrap();
    let config = files.put("config.toml", format!("[audit]\nwitness = {witness:?}\n")).display().to_string();
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key, "--config", &config]);
    for _ in 0..100 {
        if witness.join("reference.seals").is_file() && witness.join("complaints.seals").is_file() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(server.end_by("TERM"), Some(0));
    let text = std::fs::read_to_string(witness.join("complaints.seals")).unwrap();
    assert!(text.starts_with("COMPLAINTS:1:") && text.ends_with('\n'), "{text}");
}

#[test]
fn the_job_verifies_what_is_new_each_day_and_everything_each_week() {
    for prepared in Prepared::both() {
        let Prepared { database, key } = &prepared;
        let run = |day: &str| {
            program()
                .run(database, ["jobs", "run", "verify-audit", "--as-of", day, "--key-file", key, "--format", "json"])
        };
        assert_eq!(run("2024-07-01").ok().json()["summary"]["all"], true);
        seal(database, key, &[]);
        assert_eq!(run("2024-07-02").ok().json()["summary"]["all"], false);
        // What was verified before and is changed behind everybody's back is found within the week.
        database.tamper("UPDATE complaints SET cost_vnd = 1 WHERE cost_vnd = 1300000");
        seal(database, key, &[]);
        assert_eq!(run("2024-07-03").ok().json()["summary"]["all"], false);
        seal(database, key, &[]);
        let failed = run("2024-07-08");
        assert!(
            failed.status == 1 && failed.err.contains("complaints PA-20240105-") && failed.err.contains("cost_vnd"),
            "{failed:?}"
        );
        let history = program().json(database, &["jobs", "history", "--job", "verify-audit"]);
        assert_eq!(history[0]["state"], "FAILED", "{history}");
        assert!(history[0]["error"].text().contains("failed verification"), "{history}");
        // Rights are verified each day, and so is what a new event is about.
        database.tamper("UPDATE principals SET role = 'BOARD', outside = FALSE WHERE name = 'paper'");
        let failed = run("2024-07-04");
        assert!(failed.status == 1 && failed.err.contains("principals paper"), "{failed:?}");
        database.tamper("UPDATE principals SET role = 'DASHBOARD', outside = TRUE WHERE name = 'paper'");
        seal(database, key, &[]);
        run("2024-07-04").ok();
        let again = fixtures::COMPLAINTS.replace("1.250.000", "1.400.000").replace("Ẩn danh", " Ẩn danh ");
        fixtures::import(database, "complaints", again, fixtures::COMPLAINTS_MAP);
        database.tamper("UPDATE complaints SET cost_vnd = 2 WHERE cost_vnd = 1400000");
        seal(database, key, &[]);
        let failed = run("2024-07-05");
        assert!(failed.status == 1 && failed.err.contains("cost_vnd"), "{failed:?}");
    }
}

#[test]
fn a_register_of_before_is_taken_over_as_it_stands() {
    for prepared in Prepared::both() {
        let Prepared { database, key } = &prepared;
        // The previous version left the database in this state: no chain of states, and no hash of sources in events.
        let down = tests::project().join(format!("migrations/{}/2026-11-28-000015_states/down.sql", database.name));
        let hashless = match database.name {
            "sqlite" => {
                "UPDATE complaint_events SET after = json_remove(after, '$.content_hash'), before = json_remove(before, '$.content_hash')"
            }
            _ => "UPDATE complaint_events SET after = after - 'content_hash', before = before - 'content_hash'",
        };
        let down = std::fs::read_to_string(down).unwrap();
        database.tamper(&format!(
            "{down}; DELETE FROM seals; {hashless}; DELETE FROM __diesel_schema_migrations WHERE version = '20261128000015'"
        ));
        seal(database, key, &[]);
        let (status, report) = verify(database, key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{report}");
        // From then on what was taken over is covered.
        let copy = database.copy();
        copy.tamper("UPDATE principals SET role = 'BOARD', unit_id = NULL WHERE name = 'UNIT_HEAD-02CV'; UPDATE flags SET state = 'OPEN' WHERE state = 'DISMISSED'; UPDATE complaints SET confidential = FALSE WHERE confidential");
        let (status, report) = verify(&copy, key, &[]);
        let expected = ["complaints.confidential", "flags.state", "principals.role", "principals.unit_id"];
        assert_eq!((status, found(&report)), (1, expected.map(str::to_owned).to_vec()), "{report}");
    }
}
