//! Alerts at addresses of members of the Board and of ADMINs: they subscribe themselves, and get what they may see.

use crate::alerts::{Place, change, set_flags};
use crate::head_alerts::{mail_to, settings, subscribe};
use crate::program;
use crate::reader_digests::token;
use crate::web::Visitor;
use diesel::prelude::*;
use schema::Id;
use schema::enums::{FlagState, RunOrigin, RunState};
use schema::tables::{job_runs, officers, principals};
use serde_json::{Value, json};
use tests::{Json, MailServer, Role, TestApp};

/// What mails say about a flag and about a job.
const FLAG: &str = "proposes a review for suspension";
const JOB: &str = "The job timeliness of";

/// Lets the last scheduled run of a job have failed.
pub fn fail_a_job(app: &TestApp) {
    app.run(&["jobs", "run", "timeliness", "--as-of", "2024-03-31"]);
    change(&app.database, |tx| {
        diesel::update(job_runs::table.filter(job_runs::job.eq("timeliness")))
            .set((job_runs::origin.eq(RunOrigin::Scheduled), job_runs::state.eq(RunState::Failed)))
            .execute(tx.conn)?;
        Ok(())
    });
}

/// Makes a principal an officer, of whom complaints may be.
fn name_as_officer(app: &TestApp, principal: &str) {
    change(&app.database, |tx| {
        let officer: Id = officers::table.filter(officers::code.eq("CC01")).select(officers::id).first(tx.conn)?;
        diesel::update(principals::table.filter(principals::name.eq(principal)))
            .set(principals::officer_id.eq(Some(officer)))
            .execute(tx.conn)?;
        Ok(())
    });
}

#[test]
fn a_reader_of_the_boards_alerts_gets_what_it_may_see_when_they_are_sent() {
    let place = Place::new();
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = settings(&place, &mail);
        for name in ["chair", "joined", "former"] {
            token(database, name, &["--role", "BOARD"]);
        }
        token(database, "member", &["--role", "BOARD", "--officer", "CC01"]);
        token(database, "admin", &["--role", "ADMIN"]);
        for name in ["chair", "joined", "former", "member", "admin"] {
            subscribe(&app, &place, &format!("{name}@example.org"), name);
        }
        set_flags(database, FlagState::Open);
        fail_a_job(&app);
        let raised = place.job(database, &config, "alerts");
        assert_eq!(raised["messages"], 5, "one mail for each on {}: {raised}", database.name);

        // Before the mails go out one member turns out to be an officer, and one has no token any more.
        name_as_officer(&app, "joined");
        app.run(&["token", "revoke", "--name", "former"]);
        assert_eq!(place.job(database, &config, "notify"), json!({ "sent": 4, "failed": 1 }), "{}", database.name);
        let told = mail_to(&mail, "chair@example.org").expect("a mail to the chair");
        assert!(told.contains(FLAG) && told.contains(JOB), "{told}");
        assert!(told.contains("https://phananh.example/jobs?job=timeliness"), "{told}");
        for name in ["joined", "member", "admin"] {
            let told = mail_to(&mail, &format!("{name}@example.org")).expect("a mail");
            assert!(told.contains(JOB) && !told.contains(FLAG), "{name}: {told}");
        }
        assert_eq!(mail_to(&mail, "former@example.org"), None);
        let log = program().json(database, &["webhook", "deliveries"]);
        let refused: Vec<&Value> = log.list().iter().filter(|one| one["state"] == "FAILED").collect();
        assert!(refused.len() == 1 && refused[0]["error"].text().contains("no valid token"), "{log}");

        // A reader who may not see the flags is not told that they are taken up, either.
        set_flags(database, FlagState::Acknowledged);
        let over = place.job(database, &config, "alerts");
        assert!(over["cleared"].integer() > 0 && over["messages"] == 1, "{}: {over}", database.name);
        assert_eq!(place.job(database, &config, "notify"), json!({ "sent": 1, "failed": 0 }));
    }
}

#[test]
fn members_of_the_board_and_admins_subscribe_themselves() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let [chair, admin] =
        [("chair", "BOARD"), ("admin", "ADMIN")].map(|(name, role)| token(&app.database, name, &["--role", role]));
    let own =
        |token: &str| app.server().data(token, "{ alertSubscriptions { id address } }")["alertSubscriptions"].clone();
    for (holder, other, address) in [(&chair, &admin, "chair@example.org"), (&admin, &chair, "admin@example.org")] {
        let mut visitor = Visitor::signed_in(app.server(), holder);
        assert!(visitor.get("/alerts").text.contains("id=\"do-subscribe\""));
        let done =
            visitor.post_with_secret("/alerts", &[("step", "subscribe"), ("address", address), ("locale", "EN")]);
        assert_eq!((done.status, done.header("location")), (303, "/alerts?done=done-alerts-subscribe"), "{done:?}");
        let made = own(holder);
        assert_eq!(made[0]["address"], address, "{made}");
        assert_eq!(own(other), json!([]), "only one's own");
        let end = visitor.post_with_secret("/alerts", &[("step", "end"), ("subscriptionId", made[0]["id"].text())]);
        assert_eq!((end.status, end.header("location")), (303, "/alerts?done=done-alerts-end"), "{end:?}");
        assert_eq!(own(holder), json!([]));
    }
    let wish = "mutation { subscribeToAlerts(input: {address: \"a@example.org\"}) { subscription { id } } }";
    for role in [Role::DataTeam, Role::Dashboard, Role::Intake] {
        let denied = app.as_role(role).codes(wish);
        assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{role}: {denied:?}");
    }
}
