//! Alerts: about grave flags, bursts of technical complaints, and jobs that failed or did not run; told once, ended when
//! they are over, to webhooks, by mail and through the API.

use crate::program;
use crate::web::Visitor;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::enums::{CategoryKind, FlagState, RunOrigin, RunState, Tier};
use schema::keys::Keys;
use schema::tables::{complaints, flags, issue_categories, job_runs, jobs};
use schema::{Id, StoreError, Timestamp};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Database, Json, MailServer, Receiver, Role, TestApp};

pub struct Place {
    files: Files,
    pub key: String,
}

impl Place {
    pub fn new() -> Self {
        let files = Files::new();
        let key = files.path().join("key");
        Keys::create(&key).expect("a key file");
        Self { key: key.display().to_string(), files }
    }

    pub fn config(&self, text: &str) -> String {
        self.files.put("phananh.toml", text).display().to_string()
    }

    pub fn job(&self, database: &Database, config: &str, name: &str) -> Value {
        let arguments = ["jobs", "run", name, "--config", config, "--key-file", &self.key];
        program().json(database, &arguments)["summary"].clone()
    }
}

/// Changes rows behind the register's back.
pub fn change(database: &Database, work: impl FnOnce(&mut WriteTx<'_>) -> Result<(), StoreError>) {
    database.open().write("test", work).expect("the register is changed");
}

pub fn set_flags(database: &Database, state: FlagState) {
    change(database, |tx| {
        let all = (flags::tier.eq(Tier::SuspensionReview), flags::state.eq(state));
        diesel::update(flags::table).set(all).execute(tx.conn)?;
        Ok(())
    });
}

pub fn alerts(database: &Database) -> Vec<Value> {
    program().json(database, &["alerts", "list"]).list().to_vec()
}

pub fn of_kind(all: &[Value], kind: &str) -> Vec<Value> {
    all.iter().filter(|one| one["kind"] == kind).cloned().collect()
}

#[test]
fn a_grave_flag_is_told_once_and_over_when_somebody_takes_it_up() {
    let place = Place::new();
    let receiver = Receiver::start();
    let config = place.config("[webhooks]\nallow_networks = [\"127.0.0.0/8\"]\n");
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let database = &app.database;
        let before = receiver.received().len();
        let url = receiver.url("/ok");
        let keyed = ["--config", &config, "--key-file", &place.key];
        program().run(database, [&["webhook", "add", &url, "--name", "x"][..], &keyed].concat()).ok();
        set_flags(database, FlagState::Open);
        let raised = place.job(database, &config, "alerts");
        let flagged = of_kind(&alerts(database), "SUSPENSION_REVIEW");
        assert!(!flagged.is_empty() && raised["raised"].integer() >= flagged.len() as i64, "{raised}");
        assert_eq!(place.job(database, &config, "alerts"), json!({ "raised": 0, "cleared": 0, "messages": 0 }));
        assert_eq!(place.job(database, &config, "notify")["failed"], 0);
        let told = |event: &str| {
            let all = receiver.received().split_off(before);
            let bodies = all.iter().map(|one| serde_json::from_str::<Value>(&one.body).expect("JSON"));
            bodies
                .filter(|body| body["type"] == event && body["data"]["kind"] == "SUSPENSION_REVIEW")
                .collect::<Vec<_>>()
        };
        assert_eq!(told("alert.raised").len(), flagged.len());
        for body in told("alert.raised") {
            // Thin: ids and kinds, and nobody's name.
            let data = body["data"].as_object().expect("an object");
            assert_eq!(data.keys().collect::<Vec<_>>(), ["alert", "kind", "subject"]);
            assert!(flagged.iter().any(|one| one["subject"] == data["subject"]), "{body}");
        }

        set_flags(database, FlagState::Acknowledged);
        assert_eq!(place.job(database, &config, "alerts")["cleared"], flagged.len());
        assert!(of_kind(&alerts(database), "SUSPENSION_REVIEW").iter().all(|one| one["clearedAt"].is_string()));
        // On the same day the alert is raised again without another message.
        set_flags(database, FlagState::Open);
        let again = place.job(database, &config, "alerts");
        assert_eq!((&again["raised"], &again["messages"]), (&json!(flagged.len()), &json!(0)), "{again}");
        place.job(database, &config, "notify");
        assert_eq!(told("alert.raised").len(), flagged.len());
        assert_eq!(told("alert.cleared").len(), flagged.len());
        // The condition ends without another message, too: one that comes and goes is reported once.
        set_flags(database, FlagState::Acknowledged);
        let over = place.job(database, &config, "alerts");
        assert_eq!((&over["cleared"], &over["messages"]), (&json!(flagged.len()), &json!(0)), "{over}");
        assert!(of_kind(&alerts(database), "SUSPENSION_REVIEW").iter().all(|one| one["clearedAt"].is_string()));

        let query = "{ alerts(filter: {kind: {eq: SUSPENSION_REVIEW}}) { totalCount nodes { subject clearedAt } } }";
        assert_eq!(app.as_role(Role::Board).data(query)["alerts"]["totalCount"], flagged.len());
        assert_eq!(app.as_role(Role::Admin).data(query)["alerts"]["totalCount"], 0);
        assert_eq!(app.as_member("Member", "CC01").data(query)["alerts"]["totalCount"], 0);
        for role in [Role::DataTeam, Role::Dashboard] {
            let denied = app.as_role(role).codes("{ alerts { totalCount } }");
            assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{role}: {denied:?}");
        }
    }
}

