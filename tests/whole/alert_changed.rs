//! Alerts over WebSockets: each subscriber hears of those that it may see, when they are raised and when they are over.

use crate::alerts::{Place, change, set_flags};
use crate::board_alerts::fail_a_job;
use crate::head_alerts::{burst, subscribe};
use crate::program;
use crate::reader_digests::token;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::Timestamp;
use schema::enums::FlagState;
use schema::tables::complaints;
use serde_json::{Value, json};
use tests::{Json, Role, TestApp, node};

/// Lets the job run while some people listen; `expected` is how many alerts `board` is to hear of.
fn listen(app: &TestApp, tokens: &Value, expected: i64) -> Value {
    let server = app.server();
    let given = json!({
        "ws": format!("{}/graphql/ws", server.address.replace("http", "ws")),
        "program": program().0, "database": app.database.url, "tokens": tokens, "expected": expected,
    });
    serde_json::from_str(&node("alerted.js", &[&given.to_string()])).expect("JSON")
}

/// What somebody heard of a kind of alerts.
fn of_kind(outcome: &Value, who: &str, kind: &str) -> Vec<Value> {
    outcome["heard"][who].list().iter().filter(|one| one["kind"] == kind).cloned().collect()
}

#[test]
fn alerts_are_heard_by_those_who_may_see_them_when_they_begin_and_end() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let name = app.database.name;
        set_flags(&app.database, FlagState::Open);
        fail_a_job(&app);
        let flags = app.as_role(Role::Board).data("{ flags { totalCount } }")["flags"]["totalCount"].integer();
        let tokens = json!({
            "board": app.as_role(Role::Board).token, "admin": app.as_role(Role::Admin).token,
            "member": app.as_member("member", "CC01").token, "head": app.as_head("02DS").token,
            "dashboard": app.as_role(Role::Dashboard).token,
        });
        let raised = listen(&app, &tokens, flags + 1);
        let of_flags = of_kind(&raised, "board", "SUSPENSION_REVIEW");
        assert_eq!(of_flags.len() as i64, flags, "{name}: {raised}");
        assert!(flags > 0 && of_flags.iter().all(|one| one["clearedAt"].is_null()), "{name}: {raised}");
        for who in ["admin", "member"] {
            assert_eq!(of_kind(&raised, who, "SUSPENSION_REVIEW"), Vec::<Value>::new(), "{who} on {name}");
        }
        for who in ["board", "admin", "member"] {
            let of_jobs = of_kind(&raised, who, "JOB_FAILED");
            assert!(of_jobs.len() == 1 && of_jobs[0]["subject"] == "timeliness", "{who} on {name}: {raised}");
        }
        assert_eq!(raised["heard"]["head"], json!([]), "they are the Board's: {name}");
        assert_eq!(raised["refused"].object().len(), 1, "{raised}");
        assert_eq!(raised["refused"]["dashboard"][0]["extensions"]["code"], "FORBIDDEN");

        set_flags(&app.database, FlagState::Acknowledged);
        let over = listen(&app, &tokens, flags);
        let of_flags = of_kind(&over, "board", "SUSPENSION_REVIEW");
        assert_eq!(of_flags.len() as i64, flags, "{name}: {over}");
        assert!(of_flags.iter().all(|one| one["clearedAt"].is_string()), "{name}: {over}");
        assert_eq!(of_kind(&over, "admin", "SUSPENSION_REVIEW"), Vec::<Value>::new(), "{name}");
        assert_eq!(over["heard"]["head"], json!([]), "{name}");
    }
}

#[test]
fn a_head_hears_of_its_own_alerts_and_the_board_of_its_own() {
    let place = Place::new();
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let (branch, officer, visible) = burst(&app);
        let of_branch = ["--role", "UNIT_HEAD", "--unit", branch.as_str()];
        let head = token(database, "head", &[&of_branch[..], &["--officer", officer.as_str()]].concat());
        let other = token(database, "other", &of_branch);
        subscribe(&app, &place, "head@example.org", "head");
        let tokens = json!({ "board": app.as_role(Role::Board).token, "head": head, "other": other });
        let raised = listen(&app, &tokens, 1);
        for (who, complaints) in [("board", 12), ("head", visible)] {
            let bursts = of_kind(&raised, who, "TECHNICAL_BURST");
            assert!(bursts.len() == 1 && bursts[0]["subject"] == json!(branch), "{who}: {raised}");
            assert_eq!(bursts[0]["details"]["complaints"], complaints, "{who} on {}", database.name);
        }
        assert_eq!(raised["heard"]["other"], json!([]), "it has not subscribed: {}", database.name);

        change(database, |tx| {
            let [then, recent] = [40, 39].map(|hours| Timestamp::from(tx.now.utc() - TimeDelta::hours(hours)));
            diesel::update(complaints::table.filter(complaints::received_at.gt(recent)))
                .set(complaints::received_at.eq(then))
                .execute(tx.conn)?;
            Ok(())
        });
        let over = listen(&app, &tokens, 1);
        for who in ["board", "head"] {
            let bursts = of_kind(&over, who, "TECHNICAL_BURST");
            assert!(bursts.len() == 1 && bursts[0]["clearedAt"].is_string(), "{who} on {}: {over}", database.name);
        }
    }
}
