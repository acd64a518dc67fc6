//! Corrections of complaints by the Board, and those that heads of units propose.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Answer, Client, Json, Role, TestApp, merged};

const FIELDS: &str = "complaint {
    id version state occurredAt legalForm enterprise { taxCode } anonymous unit { code } branch { code }
    department { code } category { code } declarationNumber costVnd delayHours blamesSystem confidential finding
    officers { officer { code } ordinal category { code } unit { code } attribution finding }
    matters { ordinal category { code } unit { code } } } position";

const PROPOSAL: &str = "proposal { id version state complaintVersion correction reason decisionReason unit { code } }";

/// Sends a correction, or another mutation with the same input.
fn send(client: &Client<'_>, mutation: &str, fields: &str, input: &Value) -> Answer {
    let query = format!("mutation ($input: CorrectComplaintInput!) {{ {mutation}(input: $input) {{ {fields} }} }}");
    client.request_with(&query, &json!({ "input": input }))
}

fn correct(board: &Client<'_>, complaint: &Value, more: &Value) -> Answer {
    let input =
        json!({ "complaintId": complaint["id"], "expectedVersion": complaint["version"], "reason": "Ghi nhầm." });
    send(board, "correctComplaint", FIELDS, &merged(&input, more))
}

/// A correction that must succeed; the complaint after it, with the position.
#[track_caller]
fn corrected(board: &Client<'_>, complaint: &Value, more: &Value) -> Value {
    let answer = correct(board, complaint, more).json();
    assert!(answer.get("errors").is_none(), "{more}: {answer}");
    let done = &answer["data"]["correctComplaint"];
    merged(&done["complaint"], &json!({ "position": done["position"] }))
}

/// A complaint of the small world by its text.
#[track_caller]
fn complaint(board: &Client<'_>, text: &str) -> Value {
    let all = board.data("{ complaints { nodes { id version text } } }")["complaints"]["nodes"].clone();
    all.list().iter().find(|one| one["text"].text().contains(text)).expect("the complaint").clone()
}

fn decide(client: &Client<'_>, mutation: &str, input: &Value) -> Answer {
    let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {{ {PROPOSAL} }} }}");
    client.request_with(&query, &json!({ "input": input }))
}

