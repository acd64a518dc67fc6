//! An ADMIN changes units, categories, officers, postings and jobs; nobody else does.

use serde_json::{Value, json};
use std::sync::Barrier;
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp, merged, wait_until};

const UNIT: &str =
    "unit { code nameVi kind peerGroup validTo revision parents { unit { code } validFrom validTo } } position";
const CATEGORY: &str = "category { code nameVi serious deadlineDays validTo revision } position";
const OFFICER: &str =
    "officer { code name rank unknown revision postings { unit { code } validFrom validTo } } position";

/// A change of what was read, at its revision.
fn at(read: &Value, more: &Value) -> Value {
    merged(&json!({ "expectedRevision": read["revision"] }), more)
}

fn unit(admin: &Client<'_>, code: &str) -> Value {
    admin.data(&format!("{{ unit(code: \"{code}\") {{ revision parents {{ unit {{ code }} validTo }} }} }}"))["unit"]
        .clone()
}

fn officer(admin: &Client<'_>, code: &str) -> Value {
    let query =
        format!("{{ officer(code: \"{code}\") {{ revision postings {{ unit {{ code }} validFrom validTo }} }} }}");
    admin.data(&query)["officer"].clone()
}

/// Complaints by the department of their day, as of a position.
pub fn by_department(board: &Client<'_>, position: &Value) -> Value {
    let query = format!(
        "{{ complaintStatistics(groupBy: [DEPARTMENT], minPosition: {position}) \
            {{ rows {{ department {{ code }} complaints }} }} }}"
    );
    let rows = board.data(&query)["complaintStatistics"]["rows"].list().to_vec();
    let counted = rows.iter().map(|row| (row["department"]["code"].text().to_owned(), row["complaints"].clone()));
    Value::Object(counted.collect())
}

