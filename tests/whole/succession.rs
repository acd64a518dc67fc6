//! A unit that ends has a successor, who answers what comes in about it later and what waits for it then.

use crate::program;
use crate::responsible::with_owner;
use chrono::{Days, NaiveDate};
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::verification::{found, verify};
use tests::work::Mutations;
use tests::{Answer, Client, Database, Json, Role, TestApp, merged};

fn apps() -> impl Iterator<Item = TestApp> {
    let filled = |database: &Database| database.fill_once("small world with an owner", with_owner);
    TestApp::both().filled(filled).arguments(&["--no-jobs"]).into_iter()
}

fn today() -> NaiveDate {
    local_date(schema::Timestamp::now())
}

/// A mutation of a unit at its present revision.
fn change(admin: &Client<'_>, mutation: &str, unit: &str, more: &Value) -> Answer {
    let read = admin.data(&format!("{{ unit(code: \"{unit}\") {{ revision }} }}"))["unit"].clone();
    let input = merged(&json!({ "unit": unit, "expectedRevision": read["revision"] }), more);
    let fields = if mutation == "closeUnit" { "movedPostings openComplaints" } else { "" };
    admin.send(mutation, &format!("unit {{ validTo successor {{ code }} }} {fields} position"), &input)
}

/// A mutation of a unit that must succeed. Afterwards the server knows the new tree.
#[track_caller]
fn changed(admin: &Client<'_>, board: &Client<'_>, mutation: &str, unit: &str, more: &Value) -> Value {
    let answer = change(admin, mutation, unit, more).json();
    assert!(answer.get("errors").is_none(), "{mutation}: {answer}");
    let done = answer["data"][mutation].clone();
    board.data(&format!("{{ complaintStatistics(minPosition: {}) {{ position }} }}", done["position"]));
    done
}

/// Makes a branch of department 02 that begins with 2024.
fn made(admin: &Client<'_>, code: &str) {
    let new = json!({ "code": code, "nameVi": code, "kind": "BRANCH", "parent": "02", "validFrom": "2024-01-01" });
    admin.done("createUnit", "position", &new);
}

/// Submits a complaint about a unit; its id.
fn submitted(intake: &Client<'_>, key: &str, unit: &str) -> Value {
    intake.submitted(key, &json!({ "text": format!("Chậm trả lời {key}."), "unit": unit }))["id"].clone()
}

fn complaint(client: &Client<'_>, id: &Value) -> Value {
    let fields = "version state unit { code } branch { code } responsibleUnit { code }";
    client.data(&format!("{{ complaint(id: {id}) {{ {fields} }} }}"))["complaint"].clone()
}

/// The unit that has to answer a complaint of a register.
fn responsible(board: &Client<'_>, reference: &str) -> String {
    let query = format!(
        "{{ complaints(filter: {{sourceReference: {{eq: \"{reference}\"}}}}) \
           {{ nodes {{ responsibleUnit {{ code }} }} }} }}"
    );
    board.data(&query)["complaints"]["nodes"][0]["responsibleUnit"]["code"].text().to_owned()
}

/// The number of complaints that a unit has to answer or has answered.
fn answered_by(board: &Client<'_>, unit: &str) -> i64 {
    let query = format!("{{ complaints(filter: {{responsibleUnit: {{eq: \"{unit}\"}}}}) {{ totalCount }} }}");
    board.data(&query)["complaints"]["totalCount"].integer()
}

/// What a run of the job says that it did.
fn handed_over(database: &Database, as_of: NaiveDate) -> Value {
    let run = program().json(database, &["jobs", "run", "hand-over", "--as-of", &as_of.to_string()]);
    run["summary"].clone()
}