#[test]
fn each_field_is_corrected_in_lists_and_statistics_and_the_history_tells_it() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let open = complaint(&board, "Không khai được");
        let now = corrected(
            &board,
            &open,
            &json!({
                "occurredAt": "2024-03-01T08:00:00+07:00", "legalForm": "GRIEVANCE", "taxCode": "0314409058",
                "unit": "02DS", "category": "TD2", "declarationNumber": "103456789012", "costVnd": "777000",
                "delayHours": 3.5, "blamesSystem": true,
            }),
        );
        assert_eq!(now["version"].integer(), open["version"].integer() + 1);
        assert_eq!(now["occurredAt"], "2024-03-01T08:00:00+07:00");
        let codes = ["unit", "branch", "department", "category"].map(|field| now[field]["code"].text().to_owned());
        assert_eq!(codes, ["02DS", "02DS", "02", "TD2"]);
        let plain = ["legalForm", "declarationNumber", "costVnd", "delayHours", "blamesSystem"];
        let values = plain.map(|field| now[field].clone());
        let expected = [json!("GRIEVANCE"), json!("103456789012"), json!("777000"), json!(3.5), json!(true)];
        assert_eq!(values, expected);
        assert_eq!(now["enterprise"]["taxCode"], "0314409058");
        // Lists and statistics have the new values.
        for filter in [
            "legalForm: {eq: GRIEVANCE}",
            "declarationNumber: {eq: \"103456789012\"}",
            "costVnd: {eq: \"777000\"}",
            "delayHours: {eq: 3.5}",
            "blamesSystem: {eq: true}",
            "unit: {code: {eq: \"02DS\"}}, category: {code: {eq: \"TD2\"}}",
            "enterprise: {taxCode: {eq: \"0314409058\"}}, legalForm: {eq: GRIEVANCE}",
        ] {
            let found = board.data(&format!("{{ complaints(filter: {{{filter}}}) {{ nodes {{ id }} }} }}"));
            assert_eq!(found["complaints"]["nodes"], json!([{ "id": open["id"] }]), "{filter}");
        }
        let position = now["position"].integer();
        let statistics = format!(
            "{{ complaintStatistics(filter: {{legalForm: {{eq: GRIEVANCE}}}}, groupBy: [BRANCH, CATEGORY], \
             minPosition: {position}) {{ \
             rows {{ branch {{ code }} category {{ code }} complaints costVnd delayHours }} }} }}"
        );
        let rows = board.data(&statistics)["complaintStatistics"]["rows"].clone();
        let row = json!([{ "branch": { "code": "02DS" }, "category": { "code": "TD2" }, "complaints": 1,
            "costVnd": "777000", "delayHours": 3.5 }]);
        assert_eq!(rows, row);
        let files = Files::new();
        let key = files.key_file();
        let path = files.path().join("all.csv").display().to_string();
        app.run(&["export", &path, "--key-file", &key]);
        let exported = std::fs::read_to_string(&path).expect("the export");
        let rows: Vec<&str> = exported.lines().filter(|row| row.contains("777000")).collect();
        assert!(rows.len() == 1 && rows[0].contains("02DS") && rows[0].contains("TD2"), "{rows:?}");
        // Null removes a value, and a complaint without an enterprise is anonymous.
        let bare = corrected(
            &board,
            &now,
            &json!({ "taxCode": null, "costVnd": null, "delayHours": null, "declarationNumber": null,
                "occurredAt": null, "confidential": true }),
        );
        let removed = ["costVnd", "delayHours", "declarationNumber", "occurredAt", "enterprise"];
        assert!(removed.iter().all(|field| bare[*field].is_null()), "{bare}");
        assert_eq!((&bare["anonymous"], &bare["confidential"]), (&json!(true), &json!(true)));
        // The file of the branch no longer has it, because it is confidential.
        let history = format!(
            "{{ complaint(id: {}) {{ history {{ nodes {{ kind reason changes {{ field before after }} }} }} }} }}",
            open["id"]
        );
        let steps = board.data(&history)["complaint"]["history"]["nodes"].clone();
        let steps: Vec<&Value> = steps.list().iter().filter(|step| step["kind"] == "CORRECTED").collect();
        assert_eq!(steps.len(), 2, "{steps:?}");
        assert!(steps.iter().all(|step| step["reason"] == "Ghi nhầm."), "{steps:?}");
        let of_unit = json!({ "field": "unit", "before": "02CV", "after": "02DS" });
        assert!(steps.iter().any(|step| step["changes"].list().contains(&of_unit)), "{steps:?}");
    }
}

