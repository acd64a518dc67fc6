//! Submissions and answers over HTTP, and the events that they leave.

use crate::graphql::worlds;
use serde_json::{Value, json};

const SUBMIT: &str = "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { id reference state version created } }";

fn submission() -> Value {
    json!({
        "idempotencyKey": "b7f0", "taxCode": "0314409058002", "enterpriseName": "Chi nhánh B", "unit": "02CV-D1", "category": "TD1",
        "officers": ["CC01"], "declarationNumber": "301234567890", "text": "Hồ sơ bị trả lại ba lần không nêu lý do.",
        "costVnd": "3500000", "delayHours": 26.5, "channel": "HOTLINE"
    })
}

#[test]
fn a_submission_is_stored_once_whatever_the_network_does() {
    for world in worlds() {
        let send = |input: &Value| world.server.graphql(&world.intake, SUBMIT, &json!({ "input": input }));
        let first = send(&submission()).json()["data"]["submitComplaint"].clone();
        assert_eq!(
            (&first["created"], &first["state"], &first["version"]),
            (&json!(true), &json!("RECEIVED"), &json!(1))
        );
        let again = send(&submission()).json()["data"]["submitComplaint"].clone();
        assert_eq!((&again["created"], &again["id"]), (&json!(false), &first["id"]));
        let mut other = submission();
        other["text"] = json!("Một việc khác.");
        let answer = send(&other);
        assert_eq!(answer.codes(), ["CONFLICT"], "{}", answer.text);
        // Many at once: one complaint.
        let mut many = submission();
        many["idempotencyKey"] = json!("at-once");
        let created: Vec<_> = std::thread::scope(|scope| {
            let sent: Vec<_> =
                (0..8).map(|_| scope.spawn(|| send(&many).json()["data"]["submitComplaint"].clone())).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(created.iter().filter(|receipt| receipt["created"] == true).count(), 1, "{created:?}");
        assert!(created.iter().all(|receipt| receipt["id"] == created[0]["id"]));

        let query = format!(
            "{{ complaint(id: {}) {{ reference enterprise {{ taxCode }} department {{ code }} officers {{ officer {{ code }} attribution }} costVnd declarationNumber channel }} }}",
            first["id"]
        );
        let stored = world.server.data(&world.board, &query)["complaint"].clone();
        assert_eq!(stored["reference"], first["reference"]);
        assert_eq!(stored["enterprise"]["taxCode"], "0314409058-002");
        assert_eq!(stored["department"]["code"], "02");
        assert_eq!(stored["officers"][0], json!({ "officer": { "code": "CC01" }, "attribution": "ASSERTED" }));
        assert_eq!((&stored["costVnd"], &stored["channel"]), (&json!("3500000"), &json!("HOTLINE")));
    }
}

#[test]
fn a_submission_is_checked_and_may_be_anonymous() {
    let [world, _] = worlds();
    for (field, value, word) in [
        ("taxCode", json!("0100233480"), "check digit"),
        ("declarationNumber", json!("12345"), "12 digits"),
        ("unit", json!("99"), "unit: \\\"99\\\" is not known"),
        ("category", json!("XX"), "category"),
        ("officers", json!([" "]), "officers: a code has"),
        ("text", json!("  "), "text"),
        ("receivedAt", json!("2190-01-01T00:00:00Z"), "future"),
        ("occurredAt", json!("2190-01-01T00:00:00Z"), "occurredAt"),
        ("costVnd", json!("-1"), "costVnd"),
        ("delayHours", json!(-1.0), "delayHours"),
        ("idempotencyKey", json!(""), "idempotencyKey"),
    ] {
        let mut input = submission();
        input["idempotencyKey"] = json!(format!("bad-{field}"));
        input[field] = value;
        let answer = world.server.graphql(&world.intake, SUBMIT, &json!({ "input": input }));
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{field}: {}", answer.text);
        assert!(answer.text.contains(word), "{field}: {}", answer.text);
        assert_eq!(answer.json()["data"], Value::Null);
    }
    let anonymous = json!({ "input": { "idempotencyKey": "anon", "text": "Không dám nêu tên." } });
    let receipt = world.server.data_with(&world.intake, SUBMIT, &anonymous)["submitComplaint"].clone();
    assert_eq!(receipt["created"], true);
    let data = world.server.data(
        &world.board,
        &format!(
            "{{ complaint(id: {}) {{ anonymous enterprise {{ name }} }} complaints {{ totalCount }} }}",
            receipt["id"]
        ),
    );
    assert_eq!(
        data,
        json!({ "complaint": { "anonymous": true, "enterprise": null }, "complaints": { "totalCount": 7 } })
    );
}

#[test]
fn the_unit_responsible_answers_the_version_that_it_knows() {
    const RESPOND: &str = "mutation ($input: RespondToComplaintInput!) { respondToComplaint(input: $input) {
        complaint { state version responses { nodes { text unit { code } } } } response { text action unit { code } } } }";
    for world in worlds() {
        let id =
            world.server.data_with(&world.intake, SUBMIT, &json!({ "input": submission() }))["submitComplaint"]["id"]
                .clone();
        let answer = |token: &str, version: i32| {
            let input = json!({ "complaintId": id, "expectedVersion": version, "action": "CORRECTION", "text": "Đã nhận lại hồ sơ." });
            world.server.graphql(token, RESPOND, &json!({ "input": input }))
        };
        let board = answer(&world.board, 1).codes();
        assert!(!board.is_empty() && board.iter().all(|code| code == "FORBIDDEN"), "{board:?}");
        assert_eq!(answer(&world.express, 1).codes(), ["NOT_FOUND"], "another unit's complaint is not there");
        assert_eq!(answer(&world.saigon, 7).codes(), ["CONFLICT"]);
        let done = answer(&world.saigon, 1).json()["data"]["respondToComplaint"].clone();
        assert_eq!(done["complaint"]["state"], "ANSWERED");
        assert_eq!(
            done["response"],
            json!({ "text": "Đã nhận lại hồ sơ.", "action": "CORRECTION", "unit": { "code": "02CV" } })
        );
        assert_eq!(done["complaint"]["responses"]["nodes"].as_array().unwrap().len(), 1);
        assert_eq!(answer(&world.saigon, 1).codes(), ["CONFLICT"], "the version went up");
        // Two at once to one version: one of them is told.
        let version = i32::try_from(done["complaint"]["version"].as_i64().unwrap()).unwrap();
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..2).map(|_| scope.spawn(|| answer(&world.saigon, version).codes())).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|codes| codes.is_empty()).count(), 1, "{outcomes:?}");
        assert!(outcomes.contains(&vec!["CONFLICT".to_owned()]), "{outcomes:?}");
    }
}

