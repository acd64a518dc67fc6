//! An ADMIN sets the public holidays of a year: they win over the configuration and the program, deadlines follow at
//! once on every node, and history and verification know them.

use crate::program;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Barrier;
use tests::fixtures::Files;
use tests::verification::{found, verify};
use tests::work::{MEASURE, Mutations};
use tests::{Client, Json, Role, TestApp, merged};

const YEAR: &str = "holidays { year source daysOff daysWorked reason revision } changedDeadlines position";

/// A year as a reader sees it.
fn year(client: &Client<'_>, number: i32) -> Value {
    let query = format!("{{ holidays(year: {number}) {{ year source daysOff daysWorked }} }}");
    client.data(&query)["holidays"][0].clone()
}

/// The revision of a year.
fn revision(admin: &Client<'_>, number: i32) -> Value {
    admin.data(&format!("{{ holidays(year: {number}) {{ revision }} }}"))["holidays"][0]["revision"].clone()
}

/// The input that sets a year: its present days and revision, and what else is given.
fn more(admin: &Client<'_>, number: i32, off: &[&str], worked: &[&str], reason: &str) -> Value {
    let now = year(admin, number);
    let with = |field: &str, days: &[&str]| {
        let all = now[field].list().iter().cloned().chain(days.iter().map(|day| json!(day)));
        all.collect::<Vec<Value>>()
    };
    json!({ "year": number, "expectedRevision": revision(admin, number), "daysOff": with("daysOff", off),
        "daysWorked": with("daysWorked", worked), "reason": reason })
}

/// The deadline of PA-2, which was received on Saturday, 6 January 2024, with 15 working days.
fn due(client: &Client<'_>) -> Value {
    let query = "{ complaints(filter: {sourceReference: {eq: \"PA-2\"}}) { nodes { dueOn } } }";
    client.data(query)["complaints"]["nodes"][0]["dueOn"].clone()
}

/// The overdue complaints about 02CV on a day of 2024, by a snapshot that holds a position.
fn overdue(client: &Client<'_>, position: &Value, day: &str) -> Value {
    let query = format!(
        "{{ complaintStatistics(asOf: \"2024-{day}\", minPosition: {position}, filter: {{unitWithin: \"02CV\"}}) \
            {{ totals {{ overdue }} }} }}"
    );
    client.data(&query)["complaintStatistics"]["totals"]["overdue"].clone()
}

/// A suspension of CC02 from a Monday, 15 working days long.
fn suspension(head: &Client<'_>, starts_on: &str) -> Value {
    let input = json!({
        "officer": "CC02", "kind": "SUSPENSION", "ground": "HARASSMENT_OF_ENTERPRISES", "grounds": "Gây phiền hà.",
        "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-03-01", "startsOn": starts_on,
        "explanation": "Tôi nhận khuyết điểm.", "noBasisReason": "Theo kết luận kiểm tra nội bộ.",
    });
    head.done("recordMeasure", MEASURE, &input)["measure"].clone()
}