#[test]
fn officers_and_allegations_are_added_changed_replaced_and_removed() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let officers = |one: &Value| -> Vec<(String, i64, String, String, String)> {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let rows = one["officers"].list().iter();
            let mut rows: Vec<_> = rows
                .map(|row| {
                    let codes = ["officer", "category", "unit"].map(|field| text(&row[field]["code"]));
                    let [officer, category, unit] = codes;
                    (officer, row["ordinal"].integer(), category, unit, text(&row["attribution"]))
                })
                .collect();
            rows.sort();
            rows
        };
        let row = |officer: &str, ordinal: i64, category: &str, unit: &str, attribution: &str| {
            (officer.to_owned(), ordinal, category.to_owned(), unit.to_owned(), attribution.to_owned())
        };
        let named = corrected(
            &board,
            &complaint(&board, "Không khai được"),
            &json!({ "addOfficers": [
                { "officer": "CC02", "attribution": "CONFIRMED" },
                { "officer": "CC02", "category": "TD1", "unit": "02DS" },
            ] }),
        );
        let expected = [row("CC02", 0, "HT", "02CV", "CONFIRMED"), row("CC02", 1, "TD1", "02DS", "ASSERTED")];
        assert_eq!(officers(&named), expected);
        assert_eq!(named["category"]["code"], "HT", "the lowest of its allegations");
        let changed = corrected(
            &board,
            &named,
            &json!({
                "changeAllegations": [
                    { "officer": "CC02", "ordinal": 1, "category": "TD2", "attribution": "CONFIRMED" },
                ],
                "removeAllegations": [{ "officer": "CC02", "ordinal": 0 }],
            }),
        );
        assert_eq!(officers(&changed), [row("CC02", 1, "TD2", "02DS", "CONFIRMED")]);
        assert_eq!((&changed["category"]["code"], &changed["unit"]["code"]), (&json!("TD2"), &json!("02DS")));
        let replaced = corrected(&board, &changed, &json!({ "replaceOfficers": [{ "from": "CC02", "to": "CC03" }] }));
        assert_eq!(officers(&replaced), [row("CC03", 0, "TD2", "02DS", "CONFIRMED")]);
        let nobody = corrected(
            &board,
            &replaced,
            &json!({ "removeOfficers": ["CC03"], "addMatters": [{ "category": "TD1", "unit": "02CV" }] }),
        );
        assert_eq!(nobody["officers"], json!([]));
        // The only allegation without an officer is on the complaint itself.
        assert_eq!((&nobody["category"]["code"], &nobody["matters"]), (&json!("TD1"), &json!([])));
        let two = corrected(&board, &nobody, &json!({ "addMatters": [{ "category": "TD2" }] }));
        let matters = json!([
            { "ordinal": 0, "category": { "code": "TD1" }, "unit": { "code": "02CV" } },
            { "ordinal": 1, "category": { "code": "TD2" }, "unit": { "code": "02CV" } },
        ]);
        assert_eq!((&two["matters"], &two["category"]["code"]), (&matters, &json!("TD1")));
        // A category of the complaint goes to the allegations that had the same.
        let moved = corrected(&board, &complaint(&board, "đòi tiền"), &json!({ "category": "TD1", "unit": "02DS" }));
        assert_eq!(officers(&moved), [row("CC01", 0, "TD1", "02DS", "CONFIRMED")]);
        assert_eq!(moved["branch"]["code"], "02DS");
    }
}

#[test]
fn a_wrong_correction_names_its_field_and_changes_nothing() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let before = complaint(&board, "đòi tiền");
        for (wrong, field) in [
            (json!({ "occurredAt": "2024-01-06T00:00:00+07:00" }), "occurredAt"),
            (json!({ "occurredAt": "1960-01-06T00:00:00+07:00" }), "occurredAt"),
            (json!({ "costVnd": "-1" }), "costVnd"),
            (json!({ "delayHours": -0.5 }), "delayHours"),
            (json!({ "declarationNumber": "12" }), "declarationNumber"),
            (json!({ "taxCode": "0100233480" }), "taxCode"),
            (json!({ "enterpriseName": "Công ty" }), "enterpriseName"),
            (json!({ "unit": "99XX" }), "unit"),
            (json!({ "category": "XX" }), "category"),
            (json!({ "addOfficers": [{ "officer": "CC99" }] }), "addOfficers"),
            (json!({ "addOfficers": [{ "officer": "CC02", "category": "XX" }] }), "addOfficers.category"),
            (json!({ "addOfficers": [{ "officer": "CC01", "category": "TD2", "unit": "02CV" }] }), "addOfficers"),
            (json!({ "removeOfficers": ["CC03"] }), "removeOfficers"),
            (json!({ "replaceOfficers": [{ "from": "CC01", "to": "CC01" }] }), "replaceOfficers"),
            (json!({ "replaceOfficers": [{ "from": "CC03", "to": "CC01" }] }), "replaceOfficers"),
            (json!({ "removeAllegations": [{ "officer": "CC01", "ordinal": 7 }] }), "removeAllegations"),
            (json!({ "removeAllegations": [{ "ordinal": 0 }] }), "removeAllegations"),
            (
                json!({ "changeAllegations": [{ "officer": "CC01", "ordinal": 0, "unit": "99XX" }] }),
                "changeAllegations.unit",
            ),
            (json!({ "legalForm": "FEEDBACK" }), "changes nothing"),
            (json!({ "costVnd": "777", "reason": "  " }), "reason"),
        ] {
            let answer = correct(&board, &before, &wrong);
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{wrong}: {}", answer.text);
            assert!(answer.text.contains(field), "{wrong}: {}", answer.text);
        }
        let stale = merged(&before, &json!({ "version": before["version"].integer() + 1 }));
        assert_eq!(correct(&board, &stale, &json!({ "costVnd": "777" })).codes(), ["CONFLICT"]);
        assert_eq!(complaint(&board, "đòi tiền"), before);
        for role in [Role::UnitHead, Role::DataTeam, Role::Dashboard, Role::Intake, Role::Admin] {
            let client = app.as_any(role, "02CV");
            assert_eq!(correct(&client, &before, &json!({ "costVnd": "777" })).codes()[0], "FORBIDDEN", "{role}");
        }
        // A member who is an officer neither corrects a complaint that names the member, nor makes one do so.
        let member = app.as_member("own", "CC01");
        assert_eq!(correct(&member, &before, &json!({ "costVnd": "777" })).codes(), ["NOT_FOUND"]);
        let other = complaint(&board, "Không khai được");
        let own = correct(&member, &other, &json!({ "addOfficers": [{ "officer": "CC01" }] }));
        assert_eq!(own.codes(), ["BAD_USER_INPUT"], "{}", own.text);
        assert_eq!(complaint(&board, "Không khai được"), other);
    }
}

