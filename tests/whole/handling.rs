//! What the Board does with complaints, over HTTP.

use crate::graphql::{World, worlds};
use crate::program;
use serde_json::{Value, json};

const FIELDS: &str = "{ complaint { id version state category { code } unit { code } department { code } finding officers { officer { code } category { code } attribution finding decidedOn } } position }";

/// A complaint just submitted: its id and version.
fn submitted(world: &World, key: &str, more: &Value) -> (String, i64) {
    let mut input = json!({ "idempotencyKey": key, "text": "Hồ sơ bị trả lại nhiều lần." });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let query = "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { id version } }";
    let receipt = world.server.data_with(&world.intake, query, &json!({ "input": input }))["submitComplaint"].clone();
    (receipt["id"].as_str().unwrap().to_owned(), receipt["version"].as_i64().unwrap())
}

fn send(world: &World, token: &str, mutation: &str, input: &Value) -> tests::Answer {
    let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {FIELDS} }}");
    world.server.graphql(token, &query, &json!({ "input": input }))
}

/// What became of a complaint; its version is brought up to date.
fn done(world: &World, mutation: &str, version: &mut i64, input: &Value) -> Value {
    let mut input = input.clone();
    input["expectedVersion"] = json!(*version);
    let answer = send(world, &world.board, mutation, &input).json();
    assert!(answer.get("errors").is_none(), "{mutation}: {answer}");
    let complaint = answer["data"][mutation]["complaint"].clone();
    *version = complaint["version"].as_i64().unwrap();
    complaint
}

