//! Alerts on the page: current ones and those that are over, each with its subject, for readers who may see them.

use super::Visitor;
use diesel::prelude::*;
use schema::enums::{FlagState, Role, RunOrigin, RunState, Tier};
use schema::tables::{flags, job_runs};
use tests::{Json, TestApp};

fn set_flags(app: &TestApp, state: FlagState) {
    let done = app.database.open().write("test", |tx| {
        let all = (flags::tier.eq(Tier::SuspensionReview), flags::state.eq(state));
        diesel::update(flags::table).set(all).execute(tx.conn)?;
        Ok(())
    });
    done.expect("the register is changed");
}

fn visitor_of(app: &TestApp, role: Role) -> Visitor<'_> {
    Visitor::signed_in(app.server(), &app.as_role(role).token)
}

#[test]
fn the_board_sees_alerts_about_flags_until_they_are_over() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        set_flags(&app, FlagState::Open);
        app.run(&["jobs", "run", "alerts"]);
        let query = "{ alerts(filter: {kind: {eq: SUSPENSION_REVIEW}}) { nodes { subject } } }";
        let data = app.as_role(Role::Board).data(query);
        let link = format!("href=\"/flags/{}\"", data["alerts"]["nodes"][0]["subject"].text());
        let mut board = visitor_of(&app, Role::Board);
        let mut shows = |filter: &str| {
            let page = board.get(&format!("/alerts?{filter}"));
            assert_eq!(page.status, 200, "{filter}: {page:?}");
            page.text.replace("&#x2f;", "/").contains(&link)
        };
        for filter in ["", "state=STANDING", "kind=SUSPENSION_REVIEW", "from=2024-01-01"] {
            assert!(shows(filter), "{filter}");
        }
        for filter in ["state=CLEARED", "kind=JOB_FAILED", "until=2024-01-01", "subject=nothing"] {
            assert!(!shows(filter), "{filter}");
        }
        for (wrong, words) in
            [("kind=NONE", "href=\"#kind\""), ("state=NONE", "href=\"#state\""), ("from=today", "href=\"#from\"")]
        {
            let page = board.get(&format!("/alerts?{wrong}"));
            assert!(page.status == 422 && page.text.contains(words), "{wrong}: {page:?}");
        }
        let csv = board.get("/alerts?kind=SUSPENSION_REVIEW&as=csv").text;
        assert_eq!(csv.lines().count(), 1 + data["alerts"]["nodes"].list().len(), "{csv}");
        let today = board.get("/").text;
        assert!(today.contains("table-alerts"), "those that stand are on Today");
        let flags = board.get("/?as=csv&table=flags").text;
        assert!(flags.contains("Kiểm tra chi cục") && flags.contains("Xem xét đình chỉ"), "of each kind: {flags}");
        let branch = board.get("/units/02CV").text;
        assert!(branch.contains("Kiểm tra chi cục · ") && !branch.contains("Xem xét đình chỉ · "), "{branch}");

        // What an alert is about decides who sees it.
        let mut admin = visitor_of(&app, Role::Admin);
        let mut member = Visitor::signed_in(app.server(), &app.as_member("An", "CC01").token);
        for other in [&mut admin, &mut member] {
            let page = other.get("/alerts");
            assert!(page.status == 200 && !page.text.replace("&#x2f;", "/").contains(&link), "{page:?}");
        }
        for role in [Role::DataTeam, Role::Dashboard] {
            assert_eq!(visitor_of(&app, role).get("/alerts").status, 403, "{role}");
        }
        let mut head = Visitor::signed_in(app.server(), &app.as_head("02DS").token);
        let page = head.get("/alerts");
        assert!(page.status == 200 && !page.text.replace("&#x2f;", "/").contains(&link), "not the Board's: {page:?}");
        assert!(!head.get("/").text.contains("table-alerts"));

        set_flags(&app, FlagState::Acknowledged);
        app.run(&["jobs", "run", "alerts"]);
        let page = |path: &str| visitor_of(&app, Role::Board).get(path).text.replace("&#x2f;", "/");
        assert!(page("/alerts?state=CLEARED").contains(&link));
        assert!(!page("/alerts?state=STANDING").contains(&link));
    }
}

#[test]
fn an_alert_about_a_job_leads_to_its_runs() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        app.run(&["jobs", "run", "timeliness", "--as-of", "2024-03-31"]);
        let changed = app.database.open().write("test", |tx| {
            diesel::update(job_runs::table.filter(job_runs::job.eq("timeliness")))
                .set((job_runs::origin.eq(RunOrigin::Scheduled), job_runs::state.eq(RunState::Failed)))
                .execute(tx.conn)?;
            Ok(())
        });
        changed.expect("the register is changed");
        app.run(&["jobs", "run", "alerts"]);
        for role in [Role::Board, Role::Admin] {
            let mut visitor = visitor_of(&app, role);
            for path in ["/alerts?kind=JOB_FAILED", "/"] {
                let text = visitor.get(path).text.replace("&#x2f;", "/");
                assert!(text.contains("href=\"/jobs?job=timeliness\""), "{role} {path}: {text}");
            }
            assert!(visitor.get("/alerts").text.contains("Lần chạy theo lịch"), "{role}");
        }
    }
}