#[test]
fn of_two_corrections_of_one_version_one_is_a_conflict() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let before = complaint(&board, "đòi tiền");
        let cost = |vnd: &str| correct(&board, &before, &json!({ "costVnd": vnd })).codes();
        let codes = std::thread::scope(|scope| {
            let both = ["777", "888"].map(|vnd| scope.spawn(move || cost(vnd)));
            both.map(|one| one.join().expect("an answer"))
        });
        let conflicts = codes.iter().filter(|codes| codes.as_slice() == ["CONFLICT"]).count();
        let done = codes.iter().filter(|codes| codes.is_empty()).count();
        assert_eq!((conflicts, done), (1, 1), "{codes:?}");
        assert_eq!(complaint(&board, "đòi tiền")["version"].integer(), before["version"].integer() + 1);
    }
}

#[test]
fn an_import_keeps_what_the_board_corrected_and_says_so() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let moved = corrected(
            &board,
            &complaint(&board, "đòi tiền"),
            &json!({ "costVnd": "777", "replaceOfficers": [{ "from": "CC01", "to": "CC02" }], "unit": "02DS" }),
        );
        let files = Files::new();
        // The file says a new cost, a new text and a new delay.
        let csv = fixtures::COMPLAINTS.replace("1.250.000;4,5;Cán bộ đòi tiền", "1.300.000;5,5;Cán bộ đòi nhiều tiền");
        let imported = program().run(&app.database, files.import("complaints", csv, fixtures::COMPLAINTS_MAP)).ok();
        assert_eq!(imported.json()["updated"], 1, "{imported:?}");
        assert!(
            imported.err.contains("PA-1") && imported.err.contains("keeps what the Board corrected"),
            "{imported:?}"
        );
        let query = format!(
            "{{ complaint(id: {}) {{ text costVnd delayHours unit {{ code }} \
             officers {{ officer {{ code }} finding }} }} }}",
            moved["id"]
        );
        let now = board.data(&query)["complaint"].clone();
        let expected = json!({ "text": "Cán bộ đòi nhiều tiền", "costVnd": "777", "delayHours": 5.5,
            "unit": { "code": "02DS" }, "officers": [{ "officer": { "code": "CC02" }, "finding": "PENDING" }] });
        assert_eq!(now, expected);
    }
}

