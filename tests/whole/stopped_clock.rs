//! A clock that is stopped: what fields, lists, statistics and jobs say of the complaint.

use crate::legal_clock::{CLOCK, because, classified, count, step, the_one, today};
use crate::program;
use chrono::{Days, NaiveDate};
use schema::domain::legal_clock::{ClockRules, Deadline, RoundClock};
use schema::enums::{DeadlineUnit, LegalForm};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp};

/// Runs the job, which reads the register anew; the number of complaints that it calls overdue.
fn escalate(app: &TestApp) -> i64 {
    program().json(&app.database, &["jobs", "run", "escalate-overdue"])["summary"]["overdue"].integer()
}

fn by_id(id: &Value, more: &str) -> String {
    format!("{{id: {{eq: {id}}}{more}}}")
}

/// Moves the stops of clocks to a day, behind the server.
fn stop_since(app: &TestApp, day: NaiveDate) {
    let stops = json!([{ "from": day }]);
    app.database.tamper(&format!(
        "UPDATE complaint_clocks SET stops = '{stops}'; \
         UPDATE complaints SET clock_stopped_since = '{day}' WHERE clock_stopped_since IS NOT NULL"
    ));
}

/// The ids of complaints and the days by which they are overdue, from the one with most days on.
fn by_overdue_days(board: &Client<'_>, page: usize) -> Vec<(Value, i64)> {
    let query = "query ($first: Int, $after: String) { complaints(first: $first, after: $after, orderBy: [{field: \
        OVERDUE_DAYS, direction: DESC}]) { nodes { id overdueDays } pageInfo { hasNextPage endCursor } } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let read = board.data_with(query, &json!({ "first": page, "after": after }))["complaints"].clone();
        let rows = read["nodes"].list().iter();
        found.extend(rows.map(|one| (one["id"].clone(), one["overdueDays"].integer())));
        after = read["pageInfo"]["endCursor"].clone();
        if read["pageInfo"]["hasNextPage"] == false {
            return found;
        }
    }
}

#[test]
fn a_clock_that_stopped_before_the_deadline_is_not_overdue_in_any_measure() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let received = today() - Days::new(10);
        let one = classified(&app, "s", &json!({ "receivedAt": format!("{received}T09:00:00+07:00") }));
        let stopped = step(&board, "suspendClock", &one, &because()).unwrap();
        // This makes the clock look as if it had been stopped since the second day, long ago.
        stop_since(&app, received + Days::new(1));
        let due = received + Days::new(3);
        app.database.tamper(&format!("UPDATE complaints SET due_on = '{due}' WHERE clock_stopped_since IS NOT NULL"));
        let now = the_one(&board, &by_id(&stopped["id"], ""));
        assert_eq!((&now["overdue"], &now["overdueDays"]), (&json!(false), &json!(0)));
        assert_eq!(now["answeredInTime"], Value::Null);
        assert_eq!(count(&board, &by_id(&stopped["id"], ", overdue: {eq: true}")), 0);
        assert_eq!(count(&board, "{overdue: {eq: true}}"), escalate(&app), "{}", app.database.name);
        let escalated = by_id(&stopped["id"], ", escalatedTo: {code: {eq: \"02\"}}");
        assert_eq!(count(&board, &escalated), 0, "its clock does not run");
    }
}

#[test]
fn a_clock_that_stopped_after_the_deadline_stays_overdue_in_every_measure() {
    let files = Files::new();
    // The test changes rows behind the server.
    let [option, settings] = files.without_caches();
    for app in TestApp::both().world().arguments(&["--no-jobs", &option, &settings]) {
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        let received = today() - Days::new(14);
        let more = |text: &str| json!({ "receivedAt": format!("{received}T09:00:00+07:00"), "text": text });
        let one = classified(&app, "s", &more("Dừng đồng hồ."));
        let stopped = step(&board, "suspendClock", &one, &because()).unwrap();
        // Filed under a category whose deadline was over before the stop.
        let category = "{ issueCategories(filter: {code: {eq: \"TD2\"}}) { nodes { revision } } }";
        let revision = admin.data(category)["issueCategories"]["nodes"][0]["revision"].clone();
        let change =
            json!({ "category": "TD2", "expectedRevision": revision, "deadlineDays": 1, "deadlineUnit": "CALENDAR" });
        admin.done("changeIssueCategory", "category { code }", &change);
        let classify =
            json!({ "complaintId": stopped["id"], "expectedVersion": stopped["version"], "category": "TD2" });
        let done = board.done("classifyComplaint", CLOCK, &classify);
        let deadline = Deadline { days: 1, unit: DeadlineUnit::Calendar };
        let due = ClockRules::shipped().due_on(LegalForm::Feedback, Some(deadline), &RoundClock::begun(received));
        let due = due.expect("a deadline");
        let now = &done["complaint"];
        assert_eq!((&now["dueOn"], &now["clockStoppedSince"]), (&json!(due), &json!(today())));
        let days = (today() - due).num_days();
        assert_eq!((&now["overdue"], &now["overdueDays"]), (&json!(true), &json!(days)));
        assert_eq!(now["answeredInTime"], false);
        let found = |more: &str| count(&board, &by_id(&stopped["id"], more));
        assert_eq!((found(", overdue: {eq: true}"), found(", answeredInTime: {eq: false}")), (1, 1));
        let statistics = format!(
            "{{ complaintStatistics(filter: {{receivedFrom: \"{received}T00:00:00+07:00\"}}, minPosition: {}) {{ \
             totals {{ overdue open }} }} }}",
            done["position"]
        );
        let totals = board.data(&statistics)["complaintStatistics"]["totals"].clone();
        assert_eq!(totals, json!({ "overdue": 1, "open": 1 }));
        assert_eq!(step(&board, "extendDeadline", now, &because()), Err(vec!["CONFLICT".into()]), "late it stays");
        // This makes the clock look as if it had been stopped two days ago. Another complaint is due a day later, and
        // its clock runs.
        let other = classified(&app, "o", &more("Đồng hồ chạy."));
        stop_since(&app, today() - Days::new(2));
        let later = due + Days::new(1);
        app.database.tamper(&format!("UPDATE complaints SET due_on = '{later}' WHERE text = 'Đồng hồ chạy.'"));
        assert_eq!(the_one(&board, &by_id(&stopped["id"], ""))["overdueDays"], days - 2, "the number stays");
        for (condition, expected) in [
            (format!("eq: {}", days - 2), 1),
            (format!("gt: {}", days - 2), 0),
            (format!("gte: {}", days - 2), 1),
            (format!("lt: {}", days - 2), 0),
        ] {
            let filter = format!(", overdueDays: {{{condition}}}");
            assert_eq!(found(&filter), expected, "{condition} on {}", app.database.name);
        }
        let all = by_overdue_days(&board, 100);
        assert!(all.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{all:?}");
        let place = all.iter().position(|(id, _)| *id == stopped["id"]).expect("it is listed");
        assert_eq!(all[place - 1], (other["id"].clone(), days - 1), "{}", app.database.name);
        assert_eq!(by_overdue_days(&board, 1), all, "page by page");
        assert_eq!(count(&board, "{overdue: {eq: true}}"), escalate(&app), "{}", app.database.name);
        assert_eq!(found(", escalatedTo: {code: {in: [\"02\", \"TC\"]}}"), 1, "{}", app.database.name);
    }
}
