//! The Board handles complaints over HTTP: it classifies, assigns, decides, closes and redacts them.

use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Answer, Client, Json, Role, TestApp};

const FIELDS: &str = "complaint {
        id version state category { code } unit { code } department { code } responsibleUnit { code } finding
        officers { officer { code } category { code } attribution finding decidedOn } }
    position";

/// Submits a complaint and returns its id and version.
fn submitted(intake: &Client, key: &str, more: &Value) -> (String, i64) {
    let receipt = intake.submitted(key, more);
    (receipt["id"].text().to_owned(), receipt["version"].integer())
}

fn send(client: &Client, mutation: &str, input: &Value) -> Answer {
    client.send(mutation, FIELDS, input)
}

/// Sends a mutation that must succeed, returns the complaint and sets `version` to its new version.
fn done(board: &Client, mutation: &str, version: &mut i64, input: &Value) -> Value {
    let mut input = input.clone();
    input["expectedVersion"] = json!(*version);
    let complaint = board.done(mutation, FIELDS, &input)["complaint"].clone();
    *version = complaint["version"].integer();
    complaint
}

#[test]
fn a_complaint_is_classified_assigned_answered_reopened_and_closed() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let (id, mut version) = submitted(&intake, "life", &json!({ "officers": ["CC01"], "unit": "02CV-D1" }));
        let early = send(&board, "assignComplaint", &json!({ "complaintId": id, "expectedVersion": version }));
        assert_eq!(early.codes(), ["CONFLICT"], "{}", early.text);
        let classified = done(
            &board,
            "classifyComplaint",
            &mut version,
            &json!({
                "complaintId": id, "category": "TD1",
                "attributions": [{ "officer": "CC01", "attribution": "CONFIRMED" }]
            }),
        );
        assert_eq!((&classified["state"], &classified["category"]["code"]), (&json!("CLASSIFIED"), &json!("TD1")));
        let allegation = &classified["officers"][0];
        assert_eq!((&allegation["attribution"], &allegation["category"]["code"]), (&json!("CONFIRMED"), &json!("TD1")));
        // The server refuses a decision of a client that knows an older version.
        let stale = send(&board, "assignComplaint", &json!({ "complaintId": id, "expectedVersion": 1 }));
        assert_eq!(stale.codes(), ["CONFLICT"], "{}", stale.text);
        let nowhere = json!({ "complaintId": id, "expectedVersion": version, "unit": "99XX" });
        assert_eq!(send(&board, "assignComplaint", &nowhere).codes(), ["BAD_USER_INPUT"]);
        let assigned = done(&board, "assignComplaint", &mut version, &json!({ "complaintId": id }));
        assert_eq!((&assigned["state"], &assigned["department"]["code"]), (&json!("ASSIGNED"), &json!("02")));
        assert_eq!(assigned["responsibleUnit"]["code"], "02CV", "the branch above the team");
        let respond = "mutation ($input: RespondToComplaintInput!) {
            respondToComplaint(input: $input) { complaint { state version } } }";
        let input =
            json!({ "complaintId": id, "expectedVersion": version, "action": "EXPLANATION", "text": "Đã giải thích." });
        let answered = app.as_head("02CV").data_with(respond, &json!({ "input": input }));
        version = answered["respondToComplaint"]["complaint"]["version"].integer();
        let bare = json!({ "complaintId": id, "expectedVersion": version, "state": "ASSIGNED" });
        assert_eq!(send(&board, "changeComplaintState", &bare).codes(), ["BAD_USER_INPUT"], "no grounds");
        let again = done(
            &board,
            "changeComplaintState",
            &mut version,
            &json!({ "complaintId": id, "state": "ASSIGNED", "reason": "Doanh nghiệp chưa hài lòng." }),
        );
        assert_eq!(again["state"], "ASSIGNED");
        let found = done(
            &board,
            "recordFinding",
            &mut version,
            &json!({ "complaintId": id, "officer": "CC01", "finding": "SUSTAINED", "decidedOn": today() }),
        );
        assert_eq!(found["officers"][0]["finding"], "SUSTAINED");
        let too_early = json!({ "complaintId": id, "expectedVersion": version, "state": "CLOSED" });
        assert_eq!(send(&board, "changeComplaintState", &too_early).codes(), ["CONFLICT"], "unanswered");
        let rejected = done(
            &board,
            "changeComplaintState",
            &mut version,
            &json!({ "complaintId": id, "state": "REJECTED", "reason": "Trùng lặp." }),
        );
        assert_eq!(rejected["state"], "REJECTED");
        let late = json!({ "complaintId": id, "expectedVersion": version, "category": "TD1" });
        assert_eq!(send(&board, "classifyComplaint", &late).codes(), ["CONFLICT"], "it is over");
        // The database keeps grounds in a side table, not in the events.
        let db = app.database.open();
        let (events, values) = db
            .read(|conn| {
                use diesel::prelude::*;
                use schema::tables::{complaint_event_values as values, complaint_events as events};
                let all = events::table.select(events::after).order(events::position);
                let all: Vec<Option<schema::sql_types::JsonValue>> = all.load(conn)?;
                let kept = values::table.filter(values::field.eq("reason")).count().get_result::<i64>(conn)?;
                Ok((all, kept))
            })
            .unwrap();
        assert_eq!(values, 2);
        let told = events.iter().flatten().filter(|event| event.0.to_string().contains("Trùng lặp")).count();
        assert_eq!(told, 0);
    }
}

