//! Monitoring of the jobs: what `/readyz` and `/metrics` say of them, and the dashboard that reads the metrics.

use crate::program;
use serde_json::Value;
use std::collections::BTreeSet;
use tests::{Client, Json, Role, TestApp, project, wait_until};

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
            serde_json::json!([
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

/// The names of metrics in an expression of Prometheus.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("phananh_"))
}

#[test]
fn the_dashboard_asks_only_for_metrics_that_there_are() {
    let path = project().join("docs/grafana/phananh.json");
    let text = std::fs::read_to_string(&path).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].list();
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].integer()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    let mut expressions = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(!panel["title"].text().is_empty() && !panel["targets"].list().is_empty(), "{panel}");
        expressions.extend(panel["targets"].list().iter().map(|target| target["expr"].text()));
    }
    assert!(expressions.len() > 15);

    let app = TestApp::sqlite().world_with_flags("2024-03-31").arguments(&["--no-jobs"]).start();
    let admin = app.as_role(Role::Admin);
    app.as_role(Role::Board).data("{ complaints { nodes { id } } }");
    // A request is counted when it has been answered.
    app.server().metrics(&admin.token);
    let metrics = app.server().metrics(&admin.token);
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    let there_are: BTreeSet<&str> = lines.filter_map(|line| line.split(['{', ' ']).next()).collect();
    for expression in &expressions {
        assert!(names(expression).count() > 0, "{expression}");
        for name in names(expression) {
            assert!(there_are.contains(name), "{name} of {expression} is not among {there_are:?}");
        }
    }
    // What the dashboard is for is on it.
    for name in [
        "phananh_job_last_success_timestamp_seconds",
        "phananh_job_next_run_timestamp_seconds",
        "phananh_undelivered_oldest_age_seconds",
        "phananh_snapshot_age_seconds",
    ] {
        assert!(expressions.iter().any(|expression| names(expression).any(|used| used == name)), "{name}");
    }
}
