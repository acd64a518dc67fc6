//! Suspensions as the law has them: their ground, length and extension, the officer heard before, never two at a time;
//! and what a measure rests on.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::{MEASURE, Mutations};
use tests::{Answer, Client, Database, Json, Role, TestApp, merged};

/// A suspension of CC02 from Monday, 4 March 2024.
fn suspension(more: Value) -> Value {
    let mut input = json!({
        "officer": "CC02", "kind": "SUSPENSION", "ground": "HARASSMENT_OF_ENTERPRISES", "grounds": "Gây phiền hà.",
        "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-03-01", "startsOn": "2024-03-04",
        "explanation": "Tôi nhận khuyết điểm.", "noBasisReason": "Theo kết luận kiểm tra nội bộ.",
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut input, more) {
        fields.extend(more);
    }
    input
}

fn record(client: &Client<'_>, more: Value) -> Answer {
    client.send("recordMeasure", MEASURE, &suspension(more))
}

fn recorded(client: &Client<'_>, more: Value) -> Value {
    client.done("recordMeasure", MEASURE, &suspension(more))["measure"].clone()
}

/// A step that changes a measure, with the version that it has.
fn step(client: &Client<'_>, mutation: &str, measure: &Value, more: &Value) -> Answer {
    let input = json!({ "measureId": measure["id"], "expectedVersion": measure["version"], "reason": "Cần thiết." });
    client.send(mutation, MEASURE, &merged(&input, more))
}

fn stepped(client: &Client<'_>, mutation: &str, measure: &Value, more: &Value) -> Value {
    let answer = step(client, mutation, measure, more);
    assert!(answer.codes().is_empty(), "{mutation}: {}", answer.text);
    answer.json()["data"][mutation]["measure"].clone()
}

fn number_of_measures(board: &Client<'_>) -> Value {
    board.data("{ measures { totalCount } }")["measures"]["totalCount"].clone()
}

#[test]
fn a_suspension_keeps_to_the_law() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, own, above) = (app.as_role(Role::Board), app.as_head("02DS"), app.as_head("02"));
        for (more, parts) in [
            (json!({ "endsOn": "2027-03-03" }), &["endsOn", "15 working days", "2024-03-22", "extendMeasure"][..]),
            (json!({ "endsOn": "2024-03-23" }), &["2024-03-22"]),
            (json!({ "ground": null }), &["ground", "HARASSMENT_OF_ENTERPRISES"]),
            (json!({ "explanation": null }), &["explanation", "explanationRefusedOn", "recordExplanation"]),
            (json!({ "explanation": " " }), &["explanationRefusedOn"]),
            (json!({ "explanationRefusedOn": "2024-03-01" }), &["explanationRefusedOn"]),
            (json!({ "explainedOn": "2024-03-02" }), &["explainedOn", "2024-03-01"]),
            (json!({ "explanation": null, "explanationRefusedOn": "2024-03-02" }), &["explanationRefusedOn"]),
            (json!({ "explanation": null, "explainedOn": "2024-03-01" }), &["explainedOn"]),
            (json!({ "noBasisReason": null }), &["flagId", "complaintIds", "noBasisReason"]),
            (json!({ "startsOn": "2030-01-07" }), &["2030", "2014 to 2027", "[calendar] holidays"]),
        ] {
            record(&own, more).assert_refused("BAD_USER_INPUT", parts);
        }
        assert_eq!(number_of_measures(&board), 0, "nothing is half-written");

        let first = recorded(&own, json!({}));
        let of = |field: &str| first[field].clone();
        assert_eq!((of("endsOn"), of("workingDays"), of("state")), (json!("2024-03-22"), json!(15), json!("LAPSED")));
        assert_eq!(of("limits"), json!({ "version": "1", "workingDays": 15, "extensionWorkingDays": 15 }));
        assert_eq!((of("explanation"), of("explainedOn")), (json!("Tôi nhận khuyết điểm."), json!("2024-03-01")));
        let basis = json!({
            "kind": "NONE", "flag": null, "complaintIds": [], "reason": "Theo kết luận kiểm tra nội bộ.",
        });
        assert_eq!((of("ground"), of("basis")), (json!("HARASSMENT_OF_ENTERPRISES"), basis));
        // Two at a time are refused, whoever records the second one.
        for client in [&own, &above] {
            let second = record(client, json!({ "startsOn": "2024-03-22", "ground": "EVASION_OF_DUTY" }));
            second.assert_refused("CONFLICT", &["2024-03-04", "2024-03-22", "overlap"]);
        }
        record(&own, json!({ "decidedOn": "2024-02-19", "startsOn": "2024-02-19" }))
            .assert_refused("CONFLICT", &["overlap"]);
        // Another kind of measure at the same time is allowed, and needs no explanation.
        let review = json!({ "kind": "FORMAL_REVIEW", "ground": null, "explanation": null });
        let review = recorded(&own, review);
        assert_eq!((&review["endsOn"], &review["limits"]), (&Value::Null, &Value::Null));
        // The day after is free, and so are all days once the first one is void.
        let next = recorded(&own, json!({ "startsOn": "2024-03-25", "endsOn": "2024-03-25" }));
        step(&own, "extendMeasure", &first, &json!({ "decidedOn": "2024-03-22" }))
            .assert_refused("CONFLICT", &["2024-03-25"]);
        let void = step(&own, "voidMeasure", &first, &json!({}));
        assert!(void.codes().is_empty(), "{}", void.text);
        assert_eq!(void.json()["data"]["voidMeasure"]["measure"]["state"], "VOID");
        recorded(&above, json!({ "endsOn": "2024-03-22" }));
        assert_eq!(next["workingDays"], 1);
    }
}