#[test]
fn deadlines_follow_the_holidays_of_the_register_on_every_node() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let other = program().serve(&app.database, &["--no-jobs"]);
        let elsewhere = Client { server: &other, token: board.token.clone() };
        let head_elsewhere = Client { server: &other, token: app.as_head("02DS").token };
        let shipped = year(&board, 2024);
        assert_eq!((&shipped["source"], shipped["daysOff"].list().len()), (&json!("PROGRAM"), 12), "{shipped}");
        assert_eq!(shipped["daysWorked"], json!(["2024-05-04"]));
        assert_eq!(board.data("{ holidays { year } }")["holidays"].list().len(), 14);
        assert_eq!((due(&board), due(&elsewhere)), (json!("2024-01-26"), json!("2024-01-26")));
        assert_eq!(overdue(&elsewhere, &json!(0), "01-27"), 1);

        // Two days off in the last week, and a Saturday worked: 24 to 27 January, and the 29th.
        let input = more(&admin, 2024, &["2024-01-23", "2024-01-22"], &["2024-01-27"], "Quyết định số 1.");
        let set = admin.done("setHolidays", YEAR, &input);
        assert_eq!(set["changedDeadlines"], 1, "PA-2 alone: {set}");
        let now = &set["holidays"];
        assert_eq!((&now["source"], &now["reason"]), (&json!("REGISTER"), &json!("Quyết định số 1.")));
        assert_eq!(now["daysOff"].list()[1..3], [json!("2024-01-22"), json!("2024-01-23")], "in order: {now}");
        assert_eq!(now["daysWorked"], json!(["2024-01-27", "2024-05-04"]));
        assert_eq!(now["revision"], set["position"]);
        for client in [&board, &elsewhere] {
            assert_eq!(due(client), "2024-01-29");
            let days = ["01-27", "01-29", "01-30"].map(|day| overdue(client, &set["position"], day));
            assert_eq!(days, [json!(0), json!(0), json!(1)], "{}", app.database.name);
            assert_eq!(year(client, 2024)["source"], "REGISTER");
        }
        // A node that starts then finds nothing to compute.
        let fresh = program().serve(&app.database, &["--no-jobs"]);
        let late = Client { server: &fresh, token: board.token.clone() };
        assert_eq!((due(&late), overdue(&late, &set["position"], "01-29")), (json!("2024-01-29"), json!(0)));

        // What is the same already changes nothing, and keeps its reason.
        let again = admin.done("setHolidays", YEAR, &more(&admin, 2024, &["2024-01-22"], &[], "Lại."));
        assert_eq!((&again["position"], &again["changedDeadlines"]), (&Value::Null, &json!(0)));
        assert_eq!(again["holidays"]["reason"], "Quyết định số 1.");

        // Suspensions are counted by the same calendar, and a year that it lacks can be added.
        let before = suspension(&head_elsewhere, "2024-05-06");
        assert_eq!((&before["endsOn"], &before["workingDays"]), (&json!("2024-05-24"), &json!(15)));
        let march = admin.done("setHolidays", YEAR, &more(&admin, 2024, &["2024-03-06"], &[], "Quyết định số 2."));
        overdue(&elsewhere, &march["position"], "01-29");
        let after = suspension(&head_elsewhere, "2024-03-04");
        assert_eq!((&after["endsOn"], &after["workingDays"]), (&json!("2024-03-25"), &json!(15)));
        let next = json!({ "year": 2028, "expectedRevision": 0, "daysOff": ["2028-01-03"], "reason": "Năm mới." });
        assert_eq!(admin.done("setHolidays", YEAR, &next)["changedDeadlines"], 0);
        assert_eq!(suspension(&head_elsewhere, "2028-01-03")["endsOn"], "2028-01-24");

        let files = Files::new();
        let key = files.key_file();
        app.run(&["audit", "seal", "--key-file", &key]);
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!((status, &report["verified"]), (0, &json!(true)), "{report}");
        // The deadlines are computed from the events: only the row itself is not as it was.
        let days = year(&board, 2024)["daysOff"].to_string();
        for (change, column, undo) in [
            (
                "UPDATE holiday_years SET days_off = '[]' WHERE year = 2024",
                "holiday_years.days_off",
                format!("UPDATE holiday_years SET days_off = '{days}' WHERE year = 2024"),
            ),
            (
                "UPDATE complaints SET due_on = '2024-01-26' WHERE due_on = '2024-01-29'",
                "complaints.due_on",
                "UPDATE complaints SET due_on = '2024-01-29' WHERE due_on = '2024-01-26'".to_owned(),
            ),
        ] {
            app.database.tamper(change);
            let (status, report) = verify(&app.database, &key, &[]);
            assert_eq!((status, found(&report)), (1, vec![column.to_owned()]), "{report}");
            app.database.tamper(&undo);
        }

        let remove = json!({ "year": 2024, "expectedRevision": revision(&admin, 2024), "reason": "Nhầm." });
        let removed = admin.done("removeHolidays", YEAR, &remove);
        // PA-3 was due on 6 March, too.
        assert_eq!((&removed["changedDeadlines"], &removed["holidays"]["source"]), (&json!(2), &json!("PROGRAM")));
        assert_eq!(year(&board, 2024), shipped);
        for client in [&board, &elsewhere] {
            assert_eq!((due(client), overdue(client, &removed["position"], "01-27")), (json!("2024-01-26"), json!(1)));
        }
        let again = merged(&remove, &json!({ "expectedRevision": removed["position"] }));
        assert_eq!(admin.send("removeHolidays", YEAR, &again).codes(), ["NOT_FOUND"]);
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{report}");
    }
}