#[test]
fn a_complaint_about_a_unit_that_has_ended_goes_to_its_successor() {
    for app in apps() {
        let (admin, board, intake) = (app.as_role(Role::Admin), app.as_role(Role::Board), app.as_role(Role::Intake));
        made(&admin, "02XX");
        let closed = changed(&admin, &board, "closeUnit", "02DS", &json!({ "on": "2024-06-30", "successor": "02XX" }));
        assert_eq!(closed["unit"], json!({ "validTo": "2024-06-30", "successor": { "code": "02XX" } }));
        assert_eq!((&closed["movedPostings"], &closed["openComplaints"]), (&json!(1), &json!(1)));
        assert_eq!(responsible(&board, "PA-3"), "02XX", "what waited goes there at once");
        let first = complaint(&board, &submitted(&intake, "first", "02DS"));
        assert_eq!(first["responsibleUnit"]["code"], "02XX");
        assert_eq!((&first["unit"]["code"], &first["branch"]["code"]), (&json!("02DS"), &json!("02DS")));

        // The successor has one itself.
        changed(&admin, &board, "closeUnit", "02XX", &json!({ "on": "2024-12-31", "successor": "02CV" }));
        assert_eq!(responsible(&board, "PA-3"), "02CV");
        let second = submitted(&intake, "second", "02DS");
        assert_eq!(complaint(&board, &second)["responsibleUnit"]["code"], "02CV");
        let route = |on: &str| {
            let query = format!(
                "{{ routeOf(category: \"TD1\", unit: \"02DS\", on: \"{on}\") \
                   {{ reason unit {{ code }} inPlaceOf {{ code }} }} }}"
            );
            let found = board.data(&query)["routeOf"].clone();
            assert_eq!(found["reason"], "PLACE");
            (found["unit"]["code"].text().to_owned(), found["inPlaceOf"]["code"].as_str().map(str::to_owned))
        };
        let instead = |unit: &str| (unit.to_owned(), Some("02DS".to_owned()));
        assert_eq!(route("2024-06-30"), ("02DS".to_owned(), None), "its last day");
        assert_eq!(route("2024-07-01"), instead("02XX"));
        assert_eq!(route("2024-12-31"), instead("02XX"));
        assert_eq!(route("2025-01-01"), instead("02CV"));

        // An import of history finds the unit of its day for what has ended, and the successor for what waits.
        let csv = "so,ngay,dv,loai,tt\nCU-1,2024-03-01,02DS,TD1,CLOSED\nCU-2,2024-03-01,02DS,TD1,RECEIVED\n";
        let map = "source = \"cu\"\n[fields]\nreference = \"so\"\nreceived = \"ngay\"\nunit = \"dv\"\n\
                   category = \"loai\"\nstate = \"tt\"\n";
        app.import("complaints", csv, map);
        assert_eq!((responsible(&board, "CU-1"), responsible(&board, "CU-2")), ("02DS".into(), "02CV".into()));
        let again = app.import("complaints", csv, map);
        assert_eq!((&again["unchanged"], &again["updated"]), (&json!(2), &json!(0)));

        // Complaints cannot be assigned or transferred to a unit that has ended.
        let classify = json!({ "complaintId": second, "expectedVersion": 1, "category": "TD1", "attributions": [] });
        board.done("classifyComplaint", "position", &classify);
        for (mutation, more) in
            [("assignComplaint", json!({})), ("transferComplaint", json!({ "reason": "Đúng chi cục." }))]
        {
            let input = json!({ "complaintId": second, "expectedVersion": 2, "unit": "02DS" });
            let refused = board.send(mutation, "position", &merged(&input, &more));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
            assert!(refused.text.contains("2024-06-30") && refused.text.contains("02CV"), "{}", refused.text);
        }
    }
}

