//! A merged code means the officer or the enterprise into which it was merged, in everything that is written by code.

use serde_json::{Value, json};
use tests::work::{MEASURE, Mutations};
use tests::{Client, Json, Role, TestApp, merged};

const OFFICERS: &str = "complaint { version enterprise { taxCode } \
    officers { officer { code } attribution finding decidedOn } } position";

/// The id and the version of a complaint of the small world.
fn complaint(board: &Client<'_>, reference: &str) -> Value {
    let query =
        format!("{{ complaints(filter: {{sourceReference: {{eq: \"{reference}\"}}}}) {{ nodes {{ id version }} }} }}");
    board.data(&query)["complaints"]["nodes"][0].clone()
}

/// A step that the Board takes with a complaint at its present version; the complaint after it.
fn stepped(board: &Client<'_>, mutation: &str, reference: &str, more: &Value) -> Value {
    let one = complaint(board, reference);
    let input = merged(&json!({ "complaintId": one["id"], "expectedVersion": one["version"] }), more);
    if mutation != "correctComplaint" {
        return board.done(mutation, OFFICERS, &input)["complaint"].clone();
    }
    let query =
        format!("mutation ($input: CorrectComplaintInput!) {{ correctComplaint(input: $input) {{ {OFFICERS} }} }}");
    board.data_with(&query, &json!({ "input": input }))["correctComplaint"]["complaint"].clone()
}

fn merge(board: &Client<'_>, from: &str, into: &str) {
    let input = json!({ "from": from, "into": into, "reason": "Cùng một người." });
    board.done("mergeOfficers", "position", &input);
}

#[test]
fn writes_under_a_merged_code_count_for_its_target() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        merge(&board, "CC03", "CC01");
        let named = |attribution: &str, finding: &str, decided_on: Option<&str>| {
            let officer = json!({ "code": "CC01" });
            json!([{ "officer": officer, "attribution": attribution, "finding": finding, "decidedOn": decided_on }])
        };
        // PA-4 named CC03.
        let attributions = json!([{ "officer": "CC03", "attribution": "ASSERTED" }]);
        let more = json!({ "category": "TD1", "attributions": attributions });
        let classified = stepped(&board, "classifyComplaint", "PA-4", &more);
        assert_eq!(classified["officers"], named("ASSERTED", "PENDING", None));
        let more = json!({ "officer": "CC03", "finding": "SUSTAINED", "decidedOn": "2024-03-01" });
        let found = stepped(&board, "recordFinding", "PA-4", &more);
        assert_eq!(found["officers"], named("ASSERTED", "SUSTAINED", Some("2024-03-01")));
        let change = json!([{ "officer": "CC03", "ordinal": 0, "attribution": "CONFIRMED" }]);
        let more = json!({ "changeAllegations": change, "reason": "Xác minh." });
        let corrected = stepped(&board, "correctComplaint", "PA-4", &more);
        assert_eq!(corrected["officers"], named("CONFIRMED", "SUSTAINED", Some("2024-03-01")));
        let measure = json!({
            "officer": "CC03", "kind": "FORMAL_REVIEW", "grounds": "Căn cứ.", "decisionMaker": "Chi cục trưởng",
            "decidedOn": "2024-03-02", "complaintIds": [complaint(&board, "PA-4")["id"]],
        });
        let recorded = app.as_head("03TG").done("recordMeasure", MEASURE, &measure)["measure"].clone();
        assert_eq!(recorded["officer"]["code"], "CC01");
        // An officer who was not merged is not named, under any code.
        let one = complaint(&board, "PA-4");
        let other = json!({
            "complaintId": one["id"], "expectedVersion": one["version"], "officer": "CC02", "finding": "UNFOUNDED",
            "decidedOn": "2024-03-01",
        });
        assert_eq!(board.send("recordFinding", "position", &other).codes(), ["BAD_USER_INPUT"]);

        let input = json!({ "from": "0314409058-002", "into": "0314409058", "reason": "Đã giải thể." });
        board.done("mergeEnterprises", "position", &input);
        let more = json!({ "taxCode": "0314409058-002", "reason": "Ghi nhầm." });
        let corrected = stepped(&board, "correctComplaint", "PA-1", &more);
        assert_eq!(corrected["enterprise"]["taxCode"], "0314409058");
        for (mutation, from, into, stands) in [
            ("mergeOfficers", "CC02", "CC03", "CC01"),
            ("mergeOfficers", "CC03", "CC02", "CC01"),
            ("mergeEnterprises", "0100233488", "0314409058-002", "0314409058\\\""),
        ] {
            let input = json!({ "from": from, "into": into, "reason": "x" });
            let refused = board.send(mutation, "position", &input);
            assert_eq!(refused.codes(), ["CONFLICT"], "{}", refused.text);
            assert!(refused.text.contains(stands), "{stands}: {}", refused.text);
        }
    }
}