#[test]
fn only_an_admin_sets_holidays_and_wrong_ones_change_nothing() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        // A DATA_TEAM reads only from a server with a key.
        let files = Files::new();
        let app = builder.world().keyed(&files).arguments(&["--no-jobs"]).start();
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let good = json!({ "year": 2028, "expectedRevision": 0, "daysOff": ["2028-01-03"], "daysWorked": [],
            "reason": "Quyết định số 1." });
        for role in [Role::Board, Role::UnitHead, Role::DataTeam, Role::Dashboard, Role::Intake] {
            let client = app.as_any(role, "02");
            assert_eq!(year(&client, 2025)["source"], "PROGRAM", "{role}");
            let remove = json!({ "year": 2024, "expectedRevision": 0, "reason": "x" });
            for (mutation, input) in [("setHolidays", &good), ("removeHolidays", &remove)] {
                let refused = client.send(mutation, "position", input);
                let codes = refused.codes();
                assert!(codes.iter().all(|code| code == "FORBIDDEN") && !codes.is_empty(), "{role}: {}", refused.text);
            }
            if role != Role::Board {
                let denied = client.codes("{ holidays { history { totalCount } } }");
                assert!(denied.iter().all(|code| code == "FORBIDDEN") && !denied.is_empty(), "{role}: {denied:?}");
            }
        }
        for (wrong, parts) in [
            (json!({ "daysOff": ["2027-01-01"] }), &["2028.off", "2027-01-01", "another year"][..]),
            (json!({ "daysWorked": ["2028-01-05"] }), &["2028.worked", "Saturday or Sunday"]),
            (json!({ "daysOff": ["2028-01-08"], "daysWorked": ["2028-01-08"] }), &["2028.worked"]),
            (json!({ "year": 2030, "daysOff": [] }), &["must not have gaps", "2028, 2029"]),
            (json!({ "year": 1969, "daysOff": [] }), &["year", "from 1970 to 2199"]),
            (json!({ "daysOff": vec!["2028-01-03"; 367] }), &["at most 366 days"]),
            (json!({ "reason": " " }), &["reason"]),
        ] {
            let refused = admin.send("setHolidays", YEAR, &merged(&good, &wrong));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{wrong}: {}", refused.text);
            assert!(parts.iter().all(|part| refused.text.contains(part)), "{parts:?}: {}", refused.text);
        }
        assert_eq!(
            admin.send("setHolidays", YEAR, &merged(&good, &json!({ "expectedRevision": 7 }))).codes(),
            ["CONFLICT"]
        );
        assert_eq!(year(&board, 2028), Value::Null);

        // Optimistic locking: the second of two changes to one revision fails with CONFLICT.
        let start = Barrier::new(2);
        let codes = std::thread::scope(|scope| {
            let set = |day: &'static str| {
                let (admin, start, input) = (&admin, &start, merged(&good, &json!({ "daysOff": [day] })));
                scope.spawn(move || {
                    start.wait();
                    admin.send("setHolidays", YEAR, &input).codes()
                })
            };
            let (one, two) = (set("2028-01-03"), set("2028-01-04"));
            [one.join().unwrap(), two.join().unwrap()]
        });
        assert!(codes.contains(&Vec::new()) && codes.contains(&vec!["CONFLICT".to_owned()]), "{codes:?}");
        // A year of which a later one depends is not left out.
        let later = merged(&good, &json!({ "year": 2029, "daysOff": ["2029-01-01"] }));
        admin.done("setHolidays", YEAR, &later);
        let remove = json!({ "year": 2028, "expectedRevision": revision(&admin, 2028), "reason": "Nhầm." });
        let refused = admin.send("removeHolidays", YEAR, &remove);
        assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains("add 2028"), "{}", refused.text);

        let changed = json!({ "daysOff": ["2028-01-05"], "daysWorked": ["2028-01-08"], "reason": "Quyết định số 2.",
            "expectedRevision": revision(&admin, 2028) });
        admin.done("setHolidays", YEAR, &merged(&good, &changed));
        let query = "{ holidays(year: 2028) { history { nodes { kind actor { kind name } \
            changes { field before after } } } } }";
        for client in [&board, &admin] {
            let steps = client.data(query)["holidays"][0]["history"]["nodes"].clone();
            let kinds: Vec<&str> = steps.list().iter().map(|step| step["kind"].text()).collect();
            assert_eq!(kinds, ["CREATED", "UPDATED"], "{steps}");
            assert_eq!(steps[1]["actor"], json!({ "kind": "TOKEN", "name": "ADMIN-all" }));
            let of = |field: &str| {
                let change = steps[1]["changes"].list().iter().find(|change| change["field"] == field);
                change.map(|change| (change["before"].clone(), change["after"].clone())).expect(field)
            };
            assert_eq!(of("daysOff").1, "[\"2028-01-05\"]");
            assert_eq!(of("daysWorked"), (json!("[]"), json!("[\"2028-01-08\"]")));
            assert_eq!(of("reason"), (json!("Quyết định số 1."), json!("Quyết định số 2.")));
        }
    }
}