#[test]
fn a_suspension_is_extended_once_and_may_be_lifted() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (own, other) = (app.as_head("02DS"), app.as_head("02CV"));
        let may = recorded(&own, json!({ "startsOn": "2024-05-06" }));
        assert_eq!(may["endsOn"], "2024-05-24");
        let extend = |more: Value| merged(&json!({ "decidedOn": "2024-05-24" }), &more);
        for (more, parts) in [
            (json!({ "decidedOn": "2024-05-25" }), &["decidedOn", "2024-05-24", "lapses"][..]),
            (json!({ "decidedOn": "2024-02-29" }), &["decidedOn", "2024-03-01"]),
            (json!({ "decidedOn": "2199-01-01" }), &["future"]),
            (json!({ "endsOn": "2024-06-17" }), &["endsOn", "15 working days", "2024-06-14"]),
            (json!({ "endsOn": "2024-05-24" }), &["endsOn", "2024-06-14"]),
        ] {
            step(&own, "extendMeasure", &may, &extend(more)).assert_refused("BAD_USER_INPUT", parts);
        }
        step(&other, "extendMeasure", &may, &extend(json!({}))).assert_refused("NOT_FOUND", &[]);
        step(&own, "endMeasure", &may, &json!({ "endsOn": "2024-05-25" }))
            .assert_refused("BAD_USER_INPUT", &["2024-05-24"]);
        let extended = stepped(&own, "extendMeasure", &may, &extend(json!({})));
        assert_eq!((&extended["endsOn"], &extended["workingDays"]), (&json!("2024-06-14"), &json!(30)));
        let extension = json!({ "from": "2024-05-24", "decidedOn": "2024-05-24", "reason": "Cần thiết." });
        assert_eq!((&extended["extension"], &extended["state"]), (&extension, &json!("LAPSED")));
        let again = step(&own, "extendMeasure", &extended, &extend(json!({ "decidedOn": "2024-06-14" })));
        again.assert_refused("CONFLICT", &["2024-05-24", "2024-06-14", "only once"]);
        let longer = step(&own, "endMeasure", &extended, &json!({ "endsOn": "2024-06-17" }));
        longer.assert_refused("BAD_USER_INPUT", &["2024-06-14"]);
        let ended = stepped(&own, "endMeasure", &extended, &json!({ "endsOn": "2024-06-10" }));
        assert_eq!((&ended["endsOn"], &ended["state"]), (&json!("2024-06-10"), &json!("LAPSED")));

        let july = recorded(&own, json!({ "startsOn": "2024-07-01" }));
        for (day, part) in [("2024-06-30", "2024-07-01"), ("2024-07-19", "2024-07-19"), ("2024-08-01", "2024-07-19")] {
            step(&own, "liftMeasure", &july, &json!({ "liftedOn": day })).assert_refused("BAD_USER_INPUT", &[part]);
        }
        let lifted = stepped(&own, "liftMeasure", &july, &json!({ "liftedOn": "2024-07-05" }));
        let of = |field: &str| lifted[field].clone();
        assert_eq!(
            (of("state"), of("endsOn"), of("liftedOn")),
            (json!("LIFTED"), json!("2024-07-05"), json!("2024-07-05"))
        );
        assert_eq!((of("endReason"), of("workingDays")), (json!("Cần thiết."), json!(5)));
        for (mutation, more) in [
            ("liftMeasure", json!({ "liftedOn": "2024-07-04" })),
            ("extendMeasure", json!({ "decidedOn": "2024-07-05" })),
            ("endMeasure", json!({ "endsOn": "2024-07-08" })),
        ] {
            step(&own, mutation, &lifted, &more).assert_refused("CONFLICT", &["lifted on 2024-07-05"]);
        }
        // The days after it are free again.
        recorded(&own, json!({ "startsOn": "2024-07-08" }));
        let reassigned = recorded(&own, json!({ "kind": "REASSIGNMENT" }));
        let extension = step(&own, "extendMeasure", &reassigned, &json!({ "decidedOn": "2024-03-01" }));
        extension.assert_refused("BAD_USER_INPUT", &["only a suspension"]);
        let lifted = stepped(&own, "liftMeasure", &reassigned, &json!({ "liftedOn": "2024-04-01" }));
        assert_eq!(lifted["state"], "LIFTED", "a measure without an end can be lifted");
    }
}