#[test]
fn a_unit_answers_to_its_last_day_and_the_job_hands_over_what_waits_then() {
    for app in apps() {
        let files = Files::new();
        let key = files.key_file();
        let (admin, board, intake) = (app.as_role(Role::Admin), app.as_role(Role::Board), app.as_role(Role::Intake));
        let today = today();
        let refused = change(&admin, "closeUnit", "02DS", &json!({ "on": today }));
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
        assert!(refused.text.contains("1 complaints that wait"), "{}", refused.text);
        let closed = changed(&admin, &board, "closeUnit", "02DS", &json!({ "on": today, "successor": "02CV" }));
        assert_eq!(closed["unit"], json!({ "validTo": today, "successor": { "code": "02CV" } }));
        assert_eq!(closed["openComplaints"], 1);
        let late = submitted(&intake, "late", "02DS");
        let before = answered_by(&board, "02CV");
        assert_eq!(answered_by(&board, "02DS"), 2, "it still has to answer, also what comes in today");
        let yesterday = today - Days::new(1);
        let nothing = json!({ "handedOver": 0, "withoutSuccessor": 0 });
        assert_eq!(handed_over(&app.database, yesterday), nothing, "its last day has not passed");
        assert_eq!(answered_by(&board, "02DS"), 2);

        // Tomorrow's run, which is for today, does the same.
        assert_eq!(handed_over(&app.database, today), json!({ "handedOver": 2, "withoutSuccessor": 0 }));
        assert_eq!((answered_by(&board, "02DS"), answered_by(&board, "02CV")), (0, before + 2));
        assert_eq!(handed_over(&app.database, today), nothing, "once");
        let query = format!(
            "{{ complaint(id: {late}) {{ version history {{ nodes {{ \
               kind reason actor {{ kind }} changes {{ field before after }} }} }} }} }}"
        );
        let told = board.data(&query)["complaint"].clone();
        assert_eq!(told["version"], 2);
        let step = told["history"]["nodes"].list().last().expect("a step").clone();
        let expected = json!({
            "kind": "UNIT_TREE_CORRECTED",
            "reason": format!("unit 02DS closed on {today}: 02CV goes on"),
            "actor": { "kind": "JOB" },
            "changes": [{ "field": "responsibleUnit", "before": "02DS", "after": "02CV" }],
        });
        assert_eq!(step, expected);
        // The successor was not chosen by a person: a category of another unit moves the complaint on.
        let classify = json!({ "complaintId": late, "expectedVersion": 2, "category": "KT1" });
        let done = board.done("classifyComplaint", "complaint { responsibleUnit { code } }", &classify);
        assert_eq!(done["complaint"]["responsibleUnit"]["code"], "CNTT");
        app.run(&["audit", "seal", "--key-file", &key]);
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{}: {report}", app.database.name);
    }
}

#[test]
fn what_is_reopened_after_the_end_of_a_unit_waits_for_its_successor() {
    for app in apps() {
        let (admin, board, intake) = (app.as_role(Role::Admin), app.as_role(Role::Board), app.as_role(Role::Intake));
        let head = app.as_head("02DS");
        let id = submitted(&intake, "answered", "02DS");
        let answer =
            json!({ "complaintId": id, "expectedVersion": 1, "action": "EXPLANATION", "text": "Đã giải thích." });
        head.done("respondToComplaint", "position", &answer);
        changed(&admin, &board, "closeUnit", "02DS", &json!({ "on": "2024-06-30", "successor": "02CV" }));
        let answered = complaint(&board, &id);
        assert_eq!((&answered["state"], &answered["responsibleUnit"]["code"]), (&json!("ANSWERED"), &json!("02DS")));
        let reopen = json!({
            "complaintId": id, "expectedVersion": answered["version"], "state": "ASSIGNED", "reason": "Chưa rõ.",
        });
        board.done("changeComplaintState", "position", &reopen);
        let reopened = complaint(&board, &id);
        assert_eq!((&reopened["state"], &reopened["responsibleUnit"]["code"]), (&json!("ASSIGNED"), &json!("02CV")));
        let heads = [app.as_head("02CV"), app.as_head("03TG")].map(|head| complaint(&head, &id).is_object());
        assert_eq!(heads, [true, false], "the head of the successor sees it");
    }
}

