//! Time as the law counts it: deadlines, the steps that change them, and rounds.

use crate::program;
use chrono::{Days, NaiveDate};
use schema::domain::calendar::local_date;
use schema::domain::legal_clock::{ClockRules, RoundClock};
use schema::enums::LegalForm;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Client, Database, Json, Role, TestApp, merged};

pub const CLOCK: &str =
    "complaint { id version state dueOn answeredOn clockStoppedSince overdue overdueDays answeredInTime
    rounds { number startedOn acceptanceDueOn acceptedOn remoteArea extensions extendedDays stops { from to } dueOn
      answeredOn } } position";

pub fn today() -> NaiveDate {
    local_date(schema::Timestamp::now())
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The only complaint that a filter selects.
pub fn the_one(client: &Client<'_>, filter: &str) -> Value {
    let fields = CLOCK.strip_prefix("complaint {").and_then(|fields| fields.strip_suffix("} position")).unwrap();
    let data = client.data(&format!("{{ complaints(filter: {filter}) {{ nodes {{ {fields} }} }} }}"));
    let nodes = data["complaints"]["nodes"].list().to_vec();
    assert_eq!(nodes.len(), 1, "{filter}");
    nodes[0].clone()
}

pub fn count(client: &Client<'_>, filter: &str) -> i64 {
    client.data(&format!("{{ complaints(filter: {filter}) {{ totalCount }} }}"))["complaints"]["totalCount"].integer()
}

/// Submits a complaint that the Board classifies; returns it.
pub fn classified(app: &TestApp, key: &str, more: &Value) -> Value {
    let receipt = app.as_role(Role::Intake).submitted(key, &merged(&json!({ "unit": "02CV" }), more));
    let input = json!({ "complaintId": receipt["id"], "expectedVersion": receipt["version"], "category": "TD1" });
    app.as_role(Role::Board).done("classifyComplaint", CLOCK, &input)["complaint"].clone()
}

/// Takes a step; returns the complaint, or the code of the refusal.
pub fn step(client: &Client<'_>, mutation: &str, complaint: &Value, more: &Value) -> Result<Value, Vec<String>> {
    let of = if mutation == "acceptComplaint" { "AcceptComplaintInput" } else { "ClockStepInput" };
    let input = merged(&json!({ "complaintId": complaint["id"], "expectedVersion": complaint["version"] }), more);
    let query = format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {{ {CLOCK} }} }}");
    let answer = client.request_with(&query, &json!({ "input": input }));
    match answer.codes() {
        codes if codes.is_empty() => Ok(answer.json()["data"][mutation]["complaint"].clone()),
        codes => Err(codes),
    }
}

pub fn because() -> Value {
    json!({ "reason": "Vụ việc phức tạp." })
}

