//! An asker that leaves stops the engine, whichever way its question came.

use crate::program;
use crate::sql_engine::{LONG, engines, ticks};
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Role, TestApp, raw_request, wait_until};

/// Processor time of all engines of the server within a moment, in ticks.
fn used(app: &TestApp) -> u64 {
    let before: Vec<(u32, Option<u64>)> = engines(app).into_iter().map(|pid| (pid, ticks(pid))).collect();
    std::thread::sleep(Duration::from_millis(300));
    let used = before.into_iter().filter_map(|(pid, before)| Some(ticks(pid)?.saturating_sub(before?)));
    used.sum()
}

#[test]
fn an_asker_that_leaves_stops_its_engine() {
    let files = Files::new();
    let (lake, key) = (files.path().join("lake").display().to_string(), files.key());
    let config = format!("[api.limits]\ndeadline_ms = 600000\n[lake]\ndir = {lake:?}\nrole = \"DATA_TEAM\"\n");
    let app = TestApp::sqlite().world().start_with(&files, &config);
    app.run(&["lake", "sync", &lake, "--for", "DATA_TEAM", "--key-file", &key]);
    let team = app.as_role(Role::DataTeam);
    // The engines start, so that what they use later is for questions.
    for source in ["REGISTER", "LAKE"] {
        let warm = team.request(&format!("{{ sql(query: \"SELECT 1 AS n\", source: {source}) {{ rows }} }}")).json();
        assert_eq!(warm["data"]["sql"]["rows"], json!([{ "n": 1 }]), "{source}: {warm}");
    }
    let question = json!({
        "name": "endless", "expectedVersion": 0, "description": "It never ends", "text": LONG, "roles": [],
        "parameters": [],
    });
    team.done("saveQuery", "query { version }", &question);
    let host = app.server().address.strip_prefix("http://").unwrap().to_owned();
    for query in [
        "{ runSavedQuery(name: \"endless\") { answer { rows } } }".to_owned(),
        format!("{{ sql(query: \"{LONG}\", source: LAKE) {{ rows }} }}"),
    ] {
        let mut asking = TcpStream::connect(&host).unwrap();
        asking.write_all(raw_request(&host, &team.token, &query, "").as_bytes()).unwrap();
        wait_until(30, "an engine computes", || used(&app) > 10);
        drop(asking);
        wait_until(30, "no engine computes", || used(&app) == 0);
    }
    let mut command = program().command(&app.database);
    command.args(["sql", LONG, "--server", &app.server().address]).env("PHANANH_TOKEN", &team.token);
    let mut asking = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(30, "an engine computes", || used(&app) > 10);
    asking.kill().unwrap();
    asking.wait().unwrap();
    wait_until(30, "no engine computes", || used(&app) == 0);
    let again = team.request("{ sql(query: \"SELECT COUNT(*) AS n FROM complaints\") { rows } }").json();
    assert_eq!(again["data"]["sql"]["rows"], json!([{ "n": 6 }]), "{again}");
}
