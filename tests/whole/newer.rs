//! A database that a newer version has migrated: this version does not change it, and says why.

use crate::program;
use diesel::prelude::*;
use schema::tables::job_runs;
use serde_json::json;
use std::time::Duration;
use tests::fixtures::{self, Files};
use tests::{Database, Json, TestApp, wait_until};

/// Adds a migration to the list of those that were run, as a later version does.
const MIGRATE: &str = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
/// Takes it out again.
const REVERT: &str = "DELETE FROM __diesel_schema_migrations WHERE version = '20991231000001'";

#[test]
fn every_command_refuses_a_database_that_a_newer_version_has_migrated() {
    let files = Files::new();
    let key = files.key();
    let out = files.path().join("out.csv").display().to_string();
    let units = files.import("units", fixtures::UNITS, fixtures::UNITS_MAP).join("\n");
    for app in TestApp::both().world_with_flags("2024-03-31") {
        let database = &app.database;
        program().run(database, ["key", "create", &key]);
        let flag = program().json(database, &["flags", "list"])[0]["id"].text().to_owned();
        let run = program().json(database, &["jobs", "history"])[0]["run"].text().to_owned();
        database.tamper(MIGRATE);
        let before = database.rows();
        let commands: Vec<String> = [
            "migrate",
            "generate --complaints 100 --seed 1",
            "jobs run trends",
            "jobs list",
            "jobs history",
            "jobs pause trends",
            "jobs resume trends",
            "digest subscribe --email a@example.org --locale vi",
            "digest subscriptions",
            "digest deliveries",
            "digest retry",
            "digest preview --locale vi --out nowhere",
            &format!("flags show {flag}"),
            &format!("flags reproduce {run}"),
            "flags list",
            "flags numbers --as-of 2024-03-31",
            "backtest --from 2024 --to 2024",
            "classify list",
            "classify train",
            "rules try --min 2 --days 90",
            "token create --name a --role BOARD",
            "token revoke --name a",
            &format!("export {out}"),
            &format!("audit seal --key-file {key}"),
            "serve --listen 127.0.0.1:0",
        ]
        .iter()
        .map(|line| line.replace(' ', "\n"))
        .chain([units.clone(), "sql\nSELECT count(*) AS n FROM complaints".to_owned()])
        .collect();
        for command in commands {
            let refused = program().run(database, command.split('\n'));
            assert_eq!(refused.status, 1, "{command}: {refused:?}");
            assert!(
                refused.err.contains("a newer version of phananh has migrated the database (20991231000001)"),
                "{command}: {refused:?}"
            );
            assert!(refused.out.is_empty(), "{command}: {refused:?}");
        }
        let verified = program().run(database, ["audit", "verify", "--key-file", &key]);
        assert_eq!(verified.status, 1);
        assert!(verified.out.contains("a newer version of the program migrated the database"), "{verified:?}");
        assert_eq!(database.rows(), before, "{}: nothing was written", database.name);
    }
}

#[test]
fn a_server_under_which_a_newer_version_migrates_writes_no_more() {
    let files = Files::new();
    let config = files.put(
        "phananh.toml",
        "[scheduler]\nlease_seconds = 2\npoll_seconds = 1\n\
         [jobs.escalate-overdue]\nschedule = \"* * * * * *\"\nmissed = \"all\"\n",
    );
    let config = config.to_str().unwrap();
    for database in Database::both() {
        fixtures::fill(&database);
        let db = database.open();
        let intake = program().token(&database, "INTAKE", None);
        let server = program().serve(&database, &["--config", config]);
        let submit = |key: &str| {
            let query = "mutation($key: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
                category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: \"a\"}) { reference } }";
            server.graphql(&intake, query, &json!({ "key": key }))
        };
        let runs = || {
            let all = db.read(|conn| {
                let runs = job_runs::table.filter(job_runs::job.eq("escalate-overdue"));
                Ok(runs
                    .select((job_runs::id, job_runs::finished_at))
                    .load::<(schema::Id, Option<schema::Timestamp>)>(conn)?)
            });
            all.unwrap()
        };
        assert!(submit("1").codes().is_empty());
        wait_until(10, "a run of the job", || !runs().is_empty());
        database.tamper(MIGRATE);
        let before = database.rows();
        let refused = submit("2");
        assert_eq!(refused.codes(), ["UNAVAILABLE"], "{refused:?}");
        let ready = server.get("/readyz");
        assert_eq!(ready.status, 503);
        assert!(ready.text.contains("a newer version has migrated the database"), "{ready:?}");
        assert_eq!(server.get("/healthz").status, 200);
        std::thread::sleep(Duration::from_secs(3));
        let after = database.rows();
        // PostgreSQL may still commit the one run that was under way when the migration came.
        assert_eq!(after["complaints"], before["complaints"], "{}", database.name);
        assert!(after["job_runs"] <= before["job_runs"] + 1, "{} {}", after["job_runs"], before["job_runs"]);
        database.tamper(REVERT);
        let again = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            server.get("/readyz").status == 200 && runs().len() > usize::try_from(after["job_runs"]).unwrap()
        });
        assert!(again, "{}: it goes on", database.name);
        assert!(submit("2").codes().is_empty());
        let log = server.log_after("TERM");
        assert!(log.contains("a newer version of phananh has migrated the database"), "{log}");
        assert!(!log.contains("panicked"), "{log}");
        let failed: i64 = db
            .read(|conn| {
                Ok(job_runs::table
                    .filter(job_runs::state.eq(schema::enums::RunState::Failed))
                    .count()
                    .get_result(conn)?)
            })
            .unwrap();
        assert_eq!(failed, 0, "{}: no run was hurt", database.name);
    }
}