#[test]
fn deadlines_are_counted_in_working_days_and_the_last_day_is_not_over() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        // Received in the days off of Tết, 5 working days; on a Saturday, 15; and answered in time.
        for (reference, due, answered) in [
            ("PA-4", "2024-02-21", Value::Null),
            ("PA-2", "2024-01-26", Value::Null),
            ("PA-1", "2024-01-12", json!("2024-01-10")),
        ] {
            let one = the_one(&board, &format!("{{sourceReference: {{eq: \"{reference}\"}}}}"));
            assert_eq!((&one["dueOn"], &one["answeredOn"]), (&json!(due), &answered), "{reference}");
            assert_eq!(one["overdue"], answered.is_null(), "{reference}");
        }
        let card = |as_of: &str| {
            let query = format!("{{ unit(code: \"02CV\") {{ scorecard(asOf: \"{as_of}\") {{ due overdue open }} }} }}");
            board.data(&query)["unit"]["scorecard"].clone()
        };
        // PA-1 and PA-2 are known by then; PA-2 is due on 26 January.
        assert_eq!(card("2024-01-26"), json!({ "due": 1, "overdue": 0, "open": 2 }), "the last day");
        assert_eq!(card("2024-01-27"), json!({ "due": 2, "overdue": 1, "open": 2 }), "the day after");
        let late = |as_of: &str| {
            let query = format!(
                "{{ complaintStatistics(asOf: \"{as_of}\", filter: {{unitWithin: \"02CV\"}}) {{ totals {{
                shareAnsweredInTime overdue open }} }} }}"
            );
            board.data(&query)["complaintStatistics"]["totals"].clone()
        };
        assert_eq!(late("2024-01-26"), json!({ "shareAnsweredInTime": 1.0, "overdue": 0, "open": 2 }));
        assert_eq!(late("2024-01-27"), json!({ "shareAnsweredInTime": 0.5, "overdue": 1, "open": 2 }));
        // Calendar days, by a category that says so; complaints follow.
        let files = Files::new();
        let map = "source = \"danh-muc\"\n[fields]\ncode = \"ma\"\nname_vi = \"ten\"\nkind = \"loai\"\n\
                   deadline_days = \"han\"\ndeadline_unit = \"ngay\"\n";
        let csv = "ma,ten,loai,han,ngay\nTD1,Hách dịch,CONDUCT,15,CALENDAR\n";
        app.run(&files.import("categories", csv, map).iter().map(String::as_str).collect::<Vec<_>>());
        let one = the_one(&board, "{sourceReference: {eq: \"PA-2\"}}");
        // 21 January is a Sunday.
        assert_eq!(one["dueOn"], "2024-01-22");
        let key = files.key_file();
        app.run(&["audit", "seal", "--key-file", &key]);
        let report = program().json(&app.database, &["audit", "verify", "--key-file", &key]);
        assert_eq!(report["verified"], true, "{report}");
    }
}

#[test]
fn grievances_and_denunciations_have_the_terms_of_their_laws() {
    let rules = ClockRules::shipped();
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
        let grievance = classified(&app, "g", &json!({ "legalForm": "GRIEVANCE" }));
        let mut clock = RoundClock::begun(today());
        let due = |form, clock: &RoundClock| json!(rules.due_on(form, None, clock));
        assert_eq!(grievance["dueOn"], due(LegalForm::Grievance, &clock), "as if accepted on the last day");
        let acceptance = json!(rules.acceptance_due_on(LegalForm::Grievance, &clock));
        assert_eq!(grievance["rounds"][0]["acceptanceDueOn"], acceptance);
        assert_eq!(step(&head, "extendDeadline", &grievance, &because()), Err(vec!["CONFLICT".into()]), "not accepted");
        let tomorrow = json!({ "acceptedOn": today() + Days::new(1) });
        assert_eq!(step(&head, "acceptComplaint", &grievance, &tomorrow), Err(vec!["BAD_USER_INPUT".into()]));
        let accepted = step(&head, "acceptComplaint", &grievance, &json!({ "remoteArea": true })).unwrap();
        (clock.accepted_on, clock.remote_area) = (Some(today()), true);
        assert_eq!(accepted["dueOn"], due(LegalForm::Grievance, &clock), "45 days in remote areas");
        assert_eq!(step(&head, "acceptComplaint", &accepted, &json!({})), Err(vec!["CONFLICT".into()]), "twice");
        let silent = json!({ "reason": " " });
        assert_eq!(step(&head, "extendDeadline", &accepted, &silent), Err(vec!["BAD_USER_INPUT".into()]), "no reason");
        let extended = step(&head, "extendDeadline", &accepted, &because()).unwrap();
        clock.extended_days = 15;
        assert_eq!(extended["dueOn"], due(LegalForm::Grievance, &clock), "60 where complex");
        assert_eq!(step(&board, "extendDeadline", &extended, &because()), Err(vec!["CONFLICT".into()]), "once");

        let denunciation = classified(&app, "d", &json!({ "legalForm": "DENUNCIATION" }));
        let mut now = step(&board, "acceptComplaint", &denunciation, &json!({})).unwrap();
        let mut clock = RoundClock { accepted_on: Some(today()), ..RoundClock::begun(today()) };
        for extended in [30, 60] {
            now = step(&board, "extendDeadline", &now, &because()).unwrap();
            clock.extended_days = extended;
            assert_eq!(now["dueOn"], due(LegalForm::Denunciation, &clock));
        }
        assert_eq!(step(&board, "extendDeadline", &now, &because()), Err(vec!["CONFLICT".into()]), "the third");

        let feedback = classified(&app, "f", &json!({}));
        assert_eq!(step(&board, "acceptComplaint", &feedback, &json!({})), Err(vec!["BAD_USER_INPUT".into()]));
        let elsewhere = app.as_head("03TG");
        assert_eq!(step(&elsewhere, "suspendClock", &feedback, &because()), Err(vec!["NOT_FOUND".into()]));
        let stopped = step(&head, "suspendClock", &feedback, &because()).unwrap();
        assert_eq!(stopped["clockStoppedSince"], json!(today()));
        assert_eq!(stopped["rounds"][0]["stops"], json!([{ "from": today(), "to": null }]));
        assert_eq!(step(&head, "suspendClock", &stopped, &because()), Err(vec!["CONFLICT".into()]));
        let running = step(&head, "resumeClock", &stopped, &because()).unwrap();
        assert_eq!((&running["clockStoppedSince"], &running["dueOn"]), (&Value::Null, &feedback["dueOn"]));
        assert_eq!(step(&head, "resumeClock", &running, &because()), Err(vec!["CONFLICT".into()]));
        // What is over cannot be extended or stopped.
        let over = the_one(&board, "{sourceReference: {eq: \"PA-2\"}}");
        for mutation in ["extendDeadline", "suspendClock"] {
            assert_eq!(step(&board, mutation, &over, &because()), Err(vec!["CONFLICT".into()]), "{mutation}");
        }
        let denied = step(&app.as_role(Role::DataTeam), "suspendClock", &running, &because()).unwrap_err();
        assert!(denied.iter().all(|code| code == "FORBIDDEN"), "{denied:?}");
    }
}