#[test]
fn a_head_proposes_a_correction_and_the_board_decides() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head, other) = (app.as_role(Role::Board), app.as_head("02CV"), app.as_head("02DS"));
        let before = complaint(&board, "đòi tiền");
        let input = |more: &Value| {
            let input = json!({
                "complaintId": before["id"], "expectedVersion": before["version"], "reason": "Nhầm cán bộ.",
            });
            merged(&input, more)
        };
        let propose = |client: &Client<'_>, more: &Value| send(client, "proposeCorrection", PROPOSAL, &input(more));
        let proposed = |more: &Value| -> Value {
            let answer = propose(&head, more).json();
            assert!(answer.get("errors").is_none(), "{answer}");
            answer["data"]["proposeCorrection"]["proposal"].clone()
        };
        let change = json!({ "replaceOfficers": [{ "from": "CC01", "to": "CC02" }] });
        assert_eq!(propose(&other, &change).codes(), ["NOT_FOUND"], "of another unit");
        assert_eq!(propose(&board, &change).codes()[0], "FORBIDDEN");
        assert_eq!(propose(&head, &json!({ "unit": "99XX" })).codes(), ["BAD_USER_INPUT"]);
        let one = proposed(&change);
        assert_eq!((&one["state"], &one["correction"]), (&json!("PROPOSED"), &change));
        assert_eq!(complaint(&board, "đòi tiền"), before, "nothing has changed yet");
        let seen = |client: &Client<'_>| {
            client.data("{ correctionProposals { totalCount } }")["correctionProposals"]["totalCount"].clone()
        };
        let (own, province) = (app.as_member("own", "CC02"), app.as_head("02"));
        assert_eq!([&board, &head, &other, &province].map(seen), [json!(1), json!(1), json!(0), json!(1)]);
        assert_eq!(seen(&own), 0, "it names the member");
        let decision = |proposal: &Value, accept: bool, reason: Option<&str>| {
            json!({ "proposalId": proposal["id"], "expectedVersion": proposal["version"], "accept": accept,
                "reason": reason })
        };
        assert_eq!(decide(&head, "decideCorrection", &decision(&one, true, None)).codes()[0], "FORBIDDEN");
        assert_eq!(decide(&own, "decideCorrection", &decision(&one, true, None)).codes(), ["NOT_FOUND"]);
        let bare = decide(&board, "decideCorrection", &decision(&one, false, None));
        assert!(bare.codes() == ["BAD_USER_INPUT"] && bare.text.contains("reason"), "{}", bare.text);
        let two = proposed(&json!({ "costVnd": "777" }));
        let refused = decide(&board, "decideCorrection", &decision(&two, false, Some("Không đúng."))).json();
        assert_eq!(refused["data"]["decideCorrection"]["proposal"]["state"], "REFUSED", "{refused}");
        let again = decide(&board, "decideCorrection", &decision(&two, true, None));
        assert_eq!(again.codes(), ["CONFLICT"], "it is decided");
        let three = proposed(&json!({ "costVnd": "888" }));
        let accepted = decide(&board, "decideCorrection", &decision(&one, true, None)).json();
        assert_eq!(accepted["data"]["decideCorrection"]["proposal"]["state"], "ACCEPTED", "{accepted}");
        let named = "{ complaints(filter: {officers: {officer: {code: {eq: \"CC02\"}}}}) { nodes { id } } }";
        let named = board.data(named)["complaints"]["nodes"].clone();
        assert!(named.list().contains(&json!({ "id": before["id"] })), "{named}");
        // The complaint has changed since the third was proposed.
        let late = decide(&board, "decideCorrection", &decision(&three, true, None));
        assert_eq!(late.codes(), ["CONFLICT"], "{}", late.text);
        assert!(late.text.contains("since the correction was proposed"), "{}", late.text);
        let withdraw = json!({ "proposalId": three["id"], "expectedVersion": three["version"] });
        assert_eq!(decide(&other, "withdrawCorrection", &withdraw).codes(), ["NOT_FOUND"]);
        let withdrawn = decide(&head, "withdrawCorrection", &withdraw).json();
        assert_eq!(withdrawn["data"]["withdrawCorrection"]["proposal"]["state"], "WITHDRAWN", "{withdrawn}");
        let states = "{ correctionProposals(orderBy: [{field: PROPOSED_AT}], filter: {state: {ne: PROPOSED}}) {
            nodes { state decisionReason complaintId unit { code } } } }";
        let states = board.data(states)["correctionProposals"]["nodes"].clone();
        let of = |state: &str, reason: Option<&str>| {
            let unit = json!({ "code": "02CV" });
            json!({ "state": state, "decisionReason": reason, "complaintId": before["id"], "unit": unit })
        };
        let expected = json!([of("ACCEPTED", None), of("REFUSED", Some("Không đúng.")), of("WITHDRAWN", None)]);
        assert_eq!(states, expected);
    }
}