#[test]
fn every_change_leaves_an_event_and_personal_values_stand_beside_it() {
    use diesel::prelude::*;
    use schema::events::{ComplaintEventValue, StoredComplaintEvent, commitment};
    use schema::tables::{complaint_event_values, complaint_events};
    for world in worlds() {
        let id =
            world.server.data_with(&world.intake, SUBMIT, &json!({ "input": submission() }))["submitComplaint"]["id"]
                .clone();
        let id = schema::Id(id.as_str().unwrap().parse().unwrap());
        let (events, values) = world
            .database
            .open()
            .read(|conn| {
                let events: Vec<StoredComplaintEvent> = complaint_events::table
                    .filter(complaint_events::complaint_id.eq(id))
                    .select(StoredComplaintEvent::as_select())
                    .load(conn)?;
                let values: Vec<ComplaintEventValue> = complaint_event_values::table
                    .filter(complaint_event_values::complaint_id.eq(id))
                    .select(ComplaintEventValue::as_select())
                    .load(conn)?;
                Ok((events, values))
            })
            .unwrap();
        let after = &events[0].after.as_ref().unwrap().0;
        assert_eq!((events.len(), &events[0].before), (1, &None));
        assert_eq!(events[0].actor, "token:INTAKE-all");
        assert!(!after.to_string().contains("ba lần") && !after.to_string().contains("301234567890"), "{after}");
        assert_eq!(values.len(), 2);
        for value in values {
            assert_eq!(after[&value.field]["commitment"], commitment(&value.salt, &value.field, &value.value));
        }
    }
}

#[test]
fn positions_are_dense_however_many_write_at_once() {
    use diesel::prelude::*;
    use schema::tables::complaint_events;
    for world in worlds() {
        let before = world.database.open().read(schema::db::dialect::current_position).unwrap();
        std::thread::scope(|scope| {
            for n in 0..40 {
                let world = &world;
                scope.spawn(move || {
                    let input =
                        json!({ "input": { "idempotencyKey": format!("dense-{n}"), "text": "Một trong nhiều." } });
                    world.server.data_with(&world.intake, SUBMIT, &input);
                });
            }
        });
        let positions: Vec<i64> = world
            .database
            .open()
            .read(|conn| {
                Ok(complaint_events::table
                    .filter(complaint_events::position.gt(before))
                    .order(complaint_events::position)
                    .select(complaint_events::position)
                    .load(conn)?)
            })
            .unwrap();
        assert_eq!(positions, (before + 1..=before + 40).collect::<Vec<_>>(), "{}", world.database.name);
        // Its own and others' writes are seen in aggregates soon after.
        let expected = json!({ "complaintStatistics": { "position": before + 40, "rows": [{ "complaints": 46 }] } });
        let mut seen = Value::Null;
        for _ in 0..100 {
            seen = world.server.data(&world.board, "{ complaintStatistics { position rows { complaints } } }");
            if seen == expected {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_text_with_nul_is_a_mistake_of_whoever_asks_on_both_databases() {
    for world in worlds() {
        for (query, variables) in [
            ("{ units(filter: {code: {eq: \"a\\u0000b\"}}) { totalCount } }", json!({})),
            ("query ($s: String) { complaints(filter: {search: $s}) { totalCount } }", json!({ "s": "\u{0}" })),
            ("query ($c: String) { unit(code: $c) { code } }", json!({ "c": "02\u{0}" })),
        ] {
            let answer = world.server.graphql(&world.board, query, &variables);
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}", answer.text);
            assert!(answer.text.contains("NUL"), "{}", answer.text);
        }
        // Nor in a cursor of one's own making.
        let cursor = data_encoding::BASE64URL_NOPAD
            .encode(b"[{\"text\":\"\\u0000\"},{\"id\":\"00000000-0000-0000-0000-000000000000\"}]");
        let behind = format!("{{ units(orderBy: [{{field: CODE}}], after: \"{cursor}\") {{ nodes {{ code }} }} }}");
        let answer = world.server.graphql(&world.board, &behind, &json!({}));
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}", answer.text);
    }
}