#[test]
fn a_reopened_complaint_is_overdue_again_and_what_was_late_stays_late() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let one = the_one(&board, "{sourceReference: {eq: \"PA-5\"}}");
        let rounds: Vec<Value> = one["rounds"].list().to_vec();
        let told: Vec<(&Value, &Value, &Value)> =
            rounds.iter().map(|round| (&round["startedOn"], &round["dueOn"], &round["answeredOn"])).collect();
        let (first, second) = ("2024-03-11", "2024-03-25");
        assert_eq!(told[0], (&json!("2024-03-10"), &json!("2024-03-22"), &json!(first)));
        assert_eq!(told[1], (&json!(first), &json!(second), &Value::Null), "the first answer is not its answer");
        assert_eq!((&one["state"], &one["overdue"]), (&json!("ASSIGNED"), &json!(true)));
        assert_eq!(one["answeredInTime"], false);
        assert_eq!(count(&board, "{sourceReference: {eq: \"PA-5\"}, overdue: {eq: true}}"), 1);
        let totals = |as_of: &str| {
            let filter = "filter: {unitWithin: \"02CV\", categoryIn: [\"HT\"]}";
            let query = format!(
                "{{ complaintStatistics(asOf: \"{as_of}\", {filter}) {{ totals {{ open overdue reopened \
                 shareAnsweredInTime }} }} }}"
            );
            board.data(&query)["complaintStatistics"]["totals"].clone()
        };
        let expected = |overdue: u32, reopened: u32, share: Value| json!({ "open": 1, "overdue": overdue, "reopened": reopened, "shareAnsweredInTime": share });
        assert_eq!(totals("2024-03-10"), expected(0, 0, Value::Null));
        assert_eq!(totals("2024-03-25"), expected(0, 1, json!(1.0)), "the first round was in time");
        assert_eq!(totals("2024-03-26"), expected(1, 1, json!(0.0)));
        // Answered late, reopened, and answered at once: late it stays.
        let mut version = one["version"].clone();
        let head = app.as_head("02CV");
        for reopen in [true, false] {
            let answer = json!({ "complaintId": one["id"], "expectedVersion": version, "action": "EXPLANATION", "text": "Đã giải thích." });
            let done = head.done("respondToComplaint", CLOCK, &answer);
            version = done["complaint"]["version"].clone();
            assert_eq!(
                (&done["complaint"]["answeredInTime"], &done["complaint"]["overdue"]),
                (&json!(false), &json!(false))
            );
            if reopen {
                let input = json!({ "complaintId": one["id"], "expectedVersion": version, "state": "ASSIGNED", "reason": "Chưa xong." });
                let reopened = board.done("changeComplaintState", CLOCK, &input)["complaint"].clone();
                assert_eq!((reopened["rounds"].list().len(), &reopened["answeredOn"]), (3, &Value::Null));
                version = reopened["version"].clone();
            }
        }
        assert_eq!(count(&board, "{sourceReference: {eq: \"PA-5\"}, answeredInTime: {eq: false}}"), 1);
    }
}