#[test]
fn an_intake_token_reads_only_its_own_receipts() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let (id, mut version) = submitted(&intake, "mine", &json!({}));
        let receipt = |client: &Client, key: &str| {
            let query = format!("{{ receipt(idempotencyKey: \"{key}\") {{ id reference state version created }} }}");
            client.data(&query)["receipt"].clone()
        };
        let first = receipt(&intake, "mine");
        assert_eq!((&first["id"], &first["state"], &first["created"]), (&json!(id), &json!("RECEIVED"), &json!(false)));
        done(&board, "classifyComplaint", &mut version, &json!({ "complaintId": id, "category": "TD1" }));
        assert_eq!(receipt(&intake, " mine ")["state"], "CLASSIFIED", "what became of it");
        assert_eq!(receipt(&intake, "another"), Value::Null);
        let other = app.as_holder(&["--name", "other-portal", "--role", "INTAKE"]);
        assert_eq!(receipt(&other, "mine"), Value::Null, "keys are each sender's own");
    }
}

fn today() -> String {
    schema::domain::calendar::local_date(schema::Timestamp::now()).to_string()
}

#[test]
fn a_complaint_of_no_unit_is_given_one_that_answers_and_its_own_finding() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let (id, mut version) = submitted(&intake, "unit", &json!({}));
        done(&board, "classifyComplaint", &mut version, &json!({ "complaintId": id, "category": "TD1" }));
        let nowhere = json!({ "complaintId": id, "expectedVersion": version });
        assert_eq!(send(&board, "assignComplaint", &nowhere).codes(), ["BAD_USER_INPUT"], "to whom?");
        let unknown = json!({ "complaintId": id, "expectedVersion": version, "unit": "99XX" });
        assert_eq!(send(&board, "assignComplaint", &unknown).codes(), ["BAD_USER_INPUT"]);
        let assigned = done(&board, "assignComplaint", &mut version, &json!({ "complaintId": id, "unit": "02CV" }));
        assert_eq!((&assigned["unit"], &assigned["responsibleUnit"]["code"]), (&Value::Null, &json!("02CV")));
        let finding = json!({ "complaintId": id, "finding": "UNFOUNDED", "decidedOn": today() });
        assert_eq!(done(&board, "recordFinding", &mut version, &finding)["finding"], "UNFOUNDED");
        let of_nobody = json!({
            "complaintId": id, "expectedVersion": version,
            "officer": "CC01", "finding": "SUSTAINED", "decidedOn": today()
        });
        assert_eq!(send(&board, "recordFinding", &of_nobody).codes(), ["BAD_USER_INPUT"]);
        let future =
            json!({ "complaintId": id, "expectedVersion": version, "finding": "SUSTAINED", "decidedOn": "2999-01-01" });
        assert_eq!(send(&board, "recordFinding", &future).codes(), ["BAD_USER_INPUT"]);
        // The statistics contain the write for a client that waits for its position.
        let withdrawn = json!({ "complaintId": id, "expectedVersion": version, "state": "WITHDRAWN" });
        let answer = send(&board, "changeComplaintState", &withdrawn).json();
        let position = answer["data"]["changeComplaintState"]["position"].integer();
        let state = format!(
            "{{ complaintStatistics(groupBy: [STATE], filter: {{stateIn: [WITHDRAWN]}}, minPosition: {position}) {{
                 rows {{ complaints }} }} }}"
        );
        let rows = board.data(&state)["complaintStatistics"]["rows"].clone();
        assert_eq!(rows, json!([{ "complaints": 1 }]));
    }
}