#[test]
fn a_successor_that_is_named_later_goes_on_and_circles_end_nowhere() {
    for app in apps() {
        let (admin, board, intake) = (app.as_role(Role::Admin), app.as_role(Role::Board), app.as_role(Role::Intake));
        made(&admin, "02YY");
        let closed = changed(&admin, &board, "closeUnit", "02YY", &json!({ "on": "2024-12-31" }));
        assert_eq!(closed["unit"], json!({ "validTo": "2024-12-31", "successor": null }));
        let id = submitted(&intake, "nobody", "02YY");
        assert_eq!(complaint(&board, &id)["responsibleUnit"]["code"], "02YY", "nobody goes on");
        let yesterday = today() - Days::new(1);
        let waits = json!({ "handedOver": 0, "withoutSuccessor": 1 });
        assert_eq!(handed_over(&app.database, yesterday), waits);
        for (unit, successor, word) in
            [("02CV", "02DS", "no last day"), ("02YY", "02YY", "another unit"), ("02YY", "99", "99")]
        {
            let refused = change(&admin, "changeUnit", unit, &json!({ "successor": successor }));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
            assert!(refused.text.contains(word), "{word}: {}", refused.text);
        }
        let named = changed(&admin, &board, "changeUnit", "02YY", &json!({ "successor": "02DS" }));
        assert_eq!(named["unit"]["successor"]["code"], "02DS");
        assert_eq!(complaint(&board, &id)["responsibleUnit"]["code"], "02DS");
        let history = "{ unit(code: \"02YY\") { history { nodes { changes { field before after } } } } }";
        let steps = board.data(history)["unit"]["history"]["nodes"].clone();
        let expected = json!([{ "field": "successor", "before": null, "after": "02DS" }]);
        assert_eq!(steps.list().last().expect("a step")["changes"], expected);
        let sql = "SELECT code, valid_from, valid_to, successor FROM units WHERE code = '02YY' OR code = '02CV' \
                   ORDER BY code";
        let expected = json!([
            { "code": "02CV", "valid_from": null, "valid_to": null, "successor": null },
            { "code": "02YY", "valid_from": "2024-01-01", "valid_to": "2024-12-31", "successor": "02DS" },
        ]);
        assert_eq!(program().json(&app.database, &["sql", sql])["rows"], expected);

        // A unit does not succeed itself, however long the line is.
        let circle = json!({ "on": "2024-06-30", "successor": "02YY" });
        let refused = change(&admin, "closeUnit", "02DS", &circle);
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
        assert!(refused.text.contains("succeeds"), "{}", refused.text);
        // An import, which names no successor, keeps the stored one, and can end a unit that succeeds another.
        let units = "ma,ten,cap,cha,nhom,tu,den\n02YY,Chi cục cũ,BRANCH,02,,01/01/2024,\n";
        app.import("units", units, fixtures::UNITS_MAP);
        changed(&admin, &board, "closeUnit", "02DS", &circle);
        app.import("units", units.replace("2024,\n", "2024,31/12/2024\n"), fixtures::UNITS_MAP);
        let kept = changed(&admin, &board, "changeUnit", "02YY", &json!({ "nameVi": "Chi cục YY" }));
        assert_eq!(kept["unit"], json!({ "validTo": "2024-12-31", "successor": { "code": "02DS" } }));
        let route = "{ routeOf(unit: \"02DS\") { unit { code } inPlaceOf { code } } }";
        assert_eq!(board.data(route)["routeOf"], json!({ "unit": { "code": "02DS" }, "inPlaceOf": null }));
        assert_eq!(handed_over(&app.database, yesterday)["handedOver"], 0);
    }
}