#[test]
fn a_job_that_failed_for_good_or_did_not_run_is_told() {
    let place = Place::new();
    let config = place.config("");
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let database = &app.database;
        for job in ["timeliness", "trends"] {
            program().run(database, ["jobs", "run", job, "--as-of", "2024-03-31"]).ok();
        }
        change(database, |tx| {
            diesel::update(job_runs::table.filter(job_runs::job.eq("timeliness")))
                .set((job_runs::origin.eq(RunOrigin::Scheduled), job_runs::state.eq(RunState::Failed)))
                .execute(tx.conn)?;
            let days_ago = Timestamp::from(tx.now.utc() - TimeDelta::days(3));
            diesel::update(jobs::table.filter(jobs::job.eq("trends")))
                .set(jobs::since.eq(days_ago))
                .execute(tx.conn)?;
            Ok(())
        });
        place.job(database, &config, "alerts");
        let found = alerts(database);
        let subjects = |kind: &str| -> Vec<String> {
            of_kind(&found, kind).iter().map(|one| one["subject"].text().to_owned()).collect()
        };
        assert_eq!(subjects("JOB_FAILED"), ["timeliness"], "{}", database.name);
        assert!(subjects("JOB_MISSED").contains(&"trends".to_owned()), "{found:?}");
        assert_eq!(app.as_role(Role::Admin).data("{ alerts { totalCount } }")["alerts"]["totalCount"], found.len());
        // The next run is under way: whether it works now is not known yet.
        program().run(database, ["jobs", "run", "timeliness", "--as-of", "2024-03-31"]).ok();
        change(database, |tx| {
            let second =
                job_runs::table.filter(job_runs::job.eq("timeliness")).filter(job_runs::state.eq(RunState::Succeeded));
            diesel::update(second)
                .set((job_runs::origin.eq(RunOrigin::Scheduled), job_runs::state.eq(RunState::Running)))
                .execute(tx.conn)?;
            Ok(())
        });
        place.job(database, &config, "alerts");
        let found = of_kind(&alerts(database), "JOB_FAILED");
        assert!(found.len() == 1 && found[0]["clearedAt"].is_null(), "{found:?}");
        change(database, |tx| {
            let all = (job_runs::state.eq(RunState::Succeeded), job_runs::origin.eq(RunOrigin::Scheduled));
            diesel::update(job_runs::table).set(all).execute(tx.conn)?;
            Ok(())
        });
        place.job(database, &config, "alerts");
        let found = of_kind(&alerts(database), "JOB_FAILED");
        assert!(found.iter().all(|one| one["clearedAt"].is_string()), "{found:?}");
    }
}