#[test]
fn an_officer_who_was_merged_is_not_administered_and_the_refusal_says_who_stands() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let submission = json!({ "idempotencyKey": "1", "text": "Gây khó.", "officers": ["CC-03"] });
        app.as_role(Role::Intake).done("submitComplaint", "id", &submission);
        merge(&board, "CC03", "CC01");
        merge(&board, "CC-03", "CC02");
        let state = || {
            admin.data(
                "{ officers(first: 50, orderBy: [{field: CODE}]) { nodes {
                       code name revision postings { unit { code } validFrom validTo } } } }",
            )
        };
        let before = state();
        let revision = admin.data("{ officer(code: \"CC03\") { revision } }")["officer"]["revision"].clone();
        let seen = json!({ "officer": "CC03", "expectedRevision": revision });
        for (mutation, more) in [
            ("changeOfficer", json!({ "name": "Lê Văn Cường B" })),
            ("startPosting", json!({ "unit": "02CV", "from": "2025-01-01" })),
            ("endPosting", json!({ "unit": "03TG", "on": "2025-01-01" })),
            ("correctPosting", json!({ "unit": "03TG", "from": "2020-01-01", "newTo": "2025-01-01" })),
        ] {
            let refused = admin.send(mutation, "position", &merged(&seen, &more));
            assert_eq!(refused.codes(), ["CONFLICT"], "{mutation}: {}", refused.text);
            assert!(refused.text.contains("merged into \\\"CC01\\\""), "{mutation}: {}", refused.text);
        }
        // The placeholder that a complaint made of a misspelt code.
        let new = json!({ "code": "CC-03", "name": "Lê Văn Cường" });
        let refused = admin.send("createOfficer", "position", &new);
        assert_eq!(refused.codes(), ["CONFLICT"], "{}", refused.text);
        assert!(refused.text.contains("\\\"CC02\\\""), "{}", refused.text);
        assert_eq!(state(), before, "nothing has changed on {}", app.database.name);
        board.done("splitOfficer", "complaints", &json!({ "officer": "CC03", "reason": "Hai người." }));
        let revision = admin.data("{ officer(code: \"CC03\") { revision } }")["officer"]["revision"].clone();
        let input = json!({ "officer": "CC03", "expectedRevision": revision, "name": "Lê Văn Cường B" });
        let changed = admin.done("changeOfficer", "officer { name }", &input);
        assert_eq!(changed["officer"]["name"], "Lê Văn Cường B");
    }
}

/// The unit, the first and the last day of each posting of an officer.
fn postings(client: &Client<'_>, officer: &str) -> Vec<String> {
    let query = format!("{{ officer(code: \"{officer}\") {{ postings {{ unit {{ code }} validFrom validTo }} }} }}");
    let found = client.data(&query)["officer"]["postings"].clone();
    let told = |row: &Value| {
        let until = row["validTo"].as_str().unwrap_or("now");
        format!("{} {} {until}", row["unit"]["code"].text(), row["validFrom"].text())
    };
    found.list().iter().map(told).collect()
}