#[test]
fn of_twenty_suspensions_recorded_at_once_one_is_accepted() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let clients = [app.as_head("02DS"), app.as_head("02")];
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let sending: Vec<_> = (0..20)
                .map(|nth| {
                    let client = &clients[nth % 2];
                    scope.spawn(move || record(client, json!({ "startsOn": format!("2024-03-{:02}", 4 + nth / 2) })))
                })
                .collect();
            sending.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let accepted = answers.iter().filter(|answer| answer.codes().is_empty()).count();
        let conflicts = answers.iter().filter(|answer| answer.codes() == ["CONFLICT"]).count();
        assert_eq!((accepted, conflicts), (1, 19), "{:?}", answers.iter().map(|one| &one.text).collect::<Vec<_>>());
        assert_eq!(number_of_measures(&app.as_role(Role::Board)), 1);
    }
}

#[test]
fn what_the_officer_said_about_the_flag_is_heard() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let (board, own) = (app.as_role(Role::Board), app.as_head("03TG"));
        let flags = board.data("{ flags { nodes { id officer { code } } } }")["flags"]["nodes"].clone();
        let flag = flags.list().iter().find(|flag| flag["officer"]["code"] == "CC01").unwrap()["id"].clone();
        let input = json!({
            "officer": "CC01", "explanation": null, "noBasisReason": null, "flagId": flag,
            "decidedOn": "2024-04-05", "startsOn": "2024-04-08",
        });
        record(&own, input.clone()).assert_refused("BAD_USER_INPUT", &["recordExplanation"]);
        // What the officer said after the decision is not heard by it.
        for (notified_on, is_heard) in [("2024-04-10", false), ("2024-04-06", false), ("2024-04-05", true)] {
            let said = json!({ "flagId": flag, "notifiedOn": notified_on, "explanation": "Thừa nhận." });
            own.done("recordExplanation", "flag { id }", &said);
            if !is_heard {
                record(&own, input.clone()).assert_refused("BAD_USER_INPUT", &["up to the decision"]);
            }
        }
        assert_eq!(number_of_measures(&board), 0);
        let both = merged(&input, &json!({ "noBasisReason": "x" }));
        record(&own, both).assert_refused("BAD_USER_INPUT", &["noBasisReason"]);
        let measure = recorded(&own, input);
        assert_eq!((&measure["explanation"], &measure["explanationRefusedOn"]), (&Value::Null, &Value::Null));
        let basis = json!({ "kind": "FLAG", "flag": { "id": flag }, "complaintIds": [], "reason": null });
        assert_eq!(measure["basis"], basis);
        // Without a flag and with a refusal, of another officer.
        let refusal = json!({
            "officer": "CC03", "explanation": null, "explanationRefusedOn": "2024-04-04", "decidedOn": "2024-04-05",
            "startsOn": "2024-04-08",
        });
        let measure = recorded(&own, refusal);
        assert_eq!((&measure["explanation"], &measure["explanationRefusedOn"]), (&Value::Null, &json!("2024-04-04")));
        // Fourteen days in April and one in May: 18, 29 and 30 April and 1 May are off.
        assert_eq!((&measure["endsOn"], &measure["workingDays"]), (&json!("2024-05-02"), &json!(15)));
    }
}