#[test]
fn unit_changes_name_the_revision_that_the_admin_read() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let new = json!({
            "code": "02XX", "nameVi": "Chi cục mới", "kind": "BRANCH", "parent": "02", "validFrom": "2024-01-01",
        });
        for role in [Role::Board, Role::UnitHead, Role::DataTeam, Role::Dashboard, Role::Intake] {
            let refused = app.as_any(role, "02").send("createUnit", "position", &new);
            assert!(refused.codes().iter().all(|code| code == "FORBIDDEN"), "{role}: {}", refused.text);
        }
        assert_eq!(board.data("{ unit(code: \"02XX\") { code } }")["unit"], Value::Null);
        let made = admin.done("createUnit", UNIT, &new)["unit"].clone();
        assert_eq!(made["parents"], json!([{ "unit": { "code": "02" }, "validFrom": "2024-01-01", "validTo": null }]));
        assert_eq!(admin.send("createUnit", UNIT, &new).codes(), ["CONFLICT"], "the code is taken");
        for (wrong, what) in [
            (json!({ "code": " ", "nameVi": "a", "kind": "BRANCH" }), "code"),
            (json!({ "code": "x", "nameVi": "a", "kind": "BRANCH", "parent": "99" }), "99"),
            (json!({ "code": "x", "nameVi": "a", "kind": "TEAM", "parent": "02XX" }), "is always below"),
            (json!({ "code": "x", "nameVi": "", "kind": "BRANCH" }), "nameVi"),
            (json!({ "code": "x", "nameVi": "a", "kind": "BRANCH", "validFrom": "1024-01-01" }), "1024"),
        ] {
            let refused = admin.send("createUnit", UNIT, &wrong);
            assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains(what), "{}", refused.text);
        }

        let named = at(&made, &json!({ "unit": "02XX", "nameVi": "Hải quan mới", "peerGroup": "INLAND" }));
        let changed = admin.done("changeUnit", UNIT, &named)["unit"].clone();
        assert_eq!((&changed["nameVi"], &changed["peerGroup"]), (&json!("Hải quan mới"), &json!("INLAND")));
        assert_eq!(admin.send("changeUnit", UNIT, &named).codes(), ["CONFLICT"], "an older revision");
        let without = at(&changed, &json!({ "unit": "02XX", "peerGroup": null }));
        assert_eq!(admin.done("changeUnit", UNIT, &without)["unit"]["peerGroup"], Value::Null);
        let nothing = json!({ "unit": "zz", "expectedRevision": 1, "nameVi": "a" });
        assert_eq!(admin.send("changeUnit", UNIT, &nothing).codes(), ["NOT_FOUND"]);

        // Counted by hand: PA-1, PA-2, PA-3, PA-5 and PA-6 are about 02, and PA-4 about 03.
        let before = by_department(&board, &json!(0));
        assert_eq!(before, json!({ "02": 5, "03": 1 }));
        let move_to = |to: &str, from: &str| {
            let input = at(&unit(&admin, "02CV"), &json!({ "unit": "02CV", "parent": to, "from": from }));
            admin.send("moveUnit", UNIT, &input)
        };
        let circle = move_to("02CV-D1", "2024-03-11");
        assert!(circle.codes() == ["BAD_USER_INPUT"] && circle.text.contains("circle"), "{}", circle.text);
        assert_eq!(move_to("02", "2024-03-11").codes(), ["BAD_USER_INPUT"], "it is there");
        let moved = move_to("03", "2024-03-11").json()["data"]["moveUnit"].clone();
        // PA-6 is of the day, the others about 02CV are earlier.
        assert_eq!(by_department(&board, &moved["position"]), json!({ "02": 4, "03": 2 }));
        assert_eq!(move_to("02", "2024-01-01").codes(), ["BAD_USER_INPUT"], "it has another place later");

        let close = |code: &str, more: &Value| {
            let input = merged(&at(&unit(&admin, code), &json!({ "unit": code, "on": "2024-06-30" })), more);
            admin.send("closeUnit", "unit { validTo } movedUnits movedPostings openComplaints position", &input)
        };
        let hindered = close("02DS", &json!({}));
        assert!(hindered.codes() == ["BAD_USER_INPUT"] && hindered.text.contains("1 postings"), "{}", hindered.text);
        let hindered = close("03", &json!({}));
        assert!(hindered.codes() == ["BAD_USER_INPUT"] && hindered.text.contains("02CV, 03TG"), "{}", hindered.text);
        assert_eq!(close("02DS", &json!({ "successor": "02DS" })).codes(), ["BAD_USER_INPUT"]);
        let closed = close("02DS", &json!({ "successor": "02XX" })).json()["data"]["closeUnit"].clone();
        assert_eq!((&closed["movedPostings"], &closed["openComplaints"]), (&json!(1), &json!(1)), "{closed}");
        let answered_by = |code: &str| {
            let query = format!("{{ complaints(filter: {{responsibleUnit: {{eq: \"{code}\"}}}}) {{ totalCount }} }}");
            board.data(&query)["complaints"]["totalCount"].clone()
        };
        assert_eq!((answered_by("02DS"), answered_by("02XX")), (json!(0), json!(1)));
        assert_eq!(
            officer(&admin, "CC02")["postings"],
            json!([
                { "unit": { "code": "02DS" }, "validFrom": "2020-01-01", "validTo": "2024-06-30" },
                { "unit": { "code": "02XX" }, "validFrom": "2024-07-01", "validTo": null },
            ])
        );
        // PA-3 stays with the unit of its day.
        assert_eq!(by_department(&board, &closed["position"]), json!({ "02": 4, "03": 2 }));
        assert!(close("02DS", &json!({})).text.contains("closed since"));
        let child = at(&unit(&admin, "02XX"), &json!({ "unit": "02XX", "parent": "02DS", "from": "2024-07-01" }));
        let late = admin.send("moveUnit", UNIT, &child);
        assert!(late.codes() == ["BAD_USER_INPUT"] && late.text.contains("its last day"), "{}", late.text);
    }
}

#[test]
fn of_two_who_change_a_row_at_one_revision_one_is_told_to_read_again() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let admin = app.as_role(Role::Admin);
        for round in 0..5 {
            let read = unit(&admin, "02CV");
            let start = Barrier::new(2);
            let change = |who: &str| {
                let input = at(&read, &json!({ "unit": "02CV", "nameVi": format!("{who} {round}") }));
                start.wait();
                admin.send("changeUnit", UNIT, &input).codes()
            };
            let codes = std::thread::scope(|scope| {
                let (one, other) = (scope.spawn(|| change("one")), scope.spawn(|| change("other")));
                [one.join().unwrap(), other.join().unwrap()]
            });
            assert!(codes.contains(&Vec::new()) && codes.contains(&vec!["CONFLICT".to_owned()]), "{codes:?}");
        }
    }
}