#[test]
fn a_complaint_is_classified_assigned_answered_reopened_and_closed() {
    for world in worlds() {
        let (id, mut version) = submitted(&world, "life", &json!({ "officers": ["CC01"], "unit": "02CV-D1" }));
        let early =
            send(&world, &world.board, "assignComplaint", &json!({ "complaintId": id, "expectedVersion": version }));
        assert_eq!(early.codes(), ["CONFLICT"], "{}", early.text);
        let classified = done(
            &world,
            "classifyComplaint",
            &mut version,
            &json!({ "complaintId": id, "category": "TD1", "attributions": [{ "officer": "CC01", "attribution": "CONFIRMED" }] }),
        );
        assert_eq!((&classified["state"], &classified["category"]["code"]), (&json!("CLASSIFIED"), &json!("TD1")));
        let allegation = &classified["officers"][0];
        assert_eq!((&allegation["attribution"], &allegation["category"]["code"]), (&json!("CONFIRMED"), &json!("TD1")));
        // Somebody who knows an older state decides nothing.
        let stale = send(&world, &world.board, "assignComplaint", &json!({ "complaintId": id, "expectedVersion": 1 }));
        assert_eq!(stale.codes(), ["CONFLICT"], "{}", stale.text);
        let elsewhere = json!({ "complaintId": id, "expectedVersion": version, "unit": "03" });
        assert_eq!(send(&world, &world.board, "assignComplaint", &elsewhere).codes(), ["BAD_USER_INPUT"]);
        let assigned = done(&world, "assignComplaint", &mut version, &json!({ "complaintId": id }));
        assert_eq!((&assigned["state"], &assigned["department"]["code"]), (&json!("ASSIGNED"), &json!("02")));
        let head = program().token(&world.database, "UNIT_HEAD", Some("02CV"));
        let respond = "mutation ($input: RespondToComplaintInput!) { respondToComplaint(input: $input) { complaint { state version } } }";
        let input =
            json!({ "complaintId": id, "expectedVersion": version, "action": "EXPLANATION", "text": "Đã giải thích." });
        let answered = world.server.data_with(&head, respond, &json!({ "input": input }));
        version = answered["respondToComplaint"]["complaint"]["version"].as_i64().unwrap();
        let bare = json!({ "complaintId": id, "expectedVersion": version, "state": "ASSIGNED" });
        assert_eq!(send(&world, &world.board, "changeComplaintState", &bare).codes(), ["BAD_USER_INPUT"], "no grounds");
        let again = done(
            &world,
            "changeComplaintState",
            &mut version,
            &json!({ "complaintId": id, "state": "ASSIGNED", "reason": "Doanh nghiệp chưa hài lòng." }),
        );
        assert_eq!(again["state"], "ASSIGNED");
        let found = done(
            &world,
            "recordFinding",
            &mut version,
            &json!({ "complaintId": id, "officer": "CC01", "finding": "SUSTAINED", "decidedOn": today() }),
        );
        assert_eq!(found["officers"][0]["finding"], "SUSTAINED");
        let too_early = json!({ "complaintId": id, "expectedVersion": version, "state": "CLOSED" });
        assert_eq!(send(&world, &world.board, "changeComplaintState", &too_early).codes(), ["CONFLICT"], "unanswered");
        let rejected = done(
            &world,
            "changeComplaintState",
            &mut version,
            &json!({ "complaintId": id, "state": "REJECTED", "reason": "Trùng lặp." }),
        );
        assert_eq!(rejected["state"], "REJECTED");
        let late = json!({ "complaintId": id, "expectedVersion": version, "category": "TD1" });
        assert_eq!(send(&world, &world.board, "classifyComplaint", &late).codes(), ["CONFLICT"], "it is over");
        // Grounds are kept beside the events, not in them.
        let db = world.database.open();
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
fn a_sender_reads_the_receipt_of_its_own_and_of_nobody_elses() {
    for world in worlds() {
        let (id, mut version) = submitted(&world, "mine", &json!({}));
        let receipt = |token: &str, key: &str| {
            world.server.data(
                token,
                &format!("{{ receipt(idempotencyKey: \"{key}\") {{ id reference state version created }} }}"),
            )["receipt"]
                .clone()
        };
        let first = receipt(&world.intake, "mine");
        assert_eq!((&first["id"], &first["state"], &first["created"]), (&json!(id), &json!("RECEIVED"), &json!(false)));
        done(&world, "classifyComplaint", &mut version, &json!({ "complaintId": id, "category": "TD1" }));
        assert_eq!(receipt(&world.intake, " mine ")["state"], "CLASSIFIED", "what became of it");
        assert_eq!(receipt(&world.intake, "another"), Value::Null);
        let other = ["token", "create", "--name", "other-portal", "--role", "INTAKE"];
        let other = program().json(&world.database, &other)["token"].as_str().unwrap().to_owned();
        assert_eq!(receipt(&other, "mine"), Value::Null, "keys are each sender's own");
    }
}

fn today() -> String {
    schema::domain::calendar::local_date(schema::Timestamp::now()).to_string()
}

#[test]
fn a_complaint_of_no_unit_is_given_one_and_its_own_finding() {
    for world in worlds() {
        let (id, mut version) = submitted(&world, "unit", &json!({}));
        done(&world, "classifyComplaint", &mut version, &json!({ "complaintId": id, "category": "TD1" }));
        let nowhere = json!({ "complaintId": id, "expectedVersion": version });
        assert_eq!(send(&world, &world.board, "assignComplaint", &nowhere).codes(), ["BAD_USER_INPUT"], "to whom?");
        let unknown = json!({ "complaintId": id, "expectedVersion": version, "unit": "99XX" });
        assert_eq!(send(&world, &world.board, "assignComplaint", &unknown).codes(), ["BAD_USER_INPUT"]);
        let assigned = done(&world, "assignComplaint", &mut version, &json!({ "complaintId": id, "unit": "02CV" }));
        assert_eq!((&assigned["unit"]["code"], &assigned["department"]["code"]), (&json!("02CV"), &json!("02")));
        let finding = json!({ "complaintId": id, "finding": "UNFOUNDED", "decidedOn": today() });
        assert_eq!(done(&world, "recordFinding", &mut version, &finding)["finding"], "UNFOUNDED");
        let of_nobody = json!({ "complaintId": id, "expectedVersion": version, "officer": "CC01", "finding": "SUSTAINED", "decidedOn": today() });
        assert_eq!(send(&world, &world.board, "recordFinding", &of_nobody).codes(), ["BAD_USER_INPUT"]);
        let future =
            json!({ "complaintId": id, "expectedVersion": version, "finding": "SUSTAINED", "decidedOn": "2999-01-01" });
        assert_eq!(send(&world, &world.board, "recordFinding", &future).codes(), ["BAD_USER_INPUT"]);
        // The statistics say so to whoever waits for the position of the write.
        let withdrawn = json!({ "complaintId": id, "expectedVersion": version, "state": "WITHDRAWN" });
        let answer = send(&world, &world.board, "changeComplaintState", &withdrawn).json();
        let position = answer["data"]["changeComplaintState"]["position"].as_i64().unwrap();
        let state = format!(
            "{{ complaintStatistics(groupBy: [STATE], filter: {{stateIn: [WITHDRAWN]}}, minPosition: {position}) {{ rows {{ complaints }} }} }}"
        );
        let rows = world.server.data(&world.board, &state)["complaintStatistics"]["rows"].clone();
        assert_eq!(rows, json!([{ "complaints": 1 }]));
    }
}

#[test]
fn nobody_else_decides_and_nobody_about_himself() {
    let [world, _] = worlds();
    let (id, version) = submitted(&world, "own", &json!({ "officers": ["CC01"], "unit": "02CV-D1" }));
    let input = json!({ "complaintId": id, "expectedVersion": version, "category": "TD1" });
    for role in ["UNIT_HEAD", "DATA_TEAM", "DASHBOARD", "INTAKE", "ADMIN"] {
        let token = program().token(&world.database, role, (role == "UNIT_HEAD").then_some("02CV"));
        let answer = send(&world, &token, "classifyComplaint", &input);
        assert_eq!((answer.status, answer.codes()[0].as_str()), (403, "FORBIDDEN"), "{role}");
    }
    let own = ["token", "create", "--name", "own", "--role", "BOARD", "--officer", "CC01"];
    let own = program().json(&world.database, &own)["token"].as_str().unwrap().to_owned();
    assert_eq!(send(&world, &own, "classifyComplaint", &input).codes(), ["NOT_FOUND"]);
    assert!(send(&world, &world.board, "classifyComplaint", &input).codes().is_empty());
}

#[test]
fn a_unit_reads_of_a_confidential_complaint_what_the_board_redacted_and_nothing_else() {
    for database in tests::Database::both() {
        crate::world::fill(&database);
        let files = crate::world::Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let token = |role: &str, unit: Option<&str>| program().token(&database, role, unit);
        let (board, own, other, province) = (
            token("BOARD", None),
            token("UNIT_HEAD", Some("02CV")),
            token("UNIT_HEAD", Some("02DS")),
            token("UNIT_HEAD", Some("02")),
        );
        let named =
            ["token", "create", "--name", "named", "--role", "UNIT_HEAD", "--unit", "02CV", "--officer", "CC01"];
        let named = program().json(&database, &named)["token"].as_str().unwrap().to_owned();
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
        let list = "{ redactedComplaints(first: 5) { totalCount pageInfo { endCursor } nodes { pseudonym month unit { code } category { code } state text } } }";
        let read = |token: &str| server.data(token, list)["redactedComplaints"].clone();
        assert_eq!(read(&own)["totalCount"], 0, "nothing until the Board has said what");
        let all = server.data(&board, "{ complaints { nodes { id version confidential redactedText } } }");
        let all = all["complaints"]["nodes"].as_array().unwrap().clone();
        let (secret, open): (Vec<_>, Vec<_>) = all.iter().partition(|one| one["confidential"] == true);
        let redact = "mutation ($input: RedactComplaintInput!) { redactComplaint(input: $input) { complaint { version redactedText } } }";
        let input = |one: &Value, text: &str| json!({ "input": { "complaintId": one["id"], "expectedVersion": one["version"], "text": text } });
        assert_eq!(server.graphql(&board, redact, &input(open[0], "x")).codes(), ["BAD_USER_INPUT"], "it is no secret");
        assert_eq!(server.graphql(&board, redact, &input(secret[0], "  ")).codes(), ["BAD_USER_INPUT"]);
        let done = server.data_with(&board, redact, &input(secret[0], "Một doanh nghiệp phản ánh chậm trễ."));
        let version = secret[0]["version"].as_i64().unwrap() + 1;
        assert_eq!(
            done["redactComplaint"]["complaint"],
            json!({ "version": version, "redactedText": "Một doanh nghiệp phản ánh chậm trễ." })
        );
        assert_eq!(server.graphql(&board, redact, &input(secret[0], "y")).codes(), ["CONFLICT"]);
        let again =
            json!({ "input": { "complaintId": secret[0]["id"], "expectedVersion": version, "text": "Chậm trễ." } });
        server.data_with(&board, redact, &again);
        for token in [&own, &province, &board] {
            let seen = read(token);
            assert_eq!(seen["totalCount"], 1, "{seen}");
            let node = &seen["nodes"][0];
            assert_eq!(
                (&node["month"], &node["unit"]["code"], &node["category"]["code"], &node["text"]),
                (&json!("2024-03"), &json!("02CV"), &json!("TD1"), &json!("Chậm trễ."))
            );
            assert!(node["pseudonym"].as_str().unwrap().starts_with("k1-"));
            let whole = seen.to_string();
            let cursor = seen["pageInfo"]["endCursor"].as_str().unwrap();
            let elsewhere = format!("{{ complaints(after: \"{cursor}\") {{ totalCount }} }}");
            assert_eq!(
                server.graphql(token, &elsewhere, &json!({})).codes(),
                ["BAD_USER_INPUT"],
                "it would tell the time"
            );
            let further = format!("{{ redactedComplaints(after: \"{cursor}\") {{ nodes {{ text }} }} }}");
            assert_eq!(server.data(token, &further)["redactedComplaints"]["nodes"], json!([]));
            let id = secret[0]["id"].as_str().unwrap();
            assert!(!whole.contains(id) && !whole.contains("0314409058") && !whole.contains("giữ kín"), "{whole}");
        }
        // Another branch's, and what names the reader himself, are not there; and the complaint itself is for none of them.
        for token in [&other, &named] {
            assert_eq!(read(token)["totalCount"], 0);
        }
        let mut by_id = format!("{{ complaint(id: {}) {{ id }} }}", secret[0]["id"]);
        assert_eq!(server.data(&own, &by_id)["complaint"], json!(null));
        by_id = format!("{{ complaint(id: {}) {{ redactedText }} }}", secret[0]["id"]);
        assert_eq!(server.graphql(&own, &by_id, &json!({})).codes(), ["FORBIDDEN"]);
        assert_eq!(server.graphql(&token("DATA_TEAM", None), list, &json!({})).codes()[0], "FORBIDDEN");
        // The unit answers it without knowing more of it; nobody else does, and not twice from one version.
        let node = server.data(&own, "{ redactedComplaints { nodes { pseudonym version state } } }")
            ["redactedComplaints"]["nodes"][0]
            .clone();
        let respond = "mutation ($input: RespondToRedactedComplaintInput!) { respondToRedactedComplaint(input: $input) { complaint { pseudonym version state text } position } }";
        let answer = |token: &str, pseudonym: &Value| {
            let input = json!({ "pseudonym": pseudonym, "expectedVersion": node["version"], "action": "CORRECTION", "text": "Đã xin lỗi." });
            server.graphql(token, respond, &json!({ "input": input }))
        };
        for token in [&other, &named] {
            assert_eq!(answer(token, &node["pseudonym"]).codes(), ["BAD_USER_INPUT"]);
        }
        assert_eq!(answer(&own, &json!("k1-x")).codes(), ["BAD_USER_INPUT"]);
        assert_eq!(answer(&board, &node["pseudonym"]).codes()[0], "FORBIDDEN");
        let answered =
            answer(&own, &node["pseudonym"]).json()["data"]["respondToRedactedComplaint"]["complaint"].clone();
        assert_eq!((&answered["state"], &answered["pseudonym"]), (&json!("ANSWERED"), &node["pseudonym"]));
        assert_eq!(answer(&own, &node["pseudonym"]).codes(), ["CONFLICT"]);
        let told = format!(
            "{{ complaint(id: {}) {{ state responses {{ nodes {{ text unit {{ code }} }} }} }} }}",
            secret[0]["id"]
        );
        assert_eq!(
            server.data(&board, &told)["complaint"],
            json!({ "state": "ANSWERED", "responses": { "nodes": [{ "text": "Đã xin lỗi.", "unit": { "code": "02CV" } }] } })
        );
        // The text is kept beside the history, which verifies.
        program().run(&database, ["audit", "seal", "--key-file", &key]).ok();
        program().run(&database, ["audit", "verify", "--key-file", &key]).ok();
    }
}