#[test]
fn a_measure_rests_on_complaints_that_the_head_sees() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (former, now, express) = (app.as_head("02CV"), app.as_head("03TG"), app.as_head("02DS"));
        let all = board.data("{ complaints { nodes { id text } } }")["complaints"]["nodes"].clone();
        let of = |part: &str| {
            all.list().iter().find(|one| one["text"].text().contains(part)).unwrap_or_else(|| panic!("{part}"))["id"]
                .clone()
        };
        let (about_former, hidden, about_now) = (of("đòi tiền"), of("giữ kín"), of("Ẩn danh"));
        let input = |more: Value| {
            let input = json!({
                "kind": "FORMAL_REVIEW", "officer": "CC01", "decidedOn": "2023-12-01", "startsOn": "2023-12-01",
                "noBasisReason": null,
            });
            merged(&input, &more)
        };
        // A confidential one, one about another officer, and one of another unit.
        for id in [&hidden, &about_now] {
            let other = record(&former, input(json!({ "complaintIds": [id] })));
            other.assert_refused("BAD_USER_INPUT", &["complaintIds", id.text()]);
        }
        let other = record(&express, input(json!({ "officer": "CC02", "complaintIds": [about_former] })));
        other.assert_refused("BAD_USER_INPUT", &["complaintIds", about_former.text()]);
        let both = input(json!({ "complaintIds": [about_former], "noBasisReason": "x" }));
        record(&former, both).assert_refused("BAD_USER_INPUT", &["noBasisReason"]);
        assert_eq!(number_of_measures(&board), 0);
        let measure = recorded(&former, input(json!({ "complaintIds": [about_former, about_former] })));
        let basis = |ids: Value| json!({ "kind": "COMPLAINTS", "flag": null, "complaintIds": ids, "reason": null });
        assert_eq!(measure["basis"], basis(json!([about_former])));
        // The head of the officer's present unit sees the measure, and not the complaint of the former one.
        let seen = |client: &Client<'_>| {
            let list = "{ measures { nodes { basis { kind flag { id } complaintIds reason } } } }";
            client.data(list)["measures"]["nodes"][0]["basis"].clone()
        };
        assert_eq!((seen(&board), seen(&now)), (basis(json!([about_former])), basis(json!([]))));
    }
}