#[test]
fn a_unit_that_was_closed_lasts_longer_or_has_no_end() {
    for app in apps() {
        let files = Files::new();
        let key = files.key_file();
        let (admin, board, intake) = (app.as_role(Role::Admin), app.as_role(Role::Board), app.as_role(Role::Intake));
        let closed = json!({ "on": "2024-06-30", "successor": "02CV" });
        changed(&admin, &board, "closeUnit", "02DS", &closed);
        let waiting = submitted(&intake, "after the end", "02DS");
        let place = |id: &Value| {
            let query = format!(
                "{{ complaint(id: {id}) {{ department {{ code }} branch {{ code }} responsibleUnit {{ code }} }} }}"
            );
            let found = board.data(&query)["complaint"].clone();
            ["department", "branch", "responsibleUnit"].map(|field| found[field]["code"].clone())
        };
        assert_eq!(place(&waiting), [Value::Null, json!("02DS"), json!("02CV")]);
        for (mutation, more, words) in [
            ("closeUnit", json!({ "on": "2024-12-31" }), ["closed since 2024-06-30", "validTo"]),
            ("changeUnit", json!({ "validTo": "2024-06-29" }), ["2024-06-29", "closeUnit"]),
            ("changeUnit", json!({ "validTo": null, "successor": "02CV" }), ["successor", "no last day"]),
        ] {
            let refused = change(&admin, mutation, "02DS", &more);
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{more}: {}", refused.text);
            assert!(words.iter().all(|word| refused.text.contains(word)), "{more}: {}", refused.text);
        }
        let open = change(&admin, "changeUnit", "02CV", &json!({ "validTo": "2030-12-31" }));
        assert_eq!(open.codes(), ["BAD_USER_INPUT"], "it has no last day: {}", open.text);

        let later = changed(&admin, &board, "changeUnit", "02DS", &json!({ "validTo": "2024-12-31" }));
        assert_eq!(later["unit"], json!({ "validTo": "2024-12-31", "successor": { "code": "02CV" } }));
        let reopened = changed(&admin, &board, "changeUnit", "02DS", &json!({ "validTo": null }));
        assert_eq!(reopened["unit"], json!({ "validTo": null, "successor": null }));
        // The complaint counts for its department again. The responsible unit has not changed.
        assert_eq!(place(&waiting), [json!("02"), json!("02DS"), json!("02CV")]);
        let new = submitted(&intake, "after the reopening", "02DS");
        assert_eq!(place(&new), [json!("02"), json!("02DS"), json!("02DS")]);
        let history = "{ unit(code: \"02DS\") { history { nodes { changes { field before after } } } } }";
        let steps = board.data(history)["unit"]["history"]["nodes"].clone();
        let changes: Vec<&Value> = steps.list().iter().flat_map(|step| step["changes"].list()).collect();
        for expected in [
            json!({ "field": "validTo", "before": "2024-06-30", "after": "2024-12-31" }),
            json!({ "field": "validTo", "before": "2024-12-31", "after": null }),
            json!({ "field": "successor", "before": "02CV", "after": null }),
        ] {
            assert!(changes.contains(&&expected), "{expected}: {steps}");
        }

        // No unit outlasts the one above it.
        changed(&admin, &board, "closeUnit", "03TG", &closed);
        changed(&admin, &board, "closeUnit", "03", &json!({ "on": "2024-06-30" }));
        let outlasting = change(&admin, "changeUnit", "03TG", &json!({ "validTo": null }));
        assert_eq!(outlasting.codes(), ["BAD_USER_INPUT"], "{}", outlasting.text);
        assert!(outlasting.text.contains("after 2024-06-30, its last day"), "{}", outlasting.text);
        for unit in ["03", "03TG"] {
            let again = changed(&admin, &board, "changeUnit", unit, &json!({ "validTo": null }));
            assert_eq!(again["unit"]["validTo"], Value::Null);
        }
        app.run(&["audit", "seal", "--key-file", &key]);
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{}: {report}", app.database.name);
    }
}