#[test]
fn only_the_board_decides_and_no_member_about_themselves() {
    let app = TestApp::sqlite().world().arguments(&["--dev"]).start();
    let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
    let (id, version) = submitted(&intake, "own", &json!({ "officers": ["CC01"], "unit": "02CV-D1" }));
    let input = json!({ "complaintId": id, "expectedVersion": version, "category": "TD1" });
    for role in [Role::UnitHead, Role::DataTeam, Role::Dashboard, Role::Intake, Role::Admin] {
        let client = if role == Role::UnitHead { app.as_head("02CV") } else { app.as_role(role) };
        let answer = send(&client, "classifyComplaint", &input);
        assert_eq!((answer.status, answer.codes()[0].as_str()), (403, "FORBIDDEN"), "{role}");
    }
    let own = app.as_holder(&["--name", "own", "--role", "BOARD", "--officer", "CC01"]);
    assert_eq!(send(&own, "classifyComplaint", &input).codes(), ["NOT_FOUND"]);
    assert!(send(&board, "classifyComplaint", &input).codes().is_empty());
}

#[test]
fn a_unit_reads_of_a_confidential_complaint_what_the_board_redacted_and_nothing_else() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = builder.world().arguments(&["--no-jobs", "--key-file", &key]).start();
        let board = app.as_role(Role::Board);
        let [own, other, province] = ["02CV", "02DS", "02"].map(|unit| app.as_head(unit));
        let named = app.as_holder(&["--name", "named", "--role", "UNIT_HEAD", "--unit", "02CV", "--officer", "CC01"]);
        let list = "{ redactedComplaints(first: 5) { totalCount pageInfo { endCursor } nodes {
            pseudonym month unit { code } category { code } state text } } }";
        let read = |client: &Client| client.data(list)["redactedComplaints"].clone();
        assert_eq!(read(&own)["totalCount"], 0, "nothing until the Board has said what");
        let all = board.data("{ complaints { nodes { id version confidential redactedText } } }");
        let all = all["complaints"]["nodes"].list().to_vec();
        let (secret, open): (Vec<_>, Vec<_>) = all.iter().partition(|one| one["confidential"] == true);
        let redact = "mutation ($input: RedactComplaintInput!) {
            redactComplaint(input: $input) { complaint { version redactedText } } }";
        let input = |one: &Value, text: &str| {
            let input = json!({ "complaintId": one["id"], "expectedVersion": one["version"], "text": text });
            json!({ "input": input })
        };
        let redacted = |one: &Value, text: &str| board.request_with(redact, &input(one, text));
        assert_eq!(redacted(open[0], "x").codes(), ["BAD_USER_INPUT"], "it is no secret");
        assert_eq!(redacted(secret[0], "  ").codes(), ["BAD_USER_INPUT"]);
        let done = board.data_with(redact, &input(secret[0], "Một doanh nghiệp phản ánh chậm trễ."));
        let version = secret[0]["version"].integer() + 1;
        assert_eq!(
            done["redactComplaint"]["complaint"],
            json!({ "version": version, "redactedText": "Một doanh nghiệp phản ánh chậm trễ." })
        );
        assert_eq!(redacted(secret[0], "y").codes(), ["CONFLICT"]);
        let again =
            json!({ "input": { "complaintId": secret[0]["id"], "expectedVersion": version, "text": "Chậm trễ." } });
        board.data_with(redact, &again);
        for client in [&own, &province, &board] {
            let seen = read(client);
            assert_eq!(seen["totalCount"], 1, "{seen}");
            let node = &seen["nodes"][0];
            assert_eq!(
                (&node["month"], &node["unit"]["code"], &node["category"]["code"], &node["text"]),
                (&json!("2024-03"), &json!("02CV"), &json!("TD1"), &json!("Chậm trễ."))
            );
            assert!(node["pseudonym"].text().starts_with("k1-"));
            let whole = seen.to_string();
            let cursor = seen["pageInfo"]["endCursor"].text();
            let elsewhere = format!("{{ complaints(after: \"{cursor}\") {{ totalCount }} }}");
            assert_eq!(client.codes(&elsewhere), ["BAD_USER_INPUT"], "it would tell the time");
            let further = format!("{{ redactedComplaints(after: \"{cursor}\") {{ nodes {{ text }} }} }}");
            assert_eq!(client.data(&further)["redactedComplaints"]["nodes"], json!([]));
            let id = secret[0]["id"].text();
            assert!(!whole.contains(id) && !whole.contains("0314409058") && !whole.contains("giữ kín"), "{whole}");
        }
        // A head does not see the redacted text of another branch, nor one of a complaint that names the head himself.
        for client in [&other, &named] {
            assert_eq!(read(client)["totalCount"], 0);
        }
        // No head sees the complaint itself.
        let mut by_id = format!("{{ complaint(id: {}) {{ id }} }}", secret[0]["id"]);
        assert_eq!(own.data(&by_id)["complaint"], json!(null));
        by_id = format!("{{ complaint(id: {}) {{ redactedText }} }}", secret[0]["id"]);
        assert_eq!(own.codes(&by_id), ["FORBIDDEN"]);
        assert_eq!(app.as_role(Role::DataTeam).codes(list)[0], "FORBIDDEN");
        // The head of the unit answers without knowing more of the complaint. Nobody else may answer. The server
        // accepts one answer to a version.
        let shown = own.data("{ redactedComplaints { nodes { pseudonym version state } } }");
        let node = shown["redactedComplaints"]["nodes"][0].clone();
        let respond = "mutation ($input: RespondToRedactedComplaintInput!) {
            respondToRedactedComplaint(input: $input) { complaint { pseudonym version state text } position } }";
        let answer = |client: &Client, pseudonym: &Value| {
            let input = json!({
                "pseudonym": pseudonym, "expectedVersion": node["version"],
                "action": "CORRECTION", "text": "Đã xin lỗi."
            });
            client.request_with(respond, &json!({ "input": input }))
        };
        for client in [&other, &named] {
            assert_eq!(answer(client, &node["pseudonym"]).codes(), ["BAD_USER_INPUT"]);
        }
        assert_eq!(answer(&own, &json!("k1-x")).codes(), ["BAD_USER_INPUT"]);
        assert_eq!(answer(&board, &node["pseudonym"]).codes()[0], "FORBIDDEN");
        let answered = answer(&own, &node["pseudonym"]).json();
        let answered = answered["data"]["respondToRedactedComplaint"]["complaint"].clone();
        assert_eq!((&answered["state"], &answered["pseudonym"]), (&json!("ANSWERED"), &node["pseudonym"]));
        assert_eq!(answer(&own, &node["pseudonym"]).codes(), ["CONFLICT"]);
        let told = format!(
            "{{ complaint(id: {}) {{ state responses {{ nodes {{ text unit {{ code }} }} }} }} }}",
            secret[0]["id"]
        );
        assert_eq!(
            board.data(&told)["complaint"],
            json!({
                "state": "ANSWERED",
                "responses": { "nodes": [{ "text": "Đã xin lỗi.", "unit": { "code": "02CV" } }] }
            })
        );
        // The database keeps the text in a side table, so the seals of the history verify.
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}