#[test]
fn a_split_gives_postings_back_as_they_stand_and_leaves_none_of_them() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let posted = |mutation: &str, officer: &str, more: &Value| {
            let read = admin.data(&format!("{{ officer(code: \"{officer}\") {{ revision }} }}"))["officer"].clone();
            let seen = json!({ "officer": officer, "expectedRevision": read["revision"] });
            admin.done(mutation, "position", &merged(&seen, more));
        };
        for (code, unit, from, to) in
            [("CC10", "02CV", "2020-01-01", json!("2023-12-31")), ("CC11", "03TG", "2024-01-01", Value::Null)]
        {
            admin.done("createOfficer", "position", &json!({ "code": code, "name": code }));
            posted("startPosting", code, &json!({ "unit": unit, "from": from, "to": to }));
        }
        merge(&board, "CC11", "CC10");
        merge(&board, "CC03", "CC01");
        assert_eq!(postings(&admin, "CC10"), ["02CV 2020-01-01 2023-12-31", "03TG 2024-01-01 now"]);
        // What changes until the split: the first day, the unit, the last day; and what begins later.
        posted("correctPosting", "CC10", &json!({ "unit": "03TG", "from": "2024-01-01", "newFrom": "2024-02-01" }));
        let next = json!({
            "code": "03XX", "nameVi": "Chi cục mới", "kind": "BRANCH", "parent": "03", "validFrom": "2024-01-01",
        });
        admin.done("createUnit", "position", &next);
        let read = admin.data("{ unit(code: \"03TG\") { revision } }")["unit"].clone();
        let close = json!({
            "unit": "03TG", "expectedRevision": read["revision"], "on": "2024-06-30", "successor": "03XX",
        });
        // Two postings of one officer to the unit become one.
        assert_eq!(admin.done("closeUnit", "movedPostings", &close)["movedPostings"], 2);
        posted("endPosting", "CC10", &json!({ "unit": "03XX", "on": "2025-06-30" }));
        posted("startPosting", "CC10", &json!({ "unit": "02DS", "from": "2025-07-01" }));
        for officer in ["CC11", "CC03"] {
            board.done("splitOfficer", "position", &json!({ "officer": officer, "reason": "Hai người." }));
        }
        assert_eq!(postings(&admin, "CC10"), ["02CV 2020-01-01 2023-12-31", "02DS 2025-07-01 now"]);
        assert_eq!(postings(&admin, "CC11"), ["03TG 2024-02-01 2024-06-30", "03XX 2024-07-01 2025-06-30"]);
        // Both went on at the successor, as one while they were merged.
        assert_eq!(postings(&admin, "CC03"), ["03TG 2020-01-01 2024-06-30", "03XX 2024-07-01 now"]);
        assert_eq!(
            postings(&admin, "CC01"),
            ["02CV-D1 2020-01-01 2023-12-31", "03TG 2024-01-01 2024-06-30", "03XX 2024-07-01 now"]
        );
    }
}

#[test]
fn a_flag_on_a_merged_officer_is_one_on_the_target_until_the_next_run() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("03TG"));
        let [stands, was] = [("stands", "CC03"), ("was", "CC01")].map(|(name, officer)| app.as_member(name, officer));
        let flags = |client: &Client<'_>| -> Vec<String> {
            let nodes = client.data("{ flags(first: 50) { nodes { officer { code } } } }")["flags"]["nodes"].clone();
            let codes = nodes.list().iter().filter_map(|flag| flag["officer"]["code"].as_str().map(str::to_owned));
            codes.filter(|code| code == "CC01").collect()
        };
        let counted = || [&board, &head, &stands, &was].map(|client| flags(client).len());
        assert_eq!(counted(), [1, 1, 1, 0], "no officer sees the flag on itself");
        merge(&board, "CC01", "CC03");
        assert_eq!(counted(), [1, 1, 0, 0], "{}: CC03 is the officer of the flag now", app.database.name);
        let flag = board.data("{ officer(code: \"CC01\") { flag { id } } }")["officer"]["flag"]["id"].clone();
        for client in [&stands, &was] {
            let file = client.data("{ officer(code: \"CC01\") { flag { id } } }")["officer"].clone();
            assert_eq!(file["flag"], Value::Null);
        }
        let said = json!({ "flagId": flag, "notifiedOn": "2024-04-02", "explanation": "Tôi nhận khuyết điểm." });
        head.done("recordExplanation", "flag { id }", &said);
        // The explanation on the flag is that of the officer who stands: a suspension may rest on it.
        let measure = json!({
            "officer": "CC01", "kind": "SUSPENSION", "ground": "HARASSMENT_OF_ENTERPRISES", "grounds": "Căn cứ.",
            "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-04-03", "flagId": flag,
        });
        let recorded = head.done("recordMeasure", MEASURE, &measure)["measure"].clone();
        assert_eq!((&recorded["officer"]["code"], &recorded["basis"]["flag"]["id"]), (&json!("CC03"), &flag));
        board.done("splitOfficer", "complaints", &json!({ "officer": "CC01", "reason": "Hai người." }));
        assert_eq!(counted(), [1, 1, 1, 0], "as before the merge");
    }
}