#[test]
fn a_burst_of_technical_complaints_is_told_with_what_is_usual() {
    let place = Place::new();
    let config = place.config("");
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let database = &app.database;
        change(database, |tx| {
            let technical: Id = issue_categories::table
                .filter(issue_categories::kind.eq(CategoryKind::Technical))
                .select(issue_categories::id)
                .first(tx.conn)?;
            let some: Vec<(Id, Option<Id>, Option<Id>)> = complaints::table
                .filter(complaints::branch_id.is_not_null())
                .order(complaints::id)
                .limit(12)
                .select((complaints::id, complaints::department_id, complaints::branch_id))
                .load(tx.conn)?;
            let ids: Vec<Id> = some.iter().map(|(id, ..)| *id).collect();
            diesel::update(complaints::table.filter(complaints::id.eq_any(ids)))
                .set((
                    complaints::received_at.eq(tx.now),
                    complaints::category_id.eq(Some(technical)),
                    complaints::department_id.eq(some[0].1),
                    complaints::branch_id.eq(some[0].2),
                ))
                .execute(tx.conn)?;
            Ok(())
        });
        place.job(database, &config, "alerts");
        let found = of_kind(&alerts(database), "TECHNICAL_BURST");
        assert_eq!(found.len(), 1, "the branch explains what the levels above have: {found:?}");
        let details = &found[0]["details"];
        assert_eq!(details["complaints"], 12);
        assert!(details["expected"].as_f64().expect("a number") < 1.0, "{details}");
        assert_eq!(details["falseAlarmsPerMonth"], 0.5);
        let unit = found[0]["subject"].text();
        let query = format!("{{ units(filter: {{code: {{eq: \"{unit}\"}}}}) {{ totalCount }} }}");
        let board = app.as_role(Role::Board);
        assert_eq!(board.data(&query)["units"]["totalCount"], 1, "{unit}");
        // On the page it leads to the complaints that it counts.
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let page = visitor.get("/alerts").text.replace("&#x2f;", "/").replace("&amp;", "&");
        let href = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let href = href.filter(|href| href.starts_with("/complaints?from=")).last().expect("a list");
        let list = visitor.get(&format!("{href}&as=csv"));
        assert!(list.status == 200 && list.text.lines().count() == 13, "{href}: {list:?}");
    }
}

#[test]
fn alerts_are_mailed_to_allowed_domains_only_also_when_they_were_limited_later() {
    let place = Place::new();
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = place.config(&format!(
            "[digests]\ndomains = [\"example.org\"]\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
             encryption = \"none\"\nfrom = \"Ban <board@example.org>\"\n",
            mail.port
        ));
        let subscribe = |address: &str, more: &[&str]| {
            program().run(database, [&["alerts", "subscribe", "--email", address][..], more].concat())
        };
        let refused = subscribe("chair@elsewhere.example", &["--config", &config]);
        assert!(refused.status == 1 && refused.err.contains("digests.domains"), "{refused:?}");
        subscribe("chair@mail.example.org", &["--config", &config]).ok();
        // Without the configuration every domain is allowed.
        subscribe("chair@elsewhere.example", &[]).ok();
        set_flags(database, FlagState::Open);
        place.job(database, &config, "alerts");
        assert_eq!(place.job(database, &config, "notify"), json!({ "sent": 1, "failed": 1 }), "{}", database.name);
        assert_eq!(mail.mails().len(), 1);
        let log = program().json(database, &["webhook", "deliveries"]);
        let failed: Vec<_> = log.list().iter().filter(|one| one["error"].is_string()).collect();
        assert!(failed.len() == 1 && failed[0]["error"].text().contains("digests.domains"), "{log}");
    }
}

#[test]
fn a_mail_tells_alerts_and_is_ended_by_post_and_not_by_get() {
    let place = Place::new();
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs", "--key-file", &place.key]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = place.config(&format!(
            "[links]\nbase_url = \"https://phananh.example/\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
             encryption = \"none\"\nfrom = \"Ban <board@example.org>\"\n",
            mail.port
        ));
        let key = ["--key-file", &place.key];
        program().run(database, [&["alerts", "subscribe", "--email", "Chair@example.org"][..], &key].concat()).ok();
        set_flags(database, FlagState::Open);
        place.job(database, &config, "alerts");
        assert_eq!(place.job(database, &config, "notify"), json!({ "sent": 1, "failed": 0 }), "all in one");
        let mails = mail.mails();
        assert_eq!(mails.len(), 1);
        let text = String::from_utf8_lossy(&mails[0]).into_owned();
        assert!(!text.contains("CC01"), "it names nobody: {text}");
        let header = |name: &str| -> String {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("no {name}: {text}")).trim().to_owned()
        };
        assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let address = header("List-Unsubscribe");
        let address = address.trim_matches(['<', '>']);
        let path = address.strip_prefix("https://phananh.example").expect("the address of the server");

        let server = app.server();
        let standing = || {
            let listed = program().json(database, &["webhook", "list"]);
            listed[0]["disabledAt"].is_null()
        };
        let page = server.get(path);
        assert!(page.status == 200 && page.text.contains("<form method=\"post\">"), "{page:?}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        assert!(standing(), "to look at the page ends nothing");
        let wrong = server.send("POST", "/unsubscribe/AAAA", &[], "");
        assert_eq!(wrong.status, 404);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let done = server.send("POST", path, &form, "List-Unsubscribe=One-Click");
        assert_eq!(done.status, 200, "{done:?}");
        assert!(!standing());
        assert_eq!(server.send("POST", path, &form, "List-Unsubscribe=One-Click").status, 200, "twice is no error");
    }
}