#[test]
fn lists_statistics_and_fields_say_the_same_of_a_world() {
    for app in TestApp::both().arguments(&["--no-jobs"]) {
        let until = (today() - Days::new(1)).to_string();
        app.run(&["generate", "--complaints", "1500", "--seed", "11", "--until", &until]);
        let board = app.as_role(Role::Board);
        let mut nodes: Vec<Value> = Vec::new();
        let mut after = Value::Null;
        loop {
            let query = "query ($after: String) { complaints(first: 100, after: $after, orderBy: [{field: OVERDUE_DAYS, \
                direction: DESC}]) { nodes { overdue overdueDays dueOn answeredInTime } pageInfo { hasNextPage endCursor } } }";
            let page = board.data_with(query, &json!({ "after": after }))["complaints"].clone();
            nodes.extend_from_slice(page["nodes"].list());
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(nodes.len(), 1_500);
        let days: Vec<i64> = nodes.iter().map(|one| one["overdueDays"].integer()).collect();
        assert!(days.windows(2).all(|pair| pair[0] >= pair[1]), "in the order asked for");
        let overdue = i64::try_from(days.iter().filter(|days| **days > 0).count()).unwrap();
        assert!(overdue > 10 && nodes.iter().all(|one| one["overdue"] == (one["overdueDays"].integer() > 0)));
        assert_eq!(count(&board, "{overdue: {eq: true}}"), overdue);
        assert_eq!(count(&board, "{overdue: {eq: false}}"), 1_500 - overdue);
        let totals = board.data("{ complaintStatistics { totals { overdue open reopened } } }");
        let totals = totals["complaintStatistics"]["totals"].clone();
        assert_eq!(totals["overdue"], json!(overdue));
        assert!(totals["reopened"].integer() > 0 && totals["open"].integer() > overdue);
        let more_than = |limit: i64| i64::try_from(days.iter().filter(|days| **days > limit).count()).unwrap();
        for limit in [0, 3, 30] {
            assert_eq!(count(&board, &format!("{{overdueDays: {{gt: {limit}}}}}")), more_than(limit));
            assert_eq!(count(&board, &format!("{{overdueDays: {{lte: {limit}}}}}")), 1_500 - more_than(limit));
        }
        for (filter, value) in [("eq: true", json!(true)), ("ne: true", json!(false)), ("isNull: true", Value::Null)] {
            let expected = nodes.iter().filter(|one| one["answeredInTime"] == value).count();
            assert_eq!(count(&board, &format!("{{answeredInTime: {{{filter}}}}}")), i64::try_from(expected).unwrap());
        }
    }
}

#[test]
fn a_register_counts_by_the_files_of_its_configuration_and_keeps_them() {
    for database in Database::both() {
        tests::fixtures::fill(&database);
        let files = Files::new();
        let terms = include_str!("../../docs/deadlines.toml")
            .replace("version = \"1\"", "version = \"2\"")
            .replace("extension_days = 5", "extension_days = 7");
        let terms = files.put("terms.toml", terms);
        // Friday 26 January 2024 is off, so that PA-2 is due a working day later.
        let shipped = include_str!("../../schema/src/domain/holidays.toml");
        let year = shipped.split("[2024]").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
        let holidays = files.put(
            "holidays.toml",
            format!("[2024]{}", year.replacen("\"2024-01-01\"", "\"2024-01-01\", \"2024-01-26\"", 1)),
        );
        let settings = format!(
            "[calendar]\nholidays = \"{}\"\n[deadlines]\nterms = \"{}\"\n",
            holidays.display(),
            terms.display()
        );
        let config = files.config("phananh.toml", &settings);
        program().run(&database, ["migrate", &config[0], &config[1]]).ok();
        let due = || -> Option<NaiveDate> {
            let server = program().serve(&database, &["--no-jobs"]);
            let board = program().token(&database, "BOARD", None);
            let query = "{ complaints(filter: {sourceReference: {eq: \"PA-2\"}}) { nodes { dueOn } } }";
            let found = server.data(&board, query)["complaints"]["nodes"][0]["dueOn"].clone();
            found.as_str().map(day)
        };
        assert_eq!(due(), Some(day("2024-01-29")), "also by a server without this configuration");
        let wrong = files.config("wrong.toml", "[deadlines]\nterms = \"/nowhere/terms.toml\"\n");
        let refused = program().run(&database, ["migrate", &wrong[0], &wrong[1]]);
        assert!(refused.status == 1 && refused.err.contains("deadlines.terms"), "{refused:?}");
    }
}

#[test]
fn corrections_and_administration_move_the_deadline_and_a_statement_does_not() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        let one = classified(&app, "c", &json!({}));
        let of = |version: &Value, more: Value| {
            merged(&json!({ "complaintId": one["id"], "expectedVersion": version }), &more)
        };
        // The unit complained about says something; the one that the complaint was transferred to answers.
        let input = of(&one["version"], json!({ "unit": "03TG", "reason": "Do chi cục 03TG." }));
        let moved = board.done("transferComplaint", CLOCK, &input)["complaint"].clone();
        assert_eq!(step(&app.as_head("02CV"), "suspendClock", &moved, &because()), Err(vec!["NOT_FOUND".into()]));
        let text = |version: &Value| of(version, json!({ "action": "EXPLANATION", "text": "Đã kiểm tra." }));
        let said = app.as_head("02CV").done("respondToComplaint", CLOCK, &text(&moved["version"]))["complaint"].clone();
        assert_eq!((&said["answeredOn"], &said["dueOn"]), (&Value::Null, &one["dueOn"]), "a statement");
        // Another deadline of its category, and then another legal form.
        let category = "{ issueCategories(filter: {code: {eq: \"TD1\"}}) { nodes { revision } } }";
        let revision = admin.data(category)["issueCategories"]["nodes"][0]["revision"].clone();
        let change =
            json!({ "category": "TD1", "expectedRevision": revision, "deadlineDays": 7, "deadlineUnit": "CALENDAR" });
        admin.done("changeIssueCategory", "category { deadlineUnit }", &change);
        let mut week = today() + Days::new(7);
        let calendar = &ClockRules::shipped().calendar;
        while calendar.is_working_day(week) != Ok(true) {
            week = week + Days::new(1);
        }
        let now = the_one(&board, &format!("{{id: {{eq: {}}}}}", one["id"]));
        assert_eq!(now["dueOn"], json!(week));
        let input = of(&now["version"], json!({ "legalForm": "GRIEVANCE", "reason": "Là khiếu nại." }));
        let corrected = board.done("correctComplaint", CLOCK, &input)["complaint"].clone();
        let due = ClockRules::shipped().due_on(LegalForm::Grievance, None, &RoundClock::begun(today()));
        assert_eq!(corrected["dueOn"], json!(due));
        let answered = app.as_head("03TG").done("respondToComplaint", CLOCK, &text(&corrected["version"]));
        assert_eq!(answered["complaint"]["answeredOn"], json!(today()));
        let files = Files::new();
        let key = files.key_file();
        app.run(&["audit", "seal", "--key-file", &key]);
        let report = program().json(&app.database, &["audit", "verify", "--key-file", &key]);
        assert_eq!(report["verified"], true, "{report}");
    }
}
