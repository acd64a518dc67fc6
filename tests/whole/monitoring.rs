//! Monitoring of the jobs: what `/readyz` and `/metrics` say of them, and the dashboard that reads the metrics.

use crate::program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp, project, python, wait_until};

fn ready(client: &Client<'_>) -> Value {
    let bearer = format!("Bearer {}", client.token);
    client.server.send("GET", "/readyz", &[("authorization", bearer.as_str())], "").json()
}

/// The number of a metric with its labels.
fn number(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

#[test]
fn operators_see_when_jobs_ran_and_run_and_what_mail_waits() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        for job in ["timeliness", "trends", "escalate-overdue"] {
            app.run(&["jobs", "run", job, "--as-of", "2024-03-31"]);
        }
        let admin = app.as_role(Role::Admin);
        let told = ready(&admin);
        assert!(told["snapshotAgeSeconds"].as_i64() >= Some(0), "{told}");
        assert_eq!(
            told["undelivered"],
            json!([
                { "queue": "digests", "waiting": 0, "oldest": null },
                { "queue": "reader-digests", "waiting": 0, "oldest": null },
                { "queue": "notifications", "waiting": 0, "oldest": null },
            ]),
            "{told}"
        );
        let of = |told: &Value, name: &str| {
            let job = told["jobs"].list().iter().find(|job| job["name"] == name).cloned();
            job.unwrap_or_else(|| panic!("no job {name}: {told}"))
        };
        let trends = of(&told, "trends");
        assert!(trends["lastSuccess"].is_string() && trends["next"].is_string(), "{trends}");
        assert!(trends["next"].text() > trends["lastSuccess"].text(), "{trends}");
        assert_eq!(trends["paused"], false);
        assert!(of(&told, "retention")["lastSuccess"].is_null(), "{told}");
        let metrics = app.server().metrics(&admin.token);
        let last = number(&metrics, "phananh_job_last_success_timestamp_seconds{job=\"trends\"}").expect("a time");
        let next = number(&metrics, "phananh_job_next_run_timestamp_seconds{job=\"trends\"}").expect("a time");
        assert!(1_700_000_000.0 < last && last < next, "{last} {next}");
        let never = number(&metrics, "phananh_job_last_success_timestamp_seconds{job=\"retention\"}");
        assert_eq!(never, None, "a job without a success has no time: {metrics}");
        assert_eq!(number(&metrics, "phananh_undelivered{queue=\"digests\"}"), Some(0.0));

        let pause = "mutation { pauseJob(input: {name: \"trends\"}) { job { name } } }";
        admin.data(pause);
        app.run(&["digest", "subscribe", "--email", "chair@example.org", "--locale", "vi"]);
        program().run(&app.database, ["jobs", "run", "digest", "--as-of", "2024-03-31"]).ok();
        // The numbers are reused for ten seconds.
        wait_until(30, "the pause and the mail are told", || {
            let told = ready(&admin);
            of(&told, "trends")["paused"] == true && told["undelivered"][0]["waiting"] == 1
        });
        let told = ready(&admin);
        assert!(of(&told, "trends")["next"].is_null() && told["undelivered"][0]["oldest"].is_string(), "{told}");
        let metrics = app.server().metrics(&admin.token);
        assert_eq!(number(&metrics, "phananh_job_paused{job=\"trends\"}"), Some(1.0), "{metrics}");
        assert_eq!(number(&metrics, "phananh_job_next_run_timestamp_seconds{job=\"trends\"}"), None, "{metrics}");
        assert_eq!(number(&metrics, "phananh_undelivered{queue=\"digests\"}"), Some(1.0), "{metrics}");
        let age = number(&metrics, "phananh_undelivered_oldest_age_seconds{queue=\"digests\"}");
        assert!(age.is_some_and(|age| age > 0.0 && age < 600.0), "{age:?}");
    }
}

/// The expressions of the alerts that the documentation proposes.
fn proposed_alerts(operations: &str) -> Vec<&str> {
    let table = operations.split("| expression | meaning |\n").nth(1).expect("the table of alerts");
    let rows = table.lines().take_while(|line| line.starts_with('|')).skip(1);
    rows.map(|row| row.split('`').nth(1).expect("an expression")).collect()
}

#[test]
fn each_expression_of_the_dashboard_and_of_the_alerts_finds_its_series() {
    let read = |path: &str| std::fs::read_to_string(project().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let dashboard: Value = serde_json::from_str(&read("docs/grafana/phananh.json")).expect("JSON");
    let panels = dashboard["panels"].list();
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].integer()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    let mut asked = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(!panel["title"].text().is_empty() && !panel["targets"].list().is_empty(), "{panel}");
        let targets = panel["targets"].list().iter();
        asked.extend(targets.map(|target| json!({ "expr": target["expr"], "legend": target["legendFormat"] })));
    }
    assert!(asked.len() > 15);
    let operations = read("docs/operations.md");
    let alerts = proposed_alerts(&operations);
    assert!(alerts.len() >= 4, "{alerts:?}");
    asked.extend(alerts.iter().map(|expression| json!({ "expr": expression, "legend": null })));

    let app = TestApp::sqlite().world_with_flags("2024-03-31").arguments(&["--no-jobs"]).start();
    app.run(&["jobs", "run", "timeliness", "--as-of", "2024-03-31"]);
    app.database.tamper("UPDATE job_runs SET state = 'FAILED' WHERE job = 'timeliness'");
    let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
    for _twice in 0..2 {
        board.data("{ complaints { nodes { id } } }");
    }
    // A request is counted when it has been answered.
    app.server().metrics(&admin.token);
    let metrics = app.server().metrics(&admin.token);
    assert_eq!(number(&metrics, "phananh_job_runs{job=\"timeliness\",state=\"FAILED\"}"), Some(1.0), "{metrics}");

    // Prometheus stores the series in this form with the settings of the documentation.
    let honors = operations.contains("honor_labels: true");
    let files = Files::new();
    let given = files.put("asked.json", json!({ "metrics": metrics, "honors": honors, "asked": asked }).to_string());
    let python = python(&["promql_parser"], &[], &["promql-parser==0.11.0"]);
    let said = Command::new(python).arg(project().join("tests/clients/promql.py")).arg(given).output().expect("Python");
    let problems = String::from_utf8_lossy(&said.stderr);
    let found: Value = serde_json::from_slice(&said.stdout).unwrap_or_else(|e| panic!("{e}: {problems}"));
    assert_eq!(found.list().len(), asked.len());
    let wrong: Vec<&Value> = found.list().iter().filter(|one| !one["problems"].list().is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{metrics}");
    let of_jobs = found.list().iter().filter(|one| one["expr"].text().contains("phananh_job_last_success"));
    for one in of_jobs {
        let jobs: Vec<&Value> = one["found"].list().iter().map(|labels| &labels["job"]).collect();
        assert!(jobs.contains(&&json!("recurrence")), "the jobs of the server are told apart: {one}");
    }
    // What the dashboard is for is on it.
    for name in [
        "phananh_job_last_success_timestamp_seconds",
        "phananh_job_next_run_timestamp_seconds",
        "phananh_undelivered_oldest_age_seconds",
        "phananh_snapshot_age_seconds",
    ] {
        assert!(asked.iter().any(|one| !one["legend"].is_null() && one["expr"].text().contains(name)), "{name}");
    }
}
