//! The audit log of commands: what `sql`, `export` and `lake sync` take from the database itself.

use crate::program;
use serde_json::{Value, json};
use std::process::Command;
use tests::fixtures::Files;
use tests::{Beside, Json, Role, TestApp};

/// The entries about questions and files.
fn entries(app: &TestApp) -> Vec<Value> {
    let list = "{ auditLog(first: 100, filter: {action: {in: [SQL, EXPORT]}}) \
                { nodes { actor role action operation objects } } }";
    app.as_role(Role::Admin).data(list)["auditLog"]["nodes"].list().to_vec()
}

/// The user of the operating system who runs the tests.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_a_command_takes_from_the_database_is_in_the_audit_log() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let key = files.key_file();
        let run = |args: &[&str]| program().run(&app.database, [args, &["--key-file", &key]].concat());
        let counting = "SELECT COUNT(*) AS n FROM complaints WHERE kind = $1";
        run(&["sql", counting, "--parameter", "CONDUCT"]).ok();
        assert_eq!(run(&["sql", "SELECT nothing FROM complaints"]).status, 1);
        let listing = "SELECT complaint FROM complaints ORDER BY complaint";
        run(&["sql", listing, "--rows", "2", "--format", "csv", "--for", "BOARD"]).ok();
        let text = "-- parameter kind TEXT = CONDUCT\nSELECT COUNT(*) AS m FROM complaints WHERE kind = $kind;\n";
        let file = files.put("q.sql", text).display().to_string();
        app.run(&["queries", "save", "of-kind", &file]);
        run(&["sql", "@of-kind"]).ok();
        let [to, groups, lake] =
            ["all.csv", "groups.csv", "lake"].map(|name| files.path().join(name).display().to_string());
        run(&["export", &to, "--from", "2024-01-01", "--for", "BOARD", "--references"]).ok();
        let costly = r#"{"costVnd": {"gte": "1"}}"#;
        run(&["export", &groups, "--group-by", "MONTH", "--measures", "complaints", "--filter", costly]).ok();
        // What is refused shows nothing, and has no entry.
        assert_eq!(run(&["export", &to, "--table", "responses", "--filter", r#"{"unti": 1}"#]).status, 1);
        run(&["lake", "sync", &lake]).ok();

        let entries = entries(&app);
        let asked = |text: &str| {
            let of =
                entries.iter().filter(|entry| entry["objects"]["sql"].as_str().is_some_and(|sql| sql.contains(text)));
            let of: Vec<&Value> = of.collect();
            assert_eq!(of.len(), 1, "{text}: {entries:?}");
            assert!(of[0]["objects"]["milliseconds"].is_number(), "{}", of[0]);
            assert_eq!((&of[0]["action"], &of[0]["operation"]), (&json!("SQL"), &json!("phananh sql")));
            of[0]
        };
        let counted = asked("SELECT COUNT(*) AS n");
        assert_eq!(counted["objects"]["sql"], format!("{counting}\n-- parameters: [\"CONDUCT\"]"));
        assert_eq!((&counted["objects"]["rows"], &counted["role"]), (&json!(1), &json!("DATA_TEAM")));
        assert!(counted["objects"]["failure"].is_null(), "{counted}");
        let failed = asked("SELECT nothing");
        assert!(
            failed["objects"]["failure"].text().contains("nothing") && failed["objects"]["rows"].is_null(),
            "{failed}"
        );
        let listed = asked(listing);
        assert_eq!((&listed["objects"]["rows"], &listed["role"]), (&json!(2), &json!("BOARD")));
        let named = asked("-- saved question of-kind, version 1");
        assert!(named["objects"]["sql"].text().contains("CONDUCT"), "{named}");
        let exported = |table: &str| {
            let found = entries.iter().find(|entry| entry["objects"]["table"] == table);
            found.unwrap_or_else(|| panic!("{table}: {entries:?}"))
        };
        let (complaints, synced) = (exported("complaints"), exported("lake"));
        assert_eq!((&complaints["operation"], &complaints["role"]), (&json!("phananh export"), &json!("BOARD")));
        assert_eq!(complaints["objects"]["filter"], json!({ "from": "2024-01-01" }));
        assert_eq!(
            (&complaints["objects"]["references"], &complaints["objects"]["keyVersion"]),
            (&json!(true), &json!(1))
        );
        let costly = json!({ "costVnd": { "gte": "1" } });
        let counted = exported("statistics");
        assert_eq!(counted["objects"]["filter"], costly);
        let asked = json!({ "groupBy": ["MONTH"], "measures": "complaints", "filter": costly });
        assert_eq!(counted["objects"]["query"], asked);
        assert!(entries.iter().all(|entry| entry["objects"]["table"] != "responses"), "{entries:?}");
        assert_eq!((&synced["operation"], &synced["action"]), (&json!("phananh lake sync"), &json!("EXPORT")));
        for entry in &entries {
            let actor = entry["actor"].text();
            assert!(actor.starts_with("cli:") && actor.ends_with(&user()), "{entry}");
        }
        // Seals cover these entries as all others.
        app.run(&["audit", "seal", "--key-file", &key]);
        let verified = program().json(&app.database, &["audit", "verify", "--key-file", &key]);
        assert_eq!(verified["verified"], true, "{verified}");
    }
}

#[test]
fn what_cannot_be_noted_is_not_shown() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let key = files.key_file();
        match app.database.folder() {
            // Root may write a file that is read-only: the table refuses instead.
            Some(_) => app.database.tamper(
                "CREATE TRIGGER refuses BEFORE INSERT ON audit_log \
                 BEGIN SELECT raise(ABORT, 'attempt to write a readonly database'); END",
            ),
            None => {
                let name = app.database.url.rsplit_once('/').unwrap().1;
                Beside::new(&app.database)
                    .run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
            }
        }
        let to = files.path().join("all.csv");
        let path = to.display().to_string();
        let lake = files.path().join("lake").display().to_string();
        for args in [
            &["sql", "SELECT 1 AS n"][..],
            &["sql", "SELECT 1 AS n", "--format", "csv"],
            &["export", &path],
            &["export", "-", "--as", "csv"],
            &["lake", "sync", &lake],
        ] {
            let refused = program().run(&app.database, [args, &["--key-file", &key]].concat());
            assert!(refused.status == 1 && refused.out.is_empty(), "{args:?}: {refused:?}");
            assert!(refused.err.contains("the audit log takes no entry"), "{args:?}: {refused:?}");
        }
        assert!(!to.exists());
    }
}