#[test]
fn categories_have_two_levels_a_deadline_and_an_end() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, intake) = (app.as_role(Role::Admin), app.as_role(Role::Intake));
        let new = json!({ "code": "TD3", "parent": "TD", "nameVi": "Cửa quyền", "kind": "CONDUCT", "deadlineDays": 7 });
        let made = admin.done("createIssueCategory", CATEGORY, &new)["category"].clone();
        assert_eq!((&made["deadlineDays"], &made["serious"]), (&json!(7), &json!(false)));
        let of = |more: &Value| merged(&json!({ "category": "TD3" }), &at(&made, more));
        for (wrong, what) in [
            (json!({ "parent": "TD1" }), "two levels"),
            (json!({ "deadlineDays": 0 }), "deadlineDays"),
            (json!({ "owner": "02" }), "HEADQUARTERS_UNIT"),
        ] {
            let refused = admin.send("changeIssueCategory", CATEGORY, &of(&wrong));
            assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains(what), "{}", refused.text);
        }
        let changed =
            admin.done("changeIssueCategory", CATEGORY, &of(&json!({ "serious": true, "deadlineDays": null })));
        assert_eq!(
            (&changed["category"]["serious"], &changed["category"]["deadlineDays"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(
            admin.send("changeIssueCategory", CATEGORY, &of(&json!({ "serious": false }))).codes(),
            ["CONFLICT"]
        );
        let parent = admin.data("{ issueCategories(filter: {code: {eq: \"TD\"}}) { nodes { revision } } }");
        let parent = at(&parent["issueCategories"]["nodes"][0], &json!({ "category": "TD", "on": "2024-12-31" }));
        let refused = admin.send("closeIssueCategory", CATEGORY, &parent);
        assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains("TD1, TD2, TD3"), "{}", refused.text);
        let close = merged(&json!({ "category": "TD3", "on": "2024-12-31" }), &at(&changed["category"], &json!({})));
        assert_eq!(admin.done("closeIssueCategory", CATEGORY, &close)["category"]["validTo"], "2024-12-31");
        let complaint = |key: &str, category: &str| {
            let input = json!({ "idempotencyKey": key, "text": "Sau ngày đóng.", "category": category });
            intake.send("submitComplaint", "id", &input)
        };
        let refused = complaint("closed", "TD3");
        assert!(
            refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains("ended on 2024-12-31"),
            "{}",
            refused.text
        );
        assert!(complaint("open", "TD1").codes().is_empty());
    }
}

#[test]
fn officers_serve_in_one_unit_at_a_time() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, intake) = (app.as_role(Role::Admin), app.as_role(Role::Intake));
        // A complaint makes a placeholder of an unknown number, which an ADMIN completes.
        let input = json!({ "idempotencyKey": "new", "text": "Về một người mới.", "officers": ["CC99"] });
        intake.done("submitComplaint", "id", &input);
        let new = json!({ "code": "CC99", "name": "Võ Thị Mới", "rank": "Kiểm tra viên" });
        let made = admin.done("createOfficer", OFFICER, &new)["officer"].clone();
        assert_eq!((&made["unknown"], &made["postings"]), (&json!(false), &json!([])));
        assert_eq!(admin.send("createOfficer", OFFICER, &new).codes(), ["CONFLICT"]);
        let send = |mutation: &str, more: &Value| {
            let read = officer(&admin, "CC99");
            admin.send(mutation, OFFICER, &merged(&at(&read, &json!({ "officer": "CC99" })), more))
        };
        let first = json!({ "unit": "02CV", "from": "2024-01-01" });
        assert!(send("startPosting", &first).codes().is_empty());
        let overlap = send("startPosting", &json!({ "unit": "03TG", "from": "2024-06-01" }));
        assert!(overlap.codes() == ["BAD_USER_INPUT"] && overlap.text.contains("02CV"), "{}", overlap.text);
        assert_eq!(send("endPosting", &json!({ "unit": "03TG", "on": "2024-05-31" })).codes(), ["BAD_USER_INPUT"]);
        assert!(send("endPosting", &json!({ "unit": "02CV", "on": "2024-05-31" })).codes().is_empty());
        assert!(send("startPosting", &json!({ "unit": "03TG", "from": "2024-06-01" })).codes().is_empty());
        let correct = json!({ "unit": "03TG", "from": "2024-06-01", "newFrom": "2024-05-01" });
        assert_eq!(send("correctPosting", &correct).codes(), ["BAD_USER_INPUT"], "it would overlap");
        let correct = json!({ "unit": "03TG", "from": "2024-06-01", "newUnit": "02DS", "newTo": "2024-12-31" });
        let corrected = send("correctPosting", &correct).json()["data"]["correctPosting"]["officer"].clone();
        assert_eq!(
            corrected["postings"],
            json!([
                { "unit": { "code": "02CV" }, "validFrom": "2024-01-01", "validTo": "2024-05-31" },
                { "unit": { "code": "02DS" }, "validFrom": "2024-06-01", "validTo": "2024-12-31" },
            ])
        );
        let older = merged(&json!({ "officer": "CC99", "expectedRevision": made["revision"] }), &first);
        assert_eq!(admin.send("startPosting", OFFICER, &older).codes(), ["CONFLICT"]);
        // An ADMIN reads who serves where, and nothing of complaints.
        for denied in ["flag { tier }", "record { complaints }", "complaints { totalCount }"] {
            let query = format!("{{ officer(code: \"CC01\") {{ {denied} }} }}");
            assert!(admin.codes(&query).iter().all(|code| code == "FORBIDDEN"), "{denied}");
            assert!(!admin.codes(&query).is_empty(), "{denied}");
        }
    }
}