#[test]
fn measures_are_found_by_their_state_on_a_day() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, own) = (app.as_role(Role::Board), app.as_head("02DS"));
        let review = |more: Value| {
            recorded(&own, merged(&json!({ "kind": "FORMAL_REVIEW", "ground": null, "explanation": null }), &more))
        };
        let extended = recorded(&own, json!({ "grounds": "extended" }));
        stepped(&own, "extendMeasure", &extended, &json!({ "decidedOn": "2024-03-22" }));
        let lifted = recorded(&own, json!({ "grounds": "lifted", "startsOn": "2024-07-01" }));
        stepped(&own, "liftMeasure", &lifted, &json!({ "liftedOn": "2024-07-05" }));
        stepped(&own, "voidMeasure", &review(json!({ "grounds": "void" })), &json!({}));
        review(json!({ "grounds": "later", "startsOn": "2024-12-02" }));
        let found = |state: &str| {
            let list = board.data(&format!("{{ measures(filter: {{state: {state}}}) {{ nodes {{ grounds }} }} }}"));
            let nodes = list["measures"]["nodes"].list().iter();
            let mut found: Vec<String> = nodes.map(|node| node["grounds"].text().to_owned()).collect();
            found.sort_unstable();
            found.join(" ")
        };
        for (filter, expected) in [
            ("{eq: UPCOMING, on: \"2024-03-03\"}", "extended later lifted"),
            ("{eq: IN_FORCE, on: \"2024-03-04\"}", "extended"),
            ("{eq: IN_FORCE, on: \"2024-03-22\"}", "extended"),
            ("{eq: EXTENDED, on: \"2024-03-22\"}", ""),
            ("{eq: EXTENDED, on: \"2024-03-23\"}", "extended"),
            ("{in: [IN_FORCE, EXTENDED], on: \"2024-04-12\"}", "extended"),
            ("{in: [IN_FORCE, EXTENDED], on: \"2024-04-13\"}", ""),
            ("{in: [], on: \"2024-04-12\"}", ""),
            ("{eq: LAPSED, on: \"2024-04-13\"}", "extended"),
            ("{eq: IN_FORCE, on: \"2024-07-05\"}", "lifted"),
            ("{eq: LIFTED, on: \"2024-07-05\"}", ""),
            ("{eq: LIFTED, on: \"2024-07-06\"}", "lifted"),
            ("{ne: VOID, on: \"2024-03-03\"}", "extended later lifted"),
            ("{ne: EXTENDED, on: \"2024-03-25\"}", "later lifted void"),
            ("{eq: VOID, on: \"2024-03-03\"}", "void"),
            // Today.
            ("{eq: IN_FORCE}", "later"),
            ("{in: [LAPSED, LIFTED]}", "extended lifted"),
            ("{isNull: false}", "extended later lifted void"),
            ("{isNull: true}", ""),
        ] {
            assert_eq!(found(filter), expected, "{filter}");
        }
        // The list and the field agree: each measure is in one state.
        let all = board.data("{ measures { nodes { grounds state } } }")["measures"]["nodes"].clone();
        for measure in all.list() {
            let (grounds, state) = (measure["grounds"].text(), measure["state"].text());
            assert!(found(&format!("{{eq: {state}}}")).split(' ').any(|one| one == grounds), "{measure}");
            assert!(!found(&format!("{{ne: {state}}}")).split(' ').any(|one| one == grounds), "{measure}");
        }
        assert_eq!(all.list().len(), 4);
    }
}

#[test]
fn limits_and_holidays_are_configuration() {
    let files = Files::new();
    let limits = files.put(
        "limits.toml",
        "version = \"2026-10\"\n[grounds.EVASION_OF_DUTY]\nworking_days = 5\nextension_working_days = 0\n",
    );
    let holidays = files.put("holidays.toml", "[2024]\noff = [\"2024-03-06\"]\nworked = [\"2024-03-09\"]\n");
    let settings = |calendar: &std::path::Path, limits: &std::path::Path| {
        files.put("phananh.toml", format!("[calendar]\nholidays = {calendar:?}\n[measures]\nlimits = {limits:?}\n"))
    };
    let good = settings(&holidays, &limits);
    let app = TestApp::sqlite().world().arguments(&["--no-jobs", "--config", good.to_str().unwrap()]).start();
    let own = app.as_head("02DS");
    // From Monday 4 March: 4, 5, 7, 8 and the Saturday.
    let evasion = recorded(&own, json!({ "ground": "EVASION_OF_DUTY" }));
    assert_eq!((&evasion["endsOn"], &evasion["workingDays"]), (&json!("2024-03-09"), &json!(5)));
    assert_eq!(evasion["limits"], json!({ "version": "2026-10", "workingDays": 5, "extensionWorkingDays": 0 }));
    let extension = step(&own, "extendMeasure", &evasion, &json!({ "decidedOn": "2024-03-08" }));
    extension.assert_refused("BAD_USER_INPUT", &["no extension"]);
    let harassment = recorded(&own, json!({ "startsOn": "2024-03-11" }));
    assert_eq!(harassment["limits"], json!({ "version": "2026-10", "workingDays": 15, "extensionWorkingDays": 15 }));
    let wrong = files.put("wrong.toml", "[2024]\noff = [\"2025-03-06\"]\n");
    let unknown = files.put("unknown.toml", "version = \"3\"\n[grounds.RUDENESS]\nworking_days = 5\n");
    let database = Database::sqlite();
    for (calendar, limits, part) in [
        (&wrong, &limits, "2025-03-06"),
        (&holidays, &unknown, "RUDENESS"),
        (&files.path().join("none"), &limits, "none"),
    ] {
        let config = settings(calendar, limits);
        let ran = program().run(&database, ["jobs", "list", "--config", config.to_str().unwrap()]);
        assert!(ran.status == 1 && ran.err.contains(part), "{part}: {ran:?}");
    }
}