/// A configuration with a file of holidays.
fn configured(files: &Files, holidays: &Path) -> String {
    files.put("phananh.toml", format!("[calendar]\nholidays = {holidays:?}\n")).display().to_string()
}

#[test]
fn the_command_line_sets_holidays_that_win_over_the_configuration() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        // The file of the configuration: Monday, 22 January 2024 is off.
        let config = configured(&files, &files.put("config.toml", "[2024]\noff = [\"2024-01-22\"]\n"));
        let app = builder.world().arguments(&["--no-jobs", "--config", &config]).start();
        let board = app.as_role(Role::Board);
        assert_eq!((due(&board), year(&board, 2024)["source"].clone()), (json!("2024-01-29"), json!("CONFIGURATION")));

        let own = files.put("own.toml", "[2024]\noff = [\"2024-01-23\", \"2024-01-22\"]\n[2028]\noff = []\n");
        let own = own.display().to_string();
        let run =
            |args: &[&str]| program().json(&app.database, &[&["holidays"][..], args, &["--config", &config]].concat());
        let import = ["import", own.as_str(), "--reason", "Quyết định số 3"];
        let expected = |applied: bool| {
            json!({ "applied": applied, "changedDeadlines": 1,
                "years": [{ "year": 2024, "change": "CREATED" }, { "year": 2028, "change": "CREATED" }] })
        };
        assert_eq!(run(&[&import[..], &["--dry-run"]].concat()), expected(false));
        assert_eq!(due(&board), "2024-01-29", "nothing was written");
        assert_eq!(run(&import), expected(true));
        assert_eq!(due(&board), "2024-01-30");
        let again = run(&import);
        assert_eq!((&again["changedDeadlines"], &again["years"][0]["change"]), (&json!(0), &json!("UNCHANGED")));
        let listed = run(&["list", "--year", "2024"]);
        assert_eq!(
            listed,
            json!([{ "year": 2024, "source": "REGISTER", "daysOff": ["2024-01-22", "2024-01-23"], "daysWorked": [],
                "reason": "Quyết định số 3" }])
        );
        let sources: Vec<String> = run(&["list"]).list().iter().map(|one| one["source"].text().to_owned()).collect();
        assert_eq!((sources.len(), sources.iter().filter(|source| *source == "PROGRAM").count()), (15, 13));

        // A server that starts with the same configuration leaves the register's year as it is.
        let restarted = program().serve(&app.database, &["--no-jobs", "--config", &config]);
        assert_eq!(due(&Client { server: &restarted, token: board.token.clone() }), "2024-01-30");
        let removed = run(&["remove", "2024", "--reason", "Nhầm"]);
        assert_eq!(
            removed,
            json!({ "applied": true, "changedDeadlines": 1, "years": [{ "year": 2024, "change": "UPDATED" }] })
        );
        assert_eq!((due(&board), year(&board, 2024)["source"].clone()), (json!("2024-01-29"), json!("CONFIGURATION")));
        let actor = "{ holidays(year: 2024) { history { nodes { actor { kind } } } } }";
        let steps = board.data(actor)["holidays"][0]["history"]["nodes"].clone();
        assert_eq!(steps, json!([{ "actor": { "kind": "COMMAND" } }, { "actor": { "kind": "COMMAND" } }]));
    }
}