#[test]
fn jobs_run_once_by_hand_and_a_pause_is_told_with_its_reason() {
    for app in TestApp::both().generated(2_000, 1).arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let job = |name: &str| {
            let all = board.data("{ jobs { name next missed pausedAt pausedBy pauseReason lastSuccess { state } } }");
            all["jobs"].list().iter().find(|job| job["name"] == name).expect("a job").clone()
        };
        assert!(job("trends")["next"].is_string() && job("trends")["lastSuccess"].is_null(), "{}", job("trends"));
        let pause = json!({ "name": "trends", "reason": "Bảo trì" });
        for (mutation, input) in [("pauseJob", &pause), ("runJob", &json!({ "name": "trends" }))] {
            assert!(board.send(mutation, "__typename", input).codes().iter().all(|code| code == "FORBIDDEN"));
        }
        let start = Barrier::new(2);
        let pauses = std::thread::scope(|scope| {
            let one = || {
                start.wait();
                admin.send("pauseJob", "job { pausedAt }", &pause).codes()
            };
            let (first, second) = (scope.spawn(one), scope.spawn(one));
            [first.join().unwrap(), second.join().unwrap()]
        });
        assert!(pauses.contains(&Vec::new()) && pauses.contains(&vec!["CONFLICT".to_owned()]), "{pauses:?}");
        let paused = job("trends");
        assert!(paused["next"].is_null() && paused["pausedAt"].is_string(), "{paused}");
        assert_eq!((&paused["pausedBy"], &paused["pauseReason"]), (&json!("token:ADMIN-all"), &json!("Bảo trì")));

        // By hand it runs all the same, and once when it is asked twice at a time.
        let start = Barrier::new(2);
        let runs = std::thread::scope(|scope| {
            let one = || {
                start.wait();
                admin.send("runJob", "run { id state origin }", &json!({ "name": "recurrence", "asOf": "2024-06-30" }))
            };
            let (first, second) = (scope.spawn(one), scope.spawn(one));
            [first.join().unwrap(), second.join().unwrap()]
        });
        let begun = |run: &&tests::Answer| run.codes().is_empty();
        let ended = || {
            let runs = board.data("{ jobRuns(filter: {job: {eq: \"recurrence\"}}) { nodes { state origin asOf } } }");
            runs["jobRuns"]["nodes"].list().to_vec()
        };
        wait_until(120, "the run ends", || ended().iter().all(|run| run["state"] == "SUCCEEDED"));
        let number = runs.iter().filter(begun).count();
        let conflicts = runs.iter().filter(|run| run.codes() == ["CONFLICT"]).count();
        assert_eq!(number + conflicts, 2, "{runs:?}");
        assert_eq!(ended().len(), number, "each run that was begun is in the ledger");
        assert!(number == 1 || ended().iter().all(|run| run["origin"] == "MANUAL"), "{runs:?}");
        assert_eq!(job("recurrence")["lastSuccess"]["state"], "SUCCEEDED");
        assert_eq!(admin.send("runJob", "run { id }", &json!({ "name": "nonsense" })).codes(), ["NOT_FOUND"]);
        let future = json!({ "name": "trends", "asOf": "2199-01-01" });
        assert_eq!(admin.send("runJob", "run { id }", &future).codes(), ["BAD_USER_INPUT"]);

        let resume = json!({ "name": "trends" });
        assert!(admin.send("resumeJob", "job { next }", &resume).codes().is_empty());
        assert_eq!(admin.send("resumeJob", "job { next }", &resume).codes(), ["CONFLICT"]);
        app.run(&["jobs", "pause", "trends", "--reason", "Kiểm tra"]);
        assert_eq!(job("trends")["pauseReason"], "Kiểm tra");
    }
}
